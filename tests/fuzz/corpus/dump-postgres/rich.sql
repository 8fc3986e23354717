SET client_encoding = 'LATIN1';
CREATE TYPE public.mood AS ENUM ('sad', 'ok');
CREATE TABLE public.users (
    id integer NOT NULL, name character varying(40) DEFAULT 'x'::character varying, mail text[], raw bytea,
    t timestamp with time zone, n numeric(10,2), j jsonb, m public.mood, "Odd ""one" boolean
);
COPY public.users (id, name, mail, raw, t, n, j, m, "Odd ""one") FROM stdin;
1	Zürich\tx	{a@example.com,"b,\\"c"}	\\x00ff	2018-11-03 05:05:06.25+01	1.50	{"a": [1]}	ok	t
2	\N	{}	\N	infinity	NaN	\N	sad	f
\.
INSERT INTO public.users VALUES (3, E'a\'b\x41', ARRAY['x'], '\x41', '2018-11-03', 1, '{}', 'ok', true), (4, $q$a'b$q$, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $_$ SELECT ';'; $_$;
SELECT pg_catalog.setval('s', 4, true);
ALTER TABLE ONLY public.users ADD CONSTRAINT p PRIMARY KEY (id);

--
-- PostgreSQL database dump
--
SET client_encoding = 'UTF8';
CREATE TABLE public.users (
    id integer NOT NULL,
    name character varying(80),
    joined timestamp with time zone
);
COPY public.users (id, name, joined) FROM stdin;
1	anna	2026-01-02 03:04:05+00
2	b\\o\tb	\N
\.
INSERT INTO public.users VALUES (3, 'it''s', NULL), (4, E'a\nb', now());
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);

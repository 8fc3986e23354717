-- Every common type, odd names, and statements that hold no rows.
CREATE TYPE mood AS ENUM ('calm', 'it''s; "odd"');
CREATE TABLE kinds (
  id serial PRIMARY KEY, small smallint, big bigint NOT NULL, exact numeric(20, 6), real4 real, real8 double precision,
  yes boolean DEFAULT false, words text, short character varying(90) CHECK (short <> ',)'), fixed character(5),
  raw bytea, moment timestamp with time zone, plain timestamp without time zone, day date, clock time, span interval,
  doc json, docb jsonb, list integer[], words_list text[], ident uuid, ip inet, net cidr, state mood, flags bit varying(9)
);
CREATE TABLE "Odd Names" ("select" integer REFERENCES kinds (id), "a ""b" text, "é" text);
CREATE SCHEMA other;
CREATE TABLE other.users (uid bigint, nick text, PRIMARY KEY (uid));
CREATE TABLE parted (n integer, at date) PARTITION BY RANGE (at);
CREATE TABLE parted_2018 PARTITION OF parted FOR VALUES FROM ('2018-01-01') TO ('2019-01-01');
CREATE TABLE nothing ();
CREATE VIEW seen AS SELECT id, words FROM kinds WHERE words <> ';';
COMMENT ON TABLE kinds IS 'a comment; with -- signs /* and '' quotes';
INSERT INTO kinds SELECT n + 1000, n, n * 10000000000, n / 7.0, n / 3.0, n / 3.0, n % 2 = 0, repeat('é中' || chr(n % 900 + 32), n % 9),
  E'tab\there\nline\\N', 'ab', decode(md5(n::text), 'hex'), '2018-03-04 05:06:07.089+02', '2018-03-04 05:06:07',
  '2018-03-04', '05:06:07', '3 days 04:05', '{"a": "b\tc"}', '{"k": [1, "é"]}', ARRAY[n, NULL], ARRAY['a"b', 'c,d', '\'],
  '123e4567-e89b-12d3-a456-426614174000', '192.0.2.1', '198.51.100.0/24', 'it''s; "odd"', B'101' FROM generate_series(1, 300) n;
INSERT INTO kinds (big) VALUES (-9223372036854775808), (0);
INSERT INTO kinds (big, real8, exact, words, raw, short) VALUES (1, 'NaN', 'NaN', E'\b\f\v\x7f\x01\r\n', '', E'\\.'), (2, '-Infinity', 0, '\.', '\x00', '\N');
INSERT INTO "Odd Names" VALUES (1, 'x', 'y'), (NULL, NULL, $q$it's -- ; $q$);
INSERT INTO other.users VALUES (1, 'amber');
INSERT INTO parted VALUES (1, '2018-05-06');
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $body$ BEGIN RAISE NOTICE 'x;y'; RETURN NEW; END; $body$;
CREATE TRIGGER t BEFORE INSERT ON kinds FOR EACH ROW EXECUTE FUNCTION f();

"""Dumps of PostgreSQL give the server's own rows, whichever way they were written, and say what they lack."""

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.extract.reader import Broken, Piece, Rows, Schema, Skipped
from casewright.extract.readers.postgres import read_postgres
from casewright.extract.readers.postgres_archive import read_postgres_archive
from tests.extract import postgres_server
from tests.extract.postgres_server import Server

KINDS = (
    "id", "small", "big", "exact", "real4", "real8", "yes", "words", "short", "fixed", "raw", "moment", "plain", "day",
    "clock", "span", "doc", "docb", "list", "words_list", "ident", "ip", "net", "state", "flags",
)  # fmt: skip
COLUMNS = {
    "kinds": KINDS,
    "Odd Names": ("select", 'a "b', "é"),
    "other.users": ("uid", "nick"),
    "parted_2018": ("n", "at"),
}
WAYS = {
    "copy": [],
    "inserts": ["--inserts"],
    "columns": ["--column-inserts"],
    "many": ["--rows-per-insert=50"],
    "latin1": ["--inserts", "-E", "LATIN1", "-T", "kinds"],
    "disable": ["--disable-dollar-quoting", "--quote-all-identifiers", "--if-exists", "--clean", "--create"],
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    if postgres_server.programs() is None:
        pytest.skip("PostgreSQL's server is not installed")
    with postgres_server.running() as server:
        server.sql((Path(__file__).parent / "postgres_kinds.sql").read_text("utf-8"))
        yield server


def rows_of(pieces: list[Piece], table: str) -> list[tuple[bytes | None, ...]]:
    found = list[tuple[bytes | None, ...]]()
    for piece in pieces:
        if isinstance(piece, Rows) and piece.table == table:
            assert piece.columns == COLUMNS.get(table, piece.columns)
            found += zip(*(column.to_pylist() for column in piece.values), strict=True)
    return found


def broken(pieces: list[Piece]) -> list[tuple[str, str]]:
    return [(piece.reason, piece.detail) for piece in pieces if isinstance(piece, Broken)]


def shown(server: Server, table: str) -> list[tuple[bytes | None, ...]]:
    """What the server says of each column as text; booleans as numbers, bytes as they are."""
    names = COLUMNS[table]
    quoted = ['"' + name.replace('"', '""') + '"' for name in names]
    wanted = [
        {"yes": "yes::int::text", "raw": "encode(raw, 'hex')", "fixed": "rpad(fixed, 5)", "ip": "host(ip)"}.get(
            name, f"{q}::text"
        )
        for name, q in zip(names, quoted, strict=True)
    ]
    whole = ".".join('"' + part + '"' for part in table.split("."))
    rows = server.rows(f"SET timezone = 'UTC'; SELECT {', '.join(wanted)} FROM {whole}")
    if "raw" not in names:
        return rows
    at = names.index("raw")
    return [(*r[:at], None if r[at] is None else bytes.fromhex(r[at].decode()), *r[at + 1 :]) for r in rows]  # type: ignore[union-attr]


@pytest.mark.parametrize("way", WAYS)
def test_every_row_of_a_plain_dump_is_the_servers(server: Server, way: str) -> None:
    raw = server.run("pg_dump", *WAYS[way], "site")
    pieces = list(read_postgres(io.BytesIO(raw)))
    assert not broken(pieces)
    for table in COLUMNS:
        if not (way == "latin1" and table == "kinds"):
            assert sorted(rows_of(pieces, table), key=str) == sorted(shown(server, table), key=str), table


@pytest.mark.parametrize("options", [[], ["-Z0"], ["-Z9"], ["--inserts"], ["--rows-per-insert=7"], ["--data-only"]])
def test_every_row_of_a_custom_dump_is_the_servers(server: Server, options: list[str]) -> None:
    raw = server.run("pg_dump", "-Fc", *options, "site")
    pieces = list(read_postgres_archive(io.BytesIO(raw)))
    assert not broken(pieces)
    tables = [t for t in COLUMNS if "--data-only" not in options or t == "other.users"]
    for table in tables:
        assert sorted(rows_of(pieces, table), key=str) == sorted(shown(server, table), key=str), table
    for piece in pieces:
        if isinstance(piece, Rows):
            start = piece.span_start[0].as_py()
            assert raw[start] == 1, "the block of the rows"
            assert start + piece.span_length[0].as_py() <= len(raw)
    numbers = [n for p in pieces if isinstance(p, Rows) and p.table == "kinds" for n in p.row.to_pylist()]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("options", [[], ["--inserts"]])
def test_a_custom_dump_in_another_encoding_gives_its_names_and_values_as_text(
    server: Server, options: list[str]
) -> None:
    raw = server.run("pg_dump", "-Fc", "-E", "LATIN1", "-T", "kinds", *options, "site")
    pieces = list(read_postgres_archive(io.BytesIO(raw)))
    assert not broken(pieces)
    assert sorted(rows_of(pieces, "Odd Names"), key=str) == sorted(shown(server, "Odd Names"), key=str)


@pytest.mark.parametrize("options", [[], ["--inserts"]])
def test_keys_are_known_before_the_rows(server: Server, options: list[str]) -> None:
    plain = list(read_postgres(io.BytesIO(server.run("pg_dump", *options, "site"))))
    custom = list(read_postgres_archive(io.BytesIO(server.run("pg_dump", "-Fc", *options, "site"))))
    for pieces in (plain, custom):
        schemas = {p.table: p for p in pieces if isinstance(p, Schema)}
        assert schemas["kinds"].primary == "id"
        assert schemas["other.users"].primary == "uid"
        assert schemas["Odd Names"].foreign == (("select", "kinds", "id"),)
        types = dict(schemas["kinds"].columns)
        assert (types["short"], types["moment"], types["list"]) == (
            "character varying(90)", "timestamp with time zone", "integer[]",
        )  # fmt: skip
        first = next(n for n, p in enumerate(pieces) if isinstance(p, Rows))
        assert any(isinstance(p, Schema) for p in pieces[:first])


@pytest.mark.parametrize("options", [[], ["--inserts"]])
def test_every_byte_of_a_plain_dump_is_accounted_for(server: Server, options: list[str]) -> None:
    raw = server.run("pg_dump", *options, "site")
    spans = list[tuple[int, int]]()
    for piece in read_postgres(io.BytesIO(raw)):
        if isinstance(piece, Rows):
            spans += zip(piece.span_start.to_pylist(), piece.span_length.to_pylist(), strict=True)
        else:
            spans.append((piece.span_start, piece.span_length))
    covered, at = b"", 0
    for start, length in sorted(spans):
        assert start >= at
        covered += raw[at:start]
        at = start + length
    left = re.sub(rb"--[^\n]*\n|COPY [^;]*;|INSERT INTO [^;(]*VALUES|\\\.|[\s;,]", b"", covered + raw[at:])
    assert left == b"", "comments, heads and marks only"


def test_each_row_has_the_span_of_its_bytes(server: Server) -> None:
    raw = server.run("pg_dump", "-t", "kinds", "site")
    for piece in read_postgres(io.BytesIO(raw)):
        if isinstance(piece, Rows):
            for number, start, length in zip(piece.values[0], piece.span_start, piece.span_length, strict=True):
                line = raw[start.as_py() :][: length.as_py()]
                assert line.startswith(number.as_py() + b"\t")
                assert line.endswith(b"\n")
                assert line.count(b"\n") == 1


def test_a_dump_of_all_databases_names_the_tables_of_the_second_by_it(server: Server) -> None:
    server.run("createdb", "zweite")
    server.sql("CREATE TABLE users (n int); INSERT INTO users VALUES (7);", "zweite")
    pieces = list(read_postgres(io.BytesIO(server.run("pg_dumpall"))))
    assert rows_of(pieces, "zweite.users") == [(b"7",)]
    assert rows_of(pieces, "other.users") == [(b"1", b"amber")]


def test_large_objects_are_passed_over(server: Server) -> None:
    server.run("createdb", "lobs")
    server.sql("SELECT lo_from_bytea(0, 'x'); CREATE TABLE t (n int); INSERT INTO t VALUES (1);", "lobs")
    pieces = list(read_postgres_archive(io.BytesIO(server.run("pg_dump", "-Fc", "lobs"))))
    assert rows_of(pieces, "t") == [(b"1",)]
    assert "large objects" in [p.what for p in pieces if isinstance(p, Skipped)]


PLAIN = (
    rb"""-- PostgreSQL database dump
SET client_encoding = 'LATIN1';
CREATE TABLE public.users (uid integer, nick text, ok boolean, pic bytea);
COPY public.users (uid, nick, ok, pic) FROM stdin;
1	caf"""
    + b"\xe9"
    + rb"""	t	\\x6162
2	\N	f	\\000a\\\\
3	only two
4	a\tb\x41\101	\N	\N
\.
INSERT INTO public.users VALUES (5, E'a\'b\n', TRUE, '\x63'), (6, 'it''s; --', NULL, NULL::bytea);
INSERT INTO public.users VALUES (7, now(), TRUE, NULL);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (uid);
COPY public.users (uid, nick, ok, pic) FROM stdin;
8	cut	t	"""
)


def test_what_can_not_be_read_is_set_apart_and_the_rest_is_kept() -> None:
    pieces = list(read_postgres(io.BytesIO(PLAIN)))
    assert rows_of(pieces, "users") == [
        (b"1", "café".encode(), b"1", b"ab"), (b"2", None, b"0", b"\0a\\"), (b"4", b"a\tbAA", None, None),
        (b"5", b"a'b\n", b"1", b"c"), (b"6", b"it's; --", None, None),
    ]  # fmt: skip
    assert [reason for reason, _ in broken(pieces)] == ["unreadable", "unreadable", "truncated"]
    spans = [PLAIN[p.span_start : p.span_start + p.span_length] for p in pieces if isinstance(p, Broken)]
    assert spans[0] == b"3\tonly two\n"
    assert spans[1] == b"(7, now(), TRUE, NULL)"
    assert spans[2] == b"8\tcut\tt\t"
    (schema,) = (p for p in pieces if isinstance(p, Schema))
    assert schema.primary == "uid"


@pytest.mark.parametrize("statement", [b"INSERT INTO users SELECT 1;", b"insert into users values (1);",
                                       b"INSERT INTO users DEFAULT VALUES;"])  # fmt: skip
def test_an_insert_that_is_written_otherwise_is_set_apart_and_not_lost(statement: bytes) -> None:
    pieces = list(read_postgres(io.BytesIO(b"CREATE TABLE users (n int);\n" + statement)))
    (piece,) = (p for p in pieces if isinstance(p, Broken))
    assert piece.span_length == len(statement) - 1


def test_a_key_without_a_column_is_no_reason_to_stop() -> None:
    raw = b"CREATE TABLE a (n int REFERENCES b ());\nCOPY a (n) FROM stdin;\n1\n\\.\n"
    assert rows_of(list(read_postgres(io.BytesIO(raw))), "a") == [(b"1",)]


@settings(max_examples=80)
@given(st.integers(0, len(PLAIN)), st.lists(st.tuples(st.integers(0, len(PLAIN) - 1), st.integers(0, 255)), max_size=6))
def test_a_damaged_dump_ends_in_rows_and_reasons(cut: int, hits: list[tuple[int, int]]) -> None:
    raw = bytearray(PLAIN)
    for at, value in hits:
        raw[at] = value
    list(read_postgres(io.BytesIO(bytes(raw[:cut]))))


@pytest.fixture(scope="module")
def archive(server: Server) -> bytes:
    return server.run("pg_dump", "-Fc", "-t", "other.users", "-t", "kinds", "site")


@settings(max_examples=80)
@given(st.floats(0, 1), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=4))
def test_a_damaged_archive_ends_in_rows_and_reasons(archive: bytes, left: float, hits: list[tuple[float, int]]) -> None:
    raw = bytearray(archive)
    for where, value in hits:
        raw[int(where * (len(raw) - 1))] = value
    cut = int(left * len(raw))
    pieces = list(read_postgres_archive(io.BytesIO(bytes(raw[:cut]))))
    whole = sum(len(p) for p in read_postgres_archive(io.BytesIO(archive)) if isinstance(p, Rows))
    found = sum(len(p) for p in pieces if isinstance(p, Rows))
    assert found >= whole or broken(pieces) or hits or cut == len(raw)


def test_an_archive_that_can_not_be_read_is_refused_by_what_it_is(archive: bytes) -> None:
    newer = archive[:6] + b"\x63" + archive[7:]
    (piece,) = read_postgres_archive(io.BytesIO(newer))
    assert isinstance(piece, Broken)
    assert "version 1.99" in piece.detail
    directory = archive[:10] + b"\x05" + archive[11:]
    (piece,) = read_postgres_archive(io.BytesIO(directory))
    assert isinstance(piece, Broken)
    assert "other files" in piece.detail


def test_an_archive_whose_encoding_is_unreadable_is_read_all_the_same(archive: bytes) -> None:
    at = archive.index(b"SET client_encoding = 'UTF8'")
    raw = archive[:at] + b"SET client_encoding = xUTF8x" + archive[at + 28 :]
    assert rows_of(list(read_postgres_archive(io.BytesIO(raw))), "other.users") == [(b"1", b"amber")]

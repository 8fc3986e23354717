"""Dumps of PostgreSQL in encodings that hide backslashes within characters give the server's own text."""

import io
from collections.abc import Iterator

import pytest

from casewright.extract.reader import Broken, Piece, Rows
from casewright.extract.readers.postgres import read_postgres
from casewright.extract.readers.postgres_archive import read_postgres_archive
from tests.extract import postgres_server
from tests.extract.postgres_server import Server

ENCODINGS = {
    "SJIS": "表示ソ能 \\ ' \t ｱｲｳ～①",
    "SHIFT_JIS_2004": "表示ソ能 \\ '",
    "BIG5": "功許蓋 \\ '\n",
    "GBK": "誠乗俓 \\ ' 汉字",
    "GB18030": "誠乗俓 \\ ' 汉字𠀀",
    "UHC": "한글 갂 \\ '",
    "JOHAB": "한글 \\ ' 똠",
    "EUC_JP": "表示ソ能 \\ '",
    "WIN1251": "Привет \\ '",
}
WAYS = {"copy": [], "inserts": ["--inserts"], "custom": ["-Fc"], "custom, inserts": ["-Fc", "--inserts"]}


@pytest.fixture(scope="module", params=["on", "off"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server that takes backslashes in strings as signs, or as escapes."""
    if postgres_server.programs() is None:
        pytest.skip("PostgreSQL's server is not installed")
    with postgres_server.running() as server:
        for name, text in ENCODINGS.items():
            written = text.replace("'", "''")
            server.sql(
                f"CREATE TABLE t_{name} (n int, words text, raw bytea);"
                f"INSERT INTO t_{name} VALUES (1, '{written}', '\\x5c27e95c'), (2, NULL, ''), (3, '', NULL);"
            )
        server.sql(f"ALTER DATABASE site SET standard_conforming_strings = {request.param}")
        yield server


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_text_is_the_servers_own_in_every_encoding(server: Server, encoding: str, way: str) -> None:
    if encoding == "JOHAB" and "--inserts" in WAYS[way]:
        pytest.skip("pg_dump takes characters of Johab for damage, and writes others in their place")
    raw = server.run("pg_dump", "-E", encoding, "-t", f"t_{encoding}".lower(), *WAYS[way], "site")
    reader = read_postgres_archive if "-Fc" in WAYS[way] else read_postgres
    pieces = list(reader(io.BytesIO(raw)))
    assert not [piece for piece in pieces if isinstance(piece, Broken)]
    assert rows_of(pieces) == [
        (b"1", ENCODINGS[encoding].encode(), b"\\'\xe9\\"), (b"2", None, b""), (b"3", b"", None),
    ]  # fmt: skip


def rows_of(pieces: list[Piece]) -> list[tuple[bytes | None, ...]]:
    return [row[0] for piece in pieces if isinstance(piece, Rows) for row in piece.each()]


TABLE = "CREATE TABLE users (uid integer, nick text);\n"
LINES = "COPY users FROM stdin;\n1\tamber\n2\t\\N\n\\.\n"


def test_rows_whose_columns_are_not_named_are_those_of_the_table() -> None:
    (rows,) = (p for p in read_postgres(io.BytesIO((TABLE + LINES).encode())) if isinstance(p, Rows))
    assert rows.columns == ("uid", "nick")
    assert rows_of([rows]) == [(b"1", b"amber"), (b"2", None)]


def test_rows_of_a_table_that_nothing_describes_have_numbered_columns() -> None:
    (rows,) = (p for p in read_postgres(io.BytesIO(LINES.encode())) if isinstance(p, Rows))
    assert rows.columns == ("column_0", "column_1")
    assert rows_of([rows]) == [(b"1", b"amber"), (b"2", None)]

"""A tablespace is read row for row as the server that wrote it holds it, in every form in which it keeps rows."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from casewright.extract.reader import FREED, Rows, Schema
from casewright.extract.readers.innodb import read_innodb
from tests.extract.beside import Files
from tests.extract.mariadb_server import Row, Server, is_there, running
from tests.extract.tablespaces import ALL_TYPES, Values, broken_of, pieces_of, rows_of

FILL = "INSERT INTO t ({}) SELECT {} FROM seq_1_to_400;"


def same(found: list[Row], expected: list[Row]) -> None:
    """The rows of the dump, which leaves out columns that nobody sees."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert {name: one[name] for name in other if name in one} == {n: v for n, v in other.items() if n in one}


def read_and_compared(server: Server, table: str, folder: Path, *statements: str) -> list[Row]:
    server.sql(f"DROP TABLE IF EXISTS {table}")
    for statement in statements:
        server.sql(statement)
    pieces = pieces_of(server.copied(table, folder))
    assert not broken_of(pieces)
    same(rows_of(pieces), server.dumped(table))
    return rows_of(pieces, FREED)


@pytest.mark.parametrize("form", ["dynamic", "compact", "redundant"])
def test_values_of_every_type_are_those_of_the_servers_own_dump(mariadb: Server, tmp_path: Path, form: str) -> None:
    create = f"CREATE TABLE t {ALL_TYPES} ROW_FORMAT={form}"
    given_up = read_and_compared(mariadb, "t", tmp_path, create, Values(7).insert("t", 300))
    assert not given_up


def test_the_schema_is_the_tables_with_its_types(mariadb: Server, tmp_path: Path) -> None:
    mariadb.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t {ALL_TYPES}")
    (schema,) = (p for p in pieces_of(mariadb.copied("t", tmp_path)) if isinstance(p, Schema))
    told = mariadb.sql("SELECT column_name, column_type FROM information_schema.columns WHERE table_schema = 'site' "
                       "AND table_name = 't' AND extra NOT LIKE 'VIRTUAL%' ORDER BY ordinal_position")  # fmt: skip
    expected = [tuple(line.split("\t")) for line in told.splitlines()]
    ours = {"point": "geometry", "year(4)": "year"}
    assert list(schema.columns) == [(name, ours.get(kind, kind)) for name, kind in expected]
    assert (schema.table, schema.primary) == ("t", "id")


@pytest.mark.parametrize(
    ("columns", "fill"),
    [
        ("(a int, b varchar(30))", FILL.format("a, b", "seq, concat('x', seq)")),
        ("(c text, a int, b varchar(30), PRIMARY KEY (b, a))", FILL.format("a, b, c", "seq, seq, repeat('y', seq)")),
        ("(c text, a int, b varchar(300) NOT NULL, PRIMARY KEY (b(12), c(5)))",
         FILL.format("a, b, c", "seq, concat('xx', seq, repeat('z', 30)), concat(seq, repeat('y', seq))")),
        ("(a int, b int NOT NULL, c char(5), UNIQUE (a), UNIQUE (b), UNIQUE (c))",
         FILL.format("a, b, c", "seq, 501 - seq, seq")),
        ("(id int PRIMARY KEY, a varchar(20), u varchar(2000), UNIQUE (u))",
         FILL.format("id, a, u", "seq, seq, repeat(seq, 9)")),
        ("(id int PRIMARY KEY, a text, FULLTEXT (a))", FILL.format("id, a", "seq, concat('word', seq)")),
        ("(id int PRIMARY KEY, e enum('ä','ÿ','c') CHARACTER SET latin1, s set('ä','ÿ','o''x'))",
         FILL.format("id, e, s", "seq, 1 + seq % 3, seq % 8")),
        ("(id int PRIMARY KEY, a longblob)", FILL.format("id, a", "seq, repeat(char(seq % 256), seq * 300)")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["dynamic", "compact", "redundant"])
def test_rows_are_found_by_whatever_key_they_are_kept(
    mariadb: Server, tmp_path: Path, columns: str, fill: str, form: str
) -> None:
    create = f"CREATE TABLE t {columns} ROW_FORMAT={form}"
    assert not read_and_compared(mariadb, "t", tmp_path, "SET GLOBAL innodb_default_row_format = dynamic", create, fill)


@pytest.mark.parametrize("form", ["dynamic", "compact", "redundant"])
def test_columns_that_were_added_dropped_and_moved_without_writing_rows_anew_are_where_they_belong(
    mariadb: Server, tmp_path: Path, form: str
) -> None:
    columns = ("(p varchar(9), q int, a varchar(20), b int, c varchar(300) NOT NULL, d int NOT NULL, e text, "
               f"PRIMARY KEY (p, q)) ROW_FORMAT={form}")  # fmt: skip
    statements = (
        f"CREATE TABLE t {columns}",
        FILL.format("p, q, a, b, c, d, e", "seq, seq, seq, seq, repeat('c', seq % 300), 9, seq"),
        "ALTER TABLE t ADD COLUMN last varchar(20) DEFAULT 'none yet', ALGORITHM=INSTANT",
        FILL.format("p, q, a, b, c, d, e", "1000 + seq, seq, seq, seq, repeat('c', seq % 300), 9, seq"),
        "ALTER TABLE t ADD COLUMN n int NOT NULL DEFAULT 7 FIRST, ALGORITHM=INSTANT",
        "ALTER TABLE t DROP COLUMN c, ALGORITHM=INSTANT",
        FILL.format("p, q, a, b, d, e", "2000 + seq, seq, seq, seq, 9, seq"),
        "ALTER TABLE t DROP COLUMN b, ADD COLUMN z varchar(50) DEFAULT 'zz' AFTER p, ALGORITHM=INSTANT",
        FILL.format("p, q, a, d, e, z", "3000 + seq, seq, seq, 9, seq, if(seq % 3, NULL, seq)"),
        "ALTER TABLE t DROP COLUMN d, DROP COLUMN a, ALGORITHM=INSTANT; UPDATE t SET e = 'longer' WHERE q % 7 = 0",
    )
    given_up = read_and_compared(mariadb, "t", tmp_path, *statements)
    # the server wipes most of what an update replaces, not always all of it: what is left is a row as it was
    assert [(row["e"], int(row["q"] or 0) % 7) for row in given_up] == [(row["q"], 0) for row in given_up]


def test_a_full_text_index_that_was_dropped_leaves_its_numbers_and_they_are_seen(
    mariadb: Server, tmp_path: Path
) -> None:
    create = "CREATE TABLE t (id int PRIMARY KEY, a text, FULLTEXT f (a))"
    fill = FILL.format("id, a", "seq, concat('word', seq)")
    read_and_compared(mariadb, "t", tmp_path, create, fill, "ALTER TABLE t DROP INDEX f")


def test_history_that_a_table_keeps_of_its_rows_is_no_row_that_stands(mariadb: Server, tmp_path: Path) -> None:
    create = "CREATE TABLE t (id int PRIMARY KEY, a varchar(20)) WITH SYSTEM VERSIONING"
    change = "DELETE FROM t WHERE id % 5 = 0; UPDATE t SET a = 'new' WHERE id % 5 = 1"
    given_up = read_and_compared(mariadb, "t", tmp_path, create, FILL.format("id, a", "seq, seq"), change)
    ids = sorted(int(row["id"] or 0) for row in given_up)
    assert ids == sorted(n for n in range(1, 401) if n % 5 in (0, 1))


def test_each_row_says_which_bytes_it_is(mariadb: Server, tmp_path: Path) -> None:
    mariadb.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, a varchar(30));"
                + FILL.format("id, a", "seq, concat('nick-', seq, '.')"))  # fmt: skip
    path = mariadb.copied("t", tmp_path)
    raw, seen = path.read_bytes(), set[int]()
    for piece in pieces_of(path):
        if isinstance(piece, Rows):
            for values, start, length, number in piece.each():
                assert (values[1] or b"?") in raw[start : start + length]
                assert number is None
                seen.add(start)
    assert len(seen) == 400


@pytest.fixture(scope="module", params=["4k crc32 0", "64k full_crc32 1"])
def unusual(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Servers with pages of other sizes, sums and forms of times, which can write pages encrypted."""
    if not is_there():
        pytest.skip("MariaDB is not installed")
    home = tmp_path_factory.mktemp("unusual")
    keys = home / "keys"
    keys.write_text("1;" + "ab" * 16 + "\n")
    size, sums, times = request.param.split()
    options = [f"--innodb-checksum-algorithm={sums}", f"--mysql56-temporal-format={times}",
               "--plugin-load-add=file_key_management", f"--file-key-management-filename={keys}"]  # fmt: skip
    with running(home, [f"--innodb-page-size={size}"], options) as server:
        yield server


def test_pages_of_every_size_are_read_whatever_their_sums_and_times(unusual: Server, tmp_path: Path) -> None:
    create = ("CREATE TABLE t (id int PRIMARY KEY, a varchar(100), d datetime, c time, s timestamp NULL, "
              "b longblob)")  # fmt: skip
    values = ("seq, seq, '2019-01-02 03:04:05' + INTERVAL seq SECOND, '-12:13:14', '2018-03-04 05:06:07', "
              "repeat('q', if(seq % 50, 3, seq * 100))")  # fmt: skip
    fill = FILL.format("id, a, d, c, s, b", values)
    assert not read_and_compared(unusual, "t", tmp_path, "SET GLOBAL time_zone = '+00:00'", create, fill)


@pytest.mark.parametrize(
    ("options", "said"),
    [("ROW_FORMAT=COMPRESSED", "ROW_FORMAT=COMPRESSED"), ("PAGE_COMPRESSED=1", "compressed pages"),
     ("ENCRYPTED=YES", "an encrypted tablespace")],
)  # fmt: skip
def test_what_is_packed_or_encrypted_is_refused_by_name(
    unusual: Server, tmp_path: Path, options: str, said: str
) -> None:
    if "FORMAT" in options and "64k" in unusual.sql("SELECT concat(@@innodb_page_size DIV 1024, 'k')"):
        pytest.skip("pages of this size can't be packed so")
    unusual.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY) {options}; INSERT INTO t VALUES (1)")
    pieces = pieces_of(unusual.copied("t", tmp_path))
    (refused,) = broken_of(pieces)
    assert said in refused.detail
    assert not rows_of(pieces)


def test_a_column_that_is_packed_by_itself_is_refused_by_name(mariadb: Server, tmp_path: Path) -> None:
    mariadb.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, a text COMPRESSED); "
                + FILL.format("id, a", "seq, seq"))  # fmt: skip
    (refused,) = broken_of(pieces_of(mariadb.copied("t", tmp_path)))
    assert "column a is compressed" in refused.detail


def test_the_tablespace_that_servers_share_is_refused_by_name(mariadb: Server) -> None:
    path = mariadb.data / "ibdata1"
    (refused,) = broken_of(list(read_innodb(io.BytesIO(path.read_bytes()), Files(path))))
    assert "system tablespace" in refused.detail

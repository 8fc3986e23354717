"""What a table's columns are: from its `.frm`, from CREATE TABLE, or from the dictionary that MySQL 8 keeps inside."""

import io
import json
import struct
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from casewright.extract.reader import Schema
from casewright.extract.readers.innodb import read_innodb
from casewright.extract.readers.mysql_collations import BY_NUMBER, CHARSETS, NO_PAD, charset_of
from casewright.kernels.pagesums import crc32c_slow
from tests.extract.beside import Files
from tests.extract.mariadb_server import Server
from tests.extract.tablespaces import ALL_TYPES, Values, broken_of, pieces_of, rows_of

PAGE = 16384


def test_a_create_table_stands_in_for_a_definition_that_was_lost(mariadb: Server, tmp_path: Path) -> None:
    mariadb.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t {ALL_TYPES}; {Values(11).insert('t', 60)}")
    path = mariadb.copied("t", tmp_path)
    by_frm = pieces_of(path)
    (tmp_path / "t.frm").unlink()
    told = mariadb.sql("SHOW CREATE TABLE t").partition("\t")[2].encode().decode("unicode_escape")
    (tmp_path / "t.sql").write_text("-- as the server told it\n" + told.encode("latin-1").decode() + ";\n")
    by_sql = pieces_of(path)
    assert rows_of(by_sql) == rows_of(by_frm)
    assert len(rows_of(by_sql)) == 60
    one, other = (next(p for p in pieces if isinstance(p, Schema)) for pieces in (by_sql, by_frm))
    assert one.names == other.names


def test_keys_of_a_create_table_are_read_as_those_of_the_server(mariadb: Server, tmp_path: Path) -> None:
    mariadb.sql("DROP TABLE IF EXISTS t; CREATE TABLE t (c text, a int, b varchar(300) NOT NULL, v int AS (a) VIRTUAL, "
                "UNIQUE KEY u (a), PRIMARY KEY (b(12), c(5)), FULLTEXT (c)); "
                "INSERT INTO t (a, b, c) SELECT seq, concat(seq, 'xyz'), seq FROM seq_1_to_300")  # fmt: skip
    path = mariadb.copied("t", tmp_path)
    by_frm = rows_of(pieces_of(path))
    told = mariadb.sql("SHOW CREATE TABLE t").partition("\t")[2].replace("\\n", "\n")
    (tmp_path / "t.frm").unlink()
    (tmp_path / "t.sql").write_text(told)
    assert rows_of(pieces_of(path)) == by_frm
    assert len(by_frm) == 300


def test_collations_are_of_the_character_sets_that_the_server_says(mariadb: Server) -> None:
    listed = mariadb.sql("SELECT id, character_set_name FROM information_schema.collations WHERE id IS NOT NULL")
    told = [line.split("\t") for line in listed.splitlines()]
    assert len(told) > 300
    for number, name in told:
        found = charset_of(int(number))
        assert found is not None
        assert found.name == name, number
    listed = mariadb.sql("SELECT character_set_name, maxlen FROM information_schema.character_sets")
    for name, most in (line.split("\t") for line in listed.splitlines()):
        assert CHARSETS[name].most == int(most)
    assert max(BY_NUMBER) > NO_PAD


def test_text_in_every_character_set_is_told_as_the_servers_dump_tells_it(mariadb: Server, tmp_path: Path) -> None:
    own = [c.name for c in CHARSETS.values() if c.name not in ("binary", "gb18030", "utf8")]
    columns = ",".join(f"c_{n} char(6) CHARACTER SET {n}, v_{n} varchar(20) CHARACTER SET {n}" for n in own)
    words = ["äöüß", "日本語", "Привет", "αβγ", "שלום", "abc", "한국", "ěšč", "ไทย", "中文"]
    rows = ",".join(f"({n}" + f",'{word}','{word} '" * len(own) + ")" for n, word in enumerate(words))
    mariadb.sql(f"SET sql_mode = ''; DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, {columns}); "
                f"INSERT INTO t VALUES {rows}")  # fmt: skip
    assert rows_of(pieces_of(mariadb.copied("t", tmp_path))) == mariadb.dumped("t")


def column(name: str, kind: str, *, hidden: int = 1, collation: int = 255, null: bool = False, **more: Any) -> Any:
    return {"name": name, "hidden": hidden, "is_nullable": null, "is_virtual": False, "column_type_utf8": kind,
            "collation_id": collation, "se_private_data": "table_id=1065;", **more}  # fmt: skip


def dictionary(**more: Any) -> Any:
    """As `ibd2sdi` prints that of a table of users, with what reading needs."""
    columns = [
        column("uid", "int unsigned", collation=8), column("nick", "varchar(40)"),
        column("bio", "text", null=True), column("kind", "enum('new','old')", null=True),
        column("DB_TRX_ID", "", hidden=2, collation=63), column("DB_ROLL_PTR", "", hidden=2, collation=63),
    ]  # fmt: skip
    elements = [{"column_opx": n, "hidden": n != 0, "length": 4 if n == 0 else 4294967295} for n in (0, 4, 5, 1, 2, 3)]
    index = {"name": "PRIMARY", "elements": elements, "se_private_data": "id=155;root=4;space_id=9;table_id=1065;"}
    return {"name": "users", "columns": columns, "indexes": [index], "se_private_data": "", **more}


def page(which: int, kind: int, body: bytes) -> bytes:
    """A page of tablespace 9 with the sum that MySQL 8 makes."""
    head = struct.pack(">IIIIQHQI", 0, which, 0xFFFFFFFF, 0xFFFFFFFF, 77, kind, 0, 9)
    raw = (head + body).ljust(PAGE - 8, b"\0") + struct.pack(">II", 0, 77)
    total = crc32c_slow(raw[4:26]) ^ crc32c_slow(raw[38:-8])
    return struct.pack(">I", total) + raw[4:-8] + struct.pack(">I", total) + raw[-4:]


def leaf(which: int, kind: int, index: int, records: list[tuple[bytes, bytes]]) -> bytes:
    """A compact leaf; of each record what stands before its head, and what stands behind it."""
    body, places = b"", list[int]()
    for before, after in records:
        places.append(120 + len(body) + len(before) + 5)
        body += before + bytes(5) + after
    raw = bytearray(82) + bytearray(body)
    chain = [99, *places, 112]
    for number, (here, there) in enumerate(pairwise(chain)):
        marks = (0, (number + 1) << 3) if number else (1, 2)
        raw[here - 43 : here - 38] = struct.pack(">BHh", *marks, there - here)
    raw[69:74], raw[61:69], raw[74:82] = struct.pack(">BHh", 1, 11, 0), b"infimum\0", b"supremum"
    count = len(records)
    raw[:36] = struct.pack(">9HQHQ", 2, 120 + len(body), 0x8000 | count + 2, 0, 0, 0, 5, 0, count, 0, 0, index)
    return page(which, kind, bytes(raw))


def tablespace(told: Any, rows: list[tuple[bytes, bytes]], *others: bytes) -> bytes:
    """A tablespace of MySQL 8: its dictionary's tree on page 3, its table's on page 4."""
    text = json.dumps({"mysqld_version_id": 80036, "dd_object_type": "Table", "dd_object": told}).encode()
    packed = zlib.compress(text)
    entry = struct.pack(">IQ", 1, 400) + bytes(13) + struct.pack(">II", len(text), len(packed)) + packed
    size = struct.pack(">BB", len(packed) & 0xFF, 0x80 | len(packed) >> 8)
    header = struct.pack(">IIIII", 9, 0, 5 + len(others), 64, 0x4021) + bytes(92)
    first = page(0, 8, (header + bytes(256 * 40 + 115) + struct.pack(">II", 1, 3)))
    return b"".join((first, page(1, 5, b""), page(2, 3, b""), leaf(3, 17853, 1, [(size, entry)]),
                     leaf(4, 17855, 155, rows), *others))  # fmt: skip


def user(uid: int, nick: str, bio: str | None, kind: int) -> tuple[bytes, bytes]:
    """A compact record: lengths backwards, what is NULL, then the fields."""
    nulls = 1 if bio is None else 0
    lengths = (b"" if bio is None else bytes([len(bio)])) + bytes([len(nick)])
    own = struct.pack(">I", uid) + struct.pack(">6s7s", b"\0\0\0\0\5\1", bytes.fromhex("82000001100110"))
    return lengths + bytes([nulls]), own + nick.encode() + (bio or "").encode() + bytes([kind])


def read(raw: bytes) -> list[Any]:
    return list(read_innodb(io.BytesIO(raw), Files(Path("users.ibd"))))


def test_the_dictionary_that_mysql_8_keeps_in_a_tablespace_says_what_its_rows_are() -> None:
    pieces = read(tablespace(dictionary(), [user(1, "amber", None, 1), user(2, "grey", "sells scans", 2)]))
    assert not broken_of(pieces)
    (schema,) = (p for p in pieces if isinstance(p, Schema))
    assert (schema.table, schema.primary) == ("users", "uid")
    assert [kind for _, kind in schema.columns] == ["int unsigned", "varchar(40)", "text", "enum('new','old')"]
    assert [tuple(row.values()) for row in rows_of(pieces)] == [
        (b"1", b"amber", None, b"new"), (b"2", b"grey", b"sells scans", b"old")
    ]  # fmt: skip


def test_a_long_value_of_mysql_8_is_put_together_by_its_index() -> None:
    parts = [b"first " * 20, b"second " * 30]
    entries = [
        struct.pack(">IHIH", 0xFFFFFFFF, 0, 5, 96 + 60) + bytes(36) + struct.pack(">III", 5, len(parts[0]), 1),
        struct.pack(">IHIH", 5, 96, 0xFFFFFFFF, 0) + bytes(36) + struct.pack(">III", 6, len(parts[1]), 1),
    ]
    lists = struct.pack(">IIHIH", 2, 5, 96, 5, 156) + bytes(16)
    first = page(5, 24, bytes(26) + lists + b"".join(entries).ljust(600, b"\0") + parts[0])
    second = page(6, 23, struct.pack(">BI", 0, len(parts[1])) + bytes(6) + parts[1])
    (before, after), length = user(1, "amber", "?", 1), sum(map(len, parts))
    record = b"\x14\xc0" + before[1:], after[:-2] + struct.pack(">IIIQ", 9, 5, 1, length) + after[-1:]
    pieces = read(tablespace(dictionary(), [record], first, second))
    assert not broken_of(pieces)
    assert [row["bio"] for row in rows_of(pieces)] == [b"".join(parts)]


@pytest.mark.parametrize(
    ("told", "said"),
    [({"se_private_data": "instant_col=2;"}, "ALGORITHM=INSTANT"),
     ({"columns": [{**dictionary()["columns"][0], "se_private_data": "version_added=1;"}]}, "ALGORITHM=INSTANT"),
     ({"columns": []}, "lacks"), ({"indexes": None}, "lacks")],
)  # fmt: skip
def test_a_dictionary_that_can_not_be_followed_is_told(told: Any, said: str) -> None:
    (only,) = broken_of(read(tablespace(dictionary(**told), [user(1, "amber", None, 1)])))
    assert said in only.detail

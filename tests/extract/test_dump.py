"""A dump is read row for row as the server that wrote it holds it, and a damaged one to its last whole row."""

import random
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.extract.reader import Broken, Schema, Skipped
from casewright.extract.readers.mysql_rows import Row
from tests.extract.dumps import pieces, rows
from tests.extract.mariadb_server import Server

HOSTILE = ['=HYPERLINK("x")', "it's", "back\\slash", "new\nline", "semi; colon", "); DROP TABLE x;--", "-- c",
           "/* x */", "日本語", "\u202eabc", "tab\t", "e\x1az", "nul\0byte", "'quoted'",
           "%_\\%", ""]  # fmt: skip

SMALL = rb"""-- MariaDB dump 10.19
/*!40101 SET NAMES utf8mb4 */;
CREATE TABLE `t``x` (
  `id` int(10) unsigned NOT NULL AUTO_INCREMENT,
  `kind` enum('a,b','c)') DEFAULT NULL,
  `owner` int(11) DEFAULT 0 COMMENT 'refers, to (users)',
  PRIMARY KEY (`id`),
  KEY `k` (`kind`(4)),
  CONSTRAINT `f` FOREIGN KEY (`owner`) REFERENCES `users` (`uid`) ON DELETE CASCADE
) ENGINE=InnoDB;
INSERT INTO `t``x` VALUES (1,'a,b',NULL),(2,'it\'s',-3.5e2), (3,_binary 'x\0y',0x4142),
 (4,x'4142',b'101'),(5,'semi;colon''s',0b11);
DELIMITER ;;
CREATE TRIGGER tr BEFORE INSERT ON u FOR EACH ROW BEGIN SET @x='a;b'; INSERT INTO log VALUES (1); END;;
DELIMITER ;
INSERT INTO `t``x` (`owner`,`id`) VALUES (7,6);
-- Dump completed"""


def test_literals_of_every_kind_become_their_bytes() -> None:
    assert rows(SMALL) == [
        (b"1", b"a,b", None), (b"2", b"it's", b"-3.5e2"), (b"3", b"x\0y", b"AB"), (b"4", b"AB", b"\x05"),
        (b"5", b"semi;colon's", b"\x03"), (b"7", b"6"),
    ]  # fmt: skip
    last = [p for p in pieces(SMALL) if isinstance(p, Row)][-1]
    assert last.columns == ("owner", "id")


def test_the_schema_is_read_with_its_keys() -> None:
    (schema,) = [p for p in pieces(SMALL) if isinstance(p, Schema)]
    assert schema.table == "t`x"
    assert schema.names == ("id", "kind", "owner")
    assert (schema.primary, schema.foreign) == ("id", (("owner", "users", "uid"),))


def test_statements_without_rows_are_skipped_and_counted_never_run() -> None:
    skipped = [p.what for p in pieces(SMALL) if isinstance(p, Skipped)]
    assert any(s.startswith("CREATE TRIGGER") for s in skipped)
    assert not [p for p in pieces(SMALL) if isinstance(p, Row) and p.table == "log"]
    assert not [p for p in pieces(SMALL) if isinstance(p, Broken)]


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_chunk_borders_change_nothing(chunk: int) -> None:
    assert pieces(SMALL, chunk) == pieces(SMALL)


def test_every_span_is_the_row_itself() -> None:
    for piece in pieces(SMALL, 13):
        if isinstance(piece, Row):
            raw = SMALL[piece.span_start : piece.span_start + piece.span_length]
            assert (raw[:1], raw[-1:]) == (b"(", b")")


@given(st.integers(0, len(SMALL)))
def test_a_cut_dump_gives_the_rows_before_the_cut(at: int) -> None:
    whole, cut = rows(SMALL), pieces(SMALL[:at])
    kept = [p.values for p in cut if isinstance(p, Row)]
    assert kept == whole[: len(kept)]
    ends = [p.span_start + p.span_length for p in pieces(SMALL) if isinstance(p, Row)]
    assert len(kept) >= sum(end < at for end in ends)


@given(st.integers(0, len(SMALL) - 1), st.integers(1, 255))
@settings(max_examples=200)
def test_a_changed_byte_never_raises(at: int, mask: int) -> None:
    raw = bytearray(SMALL)
    raw[at] ^= mask
    pieces(bytes(raw))


def test_a_broken_row_is_set_aside_with_its_span_and_reading_goes_on() -> None:
    raw = b"INSERT INTO `a` VALUES (1,2),(3,oops'),(4,5);\nINSERT INTO `a` VALUES (6,7);\n"
    found = pieces(raw)
    (broken,) = [p for p in found if isinstance(p, Broken)]
    assert raw[broken.span_start :].startswith(b"(3,")
    assert [p.values for p in found if isinstance(p, Row)] == [(b"1", b"2"), (b"6", b"7")]


@pytest.fixture(scope="module")
def server(mariadb: Server) -> list[str]:
    """The client's command of a real MariaDB."""
    return ["mariadb", *mariadb.options]


def statements() -> str:
    dice = random.Random(3)
    lines = ["CREATE DATABASE t CHARACTER SET utf8mb4; USE t;",
             "CREATE TABLE `we``ird` (id int unsigned PRIMARY KEY AUTO_INCREMENT, nick varchar(300), bin blob, "
             "b bit(9), d datetime, e enum('a,b','c)'), m decimal(10,2));"]  # fmt: skip
    for i in range(300):
        nick = (dice.choice(HOSTILE) + str(i)).encode().hex()
        raw = bytes(dice.randrange(256) for _ in range(dice.randrange(40))).hex()
        blob = f"x'{raw}'" if i % 7 else "NULL"
        lines.append(f"INSERT INTO `we``ird` (nick,bin,b,d,e,m) VALUES (x'{nick}',{blob},{dice.randrange(512)},"
                     f"'2018-01-02 03:04:{i % 60:02}','c)',-{dice.randrange(1000)}.5);")  # fmt: skip
    return "\n".join(lines)


@pytest.mark.parametrize("options", [[], ["--hex-blob"], ["--skip-extended-insert", "--complete-insert"]])
def test_rows_are_exactly_those_of_the_server(server: list[str], options: list[str], tmp_path: Path) -> None:
    subprocess.run([*server, "-e", "DROP DATABASE IF EXISTS t"], check=True)
    subprocess.run(server, input=statements(), text=True, check=True)
    raw = subprocess.run(["mariadb-dump", *server[1:], *options, "t"], check=True, capture_output=True).stdout
    sql = "SELECT id, hex(nick), hex(bin), d, e, m FROM t.`we``ird` ORDER BY id"
    listed = subprocess.run([*server, "-BN", "-e", sql], check=True, capture_output=True, text=True).stdout
    expected = [tuple(line.split("\t")) for line in listed.splitlines()]
    found = [(_text(v[0]), _hex(v[1]), _hex(v[2]), _text(v[4]), _text(v[5]), _text(v[6])) for v in rows(raw, chunk=777)]
    assert found == expected
    assert len(found) == 300
    assert not [p for p in pieces(raw) if isinstance(p, Broken)]


def _hex(value: bytes | None) -> str:
    return "NULL" if value is None else value.hex().upper()


def _text(value: bytes | None) -> str:
    return "NULL" if value is None else value.decode()

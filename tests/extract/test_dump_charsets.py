"""Dumps in every character set that MySQL names: what is read is what the server holds once it has loaded the dump."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.extract.reader import Broken, Schema
from casewright.extract.readers.mysql_charsets import DOUBLE, SINGLE, WIDE, in_utf8
from casewright.extract.readers.mysql_rows import Row
from tests.extract.dumps import pieces, rows
from tests.extract.mariadb_server import Server

TEXTS = {
    "latin1": "naïve Ærø € '\\' ",
    "sjis": "表示ソ能 \\ 'ｱｲｳ",
    "cp932": "①表ソ～",
    "gbk": "誠乗俓 \\ 汉字'",
    "big5": "功許蓋 \\'",
    "euckr": "한글 갂",
    "ujis": "日本語 表",
    "cp1251": "Привет",
    "koi8r": "Москва ░",
    "greek": "Αθήνα",
    "hebrew": "שלום",
    "latin2": "Łódź",
    "swe7": "ÄÖÅ å",
    "tis620": "ไทย",
    "ucs2": "日Ａb",
    "utf16": "漢😀",
    "utf16le": "漢😀x",
    "utf32": "字😀",
    "utf8mb3": "Ünï",
    "utf8mb4": "名前😀 ' \\ \n",
}  # fmt: skip
CLIENTS = ("latin1", "sjis", "cp932", "gbk", "big5", "gb2312", "euckr", "ujis", "eucjpms", "koi8r", "cp1251", "cp850",
           "utf8mb3", "utf8mb4", "binary")  # fmt: skip


@pytest.fixture(scope="module")
def server(mariadb: Server) -> list[str]:
    """The client's command of a real MariaDB that holds a column in each set."""
    client = ["mariadb", *mariadb.options]
    subprocess.run(client, input=made().encode(), check=True)
    return client


def made() -> str:
    columns = ", ".join(f"c_{name} varchar(90) CHARACTER SET {name}" for name in TEXTS)
    texts = ", ".join(f"convert(x'{text.encode().hex()}' using utf8mb4)" for text in TEXTS.values())
    return (
        "CREATE DATABASE one CHARACTER SET latin1; USE one;"
        f"CREATE TABLE texts (id int, {columns}, plain text, raw blob);"
        f"INSERT INTO texts VALUES (1, {texts}, 'é\\'', x'005c27e9ff95'), (2, {texts}, NULL, '');"
    )


def held(client: list[str], database: str) -> list[list[str]]:
    """What the server says that it holds."""
    columns = ", ".join([f"hex(convert(c_{name} using utf8mb4))" for name in TEXTS])
    sql = f"SELECT id, {columns}, hex(convert(plain using utf8mb4)), hex(raw) FROM {database}.texts ORDER BY id"
    found = subprocess.run([*client, "-BN", "-e", sql], check=True, capture_output=True, text=True).stdout
    return [line.split("\t") for line in found.splitlines()]


@pytest.mark.parametrize("options", [[], ["--hex-blob"], ["--skip-extended-insert", "--complete-insert"]])
@pytest.mark.parametrize("charset", CLIENTS)
def test_text_is_what_a_server_holds_that_loaded_the_dump(server: list[str], charset: str, options: list[str]) -> None:
    dump = ["mariadb-dump", *server[1:], f"--default-character-set={charset}", *options, "one"]
    raw = subprocess.run(dump, check=True, capture_output=True).stdout
    subprocess.run([*server, "-e", "DROP DATABASE IF EXISTS two; CREATE DATABASE two"], check=True)
    subprocess.run([*server, f"--default-character-set={charset}", "two"], input=raw, check=True)
    found = pieces(raw, 333)
    assert not [piece for piece in found if isinstance(piece, Broken)]
    assert [
        [value.decode() if value and n == 0 else "NULL" if value is None else value.hex().upper()
         for n, value in enumerate(row.values)]
        for row in found if isinstance(row, Row)
    ] == held(server, "two")  # fmt: skip


@pytest.mark.parametrize("charset", sorted((SINGLE | DOUBLE).keys() - {"gb18030"}))
def test_every_character_of_a_set_is_the_servers(server: list[str], charset: str) -> None:
    codes = [bytes([byte]) for byte in range(256)]
    if charset in DOUBLE:
        codes += [bytes([a, b]) for a in range(0x81, 0xFF) for b in range(0x40, 0xFF)]
    values = ",".join(f"({n},x'{code.hex()}')" for n, code in enumerate(codes))
    sql = f"""CREATE TEMPORARY TABLE two.codes (n int, code varbinary(2)); INSERT INTO two.codes VALUES {values};
              SELECT n, hex(convert(convert(code using {charset}) using utf8mb4)) FROM two.codes ORDER BY n;"""
    sql = "CREATE DATABASE IF NOT EXISTS two; " + sql
    listed = subprocess.run([*server, "-BN"], input=sql, check=True, capture_output=True, text=True).stdout
    held = [bytes.fromhex(line.split("\t")[1]).decode() for line in listed.splitlines()]
    ours = [in_utf8(code, charset).decode("utf-8", "replace") for code in codes]
    assert [
        (code.hex(), our, text)
        for code, our, text in zip(codes, ours, held, strict=True)
        if our != text and not set(text) & NO_CHARACTER
    ] == []


NO_CHARACTER = {"?", "\ufffd", *map(chr, range(0xE000, 0xF900))}
"""What the server says where a set has no character, or leaves it to its users what it is."""


def test_gb18030_is_read_which_mariadb_does_not_have() -> None:
    text = "汉誠 \\ 𠀀'"
    written = text.encode("gb18030").replace(b"'", b"''").replace(b"\\ ", b"\\\\ ")
    assert rows(b"SET NAMES gb18030;\nINSERT INTO t (a) VALUES ('" + written + b"');\n") == [(text.encode(),)]


@given(st.text(alphabet="表ソ能a'\\\n%_\"`é", max_size=12), st.sampled_from(["sjis", "gbk", "big5"]), st.booleans())
def test_a_backslash_within_a_character_is_none(text: str, charset: str, escapes: bool) -> None:
    text = "".join(c for c in text if in_utf8(c.encode(DOUBLE[charset], "ignore"), charset) == c.encode())
    letters = {"'": "\\'", "\\": "\\\\", "\n": "\\n"} if escapes else {"'": "''"}
    written = "".join(letters.get(c, c) for c in text).encode(DOUBLE[charset])
    mode = b"" if escapes else b"SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI,NO_BACKSLASH_ESCAPES';\n"
    raw = (
        mode + b"/*!40101 SET NAMES " + charset.encode() + b" */;\nINSERT INTO t (a,b) VALUES ('" + written + b"',1);\n"
    )
    assert rows(raw, 7) == [(text.encode(), b"1")]


def test_what_a_dump_sets_it_may_take_back() -> None:
    raw = (
        b"/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;\n/*!40101 SET NAMES latin1 */;\n"
        b"SET @old = @@sql_mode, sql_mode = 'no_backslash_escapes';\nINSERT INTO t (a) VALUES ('\xe9\\');\n"
        b"/*!40101 SET @saved_cs_client = @@character_set_client, SESSION sql_mode = @old */;\n"
        b"/*!50503 SET character_set_client = utf8mb4 */;\nINSERT INTO t (a) VALUES ('\xc3\xa9\\'');\n"
        b"/*!40101 SET character_set_client = @saved_cs_client */;\nINSERT INTO t (a) VALUES ('\xe9');\n"
        b"/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;\nINSERT INTO t (a) VALUES ('\xe9');\n"
    )
    assert rows(raw) == [("é\\".encode(),), ("é'".encode(),), ("é".encode(),), (b"\xe9",)]


ENDLESS = (
    b"SET " + b"a" * 400_000,
    b"SET " + b"@" * 400_000,
    b"SET SESSION" + b" " * 400_000 + b"x",
    b"SET a='" + b"b=" * 200_000,
    b"SET " + b"".join(b"@v%d=@v%d+@v%d," % (n, n - 1, n - 1) for n in range(20_000)) + b"@z=1",
)


@pytest.mark.parametrize("statement", ENDLESS, ids=range(len(ENDLESS)))
def test_a_statement_written_to_keep_patterns_busy_or_to_grow_ends(statement: bytes) -> None:
    raw = b"SET NAMES latin1;\n" + statement + b";\nINSERT INTO t (a) VALUES ('\xe9');\n"
    assert rows(raw) in ([("é".encode(),)], [])


INTRODUCED = b"""SET NAMES cp1251;
CREATE TABLE t (a varchar(9) COLLATE greek_general_ci, b nvarchar(9), c text, d varbinary(9)) CHARSET = koi8r;
INSERT INTO t VALUES (_latin1'\xe9', N'x', 0xc1, '\xe9');
INSERT INTO t VALUES (_binary '\xe1', _utf8mb4'\xc3\xa9', _ucs2 x'0416', _latin1 0xe9);
INSERT INTO t VALUES ('\xef', _nosuchset'\xe9', "\xef", NULL);
"""


def test_introducers_digits_and_columns_say_their_set() -> None:
    assert rows(INTRODUCED) == [
        ("é".encode(), b"x", "а".encode(), b"\xe9"),
        ("α".encode(), "é".encode(), "Ж".encode(), b"\xe9"),
        ("п".encode(), b"\xe9", "п".encode(), None),
    ]


def test_names_of_tables_and_columns_are_read_in_the_dumps_set() -> None:
    raw = "SET NAMES sjis;\nCREATE TABLE `表` (`ソ` int, `\u20d0` int);\nINSERT INTO `表` (`ソ`) VALUES (1);\n"
    raw = raw.replace(", `\u20d0` int", "")
    found = pieces(raw.encode("shift_jis"))
    assert [p.names for p in found if isinstance(p, Schema)] == [("ソ",)]
    assert [(p.table, p.columns) for p in found if isinstance(p, Row)] == [("表", ("ソ",))]


@given(st.sampled_from(sorted(SINGLE | DOUBLE | WIDE)), st.binary(max_size=20))
def test_no_bytes_are_too_odd_for_a_set(charset: str, raw: bytes) -> None:
    assert isinstance(in_utf8(raw, charset), bytes)

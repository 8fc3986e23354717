"""Dumps as they are found: cut off, overwritten in the middle, from other programs, written to mislead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.extract.reader import Broken, Schema, Skipped
from casewright.extract.readers.mysql_rows import Row
from tests.extract.dumps import pieces, rows


def broken(raw: bytes) -> list[tuple[str, bytes]]:
    return [(p.reason, raw[p.span_start : p.span_start + p.span_length]) for p in pieces(raw) if isinstance(p, Broken)]


ESCAPES = {0: rb"\0", 10: rb"\n", 13: rb"\r", 26: rb"\Z", 92: rb"\\"}


def quoted(value: bytes, doubled: bool) -> bytes:
    """As a dump program writes it: apostrophes doubled or with a backslash."""
    apostrophe = b"''" if doubled else rb"\'"
    return b"'" + b"".join(apostrophe if c == 39 else ESCAPES.get(c, bytes([c])) for c in value) + b"'"


def written(value: bytes | int | None, how: int) -> bytes:
    if value is None:
        return b"NULL"
    if isinstance(value, int):
        return str(value).encode()
    forms = [quoted(value, doubled=False), quoted(value, doubled=True), b"_binary " + quoted(value, doubled=False),
             b"x'" + value.hex().encode() + b"'", b"0x" + value.hex().encode() if value else b"''"]  # fmt: skip
    return forms[how]


VALUES = (
    st.none() | st.integers() | st.binary(max_size=12) | st.sampled_from([b"''", b"');\nINSERT INTO", b"\\", b"/*"])
)
TABLES = st.lists(st.tuples(VALUES, st.integers(0, 4), VALUES, st.integers(0, 4)), min_size=1, max_size=8)


@given(TABLES, st.integers(1, 40), st.booleans())
def test_what_is_written_is_read_whatever_it_holds_and_wherever_chunks_end(
    table: list[tuple[bytes | int | None, int, bytes | int | None, int]], chunk: int, lines: bool
) -> None:
    between = b",\n" if lines else b","
    body = between.join(b"(" + written(a, i) + b"," + written(b, k) + b")" for a, i, b, k in table)
    raw = b"-- MySQL dump\nINSERT INTO `t` VALUES " + body + b";\n-- end\n"
    expected = [tuple(str(v).encode() if isinstance(v, int) else v for v in (a, b)) for a, _, b, _ in table]
    found = pieces(raw, chunk)
    assert [p.values for p in found if isinstance(p, Row)] == expected
    assert len(found) == len(expected)


WHOLE = b"""-- MariaDB dump
SET NAMES utf8mb4;
CREATE TABLE `t` (`a` int, `b` text);
INSERT INTO `t` VALUES (1,'it''s'),
(2,'x;
y'),(3,'z');
INSERT INTO `t` VALUES (4,NULL);
"""


@pytest.mark.parametrize("chunk", [3, 1 << 20])
def test_a_cut_at_any_byte_is_said_and_what_is_cut_off_is_set_aside_to_the_last_byte(chunk: int) -> None:
    statements = [i + 2 for i in range(len(WHOLE)) if WHOLE[i : i + 2] == b";\n" and WHOLE[i + 2 : i + 3] != b"y"]
    for at in range(WHOLE.index(b"INSERT"), len(WHOLE)):
        cut = pieces(WHOLE[:at], chunk)
        after_a_statement = at in statements or at + 1 in statements
        assert isinstance(cut[-1], Broken) != after_a_statement, WHOLE[:at]
        if isinstance(cut[-1], Broken):
            assert cut[-1].reason == "truncated"
            assert cut[-1].span_start + cut[-1].span_length == at
            assert cut[-1].span_start >= max([p.span_start + p.span_length for p in cut[:-1]])


def test_bytes_overwritten_between_statements_cost_what_they_cover_and_no_more() -> None:
    raw = b"INSERT INTO t VALUES (1);\n" + bytes(512) + b" INTO t VALUES (2);\nINSERT INTO t VALUES (3);\n"
    assert rows(raw) == [(b"1",), (b"3",)]
    ((reason, lost),) = broken(raw)
    assert reason == "unreadable"
    assert lost == bytes(512) + b" INTO t VALUES (2);\n"


def test_a_row_with_too_few_values_is_set_aside_alone() -> None:
    raw = b"CREATE TABLE `t` (`a` int, `b` int);\nINSERT INTO `t` VALUES (1,2),(3),(4,5);\n"
    assert rows(raw) == [(b"1", b"2"), (b"4", b"5")]
    assert broken(raw) == [("unreadable", b"(3)")]


@pytest.mark.parametrize(
    "statement",
    [
        b"INSERT INTO t SELECT * FROM u;\n",
        b"INSERT INTO t SET a = 1;\n",
        b"INSERT INTO t VALUES (NOW());\n",
        b"INSERT INTO t VALUES (oops);\n",
        b"INSERT INTO t VALUES (x'4g');\n",
        b"COPY public.users (uid) FROM stdin;\n1\tit's\n2\tb\n\\.\n",
        b"hello world;\n",
    ],
)
def test_rows_in_a_form_that_is_not_read_are_set_aside_not_skipped(statement: bytes) -> None:
    raw = statement + b"INSERT INTO t VALUES (7);\n"
    (only,) = [p for p in pieces(raw) if isinstance(p, Row)]
    assert only.values == (b"7",)
    ((reason, lost),) = broken(raw)
    assert reason == "unreadable"
    assert statement.endswith(lost)


def test_a_row_stays_a_row_behind_the_comment_that_newer_dumps_begin_with() -> None:
    raw = b"/*M!999999\\- enable the sandbox mode */ \nINSERT INTO `t` VALUES (1);\n/*!40000 ALTER TABLE `t` X */;"
    assert rows(raw) == [(b"1",)]
    assert len([p for p in pieces(raw) if isinstance(p, Skipped)]) == 2


def test_tables_of_a_second_database_are_not_taken_for_those_of_the_first() -> None:
    one = b"CREATE TABLE `users` (`uid` int);\nINSERT INTO `users` VALUES (5);\n"
    raw = b"USE `shop`;\n" + one + b"USE `forum`;\n" + one + b"INSERT INTO shop.users VALUES (6);\nUSE shop;\n" + one
    assert [p.table for p in pieces(raw) if isinstance(p, Row)] == ["users", "forum.users", "users", "users"]
    assert [p.table for p in pieces(raw) if isinstance(p, Schema)] == ["users", "forum.users", "users"]


def test_statements_inside_a_trigger_are_no_rows() -> None:
    raw = (
        b"DELIMITER $$\nCREATE TRIGGER a AFTER INSERT ON t FOR EACH ROW BEGIN /* it's */\n"
        b"  INSERT INTO log VALUES (1);\n  SET @a = ('$');\nEND$$\nDELIMITER ;\nINSERT INTO t VALUES (2);\n"
    )
    assert rows(raw) == [(b"2",)]
    assert not broken(raw)


def test_other_programs_quoting_marks_and_line_ends_are_read() -> None:
    raw = (
        b'\xef\xbb\xbf-- phpMyAdmin SQL Dump\r\nCREATE TABLE IF NOT EXISTS "t" (\r\n  uid INT PRIMARY KEY,\r\n'
        b"  nick varchar(9) COMMENT 'FOREIGN KEY (`a`) REFERENCES `b` (`c`)',\r\n  KEY nick (nick)\r\n);\r\n"
        b'INSERT  IGNORE INTO `t` (uid, `nick`) VALUES\r\n(1, "it\'s ""so"""),\r\n-- rows; (\r\n(TRUE, \'a\\%\');\r\n'
    )
    assert rows(raw) == [(b"1", b'it\'s "so"'), (b"1", b"a\\%")]
    (schema,) = [p for p in pieces(raw, 5) if isinstance(p, Schema)]
    assert (schema.names, schema.primary, schema.foreign) == (("uid", "nick"), "uid", ())
    assert not broken(raw)


def test_a_head_written_to_make_patterns_run_forever_is_set_aside_at_once() -> None:
    raw = b"INSERT INTO t (" + b"a" * 40_000 + b" " * 40_000 + b"!\nINSERT INTO t VALUES (1);\n"
    assert [reason for reason, _ in broken(raw)] == ["unreadable"]

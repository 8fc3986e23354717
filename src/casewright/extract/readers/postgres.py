"""Plain dumps of PostgreSQL, as pg_dump and pg_dumpall write them: COPY data and INSERTs. Nothing is executed.

A dump names keys behind the data, so its statements are gone over twice: first for the keys, with the data passed over.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from casewright.extract.reader import Beside, Broken, Piece, Schema, Skipped
from casewright.extract.readers.declared import listed
from casewright.extract.readers.postgres_rows import Line, copy_rows, gathering_of, numbered
from casewright.extract.readers.postgres_schema import (
    Key,
    name_at,
    parse_alter,
    parse_create,
    tokens_of,
    with_key,
)
from casewright.extract.readers.postgres_statements import Readable, Statements
from casewright.extract.readers.postgres_values import CAST, Escapes, escapes_in, text_in, unquoted

CREATE_TABLE = re.compile(rb"CREATE\s+(?:\w+\s+){0,2}TABLE\b", re.IGNORECASE)
COPY = re.compile(rb"COPY\s.*\sFROM\s+stdin", re.IGNORECASE | re.DOTALL)
VALUE = re.compile(
    rb"""\s*(?:(?P<null>NULL)|(?P<word>true|false|DEFAULT)|(?P<number>[+-]?(?:\d[\d.]*(?:[eE][+-]?\d+)?|Infinity|NaN))"""
    rb"""|(?P<kind>[eEbBxX]?)'(?P<text>(?:[^']|'')*+)')""" + CAST,
    re.IGNORECASE,
)
SETTING = re.compile(rb"SET\s+(\w+)\s*(?:=|TO)\s*'?(\w+)'?", re.IGNORECASE)


def read_postgres(file: BinaryIO, beside: Beside | None = None) -> Iterator[Piece]:
    """Everything in a plain dump, in order; see `extract/reader.py`."""
    keys = list(PlainDump(file).added_keys())
    file.seek(0)
    yield from PlainDump(file, keys).pieces()


@dataclass
class PlainDump:
    """One pass over a dump: with its rows, or for its keys only."""

    file: Readable
    known: list[tuple[str, Key]] = field(default_factory=list)
    encoding: str = "utf8"
    database: str = ""
    first: str | None = None
    types: dict[str, dict[str, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.text = Statements(self.file, encoding=self.encoding)

    def added_keys(self) -> Iterator[tuple[str, Key]]:
        """Each key that is added to a table, with the name that the table has here."""
        for statement, _ in self.text.statements():
            if isinstance(statement, bytes):
                self._notice(statement)
                if COPY.match(statement):
                    self._pass_over_data()
                elif CREATE_TABLE.match(statement):
                    self._name("")
                elif key := parse_alter(self._words(statement)):
                    yield self._name(key.table), key

    def pieces(self) -> Iterator[Piece]:
        for statement, start in self.text.statements():
            if isinstance(statement, bytes):
                self._notice(statement)
                yield from self._piece(statement, start)
            else:
                yield statement

    def _piece(self, statement: bytes, start: int) -> Iterator[Piece]:
        head = statement[:16].lstrip().upper()
        if COPY.match(statement):
            yield from self._copied(statement)
        elif head.startswith(b"INSERT"):
            yield from self._inserted(statement, start)
        elif head.startswith(b"CREATE") and (schema := parse_create(self._words(statement), start, len(statement))):
            yield self._declared(schema)
        else:
            yield Skipped(statement[:80].decode("utf-8", "replace"), start, len(statement))

    def _declared(self, schema: Schema) -> Schema:
        table = self._name(schema.table)
        for named, key in self.known:
            schema = with_key(schema, key) if named == table else schema
        foreign = tuple((ours, self._name(other), theirs) for ours, other, theirs in schema.foreign)
        self.types[table] = dict(schema.columns)
        return replace(schema, table=table, foreign=foreign)

    def _name(self, table: str) -> str:
        """A table's name; those of a second database begin with its name."""
        if self.first is None:
            self.first = self.database
        return table if self.database == self.first else f"{self.database}.{table}"

    def _notice(self, statement: bytes) -> None:
        """Settings that say how what follows is to be read."""
        if statement[:1] == b"\\":
            words = statement.split()
            if words[0] in (b"\\connect", b"\\c") and len(words) > 1:
                name = re.sub(rb".*dbname='?([^' ]+).*", rb"\1", words[-1]).strip(b'"')
                self.database = name.decode("utf-8", "backslashreplace")
        elif found := SETTING.match(statement):
            if found[1].lower() == b"client_encoding":
                self.encoding = self.text.encoding = found[2].decode()
            elif found[1].lower() == b"standard_conforming_strings":
                self.text.escapes = found[2].lower() == b"off"

    def _copied(self, statement: bytes) -> Iterator[Piece]:
        table, columns = copy_head(self._words(statement))
        table = self._name(table)
        self.text.line()  # the end of COPY's own
        cut = list[Broken]()
        types, lines = self.types.get(table), self._lines(table, cut)
        if not columns and types is None:
            columns, lines = numbered(lines)
        gathering = gathering_of(table, columns or tuple(types or ()), types or {}, self.encoding)
        yield from copy_rows(gathering, lines, self.encoding)
        yield from cut

    def _words(self, statement: bytes) -> str:
        return text_in(statement, self.encoding)

    def _lines(self, table: str, cut: list[Broken]) -> Iterator[Line]:
        """The lines up to the one that ends the data."""
        while line := self.text.line():
            raw = line.raw
            if raw[:2] == b"\\." and raw.rstrip() == b"\\.":
                return
            yield line
        start = self.text.place
        if length := self.text.rest():
            cut.append(Broken("truncated", f"ends within a row of {table}", start, length))
        else:
            cut.append(Broken("truncated", f"the rows of {table} end without their mark", start, 0))

    def _pass_over_data(self) -> None:
        text = self.text
        text.line()
        text.at -= 1
        while (end := text.buffer.find(b"\n\\.", text.at)) < 0:
            text.at = max(text.at, len(text.buffer) - 3)
            if not text.more():
                text.at = len(text.buffer)
                return
        text.at = end + 1
        text.line()

    def _inserted(self, statement: bytes, start: int) -> Iterator[Piece]:
        """The rows of an INSERT."""
        tokens = tokens_of(self._words(statement[:4096].partition(b"VALUES")[0]))
        table, at = name_at(tokens, 2)
        name = self._name(table)
        columns = tuple(listed(tokens, at) or self.types.get(name, {}))
        place, found = statement.find(b"VALUES") + len(b"VALUES"), False
        gathering = gathering_of(name, columns, self.types.get(name, {}), self.encoding)
        while (opening := statement.find(b"(", place)) >= 0 and not statement[place:opening].strip(b", \r\n\t"):
            row, place = self._row(statement, opening + 1)
            if row is None or len(row) != len(columns):
                yield from gathering.rest()
                detail = f"a row of {name} that is written in a way that is not known"
                yield Broken("unreadable", detail, start + opening, len(statement) - opening)
                return
            yield from gathering.add(tuple(row), start + opening, place - opening)
            found = True
        yield from gathering.rest()
        if not found:
            yield Broken("unreadable", f"an INSERT into {name} that lists no values", start, len(statement))

    def _row(self, statement: bytes, place: int) -> tuple[list[bytes | None] | None, int]:
        """The values up to the parenthesis that closes a row, and the place behind it."""
        row = list[bytes | None]()
        while True:
            match = VALUE.match(statement, place)
            escaped = self.text.escapes or bool(match and match["kind"] and match["kind"] in b"eE")
            escapes = escapes_in(self.encoding)
            if escaped or match is None:
                match = escapes.value.match(statement, place) or match
            if match is None:
                return None, place
            row.append(_value(match, escapes if match.re is escapes.value else None))
            place = match.end()
            if match["end"] == b")":
                return row, place


def _value(match: re.Match[bytes], escapes: Escapes | None) -> bytes | None:
    text = match["text"]
    if text is not None:
        return unquoted(text, escapes)
    if match["null"] or (match["word"] or b"").upper() == b"DEFAULT":
        return None
    return bytes(match["word"] or match["number"])


def copy_head(statement: str) -> tuple[str, tuple[str, ...]]:
    """The table that COPY fills, and its columns."""
    tokens = tokens_of(statement)
    table, at = name_at(tokens, 1)
    return table, tuple(listed(tokens, at))

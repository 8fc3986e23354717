"""A tokenizer for MySQL and MariaDB dumps. It reads; it never executes.

Lexical rules: MariaDB Knowledge Base, "Comment Syntax", "INSERT", "Delimiters"; the statements that mysqldump,
mariadb-dump and phpMyAdmin write. Rows of `INSERT INTO` come out one by one with their byte span. A statement that
holds no rows is `Skipped`; what can't be read, rows of other kinds of dump included, is `Broken` with its span.
Character sets and escapes are those that the dump's SET statements name.
Tables of a second database in the same dump are called `database.table`, so that no two tables are taken for one.
"""

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from casewright.extract.reader import Broken, Rows, Schema, Skipped
from casewright.extract.readers.mysql_charsets import in_utf8
from casewright.extract.readers.mysql_grammar import (
    CONDITIONAL,
    COPY,
    DELIMITER,
    ROWLESS,
    SPACE,
    USE,
    lexis,
)
from casewright.extract.readers.mysql_literals import (
    NoLiteralError,
    Value,
    introducer_of,
    is_digits,
    unquoted,
    value_of,
)
from casewright.extract.readers.mysql_schema import charsets_of, parse_create
from casewright.extract.readers.mysql_session import Session
from casewright.extract.readers.mysql_text import Texts, texts_of

CHUNK = 1 << 20
LIMIT = 64 << 20
"""A row or statement that has no end within so many bytes is broken; one unclosed quote must not hold a whole disk."""
FIRST_WORD = 16
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of an INSERT. Values are bytes as the literal says (text as UTF-8 where its set is known, numbers as they
    are written), None for NULL."""

    table: str
    columns: tuple[str, ...]
    values: tuple[Value, ...]
    span_start: int
    span_length: int


Piece = Row | Rows | Schema | Skipped | Broken


@dataclass(frozen=True)
class Insert:
    """The head of an INSERT; its rows follow."""

    table: str
    columns: tuple[str, ...]
    head: bytes
    texts: Texts


class DumpReader:
    """Reads one dump from a stream, in one pass, holding an unfinished row or statement at most."""

    def __init__(self, file: BinaryIO, chunk: int = CHUNK) -> None:
        self._file, self._chunk = file, chunk
        self._buffer, self._base, self._at, self._end = b"", 0, 0, False
        self._delimiter = b";"
        self._stuck = 0
        self._first_database = self._database = ""
        self._schemas: dict[str, Schema] = {}
        self._charsets: dict[str, dict[str, str]] = {}
        self._session = Session()
        self._lexis = lexis("", escapes=True)

    def pieces(self) -> Iterator[Piece]:
        """Everything in the dump, in order."""
        while len(self._buffer) < len(BOM) and self._fill():
            pass
        self._at = len(BOM) if self._buffer.startswith(BOM) else 0
        while (piece := self._next()) is not None:
            if isinstance(piece, Insert):
                yield from self._rows(piece)
            else:
                yield piece

    def _fill(self) -> bool:
        """Read on, forgetting what was consumed; False when the end was known already."""
        if self._end:
            return False
        if more := self._file.read(max(self._chunk, len(self._buffer) - self._at)):
            self._buffer = self._buffer[self._at :] + more
            self._base, self._at = self._base + self._at, 0
        else:
            self._end = True
        return True

    def _wait(self) -> bool:
        """Read on because what begins here has no end yet; False when it won't get one."""
        return len(self._buffer) - self._at <= LIMIT and self._fill()

    def _next(self) -> "Piece | Insert | None":
        """The next statement; for an INSERT only its head; None at the end of the dump."""
        while True:
            start = self._skip_space(self._at)
            if start < len(self._buffer):
                if self._buffer.startswith(self._delimiter, start):
                    self._at = start + len(self._delimiter)
                    continue
                if piece := self._statement(start):
                    return piece
            if self._wait():
                continue
            self._at = start
            if start < len(self._buffer):
                return self._broken("no end of the statement is found")
            if self._end:
                return None

    def _skip_space(self, at: int) -> int:
        """Behind white space and comments. One that the buffer's end cuts off ends there: who sees that reads on."""
        found = SPACE.match(self._buffer, at)
        return found.end() if found else at

    def _statement(self, start: int) -> "Piece | Insert | None":
        """The statement that begins here, or None when more must be read to tell."""
        buffer, self._stuck = self._buffer, start
        if len(buffer) - start < FIRST_WORD and not self._end:
            return None
        if found := self._lexis.insert.match(buffer, start):
            return self._insert(found) if found.end() < len(buffer) else None
        if found := DELIMITER.match(buffer, start):
            return self._new_delimiter(found)
        if self._delimiter == b";" and not ROWLESS.match(buffer, start):
            self._at = start
            return self._broken("no statement that dumps are made of")
        if self._delimiter == b";" and (found := CONDITIONAL.match(buffer, start)):
            return self._skip_to(start, found.end())
        end = self._statement_end(start)
        return None if end is None else self._whole(start, end)

    def _new_delimiter(self, found: re.Match[bytes]) -> Skipped | None:
        if found.end() == len(self._buffer) and not self._end:
            return None
        self._delimiter = found.group(1)
        return self._skip_to(found.start(), found.end())

    def _insert(self, head: re.Match[bytes]) -> Insert:
        first, second, columns = head.groups()
        client = self._lexis.charset
        database, table = (unquoted(first, client), second) if second else (self._database, first)
        name = self._named(unquoted(table, client), database)
        schema = self._schemas.get(name)
        listed = tuple(unquoted(m.group(), client) for m in self._lexis.name.finditer(columns)) if columns else ()
        columns = listed or (schema.names if schema else ())
        self._at = head.end()
        types = dict(schema.columns) if schema else {}
        return Insert(name, columns, head.group(), texts_of(client, columns, types, self._charsets.get(name, {})))

    def _named(self, table: str, database: str) -> str:
        self._first_database = self._first_database or database
        return table if database in ("", self._first_database) else f"{database}.{table}"

    def _skip_to(self, start: int, end: int) -> Skipped:
        self._at = end
        if self._session.notice(self._buffer[start:end]):
            self._lexis = lexis(self._session.charset, escapes=self._session.escapes)
        return Skipped(words(self._buffer[start:end]), self._base + start, end - start)

    def _whole(self, start: int, end: int) -> Piece:
        """A statement of which all is there."""
        text = self._buffer[start:end]
        if re.match(rb"INSERT|REPLACE", text, re.IGNORECASE) and self._delimiter == b";":
            self._at = start
            return self._broken("an INSERT that is not written as dumps write it")
        if COPY.match(text):
            self._at = start
            return self._broken("rows of a PostgreSQL COPY, which are not read", rb"\n\\\.\r?\n")
        skipped = self._skip_to(start, end)
        self._at = end + len(self._delimiter)
        text = in_utf8(text, self._lexis.charset)
        if used := USE.match(text):
            self._database = unquoted(used.group(1))
            self._first_database = self._first_database or self._database
        schema = parse_create(text, skipped.span_start)
        return skipped if schema is None else self._known(replace(schema, span_length=end - start), charsets_of(text))

    def _known(self, schema: Schema, charsets: dict[str, str]) -> Schema:
        foreign = tuple((c, self._named(other, self._database), key) for c, other, key in schema.foreign)
        schema = replace(schema, table=self._named(schema.table, self._database), foreign=foreign)
        self._schemas[schema.table], self._charsets[schema.table] = schema, charsets
        return schema

    def _statement_end(self, start: int) -> int | None:
        """Where the statement's delimiter stands, outside of quotes and comments; None when it isn't there."""
        pattern = re.compile(re.escape(self._delimiter) + rb"""|['"`]|/\*|--[ \t]|#""")
        at = start
        while found := pattern.search(self._buffer, at):
            if found.group() == self._delimiter:
                return found.start()
            self._stuck = found.start()
            if (quoted := self._lexis.quoted.match(self._buffer, self._stuck)) is None:
                return None
            at = quoted.end()
        self._stuck = len(self._buffer)
        return None

    def _rows(self, insert: Insert) -> Iterator[Piece]:
        """The rows of an INSERT whose head was read. After a broken row, reading goes on behind the statement."""
        while (yield from self._whole_row(insert)) and (yield from self._another_follows(insert)):
            pass

    def _whole_row(self, insert: Insert) -> Generator[Piece, None, bool]:
        """The row that is expected here; says whether there was one."""
        while (row := self._row(insert)) is None:
            if not self._wait():
                yield self._broken(f"INSERT INTO {insert.table}: a row that can't be read")
                return False
        yield row
        return True

    def _another_follows(self, insert: Insert) -> Generator[Piece, None, bool]:
        """What stands behind a row; says whether another row does."""
        while (more := self._more_rows()) is None:
            if not self._wait():
                yield self._broken(f"INSERT INTO {insert.table}: neither another row nor an end follows")
                return False
        return more

    def _more_rows(self) -> bool | None:
        """Whether a comma or the statement's end follows; None when neither does."""
        at = self._skip_space(self._at)
        if self._buffer.startswith(b",", at):
            self._at = at + 1
            return True
        if self._buffer.startswith(self._delimiter, at):
            self._at = at + len(self._delimiter)
            return False
        return None

    def _row(self, insert: Insert) -> Row | Broken | None:
        """The row that begins here, or None when its bytes are none of a whole row."""
        buffer = self._buffer
        self._stuck = start = self._skip_space(self._at)
        if not buffer.startswith(b"(", start):
            return None
        values, at, after = list[Value](), start + 1, b","
        try:
            while after == b",":
                self._stuck = at
                if (found := self._lexis.value.match(buffer, at)) is None:
                    return None
                values.append(self._value(insert.texts, len(values), found))
                at, after = found.end(), found["after"]
        except NoLiteralError:
            return None
        self._at, columns = at, insert.columns or tuple(f"column_{i}" for i in range(len(values)))
        if len(columns) != len(values):
            detail = f"a row of {insert.table} has {len(values)} values for {len(columns)} columns"
            return Broken("unreadable", detail, self._base + start, at - start)
        return Row(insert.table, columns, tuple(values), self._base + start, at - start)

    def _value(self, texts: Texts, number: int, found: re.Match[bytes]) -> Value:
        """The value that was found in this column. Raises NoLiteralError."""
        raw = value_of(found, self._lexis.escaped)
        if raw is None or (found["word"] and not is_digits(found)):
            return raw
        return texts.utf8(number, raw, introducer_of(found), digits=is_digits(found))

    def _broken(self, why: str, end: bytes | None = None) -> Broken:
        """Pass over everything up to the next line's end that a statement ends at; all of it is set aside.

        When the dump ends in the middle of a value, that value may hold such a line's end: then all is passed over.
        """
        self._at = self._skip_space(self._at)
        start, what = self._base + self._at, words(self._buffer[self._at : self._at + 200])
        cut_off = self._end and self._lexis.cut_off.match(self._buffer, max(self._stuck, self._at))
        plain = re.escape(self._delimiter) + rb"[ \t]*+\r?"
        pattern, at_end = re.compile(end or plain + rb"\n"), re.compile(rb"(?:" + (end or plain) + rb")\Z")
        while not cut_off:
            found = pattern.search(self._buffer, self._at) or (self._end and at_end.search(self._buffer, self._at))
            if found:
                self._at = found.end()
                return Broken("unreadable", f"{why}: {what}", start, self._base + self._at - start)
            self._at = max(self._at, len(self._buffer) - FIRST_WORD)
            if not self._fill():
                break
        self._at = len(self._buffer)
        return Broken("truncated", f"the dump ends here; {why}: {what}", start, self._base + self._at - start)


def words(text: bytes) -> str:
    """The first words of a statement, for people."""
    return " ".join(text[:200].decode("utf-8", "replace").split()[:6])

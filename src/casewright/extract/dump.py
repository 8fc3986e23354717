"""A tokenizer for MySQL and MariaDB dumps. It reads; it never executes.

Lexical rules: MariaDB Knowledge Base, "String Literals", "Comment Syntax", "Hexadecimal Literals"; the statements that
mysqldump and mariadb-dump write. Rows of `INSERT INTO` come out one by one with their byte span; a statement that is
none of ours is skipped and counted; a row or tail that can't be read is a `Broken` with its span.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from casewright.extract.schema import Schema, parse_create

CHUNK = 1 << 20
LITERAL_LIMIT = 64 << 20
ESCAPES = {b"0": b"\0", b"'": b"'", b'"': b'"', b"b": b"\b", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"Z": b"\x1a",
           b"\\": b"\\"}  # fmt: skip
INSERT = re.compile(
    rb"(?:INSERT|REPLACE)\s+(?:IGNORE\s+|DELAYED\s+|LOW_PRIORITY\s+)*INTO\s+(`(?:[^`]|``)+`|\w+)\s*"
    rb"(?:\(((?:\s*(?:`(?:[^`]|``)+`|\w+)\s*,?)+)\)\s*)?VALUES?\s*",
    re.IGNORECASE,
)
NAME = re.compile(rb"`((?:[^`]|``)+)`|(\w+)")
STRING = re.compile(rb"'((?:[^'\\]|\\.|'')*)'", re.DOTALL)
ESCAPED = re.compile(rb"\\(.)|''", re.DOTALL)
BARE = re.compile(rb"[^,()'\s;]+")
SPACE = re.compile(rb"(?:\s+|--(?:[ \t][^\n]*)?(?:\n|\Z)|#[^\n]*(?:\n|\Z)|/\*(?!M?!).*?\*/)*", re.DOTALL)
QUOTED = re.compile(
    rb"""'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`|/\*.*?\*/|--[ \t][^\n]*\n""", re.DOTALL
)
INTRODUCER = re.compile(rb"_[A-Za-z0-9]+\s*(?=['xX0b])")

Value = bytes | None


@dataclass(frozen=True)
class Row:
    """A row of an INSERT. Values are raw bytes as the literal says (numbers as they are written), None for NULL."""

    table: str
    columns: tuple[str, ...]
    values: tuple[Value, ...]
    span_start: int
    span_length: int


@dataclass(frozen=True)
class Skipped:
    """A statement that holds no rows, by its first words."""

    what: str
    span_start: int
    span_length: int


@dataclass(frozen=True)
class Broken:
    """Bytes that can't be read, and why."""

    reason: str
    detail: str
    span_start: int
    span_length: int


Piece = Row | Schema | Skipped | Broken


class _NeedMore(Exception):  # noqa: N818  a signal, not an error
    """The buffer ends in the middle of something."""


class DumpReader:
    """Reads one dump from a stream, in one pass, holding a statement's unread part at most."""

    def __init__(self, file: BinaryIO, chunk: int = CHUNK) -> None:
        self._file, self._chunk = file, chunk
        self._buffer, self._base, self._end = b"", 0, False
        self._at = 0
        self._delimiter = b";"
        self._schemas: dict[str, Schema] = {}

    def pieces(self) -> Iterator[Piece]:
        """Everything in the dump, in order."""
        while True:
            mark = self._at
            try:
                piece = self._piece()
            except _NeedMore:
                self._at = mark
                if self._fill():
                    continue
                if rest := self._buffer[self._skip_space(mark) :].strip():
                    detail = f"the dump ends in the middle of a statement: {_words(rest)}"
                    yield Broken("truncated", detail, self._base + mark, len(self._buffer) - mark)
                return
            if isinstance(piece, _Insert):
                yield from self._rows(piece)
            elif piece is not None:
                yield piece

    def _fill(self) -> bool:
        """Read on; False at the end of the file. What was consumed is forgotten."""
        if self._end:
            return False
        more = self._file.read(max(self._chunk, len(self._buffer) - self._at))
        self._buffer = self._buffer[self._at :] + more
        self._base += self._at
        self._at = 0
        self._end = not more
        return True

    def _piece(self) -> "Piece | _Insert | None":
        """The next statement; for an INSERT only its head."""
        self._at = self._skip_space(self._at)
        start, buffer = self._at, self._buffer
        if start >= len(buffer):
            raise _NeedMore
        if len(buffer) - start < 4096 and not self._end:
            raise _NeedMore
        if match := INSERT.match(buffer, start):
            self._at = match.end()
            return _Insert(_unquote(match.group(1)), _names(match.group(2)), self._base + start)
        if buffer[start : start + 9].upper() == b"DELIMITER":
            line = buffer.find(b"\n", start)
            if line < 0 and not self._end:
                raise _NeedMore
            end = len(buffer) if line < 0 else line
            self._delimiter = buffer[start + 9 : end].strip() or b";"
            self._at = end
            return Skipped("DELIMITER", self._base + start, end - start)
        return self._statement(start)

    def _statement(self, start: int) -> Piece:
        end = self._statement_end(start)
        text = self._buffer[start:end]
        self._at = end + len(self._delimiter)
        if re.match(rb"CREATE\s+TABLE", text, re.IGNORECASE):
            schema = parse_create(text, self._base + start)
            if schema:
                self._schemas[schema.table] = schema
                return schema
        return Skipped(_words(text), self._base + start, end - start)

    def _statement_end(self, start: int) -> int:
        """Where the statement's delimiter stands, outside of quotes and comments."""
        buffer, at = self._buffer, start
        pattern = re.compile(re.escape(self._delimiter) + rb"""|['"`]|/\*|--[ \t]|#""")
        while True:
            found = pattern.search(buffer, at)
            if found is None:
                raise _NeedMore
            token = found.group()
            if token == self._delimiter:
                return found.start()
            if token == b"#":
                at = found.end()
                continue
            quoted = QUOTED.match(buffer, found.start())
            if quoted is None:
                raise _NeedMore
            at = quoted.end()

    def _skip_space(self, at: int) -> int:
        found = SPACE.match(self._buffer, at)
        return found.end() if found else at

    def _rows(self, insert: "_Insert") -> Iterator[Piece]:
        """The rows of an INSERT whose head was read. After a broken row, reading goes on behind the statement."""
        schema = self._schemas.get(insert.table)
        columns = insert.columns or (schema.names if schema else ())
        while True:
            mark = self._at
            try:
                row = self._row(insert.table, columns)
                self._at = self._skip_space(self._at)
                following = self._buffer[self._at : self._at + 1]
                if not following:
                    raise _NeedMore
            except _NeedMore:
                self._at = mark
                if self._fill():
                    continue
                left = len(self._buffer) - mark
                yield Broken("truncated", f"a row of {insert.table} has no end", self._base + mark, left)
                self._at = len(self._buffer)
                return
            except _BadRowError as error:
                yield self._give_up(insert, mark, str(error))
                return
            yield row
            self._at += 1
            if following == b";":
                return
            if following != b",":
                yield self._give_up(insert, mark, f"{following!r} stands where , or ; must")
                return

    def _give_up(self, insert: "_Insert", mark: int, why: str) -> Broken:
        """Go on behind the next line's end that a statement can begin at; what is passed over is set aside whole."""
        start = self._base + mark
        while True:
            found = re.compile(rb";\s*\n").search(self._buffer, mark)
            if found:
                self._at = found.end()
                break
            self._at = mark
            if not self._fill():
                self._at = len(self._buffer)
                break
            mark = 0
        return Broken("unreadable", f"INSERT INTO {insert.table}: {why}", start, self._base + self._at - start)

    def _row(self, table: str, columns: tuple[str, ...]) -> Row:
        self._at = start = self._skip_space(self._at)
        buffer = self._buffer
        if start >= len(buffer):
            raise _NeedMore
        if buffer[start : start + 1] != b"(":
            raise _BadRowError(f"{buffer[start : start + 12]!r} stands where a row must begin")
        at, values = start + 1, list[Value]()
        while True:
            value, at = self._value(at)
            values.append(value)
            at = self._skip_space(at)
            token = buffer[at : at + 1]
            at += 1
            if token == b",":
                continue
            if token == b")":
                break
            if not token:
                raise _NeedMore
            raise _BadRowError(f"{token!r} stands where , or ) must")
        if columns and len(columns) != len(values):
            raise _BadRowError(f"has {len(values)} values for {len(columns)} columns")
        self._at = at
        return Row(table, columns or tuple(f"column_{i}" for i in range(len(values))), tuple(values),
                   self._base + start, at - start)  # fmt: skip

    def _value(self, at: int) -> tuple[Value, int]:
        at = self._skip_space(at)
        buffer = self._buffer
        if introducer := INTRODUCER.match(buffer, at):
            at = introducer.end()
        first = buffer[at : at + 1]
        if first == b"'":
            return self._string(at)
        if first in b"xXbB" and first and buffer[at + 1 : at + 2] == b"'":
            raw, end = self._string(at + 1)
            return _digits(raw or b"", 16 if first in b"xX" else 2), end
        word = BARE.match(buffer, at)
        if word is None:
            if len(buffer) - at < 2:
                raise _NeedMore
            raise _BadRowError(f"{buffer[at : at + 12]!r} is no value")
        if word.end() == len(buffer):
            raise _NeedMore
        return _bare(word.group()), word.end()

    def _string(self, at: int) -> tuple[Value, int]:
        found = STRING.match(self._buffer, at)
        if found is None or found.end() == len(self._buffer):
            if len(self._buffer) - at > LITERAL_LIMIT:
                raise _BadRowError(f"a string of more than {LITERAL_LIMIT} bytes")
            raise _NeedMore
        return ESCAPED.sub(_unescape, found.group(1)), found.end()


@dataclass(frozen=True)
class _Insert:
    table: str
    columns: tuple[str, ...]
    span_start: int


class _BadRowError(ValueError):
    """A row that is not written as rows are."""


def _unescape(match: re.Match[bytes]) -> bytes:
    letter = match.group(1)
    if letter is None:
        return b"'"
    return b"\\" + letter if letter in b"%_" else ESCAPES.get(letter, letter)


def _bare(word: bytes) -> Value:
    if word.upper() == b"NULL":
        return None
    if word[:2] in (b"0x", b"0X"):
        return _digits(word[2:], 16)
    if word[:2] in (b"0b", b"0B") and set(word[2:]) <= set(b"01"):
        return _digits(word[2:], 2)
    return word


def _digits(text: bytes, base: int) -> bytes:
    """Hex or bit literal as bytes."""
    width = (len(text) + 1) // 2 if base == 16 else (len(text) + 7) // 8
    try:
        return int(text or b"0", base).to_bytes(width, "big")
    except ValueError as error:
        raise _BadRowError(f"{text[:12]!r} is no literal of base {base}") from error


def _unquote(name: bytes) -> str:
    plain = name[1:-1].replace(b"``", b"`") if name[:1] == b"`" else name
    return plain.decode("utf-8", "replace")


def _names(listed: bytes | None) -> tuple[str, ...]:
    return tuple(_unquote(m.group()) for m in NAME.finditer(listed)) if listed else ()


def _words(text: bytes) -> str:
    """The first words of a statement, for people."""
    return " ".join(text[:200].decode("utf-8", "replace").split()[:6])

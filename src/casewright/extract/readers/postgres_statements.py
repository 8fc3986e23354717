"""The statements of a PostgreSQL dump, one after the other, with quotes, comments and psql's commands told apart.

Source: PostgreSQL documentation, "Lexical Structure" (4.1).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from casewright.extract.reader import Broken
from casewright.extract.readers.postgres_rows import Line
from casewright.extract.readers.postgres_values import escapes_in

CHUNK = 1 << 20
LONGEST = 256 << 20
"""Bytes of one statement."""
SPACE = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)*", re.DOTALL)
SPECIAL = re.compile(rb"""[;'"]|\$(?:[A-Za-z_\x80-\xff][\w\x80-\xff]*)?\$|--|/\*""")
QUOTED = {b"'": re.compile(rb"[^']*+(?:''[^']*+)*+'"), b'"': re.compile(rb'[^"]*+"')}


class Readable(Protocol):
    """What bytes are read from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass
class Statements:
    """A dump that is looked at piece by piece: `buffer[at:]` is what comes next, `base` the place of the buffer.

    `escapes`: a backslash begins an escape in every string, as in servers of old.
    """

    file: Readable
    buffer: bytes = b""
    at: int = 0
    base: int = 0
    ended: bool = False
    escapes: bool = False
    encoding: str = "utf8"

    @property
    def place(self) -> int:
        return self.base + self.at

    def more(self) -> bool:
        """Read on; False at the end."""
        chunk = self.file.read(max(CHUNK, len(self.buffer) - self.at))
        self.base += self.at
        self.buffer, self.at = self.buffer[self.at :] + chunk, 0
        self.ended = not chunk
        return bool(chunk)

    def line(self) -> Line | None:
        """The next line; None where no line end follows."""
        while (end := self.buffer.find(b"\n", self.at)) < 0:
            if len(self.buffer) - self.at > LONGEST or not self.more():
                return None
        found = Line(self.buffer[self.at : end], self.place, end + 1 - self.at)
        self.at = end + 1
        return found

    def rest(self) -> int:
        """Pass over all that is left, and say how long it was."""
        length = len(self.buffer) - self.at
        while chunk := self.file.read(CHUNK):
            length += len(chunk)
        self.base, self.at, self.buffer, self.ended = self.place + length, 0, b"", True
        return length

    def statements(self) -> Iterator[tuple[bytes | Broken, int]]:
        """Each statement without its semicolon, and where it begins; psql's own commands are one a line."""
        while True:
            self._space()
            if self.at >= len(self.buffer):
                return
            start = self.place
            if self.buffer[self.at : self.at + 1] == b"\\":
                line = self.line()
                if line is None:
                    yield Broken("truncated", "ends within a command", start, self.rest()), start
                    return
                yield line.raw.rstrip(b"\r"), start
                continue
            statement = self._statement()
            if statement is None:
                yield Broken("truncated", "ends within a statement, or it is too long", start, self.rest()), start
                return
            yield statement, start

    def _space(self) -> None:
        """Go to the next statement."""
        while True:
            match = SPACE.match(self.buffer, self.at)
            end = match.end() if match else self.at
            unfinished = end == len(self.buffer) or self.buffer.startswith((b"/*", b"--"), end)
            self.at = end if not self.buffer.startswith(b"--", end) else self.at
            if not unfinished or not self.more():
                return

    def _statement(self) -> bytes | None:
        """Up to the semicolon that is in no quotes."""
        length = 0
        while True:
            end = self._end(self.at + length)
            if isinstance(end, bytes):
                return end
            if len(self.buffer) - self.at > LONGEST:
                return None
            length = end - self.at
            if not self.more():
                return None

    def _end(self, at: int) -> bytes | int:
        """The statement, or the place from which to look again once there is more."""
        while found := SPECIAL.search(self.buffer, at):
            sign = found.group()
            if sign == b";":
                statement = self.buffer[self.at : found.start()]
                self.at = found.end()
                return statement
            end = self._behind(sign, found)
            if end < 0:
                return found.start()
            at = end
        return max(at, len(self.buffer) - 64)

    def _behind(self, sign: bytes, found: re.Match[bytes]) -> int:
        """The place behind what a quote or comment opens; -1 when its end is not there yet."""
        buffer = self.buffer
        if sign in (b"'", b'"'):
            before = buffer[max(0, found.start() - 2) : found.start()]
            escaped = sign == b"'" and (self.escapes or re.search(rb"(?:\A|\W)[eE]\Z", before))
            match = (escapes_in(self.encoding).to_quote if escaped else QUOTED[sign]).match(buffer, found.end())
            return match.end() if match and (match.end() < len(buffer) or self.ended) else -1
        closing = {b"--": b"\n", b"/*": b"*/"}.get(sign, sign)
        end = buffer.find(closing, found.end())
        return end + len(closing) if end >= 0 else -1

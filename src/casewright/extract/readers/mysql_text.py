"""Which character set a value of a dump is written in.

Source: MySQL Reference Manual, "Character String Literal Character Set and Collation", "Character Set Introducers",
"Hexadecimal Literals": a string is in the connection's set unless an introducer names another; digits and `_binary` are
bytes, which a column of text takes as its own; a connection in `binary` too.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from casewright.extract.readers.mysql_charsets import BINARY, in_utf8, keeps_ascii, stays

WORDS = re.compile(r"(?:national|n?(?:var)?char(?:acter)?|nvarchar|(?:tiny|medium|long)?text|long|enum|set|json)\b")


@dataclass(frozen=True)
class Texts:
    """`client`: the connection's set. `columns`: each column's own; nothing where it is not known, `binary` where it
    holds no text."""

    client: str
    columns: tuple[str, ...]

    def utf8(self, number: int, raw: bytes, introducer: str | None, *, digits: bool) -> bytes:
        """A value as the contract has it: text as UTF-8, everything else as it is."""
        own = self.columns[number] if number < len(self.columns) else ""
        return raw if own == BINARY else in_utf8(raw, self.source(own, introducer, digits=digits))

    def source(self, own: str, introducer: str | None, *, digits: bool) -> str:
        """The set that a value is written in, for a column of text."""
        if introducer not in (None, BINARY):
            return introducer or ""
        return own if digits or BINARY in (introducer, self.client) else self.client

    def touches(self, number: int) -> bool:
        """Whether values of a column may have to be changed at all."""
        own = self.columns[number]
        return own != BINARY and not (stays(own) and stays(self.client))

    def ascii_stays(self, number: int) -> bool:
        """Whether values that are ASCII need no look."""
        return keeps_ascii(self.columns[number]) and keeps_ascii(self.client)


def texts_of(client: str, columns: tuple[str, ...], types: Mapping[str, str], sets: Mapping[str, str]) -> Texts:
    """The sets of a table's columns, from their types and what CREATE TABLE says of their sets."""
    return Texts(client, tuple(_own(types.get(name), sets.get(name, "")) for name in columns))


def _own(declared: str | None, charset: str) -> str:
    if declared is None:
        return ""
    return charset if WORDS.match(declared) else BINARY

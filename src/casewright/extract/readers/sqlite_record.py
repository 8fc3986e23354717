"""Records of SQLite: integers of variable length, serial types, values.

Source: https://www.sqlite.org/fileformat2.html, sections 1.5, 1.6 and 2.1.
"""

import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass

ENCODINGS = {1: "utf-8", 2: "utf-16-le", 3: "utf-16-be"}
SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
REAL, FALSE, TRUE, BLOB = 7, 8, 9, 12


class Damaged(ValueError):  # noqa: N818  data, not a defect
    """Bytes that can't be what they should be; the message says what."""


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """The number at `at`, as 64 bits without a sign, and the place after it. Raises Damaged."""
    value = 0
    for place in range(at, at + 8):
        if place >= len(raw):
            raise Damaged("a number is cut off")
        byte = raw[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    if at + 8 >= len(raw):
        raise Damaged("a number is cut off")
    return value << 8 | raw[at + 8], at + 9


def signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number


def size_of(kind: int) -> int:
    """Bytes of a value of this serial type. Raises Damaged for the two that are reserved."""
    if kind < 10:
        return SIZES[kind]
    if kind < BLOB:
        raise Damaged(f"serial type {kind} is reserved")
    return (kind - BLOB) // 2


def kinds_of(raw: bytes, at: int = 0) -> tuple[list[int], int]:
    """The serial types of the record that begins at `at`, and where its values begin. Raises Damaged."""
    length, place = varint(raw, at)
    end, kinds = at + length, list[int]()
    if length < 1 or end > len(raw):
        raise Damaged("the header of a record is longer than the record")
    while place < end:
        kind, place = varint(raw, place)
        kinds.append(kind)
    if place != end:
        raise Damaged("the header of a record does not end where it says")
    return kinds, end


@dataclass(frozen=True)
class Text:
    """How a database writes text."""

    encoding: str = "utf-8"

    def value(self, kind: int, raw: bytes, *, real: bool = False) -> bytes | None:
        """A value as the contract has it: numbers as they are written, text as UTF-8, blobs as their bytes. `real`:
        of a column of that affinity, which keeps whole numbers as integers."""
        if kind == 0:
            return None
        if kind < REAL or kind in (FALSE, TRUE):
            number = kind - FALSE if kind > REAL else int.from_bytes(raw, "big", signed=True)
            return repr(float(number)).encode() if real else b"%d" % number
        if kind == REAL:
            return repr(struct.unpack(">d", raw)[0]).encode()
        if kind % 2 == 0 or self.encoding == "utf-8":
            return raw
        return raw.decode(self.encoding, "replace").encode("utf-8", "replace")

    def is_text(self, raw: bytes) -> bool:
        """Whether these bytes can be text of this database, without control characters."""
        try:
            return not CONTROL.search(raw.decode(self.encoding))
        except UnicodeDecodeError:
            return False


def values_of(payload: bytes, text: Text, reals: Sequence[bool]) -> list[bytes | None]:
    """The values of a record. Raises Damaged."""
    kinds, at = kinds_of(payload)
    values = list[bytes | None]()
    for number, kind in enumerate(kinds):
        size = size_of(kind)
        if at + size > len(payload):
            raise Damaged("a value reaches beyond its record")
        values.append(text.value(kind, payload[at : at + size], real=number < len(reals) and reals[number]))
        at += size
    return values

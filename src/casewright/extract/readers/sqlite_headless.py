"""Rows of SQLite whose first four bytes were overwritten when their cell was freed.

A freed cell begins with the place of the next free block and its own size, two bytes each (file format, section 1.6,
"freeblocks"). Lost with them are the record's length, the row's number, and often the head of the record's header. The
rest says enough: the block's size, the table's columns, and that an INTEGER PRIMARY KEY is stored as NULL. A row counts
when there is one way only to read it; its number is lost.
"""

from casewright.extract.readers.sqlite_record import BLOB, Damaged, kinds_of, size_of, varint
from casewright.extract.readers.sqlite_schema import Table

BEFORE = range(2, 10)
"""Bytes that the length and the row's number can take before the record."""
INTEGERS = {1: 1, 2: 2, 3: 3, 4: 4, 6: 5, 8: 6}
LOST = 4


def payloads(block: bytes, table: Table) -> list[tuple[bytes, int]]:
    """Records that a freed block can have begun with, if they are the table's, and the bytes of the block that they
    take: of those that fill it, all; otherwise those that say themselves where they end, since neighbours merge."""
    found = list[tuple[bytes, int]]()
    for before in BEFORE:
        try:
            one = _behind(block, before) if before >= LOST else _completed(block, before, table)
        except Damaged:
            continue
        if one is not None:
            found.append(one)
    return [one for one in found if one[1] == len(block)] or found


def _behind(block: bytes, before: int) -> tuple[bytes, int] | None:
    """A record that begins behind what was lost."""
    kinds, start = kinds_of(block, before)
    end = start + sum(map(size_of, kinds))
    return (block[before:end], end) if end <= len(block) else None


def _completed(block: bytes, before: int, table: Table) -> tuple[bytes, int] | None:
    """A record with the lost serial types put back, each of one byte."""
    stored, lost = table.stored, LOST - 1 - before
    known, place = list[int](), LOST
    for _ in range(len(stored) - lost):
        kind, place = varint(block, place)
        known.append(kind)
    end = place + sum(map(size_of, known))
    missing = list[int]()
    for column in stored[:lost]:
        if column.name == table.alias:
            missing.append(0)
        elif (kind_left := _of_size(column.affinity, len(block) - end)) is not None:
            missing.append(kind_left)
            end = len(block)
        else:
            return None
    header = bytes(missing) + block[LOST:place]
    if end > len(block) or len(header) > 126:
        return None
    return bytes([1 + len(header)]) + header + block[place:end], end


def _of_size(affinity: str, size: int) -> int | None:
    """The serial type of a value of this size, where its column leaves no choice."""
    if affinity == "text" and 0 < size < (128 - BLOB) // 2:
        return BLOB + 1 + 2 * size
    return INTEGERS.get(size) if affinity == "integer" else None

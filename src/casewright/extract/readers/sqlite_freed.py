"""Rows that a SQLite database has given up: on pages of the free list, in gaps of pages, and on older pages of its log.

A row counts when a whole record stands there and fits one table only: as many values as the table stores, each of a
kind that its column's affinity allows, none missing where the table wants one, text that is text. On a page whose
table is known, it is that table's, or nobody's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from casewright.extract.reader import FREED, WAL
from casewright.extract.readers.sqlite_headless import payloads
from casewright.extract.readers.sqlite_pages import Pages, Place
from casewright.extract.readers.sqlite_record import BLOB, REAL, Damaged, kinds_of, size_of
from casewright.extract.readers.sqlite_schema import Stored, Table
from casewright.extract.readers.sqlite_tree import TABLE_LEAF, Cell, Head, Trees, free_blocks, head_of

SHORTEST = 4
"""No cell is shorter."""
HEADER_LIMIT = 128
ENOUGH = 8
"""Bytes of values without which a row whose head is lost could be anything."""


@dataclass(frozen=True)
class Found:
    """A record that was given up."""

    table: Table
    cell: Cell
    place: Place
    origin: str


def freed(pages: Pages, tables: Sequence[Table], owners: Mapping[int, Table], used: frozenset[int]) -> Iterator[Found]:
    """Everything that still stands. `owners`: the table of each leaf page; `used`: pages that are in use."""
    rows = [table for table in tables if not table.without_rowid]
    trees, trunks = Trees(pages), _trunks(pages)
    for number in range(1, pages.in_file + 1):
        if number in owners:
            if not owners[number].without_rowid:
                yield from _gaps(trees, number, pages.place(number), [owners[number]])
        elif number in trunks:
            yield from _between(trees, *trunks[number], rows, FREED)
        elif number not in used:
            yield from _whole(trees, number, Place("", (number - 1) * pages.size), rows, FREED)
    for number, place in pages.superseded():
        yield from _whole(trees, number, place, [owners[number]] if number in owners else rows, WAL)


def _whole(trees: Trees, number: int, place: Place, tables: Sequence[Table], origin: str) -> Iterator[Found]:
    """All records of a page that is no longer part of a tree, and what stands in its gap."""
    raw, head = _page(trees, number, place)
    if head is None or head.kind != TABLE_LEAF:
        return
    for at in head.pointers:
        if found := _fitting(trees, raw, at, trees.pages.usable, tables):
            yield Found(*found, Place(place.beside, place.start + at), origin)
    yield from _between(trees, raw, head.gap, place, tables, origin)


def _page(trees: Trees, number: int, place: Place) -> tuple[bytes, Head | None]:
    """A page and its head, if it is one of a tree."""
    try:
        raw = trees.pages.at(place)
        return raw, head_of(raw, trees.pages.usable, number)
    except Damaged:
        return b"", None


def _trunks(pages: Pages) -> dict[int, tuple[bytes, tuple[int, int], Place]]:
    """Pages that list the free ones, with the bytes behind their lists: what stood there before stands still."""
    found: dict[int, tuple[bytes, tuple[int, int], Place]] = {}
    number = pages.freelist
    while number and number not in found:
        try:
            raw = pages.page(number)
        except Damaged:
            break
        listed = int.from_bytes(raw[4:8], "big")
        found[number] = raw, (min(8 + 4 * listed, pages.usable), pages.usable), pages.place(number)
        number = int.from_bytes(raw[:4], "big")
    return found


def _gaps(trees: Trees, number: int, place: Place, tables: Sequence[Table]) -> Iterator[Found]:
    """Records in a page's free blocks, and between its pointers and its cells."""
    raw, head = _page(trees, number, place)
    if head is None:
        return
    for gap in (head.gap, *free_blocks(raw, trees.pages.usable, number)):
        yield from _between(trees, raw, gap, place, tables, FREED)


def _between(
    trees: Trees, raw: bytes, gap: tuple[int, int], place: Place, tables: Sequence[Table], origin: str
) -> Iterator[Found]:
    """Records in the bytes from `gap[0]` to `gap[1]` of a page, one after the other.

    One without a head is looked for where a cell can begin only: behind another, behind zeros, or at the start.
    """
    (at, end), begins = gap, True
    headers = range(1 + min((len(t.stored) for t in tables), default=0), HEADER_LIMIT)
    while at < end - SHORTEST:
        if not any(raw[at : at + SHORTEST]):
            at, begins = at + 1, True
            continue
        found = _fitting(trees, raw, at, end, tables) if _may_begin(raw, at, headers) else None
        found = found or (_headless(trees, raw, at, end, tables) if begins else None)
        if found:
            yield Found(*found, Place(place.beside, place.start + at), origin)
        begins = found is not None or raw[at] == 0
        at += found[1].length if found else 1


def _may_begin(raw: bytes, at: int, headers: range) -> bool:
    """A quick look: whether the length of a header stands behind two numbers."""
    for _ in range(2):
        while at < len(raw) and raw[at] & 0x80:
            at += 1
        at += 1
    return at < len(raw) and (raw[at] in headers or raw[at] & 0x80 != 0)


def _headless(trees: Trees, raw: bytes, at: int, end: int, tables: Sequence[Table]) -> tuple[Table, Cell] | None:
    """The row in what was a free block once, if there is one way only to read it, and enough of it."""
    following, size = (int.from_bytes(raw[p : p + 2], "big") for p in (at, at + 2))
    if not 2 * SHORTEST <= size <= end - at or (following and not at < following < trees.pages.usable):
        return None
    found = {(n, *one) for n, table in enumerate(tables) for one in payloads(raw[at : at + size], table)}
    fitting = [
        (tables[n], Cell(None, payload, at, length))
        for n, payload, length in found
        if len(payload) - kinds_of(payload)[1] >= ENOUGH and _fits(tables[n], trees, payload)
    ]
    return fitting[0] if len(fitting) == 1 else None


def _fitting(trees: Trees, raw: bytes, at: int, end: int, tables: Sequence[Table]) -> tuple[Table, Cell] | None:
    """The record at a place and the one table that it fits."""
    try:
        cell = trees.lost_cell(raw, at, end)
    except Damaged:
        return None
    fitting = [t for t in tables if _fits(t, trees, cell.payload)]
    return (fitting[0], cell) if len(fitting) == 1 else None


def _fits(table: Table, trees: Trees, payload: bytes) -> bool:
    """Whether a record is one of the table's: each value of a kind that its column can hold, and nothing left over."""
    try:
        kinds, at = kinds_of(payload)
        sizes = [size_of(kind) for kind in kinds]
    except Damaged:
        return False
    stored = table.stored
    if len(kinds) != len(stored) or not any(kinds) or at + sum(sizes) != len(payload):
        return False
    for column, kind, size in zip(stored, kinds, sizes, strict=True):
        if not _allowed(column, kind, alias=column.name == table.alias):
            return False
        if kind > BLOB and kind % 2 and not trees.pages.text.is_text(payload[at : at + size]):
            return False
        at += size
    return True


def _allowed(column: Stored, kind: int, *, alias: bool) -> bool:
    """Whether a column can hold a value of a serial type: affinity turns what it can, so the rest is not its own."""
    if alias:
        return kind == 0
    if kind == 0:
        return not column.needed
    number, text = kind < BLOB, kind > BLOB and kind % 2 == 1
    allowed = {
        "integer": number and kind != REAL,
        "real": number,
        "numeric": number or text,
        "text": text,
        "blob": True,
    }
    return allowed[column.affinity]

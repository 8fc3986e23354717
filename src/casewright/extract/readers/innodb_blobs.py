"""Values that a record keeps on other pages: chains of BLOB pages, and since MySQL 8 pages with an index of their own.

Source: MySQL Internals Manual, "InnoDB Record Structure" (the 20 bytes that refer to the rest); MySQL Server Blog,
"MySQL 8.0: InnoDB Introduces LOB Index For Faster Updates" (first page, index entries of 60 bytes, data pages).
"""

from dataclasses import dataclass

from casewright.extract.readers.innodb_pages import (
    BLOB,
    HEADER,
    LOB_DATA,
    LOB_FIRST,
    LOB_INDEX,
    NO_PAGE,
    SDI_BLOB,
    TRAILER,
    Damaged,
    Pages,
    number,
)

REFERENCE = 20
MOST = 0x1FFFFFFF
ENTRY, ENTRIES = 60, 10
MOST_TIMES = 4
"""Pages of long values are read so often at most, taken all together: each is one value's."""
FIRST_ENTRY = HEADER + 58


@dataclass(frozen=True)
class Outside:
    """A value of which only the beginning stands in its record. `reference`: where the rest is."""

    here: bytes
    reference: bytes

    @property
    def rest(self) -> int:
        """How many bytes stand elsewhere."""
        return number(self.reference, 12, 8) & MOST

    @property
    def content(self) -> bytes:
        """What tells values apart without reading them: all but the marks of who owns the pages."""
        return self.here + self.reference[:12] + self.rest.to_bytes(8, "big")


def whole(pages: Pages, value: Outside, *, freed: bool = False) -> bytes:
    """The value. `freed`: of a row that was given up, whose pages no index may have taken since. Raises Damaged."""
    space, first, at = (number(value.reference, place) for place in (0, 4, 8))
    if space != pages.space or value.rest > pages.length:
        raise Damaged("a long value's place makes no sense")
    if not value.rest:
        return value.here
    kind = number(_page(pages, first, freed), 24, 2)
    parts = _indexed(pages, first, freed) if kind == LOB_FIRST else _chained(pages, first, at, value.rest, freed)
    found = b"".join(parts)
    if len(found) < value.rest:
        raise Damaged("a long value ends early")
    return value.here + found[: value.rest]


def _page(pages: Pages, which: int, freed: bool) -> bytes:
    pages.followed += 1
    if pages.followed > MOST_TIMES * pages.in_file:
        raise Damaged("long values take more pages than there are")
    if freed and pages.in_use(which):
        raise Damaged("a long value's pages were used again")
    return pages.page(which)


def _chained(pages: Pages, which: int, at: int, left: int, freed: bool) -> list[bytes]:
    parts, seen = list[bytes](), set[int]()
    while left > 0 and which != NO_PAGE:
        if which in seen:
            raise Damaged(f"a long value's page {which} is in two places")
        seen.add(which)
        raw = _page(pages, which, freed)
        at = at if HEADER <= at < pages.size - TRAILER - 8 else HEADER
        length = number(raw, at)
        if number(raw, 24, 2) not in (BLOB, SDI_BLOB) or not 0 < length <= pages.size - TRAILER - at - 8:
            raise Damaged(f"page {which} holds no part of a long value")
        parts.append(raw[at + 8 : at + 8 + length])
        left, which, at = left - length, number(raw, at + 4), HEADER
    return parts


def _indexed(pages: Pages, first: int, freed: bool) -> list[bytes]:
    """By the entries of the index that begins on the first page."""
    raw = _page(pages, first, freed)
    where, at = number(raw, HEADER + 30), number(raw, HEADER + 34, 2)
    parts, seen = list[bytes](), set[tuple[int, int]]()
    while where != NO_PAGE:
        if (where, at) in seen or len(seen) > pages.in_file + ENTRIES:
            raise Damaged("the index of a long value goes round")
        seen.add((where, at))
        holder = raw if where == first else _page(pages, where, freed)
        if number(holder, 24, 2) not in (LOB_FIRST, LOB_INDEX) or not HEADER < at <= pages.size - TRAILER - ENTRY:
            raise Damaged(f"page {where} holds no index of a long value")
        entry = holder[at : at + ENTRY]
        parts.append(_part(pages, first, number(entry, 48), number(entry, 52), freed))
        where, at = number(entry, 6), number(entry, 10, 2)
    return parts


def _part(pages: Pages, first: int, which: int, length: int, freed: bool) -> bytes:
    raw = _page(pages, which, freed)
    begins = FIRST_ENTRY + ENTRY * ENTRIES if which == first else HEADER + 11
    kind = LOB_FIRST if which == first else LOB_DATA
    if number(raw, 24, 2) != kind or length > pages.size - TRAILER - begins:
        raise Damaged(f"page {which} holds no part of a long value")
    return raw[begins : begins + length]

"""Pages of a Berkeley DB B-tree and the items on them.

Source of the format: `db_page.h` of Berkeley DB 4.8 to 5.3: a header of 26 bytes, then where each item begins; an item
has a length of two bytes and a type of one, and a large one stands on a chain of overflow pages.

What a page claims is bounded by what a file can hold: no page counts twice in a chain, the items of a page are together
no longer than a few pages, and large items together no longer than a few files.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

HEADER = 26
GIVEN_UP, INTERNAL, LEAF, OVERFLOW, META = 0, 3, 5, 7, 9
DATA, LARGE, DELETED = 1, 3, 0x80
ALIGNED = 4
SHORTEST = 6
"""No item in free space is taken for one that is shorter."""
LONGEST = 64 << 20
AGAIN = 4
"""How often the same bytes may be said: a key of several pairs stands once, and freed pages repeat what stands."""


class Damaged(ValueError):  # noqa: N818  reads as what it says
    """A page that is not what it should be."""


@dataclass(frozen=True)
class Item:
    """An item's bytes, how many its page holds of it, and whether it is marked as deleted."""

    raw: bytes
    on_page: int
    deleted: bool


@dataclass
class Pages:
    file: BinaryIO
    size: int
    order: str
    page_size: int
    large_left: int = field(init=False)

    def __post_init__(self) -> None:
        self.large_left = AGAIN * self.size

    @property
    def whole(self) -> int:
        """Pages of which all bytes are there."""
        return self.size // self.page_size

    def page(self, number: int) -> bytes:
        """Raises Damaged."""
        if not 0 <= number <= self.size // self.page_size:
            raise Damaged(f"page {number} is not in the file")
        self.file.seek(number * self.page_size)
        raw = self.file.read(self.page_size)
        if len(raw) < self.page_size:
            raise Damaged(f"page {number} is cut off")
        return raw

    def number(self, raw: bytes, at: int, size: int = 4) -> int:
        return int.from_bytes(raw[at : at + size], "little" if self.order == "<" else "big")

    def places(self, raw: bytes) -> list[int]:
        """Where the items of a page begin. Raises Damaged."""
        count = self.number(raw, 20, 2)
        if HEADER + 2 * count > len(raw):
            raise Damaged("a page with more items than fit on it")
        return list(struct.unpack_from(f"{self.order}{count}H", raw, HEADER))

    def item(self, raw: bytes, at: int) -> Item:
        """Raises Damaged."""
        if not HEADER <= at <= len(raw) - 3:
            raise Damaged("an item reaches beyond its page")
        kind, deleted = raw[at + 2] & ~DELETED, bool(raw[at + 2] & DELETED)
        if kind == LARGE and at + 12 <= len(raw):
            return Item(self._large(self.number(raw, at + 4), self.number(raw, at + 8)), 12, deleted)
        length = self.number(raw, at, 2)
        if kind != DATA or at + 3 + length > len(raw):
            raise Damaged("an item of an unknown type, or one that reaches beyond its page")
        return Item(raw[at + 3 : at + 3 + length], 3 + length, deleted)

    def stale(self, raw: bytes) -> Iterator[tuple[int, Item]]:
        """Items that a page no longer counts, by where they begin: between what it counts and what it holds, as items
        move together when others go; behind the part of a large item; anywhere on a page that was given up."""
        start, end = HEADER, len(raw)
        if raw[25] in (INTERNAL, LEAF):
            start, end = HEADER + 2 * self.number(raw, 20, 2), min(end, self.number(raw, 22, 2))
        elif raw[25] == OVERFLOW:
            start = HEADER + self.number(raw, 22, 2)
        elif raw[25] != GIVEN_UP:
            return
        at = start
        while (at := raw.find(DATA, at + 2, end) - 2) >= start:
            size = self.number(raw, at, 2)
            if at % ALIGNED or size < SHORTEST or at + 3 + size > end:
                at += 1  # this byte only looks like the type of an item
                continue
            yield at, Item(raw[at + 3 : at + 3 + size], 3 + size, True)
            at += 3 + size

    def _large(self, number: int, length: int) -> bytes:
        if length > min(self.size, LONGEST, self.large_left):
            raise Damaged("an item larger than its file")
        self.large_left -= length
        parts, left, seen = list[bytes](), length, set[int]()
        while left > 0:
            raw = self.page(number)
            held = min(self.number(raw, 22, 2), self.page_size - HEADER)
            if raw[25] != OVERFLOW or not held or number in seen:
                raise Damaged("a large item breaks off")
            seen.add(number)
            parts.append(raw[HEADER : HEADER + held])
            number, left = self.number(raw, 16), left - held
        return b"".join(parts)[:length]

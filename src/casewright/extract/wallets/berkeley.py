"""Records of a Berkeley DB B-tree, read from its pages: what it holds now, and what it has given up.

Source of the format: `db_page.h` of Berkeley DB 4.8 to 5.3 (page header 26 bytes; items with a length of two bytes and
a type of one; large ones on chains of overflow pages). A file holds one B-tree, or several that are named in a first one.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from casewright.extract.reader import FREED, LIVE, Broken
from casewright.extract.wallet import Place

MAGIC = 0x00053162
HEADER = 26
INTERNAL, LEAF, OVERFLOW, META = 3, 5, 7, 9
DATA, LARGE, DELETED = 1, 3, 0x80
SUBDATABASES = 0x20
LONGEST = 64 << 20


@dataclass(frozen=True)
class Record:
    key: bytes
    value: bytes
    place: Place


class _Damaged(ValueError):
    """A page that is not what it should be."""


@dataclass
class _Tree:
    file: BinaryIO
    size: int
    order: str
    page_size: int
    broken: list[Broken] = field(default_factory=list)

    @property
    def pages(self) -> int:
        return -(-self.size // self.page_size)

    def page(self, number: int) -> bytes:
        if not 0 <= number < self.pages:
            raise _Damaged(f"page {number} is not in the file")
        self.file.seek(number * self.page_size)
        raw = self.file.read(self.page_size)
        if len(raw) < self.page_size:
            raise _Damaged(f"page {number} is cut off")
        return raw

    def number(self, raw: bytes, at: int, size: int = 4) -> int:
        return int.from_bytes(raw[at : at + size], "little" if self.order == "<" else "big")

    def items(self, raw: bytes) -> list[int]:
        """Where the items of a page begin. Raises _Damaged."""
        count = self.number(raw, 20, 2)
        if HEADER + 2 * count > len(raw):
            raise _Damaged("a page with more items than fit on it")
        return list(struct.unpack_from(f"{self.order}{count}H", raw, HEADER))

    def item(self, raw: bytes, at: int) -> tuple[bytes, int, bool]:
        """An item's bytes, how many the page holds of it, and whether it is deleted. Raises _Damaged."""
        if at + 3 > len(raw):
            raise _Damaged("an item reaches beyond its page")
        kind, deleted = raw[at + 2] & ~DELETED, bool(raw[at + 2] & DELETED)
        if kind == LARGE:
            return self._large(self.number(raw, at + 4), self.number(raw, at + 8)), 12, deleted
        length = self.number(raw, at, 2)
        if kind != DATA or at + 3 + length > len(raw):
            raise _Damaged("an item of an unknown type, or one that reaches beyond its page")
        return raw[at + 3 : at + 3 + length], 3 + length, deleted

    def _large(self, number: int, length: int) -> bytes:
        if length > min(self.size, LONGEST):
            raise _Damaged("an item larger than its file")
        parts, left = list[bytes](), length
        while left > 0:
            raw = self.page(number)
            held = min(self.number(raw, 22, 2), self.page_size - HEADER)
            if raw[25] != OVERFLOW or not held:
                raise _Damaged("a large item breaks off")
            parts.append(raw[HEADER : HEADER + held])
            number, left = self.number(raw, 16), left - held
        return b"".join(parts)[:length]

    def leaves(self, root: int, seen: set[int]) -> Iterator[int]:
        """The leaf pages below a page, each page once."""
        waiting = [root]
        while waiting:
            number = waiting.pop()
            if number in seen:
                self.tell(number, "is reached twice")
                continue
            seen.add(number)
            try:
                raw = self.page(number)
                if raw[25] == INTERNAL:
                    waiting += [self.number(raw, at + 4) for at in reversed(self.items(raw))]
                elif raw[25] == LEAF:
                    yield number
                else:
                    raise _Damaged(f"page {number} is no part of a tree")
            except (_Damaged, IndexError, struct.error) as error:
                self.tell(number, str(error))

    def tell(self, number: int, what: str) -> None:
        detail = f"page {number}: {what}"
        self.broken.append(Broken("unreadable", detail, number * self.page_size, self.page_size))

    def records(self, number: int, origin: str) -> Iterator[Record]:
        """Pairs of a leaf; those that are marked as deleted are `FREED`."""
        base = number * self.page_size
        try:
            raw = self.page(number)
            places = self.items(raw)
        except (_Damaged, struct.error) as error:
            self.tell(number, str(error))
            return
        for at_key, at_value in zip(places[::2], places[1::2], strict=False):
            try:
                key, _, gone = self.item(raw, at_key)
                value, length, also = self.item(raw, at_value)
            except _Damaged as error:
                if origin == LIVE:
                    self.broken.append(Broken("unreadable", str(error), base + at_key, 0))
                continue
            start, end = min(at_key, at_value), max(at_key + 3 + len(key), at_value + length)
            together = end - start <= length + len(key) + 16  # an item and its key mostly stand side by side
            place = (start, end - start) if together else (at_key, 3 + len(key))
            yield Record(key, value, Place(base + place[0], place[1], origin=FREED if gone or also else origin))


def read_berkeley(file: BinaryIO) -> Iterator[Record | Broken]:
    """Every pair in the file, live ones first; then those on pages that no tree leads to any more."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(512)
    order = next((o for o in "<>" if len(head) == 512 and struct.unpack_from(o + "I", head, 12)[0] == MAGIC), None)
    if order is None:
        yield Broken("unreadable", "is no Berkeley DB B-tree", 0, size)
        return
    page_size = struct.unpack_from(order + "I", head, 20)[0]
    if not 512 <= page_size <= 65536 or page_size & (page_size - 1) or head[24]:
        yield Broken("unreadable", "its pages are encrypted, or of a size that no such file has", 0, size)
        return
    tree = _Tree(file, size, order, page_size)
    seen = {0}
    for root in _roots(tree, head, seen):
        for number in tree.leaves(root, seen):
            yield from tree.records(number, LIVE)
    for number in sorted(set(range(size // page_size)) - seen):
        if tree.page(number)[25] == LEAF:
            yield from tree.records(number, FREED)
    if size % page_size:
        tree.broken.append(Broken("truncated", "the last page is cut off", size - size % page_size, size % page_size))
    yield from tree.broken


def _roots(tree: _Tree, head: bytes, seen: set[int]) -> list[int]:
    """The first page of each tree: of the file's own, or of those that it names."""
    own = tree.number(head, 88)
    if not tree.number(head, 48) & SUBDATABASES:
        return [own]
    roots = list[int]()
    for number in tree.leaves(own, seen):
        for record in tree.records(number, LIVE):
            named = int.from_bytes(record.value, "big")  # whatever the order of the file
            try:
                raw = tree.page(named)
            except _Damaged as error:
                tree.tell(named, str(error))
                continue
            seen.add(named)
            if raw[25] == META and tree.number(raw, 12) == MAGIC:
                roots.append(tree.number(raw, 88))
    return roots

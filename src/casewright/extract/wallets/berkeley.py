"""Records of a Berkeley DB B-tree, read from its pages: what it holds now, and what it has given up.

Source of the format: `db_page.h` of Berkeley DB 4.8 to 5.3. A file holds one B-tree, or several that a first one names.
Nothing is opened by Berkeley DB itself; its logs, which may hold changes that never reached the file, are not read.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from casewright.extract.reader import FREED, LIVE, Broken
from casewright.extract.wallet import Place
from casewright.extract.wallets.berkeley_pages import AGAIN, ALIGNED, INTERNAL, LEAF, META, Damaged, Item, Pages

MAGIC = 0x00053162
SUBDATABASES = 0x20
HEAD = 512
MOST_STALE = 1_000_000
"""Items that are read from free space: noise can look like any number of them."""


@dataclass(frozen=True)
class Record:
    key: bytes
    value: bytes
    place: Place


def read_berkeley(file: BinaryIO) -> Iterator[Record | Broken]:
    """Every pair in the file, live ones first; then those on pages to which no tree leads, and in free space."""
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(HEAD)
    order = next((o for o in "<>" if len(head) == HEAD and struct.unpack_from(o + "I", head, 12)[0] == MAGIC), None)
    if order is None:
        yield Broken("unreadable", "is no Berkeley DB B-tree", 0, size)
        return
    page_size = struct.unpack_from(order + "I", head, 20)[0]
    if not 512 <= page_size <= 65536 or page_size & (page_size - 1):
        yield Broken("unreadable", "its pages are of a size that no such file has", 0, size)
        return
    if head[24]:
        yield Broken("encrypted", "a Berkeley DB file whose pages open with a password only", 0, size)
        return
    yield from _Trees(Pages(file, size, order, page_size), head).records()


@dataclass
class _Trees:
    pages: Pages
    head: bytes
    seen: set[int] = field(default_factory=lambda: {0})
    broken: dict[int, Broken] = field(default_factory=dict)
    stale_left: int = MOST_STALE

    def records(self) -> Iterator[Record | Broken]:
        pages = self.pages
        for root in self._roots():
            for number in self._leaves(root):
                yield from self._pairs(number, LIVE)
        for number in range(1, pages.whole):
            if number not in self.seen and pages.page(number)[25] == LEAF:
                yield from self._pairs(number, FREED)
            if self.stale_left:
                yield from self._stale(number)
        yield from self.broken.values()
        if rest := pages.size % pages.page_size:
            yield Broken("truncated", "the last page is cut off", pages.size - rest, rest)

    def _roots(self) -> list[int]:
        """The first page of each tree: of the file's own, or of those that it names."""
        own = self.pages.number(self.head, 88)
        if not self.pages.number(self.head, 48) & SUBDATABASES:
            return [own]
        roots = list[int]()
        for number in self._leaves(own):
            for record in self._pairs(number, LIVE):
                named = int.from_bytes(record.value, "big")  # whatever the order of the file
                try:
                    raw = self.pages.page(named)
                except Damaged as error:
                    self._tell(number, str(error))
                    continue
                self.seen.add(named)
                if raw[25] == META and self.pages.number(raw, 12) == MAGIC:
                    roots.append(self.pages.number(raw, 88))
        return roots

    def _leaves(self, root: int) -> Iterator[int]:
        """The leaf pages below a page, each page once."""
        waiting = self._new([root])
        while waiting:
            number = waiting.pop()
            try:
                raw = self.pages.page(number)
                if raw[25] == INTERNAL:
                    waiting += reversed(self._new(self._below(raw)))
                elif raw[25] == LEAF:
                    yield number
                else:
                    raise Damaged("is no part of a tree")
            except Damaged as error:
                self._tell(number, str(error))

    def _new(self, numbers: list[int]) -> list[int]:
        """Those of these pages that nothing has led to yet."""
        new = list[int]()
        for number in numbers:
            if number in self.seen:
                self._tell(number, "is reached twice")
                continue
            self.seen.add(number)
            new.append(number)
        return new

    def _below(self, raw: bytes) -> list[int]:
        return [self.pages.number(raw, at + 4) for at in self.pages.places(raw)]

    def _tell(self, number: int, what: str) -> None:
        """One thing a page: a page that is wrong is wrong in many places."""
        size = self.pages.page_size
        self.broken.setdefault(number, Broken("unreadable", f"page {number}: {what}", number * size, size))

    def _pairs(self, number: int, origin: str) -> Iterator[Record]:
        """Pairs of a leaf; those that are marked as deleted are `FREED`."""
        raw, taken = self.pages.page(number), 0
        try:
            places = self.pages.places(raw)
        except Damaged as error:
            self._tell_live(number, origin, str(error))
            return
        for at_key, at_value in zip(places[::2], places[1::2], strict=False):
            try:
                key, value = self.pages.item(raw, at_key), self.pages.item(raw, at_value)
            except Damaged as error:
                self._tell_live(number, origin, str(error))
                continue
            taken += key.on_page + value.on_page
            if taken > AGAIN * len(raw):
                self._tell_live(number, origin, "its items stand upon each other")
                return
            base = number * self.pages.page_size
            yield _record(key, value, base + at_key, base + at_value, origin)

    def _stale(self, number: int) -> Iterator[Record]:
        """Items that a page no longer counts, each taken as a key: its value was put right before it, and may stand
        there still."""
        base, before = number * self.pages.page_size, (0, Item(b"", 0, True))
        for at, item in self.pages.stale(self.pages.page(number)):
            if not self.stale_left:
                self._tell(number, f"more than {MOST_STALE:,} items in free space, and the rest is not read")
                return
            self.stale_left -= 1
            beside = at - before[0] - before[1].on_page < ALIGNED
            value_at, value = before if beside else (at, Item(b"", 0, True))
            yield _record(item, value, base + at, base + value_at, FREED)
            before = at, item

    def _tell_live(self, number: int, origin: str, what: str) -> None:
        """What is wrong with a page that the file has given up is no loss."""
        if origin == LIVE:
            self._tell(number, what)


def _record(key: Item, value: Item, at_key: int, at_value: int, origin: str) -> Record:
    """A pair, and the bytes of both where they stand side by side, as they mostly do; otherwise those of the key."""
    start, end = min(at_key, at_value), max(at_key + key.on_page, at_value + value.on_page)
    if end - start > key.on_page + value.on_page + 16:
        start, end = at_key, at_key + key.on_page
    gone = key.deleted or value.deleted
    return Record(key.raw, value.raw, Place(start, end - start, origin=FREED if gone else origin))

"""B-trees of SQLite: the pages of a table, the cells of a page, and records that go on on other pages.

Source: https://www.sqlite.org/fileformat2.html, section 1.6. Every page is taken once in a database, by the tree, or by
the record, that comes to it first: so loops end, and the work is bounded by the number of pages.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from casewright.extract.reader import Broken
from casewright.extract.readers.sqlite_pages import Pages, Place
from casewright.extract.readers.sqlite_record import Damaged, signed, varint

INDEX_INSIDE, TABLE_INSIDE, INDEX_LEAF, TABLE_LEAF = 2, 5, 10, 13
INSIDE = (INDEX_INSIDE, TABLE_INSIDE)


@dataclass(frozen=True)
class Head:
    """Head of a page of a tree. `pointers`: where its cells stand; `gap`: from the last pointer to the first cell."""

    kind: int
    pointers: tuple[int, ...]
    right: int
    gap: tuple[int, int]


@dataclass(frozen=True)
class Cell:
    """A record: its row's number (None in an index), its bytes, and where its cell stands on the page."""

    rowid: int | None
    payload: bytes
    start: int
    length: int


def head_of(raw: bytes, usable: int, number: int) -> Head:
    """Raises Damaged when the page is none of a tree."""
    at = 100 if number == 1 else 0
    kind, count = raw[at], int.from_bytes(raw[at + 3 : at + 5], "big")
    content = int.from_bytes(raw[at + 5 : at + 7], "big") or 65536
    first = at + (12 if kind in INSIDE else 8)
    if kind not in (*INSIDE, INDEX_LEAF, TABLE_LEAF):
        raise Damaged(f"page {number} is of no kind that trees have ({kind})")
    if first + 2 * count > min(content, usable) or content > max(usable, 65536):
        raise Damaged(f"page {number} has {count} cells, which do not fit on it")
    pointers = tuple(int.from_bytes(raw[p : p + 2], "big") for p in range(first, first + 2 * count, 2))
    right = int.from_bytes(raw[at + 8 : at + 12], "big") if kind in INSIDE else 0
    return Head(kind, pointers, right, (first + 2 * count, min(content, usable)))


def free_blocks(raw: bytes, usable: int, number: int) -> list[tuple[int, int]]:
    """Where the free blocks of a page begin and end, in the order of their chain, which only goes up."""
    at = 100 if number == 1 else 0
    found, place = list[tuple[int, int]](), int.from_bytes(raw[at + 1 : at + 3], "big")
    while place and place + 4 <= usable and (not found or place >= found[-1][1]):
        end = min(place + int.from_bytes(raw[place + 2 : place + 4], "big"), usable)
        found.append((place, max(end, place + 4)))
        place = int.from_bytes(raw[place : place + 2], "big")
    return found


@dataclass
class Trees:
    """Walks the trees of a database, and remembers which pages it has seen."""

    pages: Pages
    seen: set[int] = field(default_factory=set)
    broken: list[Broken] = field(default_factory=list)
    followed: int = 0

    def leaves(self, root: int) -> list[int]:
        """Numbers of the pages that hold a tree's records, in its order: an index has them on inner pages too."""
        found, waiting = list[int](), [root]
        while waiting:
            number = waiting.pop()
            try:
                inside, children = self._step(number)
            except Damaged as error:
                self.broken.append(broken_page(self.pages, number, str(error)))
                continue
            if inside != TABLE_INSIDE:
                found.append(number)
            waiting += reversed(children)
        return found

    def _step(self, number: int) -> tuple[int, list[int]]:
        """The kind of a page, and the pages below it."""
        if number in self.seen:
            raise Damaged(f"page {number} is in two places of the trees")
        self.seen.add(number)
        raw = self.pages.page(number)
        head = head_of(raw, self.pages.usable, number)
        if head.kind not in INSIDE:
            return head.kind, []
        good = [p for p in head.pointers if p + 4 <= self.pages.usable]
        if len(good) < len(head.pointers):
            lost = len(head.pointers) - len(good)
            self.broken.append(broken_page(self.pages, number, f"{lost} pointers of page {number} lead off the page"))
        return head.kind, [*(int.from_bytes(raw[p : p + 4], "big") for p in good), head.right]

    def cells(self, number: int) -> Iterator[Cell | Broken]:
        """The records of a page as it is now."""
        try:
            raw = self.pages.page(number)
            head = head_of(raw, self.pages.usable, number)
        except Damaged as error:
            yield broken_page(self.pages, number, str(error))
            return
        for at in head.pointers:
            try:
                yield self.cell(raw, at, head.kind)
            except Damaged as error:
                place = self.pages.place(number)
                yield Broken("unreadable", f"a record on page {number}: {error}", place.start + at, 0, place.beside)

    def lost_cell(self, raw: bytes, at: int, end: int) -> Cell:
        """The cell of a row that was given up, which ends before `end`. Raises Damaged, also when such rows have led
        over more pages in all than the database has."""
        seen, self.seen = self.seen, set()
        try:
            return self.cell(raw, at, TABLE_LEAF, end=end)
        finally:
            self.followed += len(self.seen)
            self.seen = seen

    def cell(self, raw: bytes, at: int, kind: int, *, end: int | None = None) -> Cell:
        """The cell at a place of a page of this kind. `end`: where it must have ended. Raises Damaged."""
        place = at + 4 if kind == INDEX_INSIDE else at
        size, place = varint(raw, place)
        rowid = None
        if kind == TABLE_LEAF:
            rowid, place = varint(raw, place)
        if size > self.pages.most_bytes:
            raise Damaged(f"a record of {size} bytes in a smaller database")
        local = self._local(size, kind)
        stop = place + local + (4 if local < size else 0)
        if stop > min(self.pages.usable, end or self.pages.usable):
            raise Damaged("a record reaches beyond its page")
        payload = raw[place : place + local]
        if local < size:
            payload += self._overflow(int.from_bytes(raw[stop - 4 : stop], "big"), size - local)
        return Cell(None if rowid is None else signed(rowid), payload, at, stop - at)

    def _local(self, size: int, kind: int) -> int:
        """How much of a record stands on its own page."""
        usable = self.pages.usable
        most = usable - 35 if kind == TABLE_LEAF else (usable - 12) * 64 // 255 - 23
        least = (usable - 12) * 32 // 255 - 23
        if size <= most:
            return size
        some = least + (size - least) % (usable - 4)
        return some if some <= most else least

    def _overflow(self, number: int, left: int) -> bytes:
        """The rest of a record, from a chain of pages."""
        parts, usable = list[bytes](), self.pages.usable
        while left > 0:
            if number in self.seen or self.followed > 2 * self.pages.in_file:
                raise Damaged(f"its page {number} is in two places")
            self.seen.add(number)
            raw = self.pages.page(number)
            part = raw[4 : min(usable, 4 + left)]
            parts.append(part)
            left -= len(part)
            number = int.from_bytes(raw[:4], "big")
        return b"".join(parts)


def broken_page(pages: Pages, number: int, detail: str) -> Broken:
    """A page that can't be read."""
    place = pages.place(number)
    return Broken("unreadable", detail, max(0, place.start), pages.size, place.beside)


def placed(pages: Pages, number: int, cell: Cell) -> tuple[Place, int]:
    """Where a cell of a page stands now, and its length."""
    place = pages.place(number)
    return Place(place.beside, place.start + cell.start), cell.length

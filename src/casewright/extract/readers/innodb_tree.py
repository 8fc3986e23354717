"""The tree of an index: its leaves in order, and the pages that belong to it no longer.

Source: Jeremy Cole, "B+Tree index structures in InnoDB": a page inside the tree lists the pages below it, each by the
first key and at the end its number.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field

import numpy as np

from casewright.extract.reader import Broken
from casewright.extract.readers.innodb_columns import Field
from casewright.extract.readers.innodb_pages import INDEX, INSTANT, Damaged, Pages, number
from casewright.extract.readers.innodb_record import INSIDE, Leaf

MOST_LEVELS = 64


@dataclass
class Survey:
    """What every page of a tablespace is: looked at once. `index`: of pages of an index, its number; else 0."""

    index: np.ndarray
    level: np.ndarray
    broken: list[Broken] = field(default_factory=list)
    lost: set[int] = field(default_factory=set)

    def first_index(self) -> int:
        """The number of the index that was made first: the one that holds the rows."""
        numbers = self.index[self.index > 0]
        return int(numbers.min()) if len(numbers) else 0

    def leaves_of(self, index: int) -> list[int]:
        return [int(n) for n in np.flatnonzero((self.index == index) & (self.level == 0))]


def survey(pages: Pages) -> Survey:
    """Every page, once, with those whose sum does not hold; neighbours that are broken are told as one."""
    found, since = Survey(np.zeros(pages.in_file, np.uint64), np.zeros(pages.in_file, np.uint16)), None
    for which in range(pages.in_file):
        try:
            raw = pages.page(which)
        except Damaged as error:
            found.lost.add(which)
            since = (which, str(error)) if since is None else since
            continue
        if since is not None:
            found.broken.append(_stretch(pages, *since, which))
            since = None
        if number(raw, 24, 2) in (INDEX, INSTANT):
            found.index[which], found.level[which] = number(raw, 66, 8), number(raw, 64, 2)
    if since is not None:
        found.broken.append(_stretch(pages, *since, pages.in_file))
    if pages.in_file < pages.declared or pages.length % pages.size:
        start, detail = pages.in_file * pages.size, f"the file ends before page {pages.in_file} of {pages.declared}"
        found.broken.append(Broken("truncated", detail, start, pages.length - start))
    return found


def _stretch(pages: Pages, first: int, detail: str, end: int) -> Broken:
    """Pages that can't be read, one behind the other."""
    detail += f"; and {end - first - 1} pages behind it" if end - first > 1 else ""
    return Broken("unreadable", detail, first * pages.size, (end - first) * pages.size)


@dataclass
class Tree:
    """The pages of one index. `fields`: of its key; `nulls`: bytes that a record keeps for what may be NULL."""

    pages: Pages
    root: int
    fields: Sequence[Field]
    nulls: int = 0
    leaves: list[int] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)
    broken: list[Broken] = field(default_factory=list)
    lost: bool = False
    index: int = 0

    def walk(self, known: Container[int]) -> None:
        """From the root to the leaves, level by level. `known`: pages that were told to be broken before."""
        row, level = [self.root], None
        while row:
            below = list[int]()
            for which in row:
                page = self._page(which, level, known)
                if page is None:
                    continue
                if level is None:
                    level, self.index = page.level, page.index
                if page.level == 0:
                    self.leaves.append(which)
                else:
                    below += self._below(which, page)
            level, row = None if level is None else level - 1, below

    def _page(self, which: int, level: int | None, known: Container[int]) -> Leaf | None:
        """The page, if it is one of this index at this level."""
        try:
            if which in self.seen:
                raise Damaged(f"page {which} is in two places of its index")
            self.seen.add(which)
            if which in known:
                self.lost = True
                return None
            page = Leaf(self.pages.page(which))
            if level is None and page.level > MOST_LEVELS:
                raise Damaged(f"an index has {page.level} levels")
            if level is not None and (page.level != level or page.index != self.index):
                raise Damaged(f"page {which} is no page of its index at its place")
        except Damaged as error:
            self._tell(which, str(error))
            return None
        return page

    def _tell(self, which: int, detail: str) -> None:
        self.lost = True
        within = which < self.pages.in_file
        start = which * self.pages.size if within else self.pages.length
        self.broken.append(Broken("unreadable" if within else "truncated", detail, start, self.pages.size * within))

    def _below(self, which: int, page: Leaf) -> list[int]:
        """The pages that a page inside the tree lists."""
        found = list[int]()
        try:
            for at in page.chain():
                found.append(self._child(page, at))
        except (Damaged, IndexError) as error:
            self._tell(which, f"page {which}: {error}")
        return found

    def _child(self, page: Leaf, at: int) -> int:
        """The number behind the key. Raises Damaged, or IndexError."""
        raw = page.raw
        if not page.compact:
            count, size = (number(raw, at - 4, 2) >> 1) & 0x3FF, 1 if raw[at - 3] & 1 else 2
            return number(raw, at - 4 + (number(raw, at - 6 - size * count, size) & (0x7F if size == 1 else 0x3FFF)))
        if raw[at - 3] & 7 != INSIDE:
            raise Damaged("a record lists no page")
        place = at - 6 - self.nulls
        for one in self.fields:
            length = one.fixed
            if length is None:
                length, place = raw[place], place - 1
                if length & 0x80 and one.long:
                    length, place = (length & 0x3F) << 8 | raw[place], place - 1
            at += length
        return number(raw, at)

"""Rows that an InnoDB table has given up: marked as deleted, on a page's list of free records, in gaps of pages, and on
pages that its index has left.

A record counts when every field can be a value of its column, what refers to its transaction makes sense, and it stands
where no other record stands.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from casewright.extract.readers.innodb_columns import Table
from casewright.extract.readers.innodb_likely import can_be
from casewright.extract.readers.innodb_pages import Damaged, Pages, number
from casewright.extract.readers.innodb_record import (
    DELETED,
    LAST,
    LEAST,
    LONGER,
    OLD_LAST,
    ORDINARY,
    Leaf,
    Record,
    Shape,
)

INSERTED = 1 << 55
"""The place of the undo record of a row whose history is not kept any more: the mark of an insert, and nothing else."""
NOT_ENDED = (bytes.fromhex("7fffffff0f423f"), bytes.fromhex("ffffffff0f423f"), bytes.fromhex("ffffffffffffffff"))
"""The end of a row's time in MariaDB's tables with system versioning: the last moment, or the last transaction."""
MOST_TRIES = 2048
"""Places of a gap that may be a record: where there are more, it is filled with something else."""
OWNED = 8
"""A slot of a page's directory owns so many records at most."""


@dataclass(frozen=True)
class Found:
    """A record that was given up, and the page on which it stands. `listed`: it is in its page's order still, so that
    its long values are its own still."""

    page: int
    record: Record
    listed: bool = False


@dataclass
class Freed:
    """Looks for what a table has given up."""

    pages: Pages
    table: Table
    shape: Shape

    def __post_init__(self) -> None:
        ended = [n for n, field in enumerate(self.shape.fields) if field.column == self.table.ended]
        self._ended = ended[0] if ended and self.table.ended is not None else None

    def stands(self, record: Record) -> bool:
        """Whether a record of a page's order is a row as it is now: neither deleted, nor history that is kept."""
        if record.marked:
            return False
        return self._ended is None or record.values[self._ended] in NOT_ENDED

    def on(self, which: int, *, used: bool) -> Iterator[Found]:
        """Everything on a page of the table's index; on one that is not `used` any more, all that stands there."""
        try:
            leaf = Leaf(self.pages.page(which))
            if used and self._ended is None and not _gave_up(leaf):
                return
        except Damaged:
            return
        standing = list(self._records(leaf))
        given_up = [r for r in standing if not (used and self.stands(r)) and self.fits(r)]
        for record in given_up:
            yield Found(which, record, used)
        claimed = [*standing]
        for record in self._listed(leaf, claimed):
            yield Found(which, record)
        if len(standing) < leaf.count or any(leaf.marks(at) & LEAST for at in leaf.freed()):
            return
        known = {0, LAST, OLD_LAST, *(record.origin for record in claimed)}
        for start, end in _gaps(leaf, claimed):
            for record in self._between(leaf, start, end, known):
                yield Found(which, record)

    def _records(self, leaf: Leaf) -> Iterator[Record]:
        """Those of the page's order, as far as it goes."""
        try:
            yield from leaf.rows(self.shape)
        except Damaged:
            return

    def _listed(self, leaf: Leaf, claimed: list[Record]) -> Iterator[Record]:
        """Those of the list of free records; adds them to what is claimed."""
        for at in leaf.freed():
            if leaf.marks(at) & LEAST:
                continue
            try:
                record = leaf.record(at, self.shape)
            except Damaged:
                continue
            claimed.append(record)
            if self.fits(record):
                yield record

    def _between(self, leaf: Leaf, start: int, end: int, known: set[int]) -> Iterator[Record]:
        """Those that stand whole between two places, one behind the other, and lead to a record, or to none."""
        after, places = start, _origins(leaf, start, end)[:MOST_TRIES]
        leads = known.union(places)
        for at in places:
            if at < after or leaf.following(at) not in leads:
                continue
            try:
                record = leaf.record(at, self.shape)
            except Damaged:
                continue
            if record.start >= after and record.end <= end and self.fits(record):
                yield record
                after = record.end

    def fits(self, record: Record) -> bool:
        """Whether a record can be one of the table's rows."""
        keys = self.table.key_fields
        transaction, undo = record.values[keys], record.values[keys + 1]
        if not isinstance(transaction, bytes) or not isinstance(undo, bytes) or not self._happened(transaction, undo):
            return False
        return all(
            can_be(self.table.columns[field.column], value)
            for field, value in zip(self.shape.fields, record.values, strict=True)
            if field.column is not None
        )

    def _happened(self, transaction: bytes, undo: bytes) -> bool:
        """Whether a record's transaction and the place of its undo record can be some."""
        place = number(undo, 0, 7)
        if not any(transaction):
            return place == INSERTED
        return 0 < place & 0xFFFF < self.pages.size and bool(number(undo, 1, 4)) and transaction[0] == 0


def _gave_up(leaf: Leaf) -> bool:
    """A quick look: whether a page in use can hold anything that was given up."""
    if leaf.free or leaf.garbage or any(leaf.raw[leaf.top : leaf.bound]):
        return True
    return any(leaf.marks(at) & DELETED for at in leaf.chain())


def _gaps(leaf: Leaf, claimed: Iterable[Record]) -> Iterator[tuple[int, int]]:
    """The bytes of a page's heap, and behind it, that no record takes."""
    at = leaf.begins
    for record in sorted(claimed, key=lambda r: r.start):
        if record.start > at:
            yield at, record.start
        at = max(at, record.end)
    if at < leaf.bound:
        yield at, leaf.bound


def _origins(leaf: Leaf, start: int, end: int) -> list[int]:
    """Where the head of a record may stand: its marks, its number in the heap and its kind are such as rows have."""
    head = 5 if leaf.compact else 6
    if end - start <= head or not any(leaf.raw[start:end]):
        return []
    raw = np.frombuffer(leaf.raw, np.uint8).astype(np.uint16)[start:end]
    marks = raw[:-head]
    fitting = ((marks >> 4 == 0) | (marks >> 4 == 2)) & (marks & 15 <= OWNED)
    heap = raw[1 : 1 - head] << 8 | raw[2 : 2 - head or None][: len(marks)]
    fitting &= heap >> 3 >= 2
    if leaf.compact:
        fitting &= (heap & 7 == ORDINARY) | (heap & 7 == LONGER)
    return [start + head + int(at) for at in np.flatnonzero(fitting)]

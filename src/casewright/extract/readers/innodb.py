"""InnoDB tablespaces (`.ibd`) of MySQL and MariaDB, read from their pages: what they hold, and what they have given up.

Sources of the format: MySQL Internals Manual, "InnoDB"; Jeremy Cole's blog "InnoDB: a journey to the core"; MariaDB
Knowledge Base. Nothing is written and no statement is executed. What the tables are is said by MySQL 8 in the
tablespace itself, and by older servers and MariaDB in the `.frm` beside it; where that is lost, a CREATE TABLE in a
`.sql` of the same name does. The redo log of a server that was not shut down is not applied: rows are as their pages
have them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from casewright.extract.reader import FREED, LIVE, Beside, Broken, Nothing, Piece, Schema, Skipped
from casewright.extract.readers.gathering import Gathering
from casewright.extract.readers.innodb_blobs import Outside, whole
from casewright.extract.readers.innodb_columns import Table
from casewright.extract.readers.innodb_freed import Freed
from casewright.extract.readers.innodb_pages import Damaged, Pages
from casewright.extract.readers.innodb_record import Leaf, Record, Shape, overlap
from casewright.extract.readers.innodb_shape import shape_of
from casewright.extract.readers.innodb_tables import tables_of
from casewright.extract.readers.innodb_tree import Survey, Tree, survey
from casewright.extract.readers.innodb_values import converter
from casewright.extract.readers.standing import Standing, digest

SLOTS = 1 << 22
STAMPS = "an InnoDB tablespace, which keeps TIMESTAMPs under TIME_ZONE='+00:00'"


def read_innodb(file: BinaryIO, beside: Beside | None = None) -> Iterator[Piece]:
    """Everything in a tablespace, table by table; then what it has given up."""
    try:
        pages = Pages(file)
        found = survey(pages)
        yield Skipped(STAMPS, 0, pages.size)
        yield from found.broken
        tables = tables_of(pages, beside or Nothing())
    except Damaged as error:
        yield Broken("unreadable", str(error), 0, file.seek(0, 2))
        return
    for table in tables:
        yield from _OneTable(pages, table, found).pieces()


@dataclass
class _OneTable:
    """The rows of a table whose pages were looked at."""

    pages: Pages
    table: Table
    found: Survey

    def pieces(self) -> Iterator[Piece]:
        """Its schema, what can't be read, the rows that stand, and those that were given up."""
        stored = [column for column in self.table.columns if not column.virtual]
        declared = tuple((column.name, column.declared) for column in stored)
        yield Schema(self.table.name, declared, self.table.primary, self.table.foreign, 0, self.pages.size)
        leaves, left, broken = self._pages_of()
        yield from broken
        try:
            shape = shape_of(self.pages, self.table, leaves)
        except Damaged as error:
            yield Broken("unreadable", f"the rows of {self.table.name}: {error}", 0, self.pages.length)
            return
        yield from _Contents(self.pages, self.table, shape).pieces(leaves, left)

    def _pages_of(self) -> tuple[list[int], list[int], list[Broken]]:
        """The leaves in order, those that the table has left, and what can't be read of its tree.

        Where a page inside the tree is lost, the leaves below it are known by being in use.
        """
        fields = self.table.laid_out().fields
        nulls = (sum(field.nullable for field in fields) + 7) // 8
        tree = Tree(self.pages, self.table.root, fields[: self.table.key_fields], nulls)
        tree.walk(self.found.lost)
        index = tree.index or self.found.first_index()
        others = [which for which in self.found.leaves_of(index) if which not in tree.seen]
        lost = [which for which in others if tree.lost and self.pages.in_use(which)]
        return tree.leaves + lost, sorted(set(others) - set(lost)), tree.broken


@dataclass
class _Contents:
    """Reads rows once their shape is known."""

    pages: Pages
    table: Table
    shape: Shape

    def __post_init__(self) -> None:
        columns, fields = self.table.columns, self.shape.fields
        at = {field.column: place for place, field in enumerate(fields) if field.column is not None}
        stored = [place for place, column in enumerate(columns) if not column.virtual]
        self._places = [at[place] for place in stored]
        self._told = [at[place] for place in stored if place != self.table.ended]
        self._names = tuple(columns[place].name for place in stored)
        self._converters = [converter(columns[place]) for place in stored]
        self._lost = bytearray(SLOTS)
        self._freed = Freed(self.pages, self.table, self.shape)

    def pieces(self, leaves: list[int], left: list[int]) -> Iterator[Piece]:
        used = {**dict.fromkeys(leaves, True), **dict.fromkeys(left, False)}
        holding = list[int]()
        standing = Standing(self._digests(used, holding))
        yield from self._live(leaves, standing)
        for listed in (True, False):
            yield from self._given_up([(which, used[which]) for which in holding], standing, listed)

    def _given_up(self, pages: list[tuple[int, bool]], standing: Standing, listed: bool) -> Iterator[Piece]:
        """What was given up. First what is listed still: of a row that moved before, an older copy may stand elsewhere,
        and its long values are not that copy's any more."""
        batch = self._batch(FREED)
        for which, used in pages:
            for found in self._freed.on(which, used=used):
                if found.listed == listed and standing.is_new(self._digest(found.record)):
                    yield from self._add(batch, which, found.record, freed=not listed)
        yield from batch.rest()

    def _digests(self, used: Mapping[int, bool], holding: list[int]) -> Iterator[int]:
        """Of everything that was given up; `holding` becomes the pages that hold some."""
        for which, stands in used.items():
            for found in self._freed.on(which, used=stands):
                if not holding or holding[-1] != which:
                    holding.append(which)
                self._lost[self._slot(found.record)] = 1
                yield self._digest(found.record)

    def _live(self, leaves: list[int], standing: Standing) -> Iterator[Piece]:
        batch = self._batch(LIVE)
        for which in leaves:
            records = list[Record]()
            try:
                leaf = Leaf(self.pages.page(which))
                for record in leaf.rows(self.shape):
                    records.append(record)
            except Damaged as error:
                yield self._broken(which, f"page {which}, behind {len(records)} rows: {error}")
            if overlap(records):
                yield self._broken(which, f"the records of page {which} are not what the table's definition says")
                continue
            for record in records:
                if not self._freed.stands(record):
                    continue
                if self._lost[self._slot(record)]:
                    standing.see(self._digest(record))
                yield from self._add(batch, which, record)
        yield from batch.rest()

    def _broken(self, which: int, detail: str) -> Broken:
        return Broken("unreadable", f"{self.table.name}: {detail}", which * self.pages.size, self.pages.size)

    def _batch(self, origin: str) -> Gathering:
        return Gathering(self.table.name, self._names, self._converters, origin)

    def _add(self, batch: Gathering, which: int, record: Record, *, freed: bool = False) -> Iterator[Piece]:
        """A row, with what stands elsewhere of it."""
        start, length = which * self.pages.size + record.start, record.end - record.start
        found = (record.values[place] for place in self._places)
        try:
            values = [whole(self.pages, v, freed=freed) if isinstance(v, Outside) else v for v in found]
        except Damaged as error:
            what = "a row that was given up" if batch.origin == FREED else "a row"
            yield Broken("unreadable", f"{what} of {self.table.name}: {error}", start, length)
            return
        yield from batch.add(tuple(values), start, length)

    def _slot(self, record: Record) -> int:
        """A number of the row's key: a row that stands needs a closer look only where one with it was given up."""
        return hash(tuple(record.values[: self.table.key_fields])) % SLOTS

    def _digest(self, record: Record) -> int:
        """Of the row's own values: not of when and by which transaction they were written, or became history."""
        parts = list[bytes]()
        for place in self._told:
            value = record.values[place]
            content = value.content if isinstance(value, Outside) else value
            parts.append(b"-" if content is None else b"%d:%s" % (len(content), content))
        return digest(self.table.name, b"".join(parts))

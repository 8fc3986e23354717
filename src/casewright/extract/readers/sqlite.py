"""SQLite databases, read from their pages and never opened: what they hold now, and what they have given up.

Source of the format: https://www.sqlite.org/fileformat2.html. Nothing is written, no statement is executed, and every
page is read a bounded number of times. What SQLite itself would show, with the logs beside the database taken as it
takes them, is `LIVE`, wherever it stands; `FREED` rows stand on pages and in gaps that are free; `WAL` rows are those
of pages that a log replaced or never committed. Their spans are in the file that `Rows.beside` names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import BinaryIO

from casewright.extract.reader import LIVE, Beside, Broken, Nothing, Piece, Rows, Skipped
from casewright.extract.readers.gathering import Gathering
from casewright.extract.readers.sqlite_freed import Found, freed
from casewright.extract.readers.sqlite_pages import Pages, Place
from casewright.extract.readers.sqlite_record import Damaged, values_of
from casewright.extract.readers.sqlite_schema import Table, parse_table
from casewright.extract.readers.sqlite_tree import Cell, Trees, placed
from casewright.extract.readers.standing import Standing, digest

PAGE = re.compile(r"[1-9][0-9]{0,9}")
"""The number of a table's first page; virtual tables have none."""


def read_sqlite(file: BinaryIO, beside: Beside | None = None) -> Iterator[Piece]:
    """Everything in a SQLite database, table by table; then what it has given up."""
    try:
        pages = Pages(file, beside or Nothing())
    except Damaged as error:
        yield Broken("unreadable", str(error), 0, file.seek(0, 2))
        return
    yield from _Database(pages).pieces()


@dataclass
class _Database:
    pages: Pages
    tables: list[Table] = field(default_factory=list)
    owners: dict[int, Table] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._trees = Trees(self.pages)

    def pieces(self) -> Iterator[Piece]:
        yield from self._schema()
        leaves = {table.name: self._trees.leaves(table.root) for table in self.tables}
        self.owners = {number: table for table in self.tables for number in leaves[table.name]}
        yield from self._trees.broken
        used = frozenset(self._trees.seen)
        found = partial(freed, self.pages, self.tables, self.owners, used)
        standing = _Standing(found())
        for table in self.tables:
            yield from self._rows(table, leaves[table.name], standing)
        yield from self._given_up(found(), standing)

    def _schema(self) -> Iterator[Piece]:
        """The tables, from the first one, which lists them."""
        for number in self._trees.leaves(1):
            for cell in self._trees.cells(number):
                if isinstance(cell, Broken):
                    yield cell
                    continue
                place, length = placed(self.pages, number, cell)
                yield from self._entry(cell, place, length)

    def _entry(self, cell: Cell, place: Place, length: int) -> Iterator[Piece]:
        try:
            values = values_of(cell.payload, self.pages.text, ())
        except Damaged as error:
            yield Broken("unreadable", f"an entry of the schema: {error}", place.start, length, place.beside)
            return
        kind, name, _, root, sql = [(v or b"").decode("utf-8", "backslashreplace") for v in (*values, *[None] * 5)][:5]
        if kind != "table":
            return
        table = parse_table(name, int(root), sql) if PAGE.fullmatch(root) else None
        if table is None:
            yield Skipped(sql[:80] or f"table {name}", place.start, length)
            return
        self.tables.append(table)
        yield table.schema(place.start, length)

    def _rows(self, table: Table, leaves: list[int], standing: "_Standing") -> Iterator[Piece]:
        batches = _Batches(table, self.pages)
        for number in leaves:
            for cell in self._trees.cells(number):
                if isinstance(cell, Broken):
                    yield cell
                    continue
                try:
                    full = batches.add(cell, *placed(self.pages, number, cell), LIVE)
                except Damaged as error:
                    place, length = placed(self.pages, number, cell)
                    yield Broken("unreadable", f"a row of {table.name}: {error}", place.start, length, place.beside)
                    continue
                standing.see(table, cell)
                yield from full
        yield from batches.rest()

    def _given_up(self, found: Iterator[Found], standing: "_Standing") -> Iterator[Piece]:
        """Each once, and none that stands."""
        batches = {table.name: _Batches(table, self.pages) for table in self.tables}
        for one in found:
            if standing.is_new(one):
                yield from batches[one.table.name].add(one.cell, one.place, one.cell.length, one.origin)
        for rest in batches.values():
            yield from rest.rest()


class _Standing:
    """Tells rows that were given up from copies of rows that stand. A row whose number is lost is new when no other row
    has its values."""

    def __init__(self, found: Iterator[Found]) -> None:
        self._numberless, self._numbered = False, set[int]()
        self._standing = Standing(self._take(one) for one in found)

    def _take(self, one: Found) -> int:
        if one.cell.rowid is None:
            self._numberless = True
        else:
            self._numbered.add(_digest(one.table, None, one.cell.payload))
        return _digest(one.table, one.cell.rowid, one.cell.payload)

    def see(self, table: Table, cell: Cell) -> None:
        """A row that stands."""
        if self._standing.any_lost:
            self._standing.see(_digest(table, cell.rowid, cell.payload))
            if self._numberless:
                self._standing.see(_digest(table, None, cell.payload))

    def is_new(self, one: Found) -> bool:
        made = _digest(one.table, one.cell.rowid, one.cell.payload)
        return not (one.cell.rowid is None and made in self._numbered) and self._standing.is_new(made)


def _digest(table: Table, rowid: int | None, payload: bytes) -> int:
    return digest(table.name, b"%s\0%s" % (str(rowid).encode(), payload))


class _Batches:
    """Rows of one table, by their origin and the file in which they stand."""

    def __init__(self, table: Table, pages: Pages) -> None:
        self._table, self._pages = table, pages
        places = {id(column): number for number, column in enumerate(table.stored)}
        self._places = [(places.get(id(column)), column.default) for column in table.columns]
        self._reals = [column.affinity == "real" for column in table.stored]
        self._names = tuple(column.name for column in table.columns)
        self._alias = None if table.alias is None else self._names.index(table.alias)
        self._held: dict[tuple[str, str], Gathering] = {}

    def add(self, cell: Cell, place: Place, length: int, origin: str) -> Iterator[Rows]:
        """Take a row; gives rows when there are many. Raises Damaged.

        Short records are from before a column was added, and have its default.
        """
        values = values_of(cell.payload, self._pages.text, self._reals)
        row = [None if at is None else values[at] if at < len(values) else default for at, default in self._places]
        if self._alias is not None and cell.rowid is not None:
            row[self._alias] = b"%d" % cell.rowid
        key = origin, place.beside
        if key not in self._held:
            self._held[key] = Gathering(self._table.name, self._names, [None] * len(self._names), *key)
        return self._held[key].add(tuple(row), place.start, length)

    def rest(self) -> Iterator[Rows]:
        for gathering in self._held.values():
            yield from gathering.rest()

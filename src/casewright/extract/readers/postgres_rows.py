"""Rows of one table of a PostgreSQL dump, from the lines of COPY."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from casewright.extract.reader import Broken, Rows
from casewright.extract.readers.gathering import Gathering
from casewright.extract.readers.postgres_values import converter, copied, escapes_in

MOST_COLUMNS = 1600
"""PostgreSQL's own limit."""


@dataclass(frozen=True)
class Line:
    """A line of COPY's data without its end, and where it stands."""

    raw: bytes
    start: int
    length: int


def gathering_of(table: str, columns: tuple[str, ...], types: Mapping[str, str], encoding: str) -> Gathering:
    """Takes rows of a table whose columns have these types, in a dump of this encoding."""
    return Gathering(table, columns, [converter(types.get(name, ""), encoding) for name in columns])


def copy_rows(gathering: Gathering, lines: Iterable[Line], encoding: str) -> Iterator[Rows | Broken]:
    """The rows that lines of COPY's data hold."""
    width, escapes = len(gathering.columns), escapes_in(encoding)
    for line in lines:
        fields = line.raw.split(b"\t") if width or line.raw else []
        if len(fields) != width:
            detail = f"a row of {gathering.table} has {len(fields)} values, the table {width} columns"
            yield Broken("unreadable", detail, line.start, line.length)
            continue
        row = tuple(copied(raw, escapes) for raw in fields) if b"\\" in line.raw else tuple(fields)
        yield from gathering.add(row, line.start, line.length)
    yield from gathering.rest()


def numbered(lines: Iterator[Line]) -> tuple[tuple[str, ...], Iterator[Line]]:
    """Names for the columns of a table that nothing describes, as many as its first line has fields; and all lines."""
    first = next(lines, None)
    if first is None:
        return (), lines
    width = first.raw.count(b"\t") + 1
    return tuple(f"column_{n}" for n in range(width if width <= MOST_COLUMNS else 0)), chain([first], lines)

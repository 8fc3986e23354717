"""Rows of one table of a PostgreSQL dump, from the lines of COPY."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from casewright.extract.reader import Broken, Rows
from casewright.extract.readers.gathering import Gathering
from casewright.extract.readers.postgres_values import converter, copied


@dataclass(frozen=True)
class Line:
    """A line of COPY's data without its end, and where it stands."""

    raw: bytes
    start: int
    length: int


def gathering_of(table: str, columns: tuple[str, ...], types: Mapping[str, str], encoding: str) -> Gathering:
    """Takes rows of a table whose columns have these types, in a dump of this encoding."""
    return Gathering(table, columns, [converter(types.get(name, ""), encoding) for name in columns])


def copy_rows(gathering: Gathering, lines: Iterable[Line]) -> Iterator[Rows | Broken]:
    """The rows that lines of COPY's data hold."""
    width = len(gathering.columns)
    for line in lines:
        fields = line.raw.split(b"\t") if width or line.raw else []
        if len(fields) != width:
            detail = f"a row of {gathering.table} has {len(fields)} values, the table {width} columns"
            yield Broken("unreadable", detail, line.start, line.length)
            continue
        row = tuple(map(copied, fields)) if b"\\" in line.raw else tuple(fields)
        yield from gathering.add(row, line.start, line.length)
    yield from gathering.rest()

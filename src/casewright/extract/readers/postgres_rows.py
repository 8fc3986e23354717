"""Rows of one table of a PostgreSQL dump, gathered as columns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from casewright.extract.reader import Broken, Rows
from casewright.extract.readers.postgres_values import converter, copied

BATCH_ROWS, BATCH_BYTES = 8192, 8 << 20


@dataclass(frozen=True)
class Line:
    """A line of COPY's data without its end, and where it stands."""

    raw: bytes
    start: int
    length: int


@dataclass
class Gathering:
    """Rows of a table. `span`: of all of them, where they stand in one compressed block; they are numbered then."""

    table: str
    columns: tuple[str, ...]
    types: Mapping[str, str]
    encoding: str
    span: tuple[int, int] | None = None
    number: int = 0
    rows: list[tuple[bytes | None, ...]] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    size: int = 0

    def add(self, row: Iterable[bytes | None], start: int, length: int) -> bool:
        """Take a row; whether there are enough for `rest`."""
        self.rows.append(tuple(row))
        self.spans.append((start, length))
        self.size += length
        return len(self.rows) >= BATCH_ROWS or self.size > BATCH_BYTES

    def rest(self) -> Iterator[Rows]:
        """The rows so far."""
        if not self.rows:
            return
        converters = [converter(self.types.get(name, ""), self.encoding) for name in self.columns]
        values = list[pa.Array]()
        for column, convert in zip(zip(*self.rows, strict=True), converters, strict=True):
            found = column if convert is None else [v if v is None else convert(v) for v in column]
            values.append(pa.array(found, pa.binary()))
        count = len(self.rows)
        spans = [self.span] * count if self.span else self.spans
        starts, lengths = (pa.array([span[n] for span in spans], pa.int64()) for n in (0, 1))
        numbers = pa.array(range(self.number + 1, self.number + count + 1), pa.int64()) if self.span else None
        self.number += count
        self.rows, self.spans, self.size = [], [], 0
        yield Rows(self.table, self.columns, tuple(values), starts, lengths, numbers)

    def copy(self, lines: Iterable[Line]) -> Iterator[Rows | Broken]:
        """The rows that lines of COPY's data hold."""
        width = len(self.columns)
        for line in lines:
            fields = line.raw.split(b"\t")
            if len(fields) != width and not (width == 0 and not line.raw):
                start, length = self.span or (line.start, line.length)
                detail = f"a row of {self.table} has {len(fields)} values, the table {width} columns"
                yield Broken("unreadable", detail, start, length)
                continue
            row = map(copied, fields) if b"\\" in line.raw else fields
            if self.add(row if width else (), line.start, line.length):
                yield from self.rest()
        yield from self.rest()

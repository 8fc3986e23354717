"""Rows of one table, read one by one, given as columns by the thousand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from casewright.extract.reader import LIVE, Rows

BATCH_ROWS, BATCH_BYTES = 8192, 8 << 20
Row = tuple[bytes | None, ...]
Convert = Callable[[bytes], bytes]


@dataclass
class Gathering:
    """`converters`: what makes each column's values the contract's, where something has to be done."""

    table: str
    columns: tuple[str, ...]
    converters: Sequence[Convert | None]
    origin: str = LIVE
    beside: str = ""
    rows: list[Row] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    size: int = 0

    def add(self, row: Row, start: int, length: int) -> Iterator[Rows]:
        """Take a row; gives all so far when they are many."""
        self.rows.append(row)
        self.starts.append(start)
        self.lengths.append(length)
        self.size += sum(map(len, filter(None, row)))
        return self.rest() if len(self.rows) >= BATCH_ROWS or self.size > BATCH_BYTES else iter(())

    def rest(self) -> Iterator[Rows]:
        """The rows so far."""
        if not self.rows:
            return
        values = list[pa.Array]()
        for column, convert in zip(zip(*self.rows, strict=True), self.converters, strict=True):
            found = column if convert is None else [v if v is None else convert(v) for v in column]
            values.append(pa.array(found, pa.binary()))
        spans = pa.array(self.starts, pa.int64()), pa.array(self.lengths, pa.int64())
        self.rows, self.starts, self.lengths, self.size = [], [], [], 0
        yield Rows(self.table, self.columns, tuple(values), *spans, None, self.origin, self.beside)

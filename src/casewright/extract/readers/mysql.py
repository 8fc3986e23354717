"""The dump reader with rows by the thousand: the fast twin of `DumpReader`, which stays its definition.

A compiled pass over the bytes (`kernels/sqlrows.py`) takes rows that are written as dumps write them, and gives them as
columns; whatever it does not know goes through the slow reader, one row at a time. A test holds both equal.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from casewright.extract.reader import Beside, Piece, Rows
from casewright.extract.readers.gathering import Gathering
from casewright.extract.readers.mysql_charsets import BINARY, UTF8
from casewright.extract.readers.mysql_grammar import Lexis
from casewright.extract.readers.mysql_rows import DumpReader, Insert, Row
from casewright.extract.readers.mysql_text import Texts
from casewright.extract.readers.pairs import PAIRS, halves

CHUNK = 4 << 20
MOST_VALUES = 1 << 20
"""Values of one batch."""


def read_mysql(file: BinaryIO, beside: Beside | None = None) -> Iterator[Piece]:
    """Everything in a MySQL or MariaDB dump, in order; see `extract/reader.py`."""
    single: Gathering | None = None
    for piece in FastDumpReader(file, CHUNK).pieces():
        if single and not (isinstance(piece, Row) and (piece.table, piece.columns) == (single.table, single.columns)):
            yield from single.rest()
            single = None
        if isinstance(piece, Row):
            single = single or Gathering(piece.table, piece.columns, (None,) * len(piece.columns))
            yield from single.add(piece.values, piece.span_start, piece.span_length)
        else:
            yield piece
    if single:
        yield from single.rest()


@dataclass(frozen=True)
class _Batch:
    """Rows that were taken, where to go on, and why the pass stopped."""

    rows: Rows | None
    at: int
    why: int


class FastDumpReader(DumpReader):
    """Gives `Rows` where it can, and `Row` elsewhere."""

    def _rows(self, insert: Insert) -> Iterator[Any]:
        from casewright.kernels import sqlrows  # noqa: PLC0415  slow to import: only what reads a dump waits for it

        if self._delimiter != b";" or not insert.columns:
            yield from super()._rows(insert)
            return
        while True:
            batch = self._take(insert)
            if batch.rows is not None:
                yield batch.rows
            self._at = batch.at
            if batch.why == sqlrows.ENDED:
                return
            if batch.why == sqlrows.FULL or (batch.why == sqlrows.MORE and self._wait()):
                continue
            if batch.why != sqlrows.ODD_AFTER and not (yield from self._whole_row(insert)):
                return
            if not (yield from self._another_follows(insert)):
                return

    def _take(self, insert: Insert) -> _Batch:
        """As many rows as stand whole in the buffer and are written as usual."""
        from casewright.kernels import sqlrows  # noqa: PLC0415

        columns, head = len(insert.columns), np.frombuffer(insert.head, np.uint8)
        buffer = np.frombuffer(self._buffer, np.uint8)
        left = len(buffer) - self._at
        most = max(1, min(MOST_VALUES // columns, left // (2 * columns + 1) + 1))
        place = _Places(most, columns)
        signs = signs_of(self._lexis)
        count, at, why = sqlrows.scan(buffer, self._at, columns, head, signs, most, *place.arrays)
        rows = place.rows(insert, buffer, signs, self._base, count) if count else None
        return _Batch(rows, at, why)


@cache
def signs_of(lexis: Lexis) -> Any:
    """What bytes may be within a string; see `sqlrows.scan`."""
    from casewright.kernels import sqlrows  # noqa: PLC0415

    signs = np.zeros(256, np.uint8)
    if lexis.charset in PAIRS:
        for sign, places in zip((sqlrows.FIRST, sqlrows.SECOND), halves(lexis.charset), strict=True):
            signs[places] |= sign
    signs[ord("'")] |= sqlrows.QUOTE
    signs[ord("\\")] |= sqlrows.ESCAPE * lexis.escapes
    return signs


class _Places:
    """Where the values of a batch stand."""

    def __init__(self, rows: int, columns: int) -> None:
        values = rows * columns
        self._columns = columns
        self._starts, self._lengths = np.empty(values, np.int64), np.empty(values, np.int32)
        self._outs, self._kinds = np.empty(values, np.int32), np.empty(values, np.uint8)
        self._row_starts, self._row_lengths = np.empty(rows, np.int64), np.empty(rows, np.int64)

    @property
    def arrays(self) -> tuple[Any, ...]:
        return self._starts, self._lengths, self._outs, self._kinds, self._row_starts, self._row_lengths

    def rows(self, insert: Insert, buffer: Any, signs: Any, base: int, count: int) -> Rows:
        columns = tuple(
            self._text(self._column(buffer, signs, n, count), n, insert.texts) for n in range(self._columns)
        )
        starts, lengths = pa.array(self._row_starts[:count] + base), pa.array(self._row_lengths[:count].copy())
        return Rows(insert.table, insert.columns, columns, starts, lengths)

    def _column(self, buffer: Any, signs: Any, number: int, count: int) -> pa.Array:
        """The values of a column, as bytes."""
        from casewright.kernels import sqlrows  # noqa: PLC0415

        size = int(self._outs[number : count * self._columns : self._columns].sum(dtype=np.int64))
        offsets, data = np.empty(count + 1, np.int32), np.empty(size, np.uint8)
        valid = np.zeros((count + 7) // 8, np.uint8)
        found = self._starts, self._lengths, self._kinds
        sqlrows.fill(buffer, signs, number, self._columns, count, *found, offsets, data, valid)
        return pa.Array.from_buffers(pa.binary(), count, [pa.py_buffer(made) for made in (valid, offsets, data)])

    def _text(self, values: pa.Array, number: int, texts: Texts) -> pa.Array:
        """The same with text as UTF-8."""
        from casewright.kernels import sqlrows  # noqa: PLC0415

        if not texts.touches(number) or (texts.ascii_stays(number) and _is_ascii(values)):
            return values
        kinds = self._kinds[number : len(values) * self._columns : self._columns].tolist()
        said = {sqlrows.AS_BYTES: BINARY, sqlrows.AS_UTF8: UTF8[0]}
        made = [
            texts.utf8(number, raw, said.get(kind & ~sqlrows.KIND), digits=kind & sqlrows.KIND == sqlrows.HEX)
            if raw and kind != sqlrows.BARE
            else raw
            for raw, kind in zip(values.to_pylist(), kinds, strict=True)
        ]
        return pa.array(made, pa.binary())


def _is_ascii(values: pa.Array) -> bool:
    """Whether no value has a byte of 128 or more."""
    data = np.frombuffer(values.buffers()[2], np.uint8)
    return not len(data) or data.max() < 128

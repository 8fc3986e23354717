"""Tables that are too large to be held: they are read in the parts in which they were written."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from casewright.engine.tables import Part, parquet_bytes
from casewright.kernels.runs import starts
from casewright.model.errors import BrokenSeal


class TablePart(Protocol):
    """Some rows of a table; all parts together, in their order, are the table."""

    @property
    def rows(self) -> int: ...

    @property
    def digest(self) -> str:
        """Equal digest, equal rows."""

    def read(self, columns: Sequence[str] | None = None) -> pa.Table: ...

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """Some of its rows, by their places, which ascend."""


@dataclass
class StoredPart:
    """A part on the disk. Its digest is checked before it is read for the first time."""

    path: Path
    part: Part
    _checked: bool = field(default=False, repr=False)

    @property
    def rows(self) -> int:
        return self.part.rows

    @property
    def digest(self) -> str:
        return self.part.sha256

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        if not self._checked:
            self._check()
        return pq.read_table(self.path, columns=list(columns) if columns else None, memory_map=True)

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """No more is read than the groups of rows in which they stand."""
        if not self._checked:
            self._check()
        with pq.ParquetFile(self.path, memory_map=True) as file:
            counts = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
            first = starts(np.array(counts, np.int64))
            group_of = np.searchsorted(first, rows, "right") - 1
            found = [file.schema_arrow.empty_table().select(list(columns))]
            for group in np.unique(group_of).tolist():
                held = file.read_row_group(group, columns=list(columns))
                found.append(held.take(pa.array(rows[group_of == group] - first[group])))
        return pa.concat_tables(found)

    def _check(self) -> None:
        try:
            with self.path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise BrokenSeal(f"{self.path} is gone. Delete {self.path.parent} and run: casewright run") from error
        if found != self.part.sha256:
            raise BrokenSeal(f"{self.path}: bytes were changed since they were sealed. Delete {self.path.parent} "
                             "and run again.")  # fmt: skip
        self._checked = True


@dataclass(frozen=True)
class HeldPart:
    """A whole table in memory as its only part: small cases, and tests."""

    table: pa.Table

    @property
    def rows(self) -> int:
        return len(self.table)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(parquet_bytes(self.table.combine_chunks())).hexdigest()

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        return self.table.select(list(columns)) if columns else self.table

    def take(self, rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        return self.table.select(list(columns)).take(pa.array(rows))


def rows_at(parts: Sequence[TablePart], rows: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
    """Some rows of a table, by their places in the whole of it, in the order in which they are asked for. There is one
    part at least, or no row is asked for."""
    places, which = np.unique(rows, return_inverse=True)
    first = starts(np.array([part.rows for part in parts], np.int64))
    part_of = np.searchsorted(first, places, "right") - 1
    found = [parts[n].take(places[part_of == n] - first[n], columns) for n in np.unique(part_of).tolist()]
    return pa.concat_tables(found or [part.take(places, columns) for part in parts[:1]]).take(pa.array(which))

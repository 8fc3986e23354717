"""Tables that are too large to be held: they are read in the parts in which they were written."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from casewright.engine.tables import Part, parquet_bytes
from casewright.model.errors import BrokenSeal


class TablePart(Protocol):
    """Some rows of a table; all parts together, in their order, are the table."""

    @property
    def rows(self) -> int: ...

    @property
    def digest(self) -> str:
        """Equal digest, equal rows."""

    def read(self, columns: Sequence[str] | None = None) -> pa.Table: ...


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

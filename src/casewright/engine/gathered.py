"""Rows that a stage gathers for its tables."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from casewright.model.tables import TABLES

ROWS = 1 << 16
IN_ONE_PART = 1 << 18
"""From so many rows on, a stage that can hand them over should."""


@dataclass
class Gathered:
    """Rows of one table, as Arrow by the thousand: as dictionaries they would take ten times the memory."""

    name: str
    parts: list[pa.Table] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if len(self.rows) >= ROWS:
            self._turn()

    def add_all(self, rows: Iterable[dict[str, Any]]) -> None:
        for row in rows:
            self.add(row)

    def add_table(self, rows: pa.Table) -> None:
        """Rows that are Arrow already."""
        self._turn()
        self.parts.append(rows)

    def table(self) -> pa.Table:
        """All rows so far."""
        self._turn()
        return pa.concat_tables([TABLES[self.name].empty(), *self.parts])

    def taken(self) -> pa.Table:
        """All rows so far, which are then no longer here."""
        rows = self.table()
        self.parts = []
        return rows

    @property
    def num_rows(self) -> int:
        return len(self.rows) + sum(int(part.num_rows) for part in self.parts)

    def _turn(self) -> None:
        if self.rows:
            self.parts.append(TABLES[self.name].rows(self.rows))
            self.rows = []

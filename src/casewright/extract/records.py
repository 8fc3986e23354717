"""What stages of this room gather: rows of our tables, what was set aside, and counts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from casewright.engine.gathered import Gathered
from casewright.engine.stage import SetAside, Tally
from casewright.extract.mapping import Mapping as Rules

KEYS: Mapping[str, tuple[str, str]] = {
    "accounts": ("account", "acct"),
    "former_values": ("id", "former"),
    "deposit_addresses": ("id", "deposit"),
    "credits": ("credit", "credit"),
    "log_events": ("event", "event"),
    "logins": ("login", "login"),
    "uploads": ("upload", "upload"),
    "downloads": ("download", "download"),
}
"""Key column of each table, and the prefix of its ids."""


@dataclass
class Records:
    """What the items of a batch gave: rows by table, what was set aside, and counts by noun."""

    rules: Rules
    zone: str
    offset: int
    gathered: dict[str, Gathered] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def tallies(self) -> list[Tally]:
        nouns = sorted({noun for noun, _ in self.counts})
        return [Tally(n, self.counts[n, "received"], self.counts[n, "done"], self.counts[n, "nothing"]) for n in nouns]

    def count(self, noun: str, what: str, times: int = 1) -> None:
        self.counts[noun, "received"] += times
        if what != "set aside":
            self.counts[noun, what] += times

    def put_aside(self, noun: str, item: str, reason: str, detail: str, place: Any) -> None:
        self.count(noun, "set aside")
        self.aside.append(SetAside(noun, item, reason, detail, span_start=place.span_start,
                                   span_length=place.span_length, row=getattr(place, "number", None)))  # fmt: skip

    def add(self, table: str, row: dict[str, Any]) -> None:
        self._of(table).add(row)

    def add_table(self, table: str, rows: pa.Table) -> None:
        self._of(table).add_table(rows)

    def table(self, name: str) -> pa.Table:
        """All rows of a table so far."""
        return self._of(name).table()

    def taken(self, name: str) -> pa.Table:
        """All rows of a table so far, which are then no longer here."""
        return self._of(name).taken()

    @property
    def num_rows(self) -> int:
        """Rows that are here."""
        return sum(gathered.num_rows for gathered in self.gathered.values())

    def replace(self, name: str, table: pa.Table) -> None:
        self.gathered[name] = Gathered(name, [table])

    def _of(self, table: str) -> Gathered:
        if table not in self.gathered:
            self.gathered[table] = Gathered(table)
        return self.gathered[table]

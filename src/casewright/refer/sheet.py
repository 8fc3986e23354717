"""One country's figures as they are gathered: place, label, value, and the ids of what each rests on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa

from casewright.model.ids import IdMaker
from casewright.model.tables import TABLES
from casewright.refer.handling import Codes

(SUMMARY, ACCOUNTS, PERSONS, LADDER, WHERE, PAYMENTS, CREDITS, SERVICES, HOPS, MEDIA, TRANSFERS, LOGINS, PROCESS,
 BALANCE, METHOD) = (
    "summary", "accounts", "persons", "ladder", "where", "payments", "credits", "services", "hops", "media",
    "transfers", "logins", "process", "balance", "method",
)  # fmt: skip


class Sheet:
    """The figures of one package, as tuples: as dictionaries a large country's would take several times the memory."""

    def __init__(self, country: str, package: str, codes: Codes) -> None:
        self.country, self.package, self.codes = country, package, codes
        self.withheld: Counter[str] = Counter()
        self._rows: list[tuple[Any, ...]] = []
        self._about: tuple[str, str] | None = None

    def add(self, section: str, subject: str, label: str, value: Any, sources: Iterable[str | None]) -> None:
        """One figure. NULL prints as nothing and is no figure."""
        self.add_row(section, subject, {label: value}, sources)

    def add_row(self, section: str, subject: str, values: Mapping[str, Any], sources: Iterable[str | None]) -> None:
        """A row of a table: each cell a figure, resting on the same rows."""
        listed = list(dict.fromkeys(s for s in sources if s))
        if (section, subject) != self._about:
            self._about, self._id = (section, subject), IdMaker("fig", self.package, section, subject)
        rows = self._rows
        for label, value in values.items():
            if value is None or value == "":
                continue
            code = self.codes.of_figure(section, subject, label, listed)
            if withheld := self.codes.withheld(self.country, code):
                self.withheld[code] += 1
            rows.append((self._id(label, len(rows)), self.country, self.package, section, subject, label,
                         printed(value), code, withheld, len(rows), listed))  # fmt: skip

    def table(self) -> pa.Table:
        """The rows of `figures`."""
        schema = TABLES["figures"].schema
        columns = zip(*self._rows, strict=True) if self._rows else [[] for _ in schema]
        return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema)


def printed(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") + " UTC"
    return str(value)


def counted(count: int, of: int) -> str:
    """How many of how many, and in percent."""
    return f"{count:,} of {of:,}" + (f" ({100 * count / of:.2f} %)" if of else "")

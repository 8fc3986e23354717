"""One country's figures as they are gathered: place, label, value, and the ids of what each rests on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

import numpy as np
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
    """The figures of one package, column by column: as dictionaries a large country's would take several times the
    memory. What the cells of a row share is kept once a row."""

    def __init__(self, country: str, package: str, codes: Codes) -> None:
        self.country, self.package, self.codes = country, package, codes
        self.withheld: Counter[str] = Counter()
        self._ids: list[str] = []
        self._labels: list[str] = []
        self._values: list[str] = []
        self._given: list[tuple[str, bool]] = []
        """Where codes differ: the code of each figure, and whether it is withheld."""
        self._rows: list[tuple[str, str, list[str]]] = []
        self._counts: list[int] = []
        self._about: tuple[str, str] | None = None

    def add(self, section: str, subject: str, label: str, value: Any, sources: Iterable[str | None]) -> None:
        """One figure. NULL prints as nothing and is no figure."""
        self.add_row(section, subject, {label: value}, sources)

    def add_row(self, section: str, subject: str, values: Mapping[str, Any], sources: Iterable[str | None]) -> None:
        """A row of a table: each cell a figure, resting on the same rows."""
        cells = [(label, value) for label, value in values.items() if value is not None and value != ""]
        if not cells:
            return
        listed = list(dict.fromkeys(s for s in sources if s))
        if (section, subject) != self._about:
            self._about, self._id = (section, subject), IdMaker("fig", self.package, section, subject).numbered
        self._ids += map(self._id, [label for label, _ in cells], count(len(self._ids)))
        self._labels += [label for label, _ in cells]
        self._values += [value if type(value) is str else printed(value) for _, value in cells]
        if not self.codes.one:
            self._given += [self._code(section, subject, label, listed) for label, _ in cells]
        self._rows.append((section, subject, listed))
        self._counts.append(len(cells))

    def _code(self, section: str, subject: str, label: str, sources: list[str]) -> tuple[str, bool]:
        code = self.codes.of_figure(section, subject, label, sources)
        if withheld := self.codes.withheld(self.country, code):
            self.withheld[code] += 1
        return code, withheld

    def table(self) -> pa.Table:
        """The rows of `figures`."""
        schema, size = TABLES["figures"].schema, len(self._ids)
        rows = np.repeat(np.arange(len(self._rows)), self._counts)
        given = self._given or [(self.codes.default.text, False)] * size
        columns = {
            "figure": self._ids, "label": self._labels, "value": self._values, "position": np.arange(size),
            "country": pa.repeat(self.country, size), "package": pa.repeat(self.package, size),
            "handling": [code for code, _ in given], "withheld": [away for _, away in given],
        }  # fmt: skip
        for place, name in enumerate(("section", "subject", "sources")):
            shared = pa.array([row[place] for row in self._rows], schema.field(name).type)
            columns[name] = shared.take(rows)
        return pa.table([pa.array(columns[f.name], f.type) for f in schema], schema)


def printed(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(" ", "seconds")[:19] + " UTC"
    return str(value)


def counted(count: int, of: int) -> str:
    """How many of how many, and in percent."""
    return f"{count:,} of {of:,}" + (f" ({100 * count / of:.2f} %)" if of else "")

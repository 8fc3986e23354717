"""One country's figures as they are gathered: place, label, value, and the ids of what each rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from casewright.model.bitcoin import in_coins
from casewright.model.ids import make_id

(SUMMARY, ACCOUNTS, PERSONS, PAYMENTS, CREDITS, SERVICES, HOPS, MEDIA, TRANSFERS, LOGINS, PROCESS, BALANCE,
 METHOD) = (
    "summary", "accounts", "persons", "payments", "credits", "services", "hops", "media", "transfers", "logins",
    "process", "balance", "method",
)  # fmt: skip


@dataclass
class Sheet:
    """The figures of one country's package."""

    country: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, section: str, subject: str, label: str, value: Any, sources: Iterable[str | None]) -> None:
        """One figure. NULL prints as nothing and is no figure."""
        if value is None or value == "":
            return
        position = len(self.rows)
        self.rows.append({
            "figure": make_id("fig", self.country, section, subject, label, position), "country": self.country,
            "section": section, "subject": subject, "label": label, "value": printed(value), "position": position,
            "sources": list(dict.fromkeys(s for s in sources if s)),
        })  # fmt: skip

    def add_row(self, section: str, subject: str, values: Mapping[str, Any], sources: Iterable[str | None]) -> None:
        """A row of a table: each cell a figure, resting on the same rows."""
        listed = list(sources)
        for label, value in values.items():
            self.add(section, subject, label, value, listed)


def printed(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") + " UTC"
    return str(value)


def btc(sats: int) -> str:
    """Satoshis as BTC, exactly."""
    return f"{in_coins(sats)} BTC"


def counted(count: int, of: int) -> str:
    """How many of how many, and in percent."""
    return f"{count:,} of {of:,}" + (f" ({100 * count / of:.2f} %)" if of else "")

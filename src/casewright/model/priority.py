"""`[priority]` of case.toml: what makes a referral urgent, as a short table that a person reads and changes."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from casewright.model.errors import Refused

CONDITIONS: Mapping[str, str] = {
    "access flagged": "an analyst flagged access to those at risk",
    "harm flagged": "an analyst flagged harm that may be going on now",
    "prior judged": "the person judged has an earlier case, judged to be theirs, whose note speaks of access or risk",
    "prior suggested": "the person judged may have an earlier case whose note speaks of access or risk (strong, not "
    "judged yet)",
    "new media": "uploaded media that are on no list",
    "listed media": "uploaded media that are on a list, or near one",
    "uploaded": "uploaded files",
    "recent": "was at work shortly before the last conduct on record in the case",
    "paid repeatedly": "paid several times",
    "paid": "paid",
    "downloaded": "downloaded files",
    "named": "a person was named by a judgement",
}
"""What a rule may ask, and how its effect is told."""
ORDERS: Mapping[str, str] = {
    "flags": "more flags first", "latest": "latest conduct first", "new media": "more media on no list first",
    "listed media": "more listed media first", "uploads": "more uploads first", "downloads": "more downloads first",
    "payments": "more payments first", "satoshis": "more money first",
}  # fmt: skip
"""By what referrals of one level are ordered."""
IMPLIED = {"prior judged": "prior suggested", "new media": "uploaded", "listed media": "uploaded",
           "paid repeatedly": "paid"}  # fmt: skip
"""What need not be told beside another condition that holds."""
Rule = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class PrioritySettings:
    """The rule. An account is referred when any row of it holds."""

    rules: tuple[str, ...] = (
        "access flagged or harm flagged or prior judged",
        "prior suggested",
        "new media",
        "listed media",
        "paid repeatedly",
        "paid",
    )
    within: tuple[str, ...] = ("flags", "latest", "new media", "uploads", "payments", "downloads")
    recent_days: int = 90

    def levels(self) -> list[Rule]:
        """Each rule as alternatives, each of conditions that must hold together."""
        return [tuple(tuple(c.strip() for c in part.split(" and ")) for part in rule.split(" or "))
                for rule in self.rules]  # fmt: skip

    def check(self, where: str) -> None:
        """Raises Refused naming a word that makes no sense."""
        for condition in (c for rule in self.levels() for part in rule for c in part):
            if condition not in CONDITIONS:
                known = ", ".join(CONDITIONS)
                raise Refused(
                    f"{where} [priority]: rules know no {condition!r}. Known: {known}; joined by 'and', 'or'."
                )
        for order in self.within:
            if order not in ORDERS:
                raise Refused(f"{where} [priority]: within knows no {order!r}. Known: {', '.join(ORDERS)}.")


def first_level(levels: list[Rule], holds: Container[str]) -> tuple[int, list[str]] | None:
    """The first level that holds, from 1, and the conditions by which it does; None when none holds."""
    for number, rule in enumerate(levels, 1):
        if parts := [part for part in rule if all(c in holds for c in part)]:
            return number, list(dict.fromkeys(c for part in parts for c in part))
    return None


def told(conditions: list[str]) -> list[str]:
    """The conditions in words, without those that others imply."""
    implied = {IMPLIED[c] for c in conditions if c in IMPLIED}
    return [CONDITIONS[c] for c in conditions if c not in implied]


def explained() -> Iterator[str]:
    """Remarks for case.toml: what stands there, and what may."""
    yield "# What makes a referral urgent. The first row that holds decides; 1 is most urgent. Rows are of conditions:"
    yield from (f"#   {name:<16} {meaning}" for name, meaning in CONDITIONS.items())
    yield "# joined by 'and' and, less tightly, 'or'. An account is referred when any row holds. Within a level, by:"
    yield f"#   {', '.join(ORDERS)}"
    yield "# recent_days: how long before the last conduct on record in the case conduct still is recent."

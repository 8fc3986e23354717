"""A recall: which packages held an item, what they said of it, and what a notice tells those who have them.

What was said is read from what was kept of each sealing, never from the tables of today. The words of a notice are
fixed when somebody decides on it: they go into the store, and the ledger names their digest.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output
from casewright.model.ids import make_id
from casewright.model.settings import Settings
from casewright.model.tables import TABLES
from casewright.refer.sealings import Row, events_of
from casewright.vault.ledger import canonical

WITHDRAWAL, CORRECTION = "withdrawal", "correction"
IDENTITY = re.compile(r"(work/)?[a-z]+-[0-9a-f]{20}")
"""What may be recalled: a row of the case. Exhibits, settings and counts of stages are not about anybody."""
OF_ACCOUNT = ("accounts", "account")
BULK = ("balance", "method")
"""Sections that are about the case as a whole."""
MOST = 20_000
"""Values that one notice lists; how many more there were it says."""
NOTHING = "nothing"
NOT_RECORDED = "no sending recorded"


@dataclass(frozen=True)
class Decision:
    """What somebody decided: which ids, whether they are withdrawn or corrected, why, and by whom."""

    ids: tuple[str, ...]
    form: str
    why: str
    says: str
    examiner: str

    def named(self, packages: Iterable[str]) -> str:
        """The recall's id: the same decision about the same packages is the same recall."""
        said = (self.form, *sorted(self.ids), "", self.why, self.says, self.examiner)
        return make_id("recall", *said, *sorted(packages))


def about(figures: pa.Table, ids: Iterable[str]) -> list[Row]:
    """The figures that name one of these ids, are about it, or rest on it; those of the summary last.

    What is said of an account is also all that is said of its referral: the person who was named, the reason.
    """
    rows = figures.select(["figure", "section", "subject", "label", "value", "sources"]).to_pylist()
    wanted = set(ids)
    accounts = (row for row in rows if (row["section"], row["label"]) == OF_ACCOUNT)
    wanted |= {row["subject"] for row in accounts if row["value"] in wanted}
    found = [
        row for row in rows
        if row["section"] not in BULK
        and ({row["figure"], row["subject"]} & wanted or not wanted.isdisjoint(row["sources"] or []))
    ]  # fmt: skip
    return sorted(found, key=lambda row: row["section"] == "summary")


def corrections(sent: Sequence[Row], now: Sequence[Row]) -> list[Row]:
    """What was said and is said otherwise today, each with what it should say; what is new says so."""
    before, after = _values(sent), _values(now)
    rows = []
    for key in dict.fromkeys((*before, *after)):
        gone = [v for v in before.get(key, {}) if v not in after.get(key, {})]
        new = [v for v in after.get(key, {}) if v not in before.get(key, {})]
        section, subject, label = key
        common = {"section": section, "subject": subject, "label": label}
        should = "; ".join(new) or NOTHING
        rows += [{**common, "figure": before[key][value], "value": value, "should": should} for value in gone]
        if new and not gone:
            rows.append({**common, "figure": "", "value": NOTHING, "should": should})
    return rows


def _values(rows: Iterable[Row]) -> dict[tuple[str, str, str], dict[str, str]]:
    """Values by what they are said of, each with the id of its figure."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        found.setdefault((row["section"], row["subject"], row["label"]), {})[row["value"]] = row["figure"]
    return found


def said_once(sent: Iterable[Row]) -> list[Row]:
    """Every value once, by the figure of the latest package that printed it."""
    return [
        {"section": section, "subject": subject, "label": label, "figure": figure, "value": value, "should": None}
        for (section, subject, label), values in _values(sent).items() for value, figure in values.items()
    ]  # fmt: skip


def content_of(
    decision: Decision, recall: str, country: str, said: Sequence[Row], packages: Sequence[Row], settings: Settings
) -> Row:
    """What the notice to one country says, in JSON's values."""
    case, refer = settings.case, settings.refer
    spoken = refer.languages.get(country, "en")
    return {**({} if spoken == "en" else {"language": spoken}),
        "format": 1, "recall": recall, "form": decision.form, "country": country, "items": sorted(decision.ids),
        "why": decision.why, "says": decision.says, "examiner": decision.examiner, "agency": case.agency,
        "case": case.reference or case.title, "contact": refer.contact or case.agency, "handling": refer.handling,
        "packages": [{key: row[key] for key in ("package", "tagmanifest", "sent")} for row in packages],
        "said": [dict(row) for row in said[:MOST]], "more": max(0, len(said) - MOST),
    }  # fmt: skip


def value_digest(row: Mapping[str, Any]) -> str:
    """What tells a single value from others, whatever its figure's id will be in another package."""
    told = {key: row[key] for key in ("section", "subject", "label", "value")}
    return hashlib.sha256(canonical(told)).hexdigest()


def recalls(batch: pa.Table, context: Context) -> Output:
    """`recalls`: what was recalled from whom, from the ledger."""
    rows = []
    for number, event in enumerate(events_of(context.table("ledger/recalled")), 1):
        copied = {name: event[name] for name in TABLES["recalls"].schema.names if name in event}
        rows.append({**copied, "number": number})
    return Output({"recalls": TABLES["recalls"].rows(rows)})

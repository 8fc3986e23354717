"""Flags: what an analyst saw that makes an account, a person or a medium urgent. They name nobody."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.model.errors import Missing, UsageError
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

INDICATORS: Mapping[str, str] = {
    "access": "access to those at risk",
    "harm": "harm that may be going on now",
}
"""What may be flagged, in the words that packages print."""
FLAGGED = (
    "SELECT account AS id FROM accounts UNION ALL SELECT person FROM persons UNION ALL "
    "SELECT 'media/' || item FROM media"
)
"""The query for what may be flagged."""


@dataclass(frozen=True)
class Flag:
    """What somebody saw of an account, a person, or a medium (`media/` and its item); or that it holds no more."""

    subject: str
    indicator: str
    why: str
    is_set: bool = True


def flag_record(subjects: Container[str], flag: Flag, examiner: str) -> dict[str, Any]:
    """What the ledger records of a flag. Raises Missing when there is no such subject, UsageError when there is no such
    indicator."""
    if flag.indicator not in INDICATORS:
        raise UsageError(f"there is no indicator {flag.indicator!r}. Choose one of {', '.join(INDICATORS)}.")
    if flag.subject not in subjects:
        raise Missing(f"there is no account, person or medium {flag.subject}.")
    return {"subject": flag.subject, "indicator": flag.indicator, "set": flag.is_set, "examiner": examiner,
            "why": flag.why}  # fmt: skip


def flags(batch: pa.Table, context: Context) -> Output:
    """The ledger's flags, in order; of those on one subject and indicator the last counts."""
    events = [json.loads(e)["data"] for e in context.table("ledger/flag").column("event").to_pylist()]
    last = {(event["subject"], event["indicator"]): number for number, event in enumerate(events)}
    rows = [
        {"flag": make_id("flag", number, event["subject"], event["indicator"]), "subject": event["subject"],
         "indicator": event["indicator"], "is_set": event["set"], "examiner": event["examiner"], "why": event["why"],
         "stands": event["set"] and last[event["subject"], event["indicator"]] == number}
        for number, event in enumerate(events)
    ]  # fmt: skip
    return Output({"flags": TABLES["flags"].rows(rows)}, [], [Tally("flags", len(rows), len(rows))])

"""Judgements: what people decide of a suggestion, or of a medium. Only a positive one on a link names a person."""

import json
from collections.abc import Container
from typing import Any, NamedTuple

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.model.errors import Missing, UsageError
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

TAKEN_BACK = "withdrawn"
VERDICTS = ("positive", "negative", "unsure", TAKEN_BACK)
"""The last one undoes what was judged before, as if nobody had; both stay in the ledger."""

JUDGED = "SELECT link AS id FROM links UNION ALL SELECT 'media/' || item FROM media"
"""The query for what people may judge: links, and media."""


class Said(NamedTuple):
    """What somebody decided of a link or a medium (`media/` and its item). Of a medium they may have said a category
    too; it counts in its dialect only."""

    subject: str
    verdict: str
    why: str
    category: str | None = None
    dialect: str | None = None


def judgement(links: Container[str], said: Said, examiner: str) -> dict[str, Any]:
    """What the ledger records of a judgement. Raises Missing when there is no such link or medium, UsageError when
    there is no such verdict."""
    if said.verdict not in VERDICTS:
        raise UsageError(f"there is no verdict {said.verdict!r}. Choose one of {', '.join(VERDICTS)}.")
    if said.subject not in links:
        raise Missing(f"there is no link or medium {said.subject}. `casewright link CASE` lists the links.")
    category = {"category": said.category, "dialect": said.dialect} if said.category else {}
    return {"link": said.subject, "verdict": said.verdict, "examiner": examiner, "why": said.why, **category}


def judgements(batch: pa.Table, context: Context) -> Output:
    """The ledger's judgements, in order; the last one on a link or medium stands, unless it took the others back."""
    events = [json.loads(e)["data"] for e in context.table("ledger/judgement").column("event").to_pylist()]
    last = {event["link"]: number for number, event in enumerate(events)}
    times: dict[str, int] = {}
    rows = []
    for number, event in enumerate(events):
        times[event["link"]] = turn = times.get(event["link"], 0) + 1
        name = make_id("judge", event["link"], event["verdict"], event["examiner"], event["why"], turn)
        rows.append(
            {"judgement": name, **event, "stands": last[event["link"]] == number and event["verdict"] != TAKEN_BACK}
        )
    return Output({"judgements": TABLES["judgements"].rows(rows)}, [], [Tally("judgements", len(rows), len(rows))])

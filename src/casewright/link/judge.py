"""Judgements: what people decide of a suggestion, or of a medium. Only a positive one on a link names a person."""

import json
from collections.abc import Container
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.model.errors import Missing, UsageError
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

VERDICTS = ("positive", "negative", "unsure")


def judgement(links: Container[str], link: str, verdict: str, examiner: str, why: str) -> dict[str, Any]:
    """What the ledger records of a judgement. Raises Missing when there is no such link or medium, UsageError when
    there is no such verdict."""
    if verdict not in VERDICTS:
        raise UsageError(f"there is no verdict {verdict!r}. Choose one of {', '.join(VERDICTS)}.")
    if link not in links:
        raise Missing(f"there is no link or medium {link}. `casewright link CASE` lists the links.")
    return {"link": link, "verdict": verdict, "examiner": examiner, "why": why}


def judgements(batch: pa.Table, context: Context) -> Output:
    """The ledger's judgements, in order; the last one on a link or medium stands."""
    events = [json.loads(e)["data"] for e in context.table("ledger/judgement").column("event").to_pylist()]
    last = {event["link"]: number for number, event in enumerate(events)}
    times: dict[str, int] = {}
    rows = []
    for number, event in enumerate(events):
        times[event["link"]] = turn = times.get(event["link"], 0) + 1
        name = make_id("judge", event["link"], event["verdict"], event["examiner"], event["why"], turn)
        rows.append({"judgement": name, **event, "stands": last[event["link"]] == number})
    return Output({"judgements": TABLES["judgements"].rows(rows)}, [], [Tally("judgements", len(rows), len(rows))])

"""Legal process: one request a service, and what became of it.

What is asked follows from the traces; what was done about it is recorded in the ledger, by whom and on which day: sent,
refused, empty (the service has no such customer), withdrawn. What a service sent back is counted from its returns.
Whether an answer is overdue depends on the day on which somebody looks, and is said there.
"""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.errors import Missing, UsageError
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

STEPS = ("sent", "refused", "empty", "withdrawn")
DRAFT, PART, RETURNED = "draft", "part returned", "returned"


@dataclass(frozen=True)
class Step:
    """What somebody did about a request: its reference, the step, the day (of sending or of the answer), and why."""

    reference: str
    step: str
    day: str
    why: str = ""


def process_step(references: Container[str], step: Step, examiner: str) -> dict[str, Any]:
    """What the ledger records of a step. Raises Missing when nothing is asked under this reference, UsageError when the
    day is none or the reason is missing."""
    if step.reference not in references:
        raise Missing(f"nothing is asked under {step.reference}. `casewright status CASE` lists the requests.")
    try:
        date.fromisoformat(step.day)
    except ValueError as error:
        raise UsageError(f"{step.day!r} is no day. Write it as 2026-03-31.") from error
    if step.step != "sent" and not step.why.strip():
        raise UsageError(f"a request that is {step.step} needs a reason: add --why TEXT.")
    return {"reference": step.reference, "step": step.step, "day": step.day, "why": step.why, "examiner": examiner}


def legal_process(batch: pa.Table, context: Context) -> Output:
    """`legal_process` and `process_steps`: a row a request, a row for each thing that was done about one."""
    events = [json.loads(e)["data"] for e in context.table("ledger/process").column("event").to_pylist()]
    steps = [{"step_id": make_id("step", number, *event.values()), "number": number, **event}
             for number, event in enumerate(events, 1)]  # fmt: skip
    done: dict[str, list[dict[str, Any]]] = {}
    for step in steps:
        done.setdefault(step["reference"], []).append(step)
    rows = context.sql(sql_stage_text(__file__, "legal_process")).to_pylist()
    for row in rows:
        _tell(row, done.get(row["reference"], []), context.params["days"])
    tables = {"legal_process": TABLES["legal_process"].rows(rows), "process_steps": TABLES["process_steps"].rows(steps)}
    return Output(tables, [], [Tally("requests", len(rows), len(rows))])


def _tell(row: dict[str, Any], steps: list[dict[str, Any]], usual: int) -> None:
    """State and days of a request."""
    days = row["days_to_answer"] = row.pop("days") or usual
    sent = [s["day"] for s in steps if s["step"] == "sent"]
    row["sent_on"] = max(sent, default=None)
    row["due_on"] = (date.fromisoformat(row["sent_on"]) + timedelta(days=days)).isoformat() if sent else None
    row["state"] = _state(row, steps)
    row["note"] = steps[-1]["why"] or None if steps else None
    row["sources"] += [s["step_id"] for s in steps]


def _state(row: Mapping[str, Any], steps: list[dict[str, Any]]) -> str:
    """What came back counts before what was last recorded: a service that refused may answer after all."""
    if row["returned"]:
        return RETURNED if row["returned"] >= row["lines"] else PART
    return str(steps[-1]["step"]) if steps else DRAFT

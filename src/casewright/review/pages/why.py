"""From any figure back to the bytes."""

from typing import Any

from casewright.engine.why import Explainer
from casewright.review.page import Ask, Page

MOST = 300


def find(ask: Ask) -> dict[str, Any]:
    with ask.desk.reading() as reader:
        steps = list(Explainer(ask.desk.case.tables, reader).walk(ask.path["id"]))
    shown = [{"depth": depth, "id": f.id, "table": f.table, "row": _worth_telling(f.table, f.row), "run": f.made_by,
              "locus": f.locus} for depth, f in steps[:MOST]]  # fmt: skip
    return {"id": ask.path["id"], "steps": shown, "more": max(len(steps) - MOST, 0)}


def _worth_telling(table: str, row: Any) -> dict[str, Any]:
    return {k: v for k, v in row.items() if v is not None and k not in ("sources", "path", table)}


PAGES = (Page("/why/{id:path}", "why.html", find),)

"""What people and the machine did, the latest first."""

from typing import Any

from casewright.review.page import PER_PAGE, Ask, Page


def find(ask: Ask) -> dict[str, Any]:
    counts = ask.desk.journal.kinds()
    kind = ask.choice("kind", counts, "")
    first = (ask.number - 1) * PER_PAGE
    rows = [{"line": e.seq + 1, "time": e.time, "who": e.who, "kind": e.kind, "hash": e.hash, "data": dict(e.data)}
            for e in ask.desk.journal.lines(kind, first, PER_PAGE)]  # fmt: skip
    return {"lines": rows, "kinds": [k for k in counts if k], "kind": kind, "page": ask.number,
            "more": counts[kind] > first + PER_PAGE, "total": counts[kind]}  # fmt: skip


PAGES = (Page("/ledger", "ledger.html", find, "ledger"),)

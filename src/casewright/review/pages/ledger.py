"""What people and the machine did, the latest first."""

from typing import Any

from casewright.review.page import PER_PAGE, Ask, Page


def find(ask: Ask) -> dict[str, Any]:
    ask.desk.journal.refresh()
    events = ask.desk.journal.events
    kinds = sorted({e.kind for e in events})
    kind = ask.choice("kind", {"": "", **dict.fromkeys(kinds)}, "")
    wanted = [e for e in reversed(events) if not kind or e.kind == kind]
    first = (ask.number - 1) * PER_PAGE
    rows = [{"line": e.seq + 1, "time": e.time, "who": e.who, "kind": e.kind, "hash": e.hash, "data": dict(e.data)}
            for e in wanted[first : first + PER_PAGE]]  # fmt: skip
    return {"lines": rows, "kinds": kinds, "kind": kind, "page": ask.number, "more": len(wanted) > first + PER_PAGE,
            "total": len(wanted)}  # fmt: skip


PAGES = (Page("/ledger", "ledger.html", find, "ledger"),)

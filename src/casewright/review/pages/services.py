"""Services that traces reached, and what was asked of them."""

from typing import Any

from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

ANY = "SELECT place FROM listed_services WHERE service = $service"
ONE = "SELECT * FROM legal_process WHERE service = $service"
STEPS = "SELECT * FROM process_steps WHERE reference = $reference ORDER BY number"
LINES = "SELECT * FROM asked_lines WHERE service = $service AND place BETWEEN $first AND $last ORDER BY place"
TAGS = """
SELECT t.* FROM tags t WHERE t.label = $service ORDER BY level DESC, address, tag LIMIT 50
"""
FOUND = "SELECT * FROM met_services WHERE service = $service AND place BETWEEN $first AND $last ORDER BY place"


def listed(ask: Ask) -> dict[str, Any]:
    return {"services": ask.listed("listed_services", "place")._asdict()}


def one(ask: Ask) -> dict[str, Any]:
    bind = {"service": ask.path["service"]}
    found = ask.numbered(FOUND, bind)
    if not found.rows and not ask.rows(ANY, bind):
        raise Missing("No trace of this case reached such a service.")
    process = ask.rows(ONE, bind)
    steps = ask.rows(STEPS, {"reference": process[0]["reference"]}) if process else []
    return {"service": ask.path["service"], "process": process[0] if process else None, "steps": steps,
            "lines": ask.numbered(LINES, bind)._asdict(), "tags": ask.rows(TAGS, bind),
            "found": found._asdict()}  # fmt: skip


PAGES = (
    Page("/services", "services.html", listed, "services"),
    Page("/services/{service:path}", "service.html", one, "services"),
)

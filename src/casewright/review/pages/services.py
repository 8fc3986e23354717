"""Services that traces reached, and what was asked of them."""

from typing import Any

from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

LISTED = """
SELECT s.service, count(DISTINCT s.payment) AS payments,
       count(DISTINCT s.payment) FILTER (s.confidence = 'strong') AS strong, max(e.reference) AS reference,
       max(e.state) AS state, max(e.jurisdiction) AS jurisdiction, max(e.due_on) AS due_on, max(e.lines) AS lines,
       max(e.returned) AS returned
FROM services s LEFT JOIN legal_process e ON e.service = s.service
GROUP BY s.service ORDER BY payments DESC, s.service
"""
ONE = "SELECT * FROM legal_process WHERE service = $service"
STEPS = "SELECT * FROM process_steps WHERE reference = $reference ORDER BY number"
LINES = """
SELECT q.*, r.return_id, r.full_name, r.customer FROM requests q
LEFT JOIN returns r ON r.reference = q.reference AND r.txid = q.txid AND (r.address IS NULL OR r.address = q.address)
WHERE q.service = $service ORDER BY q.time, q.txid, q.vout, r.return_id
"""
TAGS = """
SELECT t.* FROM tags t WHERE t.label = $service ORDER BY level DESC, address, tag LIMIT 50
"""
FOUND = """
SELECT s.*, a.username, p.account FROM services s
LEFT JOIN payments p USING (payment) LEFT JOIN accounts a USING (account)
WHERE s.service = $service ORDER BY s.confidence DESC, s.hops, s.payment, s.id
"""


def listed(ask: Ask) -> dict[str, Any]:
    return {"services": ask.slice(LISTED)._asdict()}


def one(ask: Ask) -> dict[str, Any]:
    bind = {"service": ask.path["service"]}
    found = ask.slice(FOUND, bind)
    if not found.rows:
        raise Missing("No trace of this case reached such a service.")
    process = ask.rows(ONE, bind)
    steps = ask.rows(STEPS, {"reference": process[0]["reference"]}) if process else []
    return {"service": ask.path["service"], "process": process[0] if process else None, "steps": steps,
            "lines": ask.rows(LINES, bind), "tags": ask.rows(TAGS, bind), "found": found._asdict()}  # fmt: skip


PAGES = (
    Page("/services", "services.html", listed, "services"),
    Page("/services/{service:path}", "service.html", one, "services"),
)

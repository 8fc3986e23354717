"""What `status` says of legal process: every request, what is overdue today, and how many payers can be reached."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from casewright.cli.console import Voice
from casewright.engine.query import Reader

PROCESS = """
SELECT reference, service, jurisdiction, state, lines, returned, accounts, sent_on, due_on,
       coalesce(state IN ('sent', 'part returned') AND due_on < $today, false) AS overdue
FROM legal_process ORDER BY service
"""
ROUTES = """
WITH asked AS (
    SELECT p.account, CASE WHEN EXISTS (SELECT 1 FROM returns r WHERE r.reference = q.reference AND r.txid = q.txid
                                        AND (r.address IS NULL OR r.address = q.address)) THEN 5
                           WHEN e.state IN ('sent', 'part returned') THEN 3 WHEN e.state = 'draft' THEN 4
                           ELSE 5 END AS rung
    FROM requests q JOIN legal_process e USING (reference), unnest(q.payments) AS u(payment)
    JOIN payments p ON p.payment = u.payment
    WHERE q.direction = 'back'
),
rungs AS (
    SELECT l.from_id AS account, CASE WHEN j.verdict = 'positive' THEN 1 ELSE 2 END AS rung
    FROM links l LEFT JOIN judgements j ON j.link = l.link AND j.stands
    WHERE l.kind = 'account-person' AND coalesce(j.verdict, '') <> 'negative'
    UNION ALL SELECT * FROM asked
),
best AS (
    SELECT p.account, coalesce(min(r.rung), 6) AS rung
    FROM (SELECT DISTINCT account FROM payments) p LEFT JOIN rungs r USING (account) GROUP BY p.account
)
SELECT rung, count(*) AS accounts FROM best GROUP BY rung ORDER BY rung
"""
"""A line that was answered leads no further than its record: judged not to fit, the route is used up."""
UNTIED = """
SELECT reference, coalesce(service, '?') AS service, why, count(*) AS records, min(return_id) AS example
FROM (
    SELECT r.*, CASE WHEN NOT EXISTS (SELECT 1 FROM requests q WHERE q.reference = r.reference)
                     THEN 'nothing was asked under this reference'
                     WHEN NOT EXISTS (SELECT 1 FROM requests q WHERE q.reference = r.reference AND q.txid = r.txid)
                     THEN 'this transaction was not asked about under it'
                     ELSE 'this address was not asked about in it' END AS why
    FROM returns r
    WHERE NOT EXISTS (SELECT 1 FROM requests q WHERE q.reference = r.reference AND q.txid = r.txid
                      AND (r.address IS NULL OR q.address = r.address))
)
GROUP BY ALL ORDER BY ALL
"""
"""Customer records that answer no line of a request: a reference mistyped, or more than was asked."""
RUNGS = {
    1: "named by a judgement", 2: "with a customer record, not judged", 3: "asked of a service",
    4: "could be asked of a service", 5: "refused, empty, withdrawn or answered otherwise",
    6: "no service found",
}  # fmt: skip
LIVE = (1, 2, 3, 4)
"""What may still lead, or has led, to an identity."""


def found_process(reader: Reader) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Every request with what is overdue today, and the accounts that paid by the best route to an identity."""
    requests = reader.rows(PROCESS, {"today": datetime.now(UTC).date().isoformat()})
    rungs = {row["rung"]: row["accounts"] for row in reader.rows(ROUTES)}
    live, paid = sum(rungs.get(rung, 0) for rung in LIVE), sum(rungs.values())
    by_route = {words: rungs[rung] for rung, words in RUNGS.items() if rung in rungs}
    return requests, {"accounts_that_paid": paid, "with_a_live_route": live, "by_route": by_route,
                      "untied_records": reader.rows(UNTIED)}  # fmt: skip


def tell_process(voice: Voice, requests: Sequence[Mapping[str, Any]], routes: Mapping[str, Any]) -> None:
    rows = [
        [r["reference"], r["service"], r["jurisdiction"], "OVERDUE" if r["overdue"] else r["state"],
         f"{r['returned']} of {r['lines']}", r["accounts"], r["sent_on"], r["due_on"]] for r in requests
    ]  # fmt: skip
    if rows:
        columns = ["reference", "service", "country", "state", "answered", "accounts", "sent", "due"]
        voice.table(columns, rows, title="Legal process: one request a service")
    if untied := routes["untied_records"]:
        columns = ["reference", "service", "why", "records", "example"]
        rows = [[row[c] for c in columns] for row in untied]
        voice.table(columns, rows, title="Customer records that answer nothing asked")
    if paid := routes["accounts_that_paid"]:
        parts = ", ".join(f"{n} {words}" for words, n in routes["by_route"].items())
        live = routes["with_a_live_route"]
        voice.say(f"{live} of {paid} accounts that paid ({live / paid:.0%}) have a live route to an identity: {parts}")
        voice.say("")

"""Payments: all of them, and one with its way back and forward."""

from typing import Any

from casewright.chain.drawing.asked import PAYMENT, SERVICES
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

ORDERS = {"time": "time DESC NULLS LAST, txid, vout", "amount": "sats DESC, txid, vout"}
LISTED = """
SELECT p.payment, p.time, p.sats, p.address, p.txid, p.vout, p.account, a.username,
       (SELECT string_agg(DISTINCT s.service, ', ' ORDER BY s.service) FROM services s
        WHERE s.payment = p.payment AND s.direction = 'back' AND s.confidence = 'strong') AS strong,
       (SELECT string_agg(DISTINCT s.service, ', ' ORDER BY s.service) FROM services s
        WHERE s.payment = p.payment AND s.direction = 'back' AND s.confidence = 'weak') AS weak
FROM payments p LEFT JOIN accounts a USING (account)
WHERE ($q = '' OR p.txid = $q OR p.address = $q OR contains(lower(a.username), lower($q)))
ORDER BY {order}
"""
HOPS = "SELECT * FROM hops WHERE payment = $payment ORDER BY direction, step, hop"
BOOKED = "SELECT * FROM reconciled WHERE payment = $payment ORDER BY id"
REQUESTS = "SELECT * FROM requests WHERE list_contains(payments, $payment) ORDER BY service, request"


def listed(ask: Ask) -> dict[str, Any]:
    order, q = ask.choice("order", ORDERS, "time"), ask.text("q")
    found = ask.slice(LISTED.format(order=ORDERS[order]), {"q": q})
    return {"q": q, "order": order, "orders": list(ORDERS), "payments": found._asdict()}


def one(ask: Ask) -> dict[str, Any]:
    bind = {"payment": ask.path["payment"]}
    found = ask.rows(PAYMENT, bind)
    if not found:
        raise Missing("There is no such payment in this case.")
    return {"payment": found[0], "services": ask.rows(SERVICES, bind), "hops": ask.rows(HOPS, bind),
            "booked": ask.rows(BOOKED, bind), "requests": ask.rows(REQUESTS, bind)}  # fmt: skip


PAGES = (
    Page("/payments", "payments.html", listed, "payments"),
    Page("/payments/{payment}", "payment.html", one, "payments"),
)

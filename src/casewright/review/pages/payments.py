"""Payments: all of them, and one with its way back and forward."""

from typing import Any

from casewright.chain.drawing.asked import PAYMENT, SERVICES
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

ORDERS = {"time": "by_time", "amount": "by_amount"}
COLUMNS = "payment, time, sats, address, txid, vout, account, username, strong, weak"
LISTED = f"SELECT {COLUMNS} FROM listed_payments"  # noqa: S608  ours
LIKE = "contains(said, lower($q))"
NUMBERED = """
SELECT payment FROM listed_payments WHERE txid = $q UNION SELECT payment FROM listed_payments WHERE address = $q
"""
HOPS = "SELECT * FROM hops WHERE payment = $payment ORDER BY direction, step, hop"
BOOKED = "SELECT * FROM reconciled WHERE payment = $payment ORDER BY id"
REQUESTS = "SELECT * FROM asked_payments WHERE paid = $payment ORDER BY service, request"


def listed(ask: Ask) -> dict[str, Any]:
    order, q = ask.choice("order", ORDERS, "time"), ask.text("q")
    by_number = ask.rows(NUMBERED, {"q": q}) if q else []
    like = f"({LIKE} OR payment IN ({NUMBERED}))" if by_number else LIKE
    found = ask.listed(LISTED, ORDERS[order], like if q else "", {"q": q})
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

"""Payments: all of them, and one with its way back and forward."""

from typing import Any

from casewright.chain.drawing.asked import PAYMENT, SERVICES
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page

ORDERS = {"time": "by_time", "amount": "by_amount"}
COLUMNS = "payment, time, sats, address, txid, vout, account, username, strong, weak"
LIKE = "contains(said, lower($q))"
NUMBERED = """
SELECT payment FROM listed_payments WHERE txid = $q UNION SELECT payment FROM listed_payments WHERE address = $q
"""
WITHIN = "time >= $begins AND time < $ends"
DAYS = f"""
SELECT strftime(time, '%Y-%m-%d') AS month, count(*) AS payments FROM listed_payments WHERE {WITHIN}
GROUP BY month ORDER BY month
"""  # noqa: S608  ours
MONTH = len("2017-03")
HOPS = "SELECT * FROM hops WHERE payment = $payment ORDER BY direction, step, hop"
BOOKED = "SELECT * FROM reconciled WHERE payment = $payment ORDER BY id"
REQUESTS = "SELECT * FROM asked_payments WHERE paid = $payment ORDER BY service, request"


def listed(ask: Ask) -> dict[str, Any]:
    order, q, on = ask.choice("order", ORDERS, "time"), ask.text("q"), ask.span("on")
    wanted: list[str] = []
    bind: dict[str, Any] = {}
    if q:
        wanted.append(f"({LIKE} OR payment IN ({NUMBERED}))" if ask.rows(NUMBERED, {"q": q}) else LIKE)
        bind["q"] = q
    if on:
        wanted.append(WITHIN)
        bind |= on
    found = ask.listed("listed_payments", ORDERS[order], " AND ".join(wanted), bind, COLUMNS)
    days = ask.rows(DAYS, on) if on and len(ask.text("on")) == MONTH else []
    return {"q": q, "order": order, "orders": list(ORDERS), "on": ask.text("on"), "days": days,
            "payments": found._asdict()}  # fmt: skip


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

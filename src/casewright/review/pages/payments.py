"""Payments: all of them, and one with its way back and forward."""

from typing import Any

from casewright.chain.drawing.asked import PAYMENT, SERVICES
from casewright.model.errors import Missing
from casewright.review.page import Ask, Page
from casewright.review.pages.searched import Searched

ORDERS = {"time": "by_time", "amount": "by_amount"}
COLUMNS = "payment, time, sats, address, txid, vout, account, username, strong, weak"
LIST = Searched("listed_payments", "payment", ("txid", "address"), "time", "on", "payments")
HOPS = "SELECT * FROM hops WHERE payment = $payment ORDER BY direction, step, hop"
BOOKED = "SELECT * FROM reconciled WHERE payment = $payment ORDER BY id"
REQUESTS = "SELECT * FROM asked_payments WHERE paid = $payment ORDER BY service, request"


def listed(ask: Ask) -> dict[str, Any]:
    order = ask.choice("order", ORDERS, "time")
    wanted, bind = LIST.asked(ask)
    found = ask.listed(LIST.table, ORDERS[order], " AND ".join(wanted), bind, COLUMNS)
    return {"q": ask.text("q"), "order": order, "orders": list(ORDERS), "on": ask.text("on"), "days": LIST.days(ask),
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

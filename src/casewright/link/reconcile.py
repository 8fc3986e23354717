"""The stage `reconciled`: the service's own ledger held against the chain, account by account.

The ledger says what the service believed, the chain what was paid. Each credit and each payment stands in one row. A
credit that names its transaction is held against that one; another against payments to the same account, equal amounts
before others, the nearest in time first. What is left on either side is a gap, and the row says which.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

EARLY = timedelta(hours=2)
"""A block's time may be so much ahead of the clock (Bitcoin Core, MAX_FUTURE_BLOCK_TIME); and a service may book what
stands in no block yet."""
NEAR = timedelta(days=3)
"""Amounts that differ are held together, and equal ones called the same again, within this."""
Row = Mapping[str, Any]


@dataclass
class Ledger:
    """What is known of the whole ledger and of the chain, when one gap is to be named."""

    late: timedelta
    begins: datetime | None
    ends: datetime | None
    names_payments: bool
    last_entry: datetime | None
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, state: str, reason: str, credit: Row | None, payment: Row | None) -> None:
        both = credit and payment
        gap = _delay(credit, payment) if credit and payment else None
        sources = [row[key] for row, key in ((credit, "credit"), (payment, "payment")) if row]
        self.rows.append({
            "id": make_id("reconciled", *sources), "account": (credit or payment or {})["account"],
            "credit": credit and credit["credit"], "payment": payment and payment["payment"], "state": state,
            "difference": credit["sats"] - payment["sats"] if both and credit and payment else None,
            "delay": None if gap is None else int(gap.total_seconds()), "reason": reason, "sources": sources,
        })  # fmt: skip


def reconciled(batch: pa.Table, context: Context) -> Output:
    """`reconciled`; nothing where the service's ledger was not found."""
    credits = context.sql(sql_stage_text(__file__, "credits")).to_pylist()
    payments = context.sql("SELECT * FROM payments ORDER BY height NULLS LAST, txid, vout, account").to_pylist()
    owned = defaultdict[str, tuple[list[Row], list[Row]]](lambda: ([], []))
    for credit in credits:
        owned[credit["account"] or ""][0].append(credit)
    for payment in payments if credits else ():
        owned[payment["account"]][1].append(payment)
    ledger = _ledger(context, credits)
    for _, (booked, paid) in sorted(owned.items()):
        _account(ledger, booked, paid)
    held = len(payments) if credits else 0
    tallies = [
        Tally("credits", len(credits), len(credits)),
        Tally("payments", len(payments), held, len(payments) - held),
    ]
    return Output({"reconciled": TABLES["reconciled"].rows(ledger.rows)}, [], tallies)


def _ledger(context: Context, credits: Sequence[Row]) -> Ledger:
    span = context.sql("SELECT min(time) AS begins, max(time) AS ends FROM blocks WHERE state <> 'stale'").to_pylist()[
        0
    ]
    times = [c["time"] for c in credits if c["time"]]
    return Ledger(timedelta(hours=context.params["late_hours"]), span["begins"], span["ends"],
                  any(c["txid"] or c["address"] for c in credits), max(times, default=None))  # fmt: skip


def _account(ledger: Ledger, credits: list[Row], payments: list[Row]) -> None:
    """All rows of one account."""
    free = {p["payment"]: p for p in payments}
    left, pairs = list[Row](), list[tuple[Row, Row]]()
    for credit, payment in _pairs(credits, free):
        if payment:
            pairs.append((credit, payment))
        else:
            left.append(credit)
    for credit, payment in pairs:
        ledger.add(*_agreement(ledger, credit, payment), credit, payment)
    for credit in left:
        ledger.add(*_unpaid(ledger, credit, pairs), credit, None)
    for payment in free.values():
        ledger.add(*_unbooked(ledger, payment, pairs), None, payment)


def _pairs(credits: list[Row], free: dict[str, Row]) -> Iterator[tuple[Row, Row | None]]:
    """Every credit with its payment, which is then no longer free; None where it has none."""
    yield from _pairs_named([c for c in credits if c["txid"]], free)
    others = [c for c in credits if not c["txid"]]
    for apart in (_apart_if_equal, _apart_if_not):
        done = set[str]()
        for _, credit_id, payment_id, credit in sorted(apart(others, free.values()), key=lambda found: found[:3]):
            if credit_id not in done and payment_id in free:
                done.add(credit_id)
                yield credit, free.pop(payment_id)
        others = [c for c in others if c["credit"] not in done]
    yield from ((c, None) for c in others)


def _pairs_named(named: Iterable[Row], free: dict[str, Row]) -> Iterator[tuple[Row, Row | None]]:
    """Credits that name their transaction. One may pay an account several times: equal amounts belong together first,
    and who says the amount of a payment that has its credit books it again, not another one wrongly."""
    by_txid, rest = _by("txid", free.values()), list[Row]()
    for credit in named:
        said = [p for p in by_txid[credit["txid"]] if p["sats"] == credit["sats"] and _may_pay(credit, p)]
        payment = next((p for p in said if p["payment"] in free), None)
        if said:
            yield credit, payment and free.pop(payment["payment"])
        else:
            rest.append(credit)
    for credit in rest:
        left = [p for p in by_txid[credit["txid"]] if p["payment"] in free and _may_pay(credit, p)]
        payment = min(left, key=lambda p: (abs(credit["sats"] - p["sats"]), p["vout"]), default=None)
        yield credit, payment and free.pop(payment["payment"])


Apart = Iterator[tuple[timedelta, str, str, Row]]


def _apart_if_equal(credits: Iterable[Row], payments: Iterable[Row]) -> Apart:
    """How far apart in time credits and payments of the same amount are. A payment may be booked at any time after it;
    without times, all are as near."""
    by_sats = _by("sats", payments)
    for credit in credits:
        for payment in by_sats[credit["sats"]]:
            gap = _delay(credit, payment)
            if _may_pay(credit, payment) and (gap is None or gap >= -EARLY):
                yield abs(gap or timedelta(0)), credit["credit"], payment["payment"], credit


def _apart_if_not(credits: Iterable[Row], payments: Iterable[Row]) -> Apart:
    """The same of other amounts, which must be near in time."""
    paid = list(payments)
    for credit in credits:
        for payment in paid:
            gap = _delay(credit, payment)
            if gap is not None and -EARLY <= gap <= NEAR and _may_pay(credit, payment):
                yield abs(gap), credit["credit"], payment["payment"], credit


def _by(column: str, payments: Iterable[Row]) -> Mapping[Any, list[Row]]:
    found = defaultdict[Any, list[Row]](list)
    for payment in payments:
        found[payment[column]].append(payment)
    return found


def _may_pay(credit: Row, payment: Row) -> bool:
    return credit["address"] in (None, payment["address"])


def _delay(credit: Row, payment: Row) -> timedelta | None:
    if credit["time"] is None or payment["time"] is None:
        return None
    delay: timedelta = credit["time"] - payment["time"]
    return delay


def _agreement(ledger: Ledger, credit: Row, payment: Row) -> tuple[str, str]:
    """State and reason of a credit that has its payment."""
    by = (
        "the ledger names its transaction"
        if credit["txid"]
        else "same account" + (" and address" if credit["address"] else "") + ", nearest in time"
    )
    delay, more = _delay(credit, payment), credit["sats"] - payment["sats"]
    if more:
        words = f"{abs(more)} sat {'more' if more > 0 else 'less'} booked than the {payment['sats']} that were paid"
        return "wrong amount", f"{words} ({by})"
    if delay is None:
        return "agrees", f"equal amount ({by}); the ledger gives no time"
    if delay > ledger.late:
        return "late", f"booked {_days(delay)} after the block ({by})"
    return "agrees", f"equal amount, booked {_days(delay)} after the block ({by})"


def _unpaid(ledger: Ledger, credit: Row, pairs: Sequence[tuple[Row, Row]]) -> tuple[str, str]:
    """State and reason of a credit that has no payment."""
    for other, payment in sorted(pairs, key=lambda pair: abs(credit["sats"] - pair[1]["sats"])):
        once = credit["txid"] == payment["txid"] if credit["txid"] else _again(credit, other)
        if once:
            return "booked twice", f"{other['credit']} books the same payment, {payment['payment']}"
    if credit["time"] and ledger.begins and ledger.ends and not ledger.begins <= credit["time"] <= ledger.ends + EARLY:
        return "outside the chain files", f"they hold blocks of {ledger.begins:%Y-%m-%d} to {ledger.ends:%Y-%m-%d}"
    if credit["account"] is None:
        return "unpaid", "the ledger names an account that is not known, so no payment can be its"
    if credit["txid"] or credit["address"]:
        what = f"transaction {credit['txid']}" if credit["txid"] else f"a payment to {credit['address']}"
        return "unpaid", f"the chain has no payment to this account that is the entry's: it names {what}"
    if ledger.names_payments:
        return "off-chain", "other entries name a transaction or an address, this one none" + _noted(credit)
    return "off-chain", "no payment to this account fits; the ledger names neither transactions nor addresses" + _noted(
        credit
    )


def _unbooked(ledger: Ledger, payment: Row, pairs: Sequence[tuple[Row, Row]]) -> tuple[str, str]:
    """State and reason of a payment that has no credit."""
    for _, other in pairs:
        if other["sats"] == payment["sats"] and _within(other["time"], payment["time"]):
            return "paid twice", f"{other['payment']} paid the same amount to the same account, and only it is booked"
    if ledger.last_entry and payment["time"] and payment["time"] > ledger.last_entry:
        return "not booked", f"paid after the ledger's last entry, {ledger.last_entry:%Y-%m-%d %H:%M}"
    return "not booked", "the ledger has no entry for it"


def _again(credit: Row, other: Row) -> bool:
    """Whether an entry without a transaction says the same as another one that has its payment."""
    same = all(credit[column] == other[column] for column in ("sats", "address"))
    told = credit["address"] is not None or other["txid"] is None
    return same and told and _within(credit["time"], other["time"])


def _within(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= NEAR


def _noted(credit: Row) -> str:
    return f"; its note: {credit['note']}" if credit["note"] else ""


def _days(delay: timedelta) -> str:
    """A delay in the largest unit that says it well."""
    seconds = max(0, int(delay.total_seconds()))
    size, unit = next((s, u) for s, u in ((86_400, "days"), (3_600, "hours"), (60, "minutes"), (1, "seconds"))
                      if seconds >= 2 * s or s == 1)  # fmt: skip
    return f"{seconds // size} {unit}"

"""The market's own ledger: what it booked as paid in, with the gaps between it and the chain that a real one has.

Worked out from the payments as the chain has them; which entry is wrong, and how, depends on its number alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from casewright.demo.economy import Paid

SOON, LATE = timedelta(minutes=20), timedelta(days=2)
AHEAD = timedelta(hours=2)
"""What is booked so soon after the last block may wait for the next."""
ROUNDED_TO = 100_000


@dataclass(frozen=True)
class Booked:
    """An entry of the ledger. `state`: what the chain says of it."""

    account: int
    sats: int
    txid: str | None
    at: datetime
    remark: str
    state: str


def bookings(paid: Sequence[Paid], ends: datetime) -> tuple[list[Booked], list[Paid]]:
    """The ledger, by time, and the payments that it has no entry for. `ends`: the time of the chain's last block."""
    entries, missing = list[Booked](), list[Paid]()
    for number, payment in enumerate(paid):
        if number % 19 == 9:
            missing.append(payment)
        else:
            entries += _entries(number, payment)
    entries += _without_payment(paid, ends)
    return sorted(entries, key=lambda e: (e.at, e.account, e.state)), missing


def _entries(number: int, paid: Paid) -> Iterator[Booked]:
    """How one payment was booked: now and then late, rounded down, without its transaction, or twice."""
    account, at = paid.payment.account, paid.time + SOON
    if number % 19 == 3:
        yield Booked(account, paid.sats, paid.txid, paid.time + LATE, "deposit", "late")
    elif number % 19 == 5 and paid.sats % ROUNDED_TO:
        yield Booked(account, paid.sats // ROUNDED_TO * ROUNDED_TO, paid.txid, at, "deposit", "wrong amount")
    elif number % 19 == 7:
        yield Booked(account, paid.sats, None, at, "deposit by hand", "agrees")
    else:
        yield Booked(account, paid.sats, paid.txid, at, "deposit", "agrees")
        if number % 19 == 11:
            yield Booked(account, paid.sats, paid.txid, at + SOON, "deposit", "booked twice")


def _without_payment(paid: Sequence[Paid], ends: datetime) -> Iterator[Booked]:
    """Vouchers, and an entry whose transaction never came into a block."""
    for number, payment in enumerate(paid[2::17]):
        at = payment.time + 5 * LATE
        state = "off-chain" if at <= ends + AHEAD else "outside the chain files"
        yield Booked(payment.payment.account, 5 * ROUNDED_TO * (number + 1), None, at, "voucher", state)
    lost = paid[4]
    yield Booked(lost.payment.account, 7_700_000, "00" * 4 + "ab" * 28, lost.time + 3 * LATE, "deposit", "unpaid")

"""What is true of the operation. Only `demo` and tests read it."""

from collections.abc import Sequence
from typing import Any

from casewright.demo.bookings import bookings
from casewright.demo.chain import ChainTruth
from casewright.demo.economy import Paid
from casewright.demo.operation import FLAGS, Operation
from casewright.demo.second_agency import second_agency

UNRESOLVED = "ZZ"


def truth(operation: Operation, chain: ChainTruth, media: dict[str, Any], disk: dict[str, Any]) -> dict[str, Any]:
    """The truth as plain data; `media` says which contents are known, near, new, undecidable
    and undecodable, `disk` what lies on the server's disk."""
    return {
        "accounts": {str(a.number): a.username for a in operation.accounts},
        "deposit_addresses": {a.deposit_address: str(a.number) for a in operation.accounts},
        **money_truth(operation, chain),
        "owners": chain.owners,
        "flags": [[str(account), indicator, why] for account, indicator, why in FLAGS],
        "second agency": second_agency(operation).has,
        "in common": second_agency(operation).common,
        "media": media,
        "disk": disk,
    }  # fmt: skip


def money_truth(operation: Operation, chain: ChainTruth) -> dict[str, Any]:
    """What is true of payments, of the market's own ledger, of what was judged, and where each payer must go."""
    return {
        "payments": [
            {"txid": p.txid, "vout": p.vout, "account": str(p.payment.account), "sats": p.sats, "height": p.height,
             "service": p.service, "hops": p.hops, "route": p.payment.route}
            for p in chain.paid
        ],
        "ledger": _ledger(chain),
        "decisions": [
            {"account": str(d.account), "email": d.email, "verdict": d.verdict, "why": d.why}
            for d in operation.decisions
        ],
        "countries": _countries(operation, chain.paid),
    }  # fmt: skip


def _ledger(chain: ChainTruth) -> list[list[Any]]:
    """Account, state and satoshis of every entry of the market's ledger, and of every payment that it lacks."""
    booked, missing = bookings(chain.paid, chain.ends)
    entries = [[str(b.account), b.state, b.sats] for b in booked]
    return sorted(entries + [[str(p.payment.account), "not booked", p.sats] for p in missing])


def _countries(operation: Operation, paid: Sequence[Paid]) -> dict[str, list[str]]:
    """Where each paying account must go: to the country of the customer that a service names, unless judged negative;
    to nobody in particular when no customer is known."""
    negative = {(d.account, d.email) for d in operation.decisions if d.verdict == "negative"}
    found: dict[str, set[str]] = {}
    for one in paid:
        customer, account = one.payment.customer, one.payment.account
        places = found.setdefault(str(account), set())
        if customer and one.service and (account, customer.email) not in negative:
            places.add(customer.country)
    return {account: sorted(places) or [UNRESOLVED] for account, places in found.items()}

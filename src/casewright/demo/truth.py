"""What is true of the operation. Only `demo` and tests read it."""

from typing import Any

from casewright.demo.bookings import bookings
from casewright.demo.chain import ChainTruth
from casewright.demo.operation import FLAGS, Operation
from casewright.demo.second_agency import second_agency

UNRESOLVED = "ZZ"


def truth(operation: Operation, chain: ChainTruth, media: dict[str, Any], disk: dict[str, Any]) -> dict[str, Any]:
    """The truth as plain data; `media` says which contents are known, near, new, undecidable
    and undecodable, `disk` what lies on the server's disk."""
    return {
        "accounts": {str(a.number): a.username for a in operation.accounts},
        "deposit_addresses": {a.deposit_address: str(a.number) for a in operation.accounts},
        "payments": [
            {"txid": p.txid, "vout": p.vout, "account": str(p.payment.account), "sats": p.sats, "height": p.height,
             "service": p.service, "hops": p.hops, "route": p.payment.route}
            for p in chain.paid
        ],
        "ledger": _ledger(chain),
        "owners": chain.owners,
        "decisions": [
            {"account": str(d.account), "email": d.email, "verdict": d.verdict, "why": d.why}
            for d in operation.decisions
        ],
        "flags": [[str(account), indicator, why] for account, indicator, why in FLAGS],
        "second agency": second_agency(operation).has,
        "in common": second_agency(operation).common,
        "countries": _countries(operation, chain),
        "media": media,
        "disk": disk,
    }  # fmt: skip


def _ledger(chain: ChainTruth) -> list[list[Any]]:
    """Account, state and satoshis of every entry of the market's ledger, and of every payment that it lacks."""
    booked, missing = bookings(chain.paid)
    entries = [[str(b.account), b.state, b.sats] for b in booked]
    return sorted(entries + [[str(p.payment.account), "not booked", p.sats] for p in missing])


def _countries(operation: Operation, chain: ChainTruth) -> dict[str, list[str]]:
    """Where each paying account must go: to the country of the customer that a service names, unless judged negative;
    to nobody in particular when no customer is known."""
    negative = {(d.account, d.email) for d in operation.decisions if d.verdict == "negative"}
    found: dict[str, set[str]] = {}
    for paid in chain.paid:
        customer, account = paid.payment.customer, paid.payment.account
        places = found.setdefault(str(account), set())
        if customer and paid.service and (account, customer.email) not in negative:
            places.add(customer.country)
    return {account: sorted(places) or [UNRESOLVED] for account, places in found.items()}

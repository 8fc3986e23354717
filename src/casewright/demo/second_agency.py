"""A second agency with a case of its own that overlaps: the way in which the real operation was found.

It looks at a sister shop of the market: some of its buyers are the market's, known there in other spellings. What it
has is given as it stands in its records; what of it both have is the truth.
"""

from dataclasses import dataclass

from casewright.demo.operation import Operation
from casewright.model.selectors import normal_form

AGENCY, REFERENCE = "Harbour Police, Heritage Desk", "HP-HD-2018-004"
RUN = "0d5ec0deca5e" + "0" * 16
"""How the number of the demo's exchange begins: the same each time, as all of the demo."""
EVERY, OTHERS = 4, 48
Told = tuple[str, str]
"""Kind of a selector, and the selector as it stands in the agency's records."""


@dataclass(frozen=True)
class SecondAgency:
    """What the agency has, and what of it the market's case has too, in the form in which they are compared."""

    has: tuple[Told, ...]
    common: tuple[Told, ...]


def second_agency(operation: Operation) -> SecondAgency:
    """Each fourth of those who paid: two of three by their email, otherwise written, the others by their address."""
    both: list[Told] = []
    paying = {payment.account for payment in operation.payments}
    for turn, account in enumerate([a for a in operation.accounts if a.number in paying][::EVERY]):
        name, _, host = account.email.partition("@")
        email = f"{name.upper()}+scans@{host.upper()}"
        both.append(("bitcoin", account.deposit_address) if turn % 3 == 0 else ("email", email))
    alone = [("email", f"collector{n}@mail.example") for n in range(OTHERS)]
    common = sorted((kind, normal_form(kind, text)) for kind, text in both)
    return SecondAgency((*both, *alone), tuple(common))

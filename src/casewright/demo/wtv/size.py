"""How large the operation is: `wtv` as public records tell the real one's size, `wtv/16` a sixteenth of everything.

Accounts, payments, media, countries: US DOJ and NCA, October 2019; who paid: press and Chainalysis. Transactions: as
many as the two years in which the market was open would bring to a case, or as many as the disk has room for.
"""

import re
from dataclasses import dataclass

ACCOUNTS, PAYERS, PAYMENTS = 1_300_000, 4_000, 7_300
TRANSACTIONS = 50_000_000
VIDEOS, PICTURES = 250_000, 500_000
SAMPLE_PICTURES, SAMPLE_FILMS = 2_000, 100
"""Media of which there are real bytes; of all others the site's records only."""
ACCESS_LINES, SIGN_IN_LINES = 28_000_000, 2_000_000
VISITS, DOWNLOADS, MESSAGES, PRIORS = 2_000_000, 1_500_000, 60_000, 500_000
COUNTRIES = ("US", "KR", "GB", "DE", "NL", "FR", "CA", "BR", "ES", "IT", "PL", "AU", "JP", "SE", "BE", "AT", "CH", "CZ",
             "PT", "GR", "HU", "RO", "BG", "DK", "FI", "NO", "IE", "NZ", "ZA", "AR", "CL", "CO", "MX", "UA", "TR", "EE",
             "LV", "LT")  # fmt: skip
LEAST_PAYERS, LEAST_TRANSACTIONS = 90, 1_000
A_TRANSACTION, HALF = 2_200, 2
"""Bytes of disk that a transaction takes from its block file to the tables, measured; and no more than half of the disk
is taken for them."""
NAME = re.compile(r"wtv(?:/([1-9][0-9]{0,4}))?")


@dataclass(frozen=True)
class Size:
    """So many of each. `part`: what everything was divided by."""

    part: int
    transactions: int

    @property
    def accounts(self) -> int:
        return max(ACCOUNTS // self.part, 2 * self.payers)

    @property
    def payers(self) -> int:
        """At least as many as it takes for every country to have some, and every route of the money."""
        return max(PAYERS // self.part, LEAST_PAYERS)

    @property
    def payments(self) -> int:
        return max(PAYMENTS // self.part, self.payers * 3 // 2)

    @property
    def videos(self) -> int:
        return max(VIDEOS // self.part, self.sample_films)

    @property
    def pictures(self) -> int:
        return max(PICTURES // self.part, 2 * self.videos)

    @property
    def sample_pictures(self) -> int:
        return max(SAMPLE_PICTURES // self.part, 12)

    @property
    def sample_films(self) -> int:
        return max(SAMPLE_FILMS // self.part, 2)

    def of(self, whole: int) -> int:
        """The share of anything else."""
        return max(whole // self.part, 60)


def named(text: str) -> int | None:
    """What a name of a size divides by: 1 for `wtv`, 16 for `wtv/16`; None when it is no such name."""
    found = NAME.fullmatch(text)
    return int(found[1] or 1) if found else None


def size_of(part: int, room: int) -> Size:
    """The size for a disk with so many free bytes: everything is given but the transactions."""
    fits = room // HALF // A_TRANSACTION
    return Size(part, max(min(TRANSACTIONS // part, fits), LEAST_TRANSACTIONS))

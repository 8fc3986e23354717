"""Which accounts stand in which package: a country's referrals in order, cut where a package would grow too large.

Most countries get one package, called by the country. A country whose accounts do not fit into one gets numbered ones,
`CC-01`, `CC-02`, ..., the most urgent subjects in the first; each is whole by itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from casewright.engine.stage import Context, sql_stage_text

Row = dict[str, Any]

MOST_BYTES = 40_000_000
"""What the files of one package may come to by `sql/weights.sql`, which guesses high; a package may have 50 MB."""


@dataclass(frozen=True)
class Part:
    """One package: the referrals in it, and which of a country's packages it is."""

    country: str
    name: str
    number: int
    of: int
    first: int
    """Place of its first referral among the country's, from 1."""
    among: int
    """How many referrals the country has."""
    referrals: list[Row]


def parts_of(context: Context) -> list[Part]:
    """Every package, countries in the order in which the referrals name them."""
    weights = _weights(context)
    rows = context.table("referrals").to_pylist()
    by_country: dict[str, list[Row]] = {}
    for row in rows:
        by_country.setdefault(row["country"], []).append(row)
    return [part for country, mine in by_country.items() for part in _parts(country, mine, weights)]


def _weights(context: Context) -> dict[str, int]:
    found = context.sql(sql_stage_text(__file__, "weights"))
    return dict(zip(found.column("account").to_pylist(), found.column("bytes").to_pylist(), strict=True))


def _parts(country: str, referrals: list[Row], weights: Mapping[str, int]) -> Iterator[Part]:
    numbers = _numbered(referrals, weights)
    cut = [[row for _, row in pairs] for _, pairs in groupby(zip(numbers, referrals, strict=True), lambda p: p[0])]
    first = 1
    for number, mine in enumerate(cut, 1):
        name = country if len(cut) == 1 else f"{country}-{number:02d}"
        yield Part(country, name, number, len(cut), first, len(referrals), mine)
        first += len(mine)


def _numbered(referrals: list[Row], weights: Mapping[str, int]) -> list[int]:
    """For each referral the number of its package: the next one begins where this one would grow too large."""
    numbers, number, held = [], 0, 0
    for row in referrals:
        weight = weights.get(row["account"], 0)
        if held and held + weight > MOST_BYTES:
            number, held = number + 1, 0
        held += weight
        numbers.append(number)
    return numbers

"""What a package says of other cases that share something with its accounts: strong links only, and a few."""

from collections.abc import Iterable
from typing import Any

from casewright.engine.stage import Context
from casewright.refer.sheet import Sheet

OTHER_CASES = "other_cases"
MOST = 20
STRONG = """
SELECT l.*, u.account FROM case_links l, unnest(l.accounts) AS u(account)
WHERE l.strength = 'strong' AND u.account IN (SELECT account FROM referrals) ORDER BY l.other_case, l.kind, l.case_link
"""


def strong_links(context: Context) -> list[dict[str, Any]]:
    """A row for each strong link and account that is referred."""
    found: list[dict[str, Any]] = context.sql(STRONG).to_pylist()
    return found


def other_cases(sheet: Sheet, accounts: Iterable[str], links: Iterable[dict[str, Any]]) -> None:
    """The figures of the part "other_cases"."""
    mine = set(accounts)
    found = list({row["case_link"]: row for row in links if row["account"] in mine}.values())
    for row in found[:MOST]:
        cells = {"other case": row["other_case"], "of": row["other_agency"], "account": row["account"],
                 "shared": row["kind"], "value": row["value"], "speaks for": row["reason"],
                 "speaks against": row["against"]}  # fmt: skip
        sheet.add_row(OTHER_CASES, row["case_link"], cells, [row["case_link"]])
    if len(found) > MOST:
        more = f"{len(found) - MOST} more links of this kind"
        sheet.add(OTHER_CASES, "more", "more", more, [row["case_link"] for row in found])

"""Who is referred where, and how urgently.

An account goes to the country of the customer that a service names for its payments, unless a person judged that link
negative; to several countries when records say so; to ZZ when nothing says. A person goes along only by a positive
judgement that stands.
"""

from collections import defaultdict
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

UNRESOLVED = "ZZ"
CANDIDATES = """
SELECT a.account, a.username,
       (SELECT count(*) FROM payments p WHERE p.account = a.account) AS payments,
       (SELECT list(p.payment ORDER BY p.payment) FROM payments p WHERE p.account = a.account) AS paid,
       (SELECT count(*) FROM links l JOIN worklist w ON w.item = l.to_id
         WHERE l.kind = 'account-media' AND l.from_id = a.account AND w.state = 'new') AS new_media,
       (SELECT count(*) FROM links l JOIN worklist w ON w.item = l.to_id
         WHERE l.kind = 'account-media' AND l.from_id = a.account AND w.state IN ('known', 'near')) AS listed_media,
       (SELECT list(l.link ORDER BY l.link) FROM links l
         WHERE l.kind = 'account-media' AND l.from_id = a.account) AS media_links
FROM accounts a ORDER BY a.account
"""
PERSONS = """
SELECT l.from_id AS account, l.link, l.to_id AS person, p.country, coalesce(j.verdict, '') AS verdict, j.judgement,
       EXISTS (SELECT 1 FROM links x JOIN persons e ON e.person = x.to_id
               WHERE x.kind = 'person-prior' AND x.from_id = l.to_id AND x.reason NOT LIKE 'name only%'
               AND coalesce(e.note, '') LIKE '%access%') AS access
FROM links l JOIN persons p ON p.person = l.to_id
LEFT JOIN judgements j ON j.link = l.link AND j.stands
WHERE l.kind = 'account-person' ORDER BY l.link
"""
RULES = (
    (1, "a person judged positive whose earlier case notes access"),
    (2, "uploaded media that are on no list"),
    (3, "uploaded media that are on a list, or near one"),
    (4, "paid several times"),
    (5, "paid once"),
)


def referrals(batch: pa.Table, context: Context) -> Output:
    """Every account that paid, or that uploaded media on the worklist, once for each country it goes to."""
    persons: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in context.sql(PERSONS).to_pylist():
        persons[row["account"]].append(row)
    candidates = context.sql(CANDIDATES).to_pylist()
    chosen = [c for c in candidates if c["payments"] or c["new_media"] or c["listed_media"]]
    rows = [row for account in chosen for row in _refer(account, persons[account["account"]])]
    rows.sort(key=lambda r: (r["country"], r["priority"], r["account"], r["person"] or ""))
    tally = Tally("accounts", len(candidates), len(chosen), len(candidates) - len(chosen))
    return Output({"referrals": TABLES["referrals"].rows(rows)}, [], [tally])


def _refer(account: dict[str, Any], persons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row for each country, and in it one for each person judged positive, or one without a person."""
    routes: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for person in persons:
        if person["verdict"] != "negative":
            routes[person["country"] or UNRESOLVED].append(person)
    rows = []
    for country in sorted(routes) or [UNRESOLVED]:
        named: list[dict[str, Any] | None] = [p for p in routes.get(country, []) if p["verdict"] == "positive"]
        rows += [_row(account, country, person, routes.get(country, [])) for person in named or [None]]
    return rows


def _row(
    account: dict[str, Any], country: str, person: dict[str, Any] | None, route: list[dict[str, Any]]
) -> dict[str, Any]:
    level, why = _priority(account, person)
    where = (
        "no record names a country" if country == UNRESOLVED
        else "the person judged lives there" if person
        else "a customer record that nobody judged yet names it: for routing only"
    )  # fmt: skip
    sources = [
        account["account"],
        *(account["paid"] or []),
        *(account["media_links"] or []),
        *(r["link"] for r in route),
    ]
    sources += [person["judgement"]] if person and person["judgement"] else []
    return {
        "referral": make_id("referral", country, account["account"], person["person"] if person else ""),
        "country": country, "account": account["account"], "person": person["person"] if person else None,
        "priority": level, "reason": f"{why}; {where}", "package": country, "sources": sources,
    }  # fmt: skip


def _priority(account: dict[str, Any], person: dict[str, Any] | None) -> tuple[int, str]:
    """The first rule that holds."""
    holds = (
        bool(person and person["access"]), account["new_media"] > 0, account["listed_media"] > 0,
        account["payments"] > 1, True,
    )  # fmt: skip
    return next(rule for rule, fits in zip(RULES, holds, strict=True) if fits)

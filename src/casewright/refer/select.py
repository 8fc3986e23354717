"""Who is referred where, and how urgently.

An account goes to the country of the customer that a service names for its payments, unless a person judged that link
negative; to several countries when records say so; to ZZ when nothing says. A person goes along only by a positive
judgement that stands.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.ids import make_id
from casewright.model.tables import TABLES
from casewright.refer.countries import UNRESOLVED, country_of
from casewright.refer.facts import rows_by
from casewright.refer.placing import Row

RULES = (
    (1, "the person judged has an earlier case, judged to be theirs, whose note speaks of access or risk"),
    (2, "the person judged may have an earlier case whose note speaks of access or risk (strong, not judged yet)"),
    (3, "uploaded media that are on no list"),
    (4, "uploaded media that are on a list, or near one"),
    (5, "paid several times"),
    (6, "paid once"),
)
"""The first that holds decides; within a priority the latest conduct comes first. The reason is printed."""


def referrals(batch: pa.Table, context: Context) -> Output:
    """Every account that paid, or that uploaded media on the worklist which nobody judged negative, once for each
    country it goes to."""
    persons = rows_by(context, "account", sql_stage_text(__file__, "routes"))
    priors = rows_by(context, "person", sql_stage_text(__file__, "priors"))
    candidates = context.sql(sql_stage_text(__file__, "candidates")).to_pylist()
    chosen = [c for c in candidates if c["payments"] or c["new_media"] or c["listed_media"]]
    rows = [row for account in chosen for row in _refer(account, persons[account["account"]], priors)]
    rows.sort(key=_urgency)
    written = [{k: v for k, v in row.items() if k != "last"} for row in rows]
    tally = Tally("accounts", len(candidates), len(chosen), len(candidates) - len(chosen))
    return Output({"referrals": TABLES["referrals"].rows(written)}, [], [tally])


def _urgency(row: Row) -> tuple[str, int, float, str, str]:
    last = row["last"]
    seconds = (last - datetime(1970, 1, 1)).total_seconds() if last else 0.0  # noqa: DTZ001  table times are UTC
    return row["country"], row["priority"], -seconds, row["account"], row["person"] or ""


def _refer(account: Row, persons: list[Row], priors: Mapping[str, list[Row]]) -> list[Row]:
    """One row for each country, and in it one for each person judged positive, or one without a person."""
    routes: dict[str, list[Row]] = defaultdict(list)
    for person in persons:
        if person["verdict"] != "negative":
            routes[country_of(person["country"])].append(person)
    rows = []
    for country in sorted(routes) or [UNRESOLVED]:
        route = routes.get(country, [])
        named: list[Row | None] = [p for p in route if p["verdict"] == "positive"]
        rows += [_row(account, country, person, route, priors) for person in named or [None]]
    return rows


def _row(account: Row, country: str, person: Row | None, route: list[Row], priors: Mapping[str, list[Row]]) -> Row:
    earlier = priors.get(person["person"], []) if person else []
    level, why = _priority(account, earlier)
    sources = [account["account"], *(account["paid"] or []), *(account["media_links"] or [])]
    sources += [r["link"] for r in route]
    sources += [person["judgement"]] if person else []
    sources += [s for p in earlier for s in (p["link"], p["judgement"]) if s]
    return {
        "referral": make_id("referral", country, account["account"], person["person"] if person else ""),
        "country": country, "account": account["account"], "person": person["person"] if person else None,
        "priority": level, "reason": f"{why}; {_route(country, person, route)}", "package": country,
        "sources": sources, "last": account["last"],
    }  # fmt: skip


def _route(country: str, person: Row | None, route: list[Row]) -> str:
    if country == UNRESOLVED:
        return "a record names what is no country" if any(r["country"] for r in route) else "no record names a country"
    return (
        "the record of the person judged names it" if person
        else "a customer record that nobody judged yet names it: for routing only"
    )  # fmt: skip


def _priority(account: Row, earlier: list[Row]) -> tuple[int, str]:
    """The first rule that holds."""
    holds = (
        any(p["verdict"] == "positive" for p in earlier), bool(earlier), account["new_media"] > 0,
        account["listed_media"] > 0, account["payments"] > 1, True,
    )  # fmt: skip
    return next(rule for rule, fits in zip(RULES, holds, strict=True) if fits)

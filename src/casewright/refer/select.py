"""Who is referred where, and how urgently.

An account goes to the countries that `jurisdictions` routes it to. How urgent it is, the table `[priority]` of
case.toml says. A person goes along only by a positive judgement that stands, and only where their own record names the
country, or names none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.model.ids import make_id
from casewright.model.priority import PrioritySettings, Rule, first_level, told
from casewright.model.tables import TABLES
from casewright.refer.countries import UNRESOLVED, country_of
from casewright.refer.facts import rows_by
from casewright.refer.placing import Row
from casewright.refer.standing_out import Crowd

Rows = Mapping[str, list[Row]]
LARGER_FIRST = {"new media": "new_media", "listed media": "listed_media", "uploads": "uploads",
                "downloads": "downloads", "payments": "payments", "satoshis": "satoshis"}  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What referrals are made of, beside the accounts; by account, earlier cases by person."""

    routes: Rows
    persons: Rows
    priors: Rows
    flags: Rows
    levels: list[Rule]


def referrals(batch: pa.Table, context: Context) -> Output:
    """Every account for which a row of the rule holds, once for each country it goes to, and in it once for each person
    judged positive whom the country is told of, or once without a person."""
    rule = PrioritySettings(**context.params)
    by_account = {name: rows_by(context, "account", sql_stage_text(__file__, name))
                  for name in ("routed", "routes", "flagged")}  # fmt: skip
    priors = rows_by(context, "person", sql_stage_text(__file__, "priors"))
    known = Known(by_account["routed"], by_account["routes"], priors, by_account["flagged"], rule.levels())
    candidates = context.sql(sql_stage_text(__file__, "candidates"), {"recent": rule.recent_days}).to_pylist()
    chosen = [(account, rows) for account in candidates if (rows := _refer(account, known))]
    crowd = Crowd([account for account, _ in chosen])
    made = [{**row, "stands_out": crowd.words(account)} for account, rows in chosen for row in rows]
    made.sort(key=lambda row: _urgency(row, rule.within))
    written = [{k: v for k, v in row.items() if k != "of"} for row in made]
    tally = Tally("accounts", len(candidates), len(chosen), len(candidates) - len(chosen))
    return Output({"referrals": TABLES["referrals"].rows(written)}, [], [tally])


def _urgency(row: Row, within: tuple[str, ...]) -> tuple[Any, ...]:
    """What is more urgent comes first; what is equally so, by account and person."""
    account = row["of"]
    orders = {"flags": -len(row["flags"]), "latest": -_seconds(account["last"])}
    orders |= {name: -account[column] for name, column in LARGER_FIRST.items()}
    return (row["country"], row["priority"], *(orders[name] for name in within), row["account"], row["person"] or "")


def _seconds(time: datetime | None) -> float:
    return (time - datetime(1970, 1, 1)).total_seconds() if time else 0.0  # noqa: DTZ001  table times are UTC


def _refer(account: Row, known: Known) -> list[Row]:
    """One row for each country, and in it one for each person judged positive, or one without a person."""
    rows = []
    persons = [p for p in known.persons.get(account["account"], []) if p["verdict"] != "negative"]
    for route in known.routes.get(account["account"], []):
        named: list[Row | None] = [p for p in persons if p["verdict"] == "positive" and _is_told(p, route)]
        made = (_row(account, route, person, persons, known) for person in named or [None])
        rows += [row for row in made if row is not None]
    return rows


def _is_told(person: Row, route: Row) -> bool:
    """Whether a country is told of a person judged: their record names it, or names none."""
    country = country_of(person["country"])
    return country == route["country"] or (country == UNRESOLVED and "address" in route["kinds"])


def _row(account: Row, route: Row, person: Row | None, persons: list[Row], known: Known) -> Row | None:
    """One referral; None when no row of the rule holds."""
    name = person["person"] if person else None
    earlier = known.priors.get(name, []) if name else []
    flags = [f for f in known.flags.get(account["account"], []) if f["person"] in (None, name)]
    holds = _conditions(account, earlier, flags, person)
    found = first_level(known.levels, holds)
    if found is None:
        return None
    level, by = found
    place = _place(route, person, persons)
    more = told([c for c in holds if c not in by])
    sources = [account["account"], *(account["paid"] or []), *(account["media_links"] or []), *route["ids"]]
    sources += [f["flag"] for f in flags] + ([person["link"], person["judgement"]] if person else [])
    sources += [s for p in earlier for s in (p["link"], p["judgement"]) if s]
    return {
        "referral": make_id("referral", route["country"], account["account"], name or ""),
        "country": route["country"], "account": account["account"], "person": name, "priority": level,
        "reason": f"{', and '.join(told(by))}; {place}", "held": [w for w in more if w not in told(by)],
        "flags": [f["flag"] for f in flags], "place": place, "place_against": route["against"],
        "package": route["country"], "sources": list(dict.fromkeys(sources)), "of": account,
    }  # fmt: skip


def _place(route: Row, person: Row | None, persons: list[Row]) -> str:
    """Why this country, in words without numbers, so that equal reasons can be counted."""
    if route["country"] == UNRESOLVED:
        return (
            "a record names what is no country" if any(p["country"] for p in persons) else "no record names a country"
        )
    words = []
    if "record" in route["kinds"]:
        words.append("the record of the person judged names it" if person
                     else "a customer record that nobody judged yet names it: for routing only")  # fmt: skip
    if "address" in route["kinds"]:
        words.append("addresses at sign-in and the like agree on it over days")
    return ", and ".join(words)


def _conditions(account: Row, earlier: list[Row], flags: list[Row], person: Row | None) -> list[str]:
    """The conditions of the rule that hold, in their usual order."""
    seen = {f["indicator"] for f in flags}
    holds = {
        "access flagged": "access" in seen, "harm flagged": "harm" in seen,
        "prior judged": any(p["verdict"] == "positive" for p in earlier), "prior suggested": bool(earlier),
        "new media": account["new_media"] > 0, "listed media": account["listed_media"] > 0,
        "uploaded": account["uploads"] > 0, "recent": account["recent"],
        "paid repeatedly": account["payments"] > 1, "paid": account["payments"] > 0,
        "downloaded": account["downloads"] > 0, "named": person is not None,
    }  # fmt: skip
    return [name for name, fits in holds.items() if fits]

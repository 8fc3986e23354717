"""The stage `jurisdictions`: everything that says to which country an account belongs, and what of it decides.

Customer records are strong and route. Addresses route when they agree over days: at least `refer.place_days` of them,
and at least `refer.place_share` of the days on which any address of the account locates it. Phone prefixes and
languages are weak: they are printed, and never route. Several countries may hold; where none does, the account is
unresolved (ZZ). Conflicts are kept: each row names what points elsewhere.
"""

import re
from collections.abc import Callable
from typing import Any

import phonenumbers
import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import Context, Output, Tally, shaped, sql_stage_text
from casewright.model.ids import make_id
from casewright.refer.countries import UNRESOLVED, country_of
from casewright.refer.places import hidden, places

LOCALE = re.compile(r"[(;] *([a-z]{2}[-_][A-Za-z]{2}) *[;)]")
"""How programs of the years before 2011, and some later ones, name their language and country among their remarks."""
AS_DELIVERED = "en-US"
"""What most programs say that nobody set: it says nothing."""


def jurisdictions(batch: pa.Table, context: Context) -> Output:
    """A row for each hint, and one for each account that none of them routes."""
    seen = context.sql(sql_stage_text(__file__, "sightings"))
    found, lists = _located(seen, context.table("not_locating"))
    hints = pa.concat_tables([_of_records(context), _of_addresses(seen, found, lists, context), _weak(context)])
    rows = context.sql(sql_stage_text(__file__, "jurisdictions"), hints=_named(hints))
    accounts = context.table("accounts").num_rows
    resolved = rows.filter(pc.and_(rows["routes"], pc.not_equal(rows["country"], UNRESOLVED)))
    done = pc.count_distinct(resolved["account"]).as_py()
    return Output(
        {"jurisdictions": shaped("jurisdictions", rows)}, [], [Tally("accounts", accounts, done, accounts - done)]
    )


def _located(seen: pa.Table, given: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Where each address of these sightings is, and which given networks hold it: once for each address."""
    texts = pc.unique(seen["ip"]).to_pylist()
    found, addresses = places(texts)
    return found, hidden(texts, addresses, given)


def _of_records(context: Context) -> pa.Table:
    codes = _coded(context.table("persons")["country"], _code)
    return context.sql(sql_stage_text(__file__, "hints_of_records"), codes=codes)


def _of_addresses(seen: pa.Table, found: pa.Table, lists: pa.Table, context: Context) -> pa.Table:
    bind = {"days": context.params["place_days"], "share": context.params["place_share"]}
    sql = sql_stage_text(__file__, "hints_of_addresses")
    return context.sql(sql, bind, sightings=seen, places=found, hidden=lists)


def _weak(context: Context) -> pa.Table:
    phones = _coded(context.table("persons")["phone"], phone_country)
    agents = _coded(context.table("logins")["agent"], language_country)
    return context.sql(sql_stage_text(__file__, "hints_weak"), phones=phones, agents=agents)


def _coded(said: Any, code: Callable[[str], tuple[str, str] | None]) -> pa.Table:
    """What stands in a column, each value once, that names a country: `said`, its `code`, the words that name it."""
    rows = [(text, *found) for text in pc.unique(said).to_pylist() if text and (found := code(text))]
    names = ("said", "code", "locale")
    return pa.table({name: pa.array([row[n] for row in rows], pa.string()) for n, name in enumerate(names)})


def _code(text: str) -> tuple[str, str] | None:
    code = country_of(text)
    return None if code == UNRESOLVED else (code, code)


def phone_country(text: str) -> tuple[str, str] | None:
    """The country of a number in international form; numbers that several countries share name one of them."""
    try:
        number = phonenumbers.parse(text[:64])
    except phonenumbers.NumberParseException:
        return None
    return _code(phonenumbers.region_code_for_number(number) or "")


def language_country(agent: str) -> tuple[str, str] | None:
    """The country that a program's language names, when it is not the one that programs are delivered with."""
    found = LOCALE.search(agent[:1024])
    if found is None:
        return None
    language, country = re.split("[-_]", found[1])
    locale = f"{language}-{country.upper()}"
    named = None if locale == AS_DELIVERED else _code(country)
    return (named[0], locale) if named else None


def _named(hints: pa.Table) -> pa.Table:
    columns = (hints[name].to_pylist() for name in ("account", "country", "kind", "reason"))
    ids = [make_id("where", *row) for row in zip(*columns, strict=True)]
    return hints.append_column("id", pa.array(ids, pa.string()))

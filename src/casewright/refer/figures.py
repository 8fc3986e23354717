"""Every value that a package prints, as rows: place, label, value, and the ids of what it rests on.

Writers print these rows and fixed words, nothing else.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from casewright import __version__
from casewright.engine.stage import Context, Output, Tally
from casewright.model.bitcoin import amount
from casewright.model.tables import TABLES
from casewright.refer.facts import Facts, packages
from casewright.refer.grounds import ladder_of, where_of
from casewright.refer.handling import Codes
from casewright.refer.other_cases import other_cases
from casewright.refer.page_one import judged, page_one
from casewright.refer.placing import Row
from casewright.refer.recalled import recalls_of
from casewright.refer.sheet import (
    ACCOUNTS,
    BALANCE,
    CREDITS,
    HOPS,
    LOGINS,
    MEDIA,
    METHOD,
    PAYMENTS,
    PERSONS,
    PROCESS,
    SERVICES,
    SUMMARY,
    TRANSFERS,
    Sheet,
    counted,
)

LOGIN_LIMIT = 50
"""Latest sign-ins of an account that go along; `sign-ins` beside the account says how many there are."""
WAYS = {"back": "came from it", "forward": "went to it"}
"""What a direction of a trace means to somebody who has the payment before them."""
GIVEN_UP = {
    "freed": "no longer: the database had given the row up",
    "wal": "no longer: the row stood on a page that was replaced or never committed",
}
"""What is said of a row that the service's database no longer shows; nothing is said of those that it does."""


def figures(batch: pa.Table, context: Context) -> Iterator[Output]:
    """The figures of every package, most urgent subjects first, as the referrals stand; a package at a time."""
    yield Output({"figures": TABLES["figures"].empty()})
    codes = Codes.of(context.params, context)
    for facts in packages(context):
        tally = Tally("referrals", len(facts.referrals), len(facts.referrals))
        yield Output({"figures": _sheet(facts, codes, context.params).table()}, [], [tally])


def _sheet(facts: Facts, codes: Codes, params: Mapping[str, Any]) -> Sheet:
    sheet, referrals = Sheet(facts.part.country, facts.part.name, codes), facts.referrals
    page_one(sheet, referrals, facts, params)
    recalls_of(sheet, facts.recalls)
    for referral in referrals:
        _account(sheet, referral, facts)
    accounts = list(dict.fromkeys(r["account"] for r in referrals))
    for account in accounts:
        where_of(sheet, account, facts)
        _conduct(sheet, account, facts)
    other_cases(sheet, accounts, facts.case_links)
    _process(sheet, [p for a in accounts for p in facts.payments[a]], facts)
    for row in facts.tallies:
        subject = f"{row['stage']}/{row['noun']}"
        sheet.add_row(BALANCE, subject, row, [subject])
    _method(sheet, facts, params)
    _about(sheet, facts, params)
    return sheet


def _about(sheet: Sheet, facts: Facts, params: Mapping[str, Any]) -> None:
    """What the first page says of the package itself: which of several it is, what is withheld, how long it is kept."""
    part, ids = facts.part, [row["referral"] for row in facts.referrals]
    if part.of > 1:
        last = part.first + len(ids) - 1
        words = f"{part.number} of {part.of}: subjects {part.first} to {last} of {part.among} in order of priority"
        sheet.add(SUMMARY, sheet.country, "Part", words, ids)
    kept = params["keep_until"] or f"{params['retention_days']} days after receipt"
    sheet.add(SUMMARY, sheet.country, "Keep until", kept, facts.settings)
    if away := sorted(sheet.withheld.items()):
        words = "; ".join(f"{count} values under {code}" for code, count in away)
        sheet.add(SUMMARY, sheet.country, "Withheld", words, facts.settings)


def _account(sheet: Sheet, referral: Row, facts: Facts) -> None:
    account, subject = facts.accounts[referral["account"]], referral["referral"]
    why = {"priority": referral["priority"], "why": referral["reason"], "also": "; ".join(referral["held"] or []),
           "country, against": referral["place_against"], "sets it apart": referral["stands_out"]}  # fmt: skip
    sheet.add_row(ACCOUNTS, subject, why, [subject])
    ladder_of(sheet, referral, facts)
    about = {"account": account["account"], "native": account["native"], "username": account["username"],
             "email": account["email"], "registered": account["registered_at"],
             "registered from": account["registered_ip"], "on record": GIVEN_UP.get(account["origin"])}  # fmt: skip
    sheet.add_row(ACCOUNTS, subject, about, [account["account"]])
    for former in facts.former[account["account"]]:
        label = f"{former['column'].replace('_', ' ')} before"
        sheet.add(ACCOUNTS, subject, label, former["value"], [former["id"]])
    logins = [row["login"] for row in facts.logins[account["account"]]]
    sheet.add(ACCOUNTS, subject, "sign-ins", len(logins), logins or [account["account"]])
    if referral["person"]:
        _person(sheet, referral, facts)


def _person(sheet: Sheet, referral: Row, facts: Facts) -> None:
    """A person whom a judgement names: the record, the ladder of evidence, and what speaks against it."""
    person, subject = facts.persons[referral["person"]], referral["referral"]
    account, (link, verdict) = facts.accounts[referral["account"]], facts.verdict(referral)
    sheet.add(PERSONS, subject, "full name", person["full_name"], [person["person"]])
    sheet.add(PERSONS, subject, "account", account["username"] or account["account"], [account["account"]])
    record = {k: person[k] for k in ("born", "email", "phone", "country")}
    sheet.add_row(PERSONS, subject, {**record, "record of": person["reference"]}, [person["person"]])
    against = link["against"] or "nothing found; that is no proof"
    sheet.add_row(PERSONS, subject, {"speaks for": link["reason"], "speaks against": against}, [link["link"]])
    words = f"{verdict['verdict']} by {verdict['examiner']}: {verdict['why']}"
    sheet.add(PERSONS, subject, "judgement", words, [verdict["judgement"]])
    for earlier in facts.priors[person["person"]]:
        words = f"{earlier['reason']} ({judged(earlier)}): {earlier['note']}"
        sources = [earlier["link"], earlier["earlier"], earlier["judgement"]]
        sheet.add(PERSONS, subject, "earlier case", words, sources)


def _conduct(sheet: Sheet, account: str, facts: Facts) -> None:
    name = facts.accounts[account]["username"] or account
    for p in facts.payments[account]:
        values = {"account": name, "time": p["time"], "amount": amount(p["sats"]), "satoshis": p["sats"],
                  "transaction": p["txid"], "output": p["vout"], "address": p["address"],
                  "block": p["height"],
                  "address on record": GIVEN_UP.get(facts.address_origins.get(p["payment"], ""))}  # fmt: skip
        sheet.add_row(PAYMENTS, p["payment"], values, [p["payment"], account])
        for row in facts.booked[p["payment"]]:
            sheet.add(PAYMENTS, p["payment"], "the site's ledger", f"{row['state']}: {row['reason']}", [row["id"]])
        _trace(sheet, p, facts)
    for row in facts.unpaid[account]:
        cells = {"account": name, "time": row["time"], "amount": amount(row["sats"]),
                 "the site's ledger": f"{row['state']}: {row['reason']}"}  # fmt: skip
        sheet.add_row(CREDITS, row["id"], cells, [row["id"]])
    for link, work in facts.media(account):
        cells = {"account": name, "state": work["state"], "why": work["reason"], "kind": work["kind"],
                 "width": work["width"], "height": work["height"], "path": work["name"], "size": work["size"],
                 "type": work["mime"], "sha256": work["sha256"], "sha1": work["sha1"], "md5": work["md5"],
                 "pdq": work["pdq"], "speaks for": link["reason"], "speaks against": link["against"]}  # fmt: skip
        sheet.add_row(MEDIA, link["link"], cells, [link["link"], "work/" + work["item"], account])
    for kind, rows in (("upload", facts.uploads[account]), ("download", facts.downloads[account])):
        for t in rows:
            cells = {"account": name, "kind": kind, "time": t["time"], "reference": t["reference"], "from": t["ip"],
                     "on record": GIVEN_UP.get(t["origin"])}  # fmt: skip
            sheet.add_row(TRANSFERS, t[kind], cells, [t[kind]])
    for login in facts.logins[account][:LOGIN_LIMIT]:
        cells = {"account": name, "time": login["time"], "from": login["ip"], "agent": login["agent"],
                 "time rule": login["zone"], "on record": GIVEN_UP.get(login["origin"])}  # fmt: skip
        sheet.add_row(LOGINS, login["login"], cells, [login["login"]])


def _trace(sheet: Sheet, payment: Row, facts: Facts) -> None:
    """The services behind a payment, each with what leads to it and what speaks against it, and the steps of the way
    back."""
    for s in facts.services[payment["payment"]]:
        cells = {"payment": payment["payment"], "direction": WAYS[s["direction"]], "service": s["service"],
                 "hops": s["hops"], "confidence": s["confidence"], "transaction": s["txid"], "satoshis": s["sats"],
                 "of the payment": _share(s["share"], payment["sats"]), "rests on": "; ".join(s["rules"] or []),
                 "speaks against": s["against"] or "nothing found; that is no proof"}  # fmt: skip
        sheet.add_row(SERVICES, s["id"], cells, [s["id"], payment["payment"]])
    for h in facts.hops[payment["payment"]]:
        cells = {"payment": payment["payment"], "step": h["step"], "transaction": h["txid"], "from": h["from_cluster"],
                 "to": h["to_cluster"], "satoshis": h["sats"], "of the payment": h["share"],
                 "transactions": h["transactions"], "why": h["reason"]}  # fmt: skip
        sheet.add_row(HOPS, h["hop"], cells, [h["hop"]])


def _share(share: int | None, paid: int) -> str:
    """How much of the payment a service is answerable for, as a figure that an officer can read."""
    if share is None:
        return "cannot be told"
    return f"{amount(share)}, {100 * share / paid:.1f} %" if paid else amount(share)


def _process(sheet: Sheet, payments: list[Row], facts: Facts) -> None:
    """What was asked of services about these accounts' payments."""
    for q in facts.asked(payments):
        cells = {"reference": q["reference"], "service": q["service"], "legal name": q["legal_name"],
                 "jurisdiction": q["jurisdiction"], "transaction": q["txid"], "address": q["address"],
                 "satoshis": q["sats"], "time": q["time"], "answered": "yes" if q["answered"] else "no"}  # fmt: skip
        sheet.add_row(PROCESS, q["request"], cells, [q["request"]])


def _method(sheet: Sheet, facts: Facts, params: Mapping[str, Any]) -> None:
    """Versions and settings under which the figures were made, and the evidence itself."""
    sheet.add(METHOD, "casewright", "Casewright version", __version__, facts.settings)
    for name in ("network", "targeted", "max_hops", "dust_sats", "max_age_days", "taint", "gathered_from",
                 "busy_wallet", "market_members", "pdq_distance", "cut_distance", "pdq_quality", "frame_share",
                 "excerpt_seconds", "common_films", "common_seconds", "assumed_zone", "clock_offset_seconds",
                 "retention_days", "place_days", "place_share", "agree_hours", "rules", "within",
                 "recent_days"):  # fmt: skip
        value = params[name]
        words = "; ".join(value) if isinstance(value, list | tuple) else value
        words = {True: "yes", False: "no"}[words] if isinstance(words, bool) else words
        sheet.add(METHOD, "case.toml", name, words, facts.settings)
    sheet.add(METHOD, "case.toml", "countries of addresses", params["countries"], facts.settings)
    for row in facts.measured:
        subject = f"measured/{row['heuristic']}/{row['measure']}"
        sheet.add(METHOD, subject, f"{row['heuristic']}: {row['measure']}", counted(row["count"], row["of"]), [subject])
    for exhibit in facts.seizures:
        cells = {"exhibit": exhibit["name"], "exhibit SHA-256": exhibit["exhibit"]}
        sheet.add_row(METHOD, exhibit["exhibit"], cells, [exhibit["exhibit"]])

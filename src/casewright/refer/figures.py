"""Every value that a package prints, as rows: place, label, value, and the ids of what it rests on.

Writers print these rows and fixed words, nothing else. The order of the sections is that of the first page: what is at
risk and why, who, why this country, conduct, handling, process served, deconfliction, what is asked, contact.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa

from casewright import __version__
from casewright.engine.stage import Context, Output, Tally
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

SUMMARY, ACCOUNTS, PERSONS, PAYMENTS, SERVICES, HOPS, MEDIA, TRANSFERS, LOGINS, PROCESS, BALANCE, METHOD = (
    "summary", "accounts", "persons", "payments", "services", "hops", "media", "transfers", "logins", "process",
    "balance", "method",
)  # fmt: skip
LOGIN_LIMIT = 50


@dataclass
class Sheet:
    """The figures of one country's package."""

    country: str
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, section: str, subject: str, label: str, value: Any, sources: Iterable[str | None]) -> None:
        """One figure. NULL prints as nothing and is no figure."""
        if value is None or value == "":
            return
        position = len(self.rows)
        self.rows.append({
            "figure": make_id("fig", self.country, section, subject, label, position), "country": self.country,
            "section": section, "subject": subject, "label": label, "value": _text(value), "position": position,
            "sources": list(dict.fromkeys(s for s in sources if s)),
        })  # fmt: skip

    def add_row(self, section: str, subject: str, values: Mapping[str, Any], sources: Iterable[str | None]) -> None:
        """A row of a table: each cell a figure, resting on the same rows."""
        listed = list(sources)
        for label, value in values.items():
            self.add(section, subject, label, value, listed)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S") + " UTC"
    return str(value)


def btc(sats: int) -> str:
    """Satoshis as BTC, exactly."""
    return f"{sats // 100_000_000}.{sats % 100_000_000:08d} BTC"


def figures(batch: pa.Table, context: Context) -> Output:
    """The figures of every package."""
    referrals = context.sql("SELECT * FROM referrals ORDER BY country, priority, account, person").to_pylist()
    facts = Facts(context)
    by_country: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in referrals:
        by_country[row["country"]].append(row)
    rows = [row for country, mine in by_country.items() for row in _sheet(country, mine, facts, context).rows]
    tally = Tally("referrals", len(referrals), len(referrals))
    return Output({"figures": TABLES["figures"].rows(rows)}, [], [tally])


class Facts:
    """Rows of the case by what they are about."""

    def __init__(self, context: Context) -> None:
        def by(key: str, sql: str) -> dict[str, list[dict[str, Any]]]:
            found: dict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in context.sql(sql).to_pylist():
                found[row[key]].append(row)
            return found

        self.accounts = {k: v[0] for k, v in by("account", "SELECT * FROM accounts ORDER BY account").items()}
        self.payments = by("account", "SELECT * FROM payments ORDER BY time, txid, vout")
        self.services = by("payment", "SELECT * FROM services ORDER BY direction, hops, service, id")
        self.hops = by("payment", "SELECT * FROM hops WHERE direction = 'back' ORDER BY step, hop")
        self.persons = {k: v[0] for k, v in by("person", "SELECT * FROM persons ORDER BY person").items()}
        self.links = by("from_id", "SELECT * FROM links ORDER BY kind, link")
        self.judgements = by("link", "SELECT * FROM judgements WHERE stands ORDER BY judgement")
        self.uploads = by("account", "SELECT * FROM uploads WHERE account IS NOT NULL ORDER BY time, upload")
        self.downloads = by("account", "SELECT * FROM downloads WHERE account IS NOT NULL ORDER BY time, download")
        self.logins = by("account", "SELECT * FROM logins WHERE account IS NOT NULL ORDER BY time DESC, login")
        self.requests = by("service", "SELECT * FROM requests ORDER BY time, txid, request")
        self.work = {
            k: v[0]
            for k, v in by(
                "item",
                "SELECT w.*, i.name, i.size, i.sha256, i.sha1, i.md5, i.mime, m.kind, m.width, m.height, m.pdq "
                "FROM worklist w JOIN items i USING (item) JOIN media m USING (item) ORDER BY item",
            ).items()
        }
        self.tallies = context.sql("SELECT * FROM tallies ORDER BY stage, noun").to_pylist()
        settings = context.sql("SELECT exhibit FROM exhibits WHERE role = 'settings'").to_pylist()
        self.settings = [row["exhibit"] for row in settings]
        self.seizures = context.sql("SELECT * FROM exhibits WHERE role = 'seizure' ORDER BY exhibit").to_pylist()


def _sheet(country: str, referrals: list[dict[str, Any]], facts: Facts, context: Context) -> Sheet:
    sheet = Sheet(country)
    _summary(sheet, referrals, facts, context.params)
    for referral in referrals:
        _account(sheet, referral, facts)
    seen: set[str] = set()
    for referral in referrals:
        if referral["account"] not in seen:
            seen.add(referral["account"])
            _conduct(sheet, referral["account"], facts)
    _process(sheet, referrals, facts)
    for row in facts.tallies:
        subject = f"{row['stage']}/{row['noun']}"
        sheet.add_row(BALANCE, subject, row, [subject])
    _method(sheet, facts, context.params)
    return sheet


def _summary(sheet: Sheet, referrals: list[dict[str, Any]], facts: Facts, params: Mapping[str, Any]) -> None:
    """The first page, in the order in which an officer asks."""
    first, ids = referrals[0], [r["referral"] for r in referrals]
    accounts = list(dict.fromkeys(r["account"] for r in referrals))
    named = [r for r in referrals if r["person"]]
    urgent = [r for r in referrals if r["priority"] <= 2]
    paid = [p for a in accounts for p in facts.payments[a]]
    moved = [t for a in accounts for t in (*facts.uploads[a], *facts.downloads[a])]

    def say(label: str, value: Any, sources: Iterable[str | None]) -> None:
        sheet.add(SUMMARY, sheet.country, label, value, sources)

    say("Access and risk now", _risk(urgent), [r["referral"] for r in urgent] or ids)
    say("Most urgent", f"priority {first['priority']}: {first['reason']}", [first["referral"]])
    say("Accounts referred", len(accounts), ids)
    say("Persons named by a judgement", len(named), [r["judgement"] for n in named for r in _verdicts(n, facts)] or ids)
    for referral in named[:3]:
        person, verdicts = facts.persons[referral["person"]], _verdicts(referral, facts)
        ladder = f"payment, record of {person['reference']}, judgement by {', '.join(v['examiner'] for v in verdicts)}"
        words = f"{person['full_name']}, born {person['born'] or 'unknown'}; rests on: {ladder}"
        say("Best identity", words, [referral["person"], *(j["judgement"] for j in verdicts)])
    say("Why this country", _why_country(referrals), ids)
    if paid:
        say("Payments", f"{len(paid)}, together {btc(sum(p['sats'] for p in paid))}", [p["payment"] for p in paid])
        say("First and last payment", f"{_text(paid[0]['time'])} to {_text(max(p['time'] for p in paid))}",
            [p["payment"] for p in paid])  # fmt: skip
    ups = [u["upload"] for a in accounts for u in facts.uploads[a]]
    downs = [d["download"] for a in accounts for d in facts.downloads[a]]
    say("Uploads and downloads on record", f"{len(ups)} up, {len(downs)} down", [*ups, *downs] if moved else ids)
    for label in ("handling", "permitted_use"):
        say({"handling": "Handling code", "permitted_use": "Permitted use"}[label], params[label], facts.settings)
    served = sorted({s["service"] for p in paid for s in facts.services[p["payment"]] if s["direction"] == "back"})
    asked = [q for s in served for q in facts.requests[s]]
    say("Legal process", f"drafted to {len(served)} services: {', '.join(served)}" if served else "none drafted",
        [q["request"] for q in asked] or ids)  # fmt: skip
    say("Deconfliction", "not checked: no other agency was asked", facts.settings)
    say(
        "Action asked", "assess each subject; identify accounts without a person; send back the receipt", facts.settings
    )
    say("Reply within", f"{params['reply_within_days']} days", facts.settings)
    say("Contact", params["contact"], facts.settings)
    say(
        "Case", f"{params['title']} ({params['reference']})" if params["reference"] else params["title"], facts.settings
    )
    say("Agency", params["agency"], facts.settings)


def _risk(urgent: list[dict[str, Any]]) -> str:
    if not urgent:
        return "no subject here is known to have access; that is not a finding that none has"
    return f"{len(urgent)} judged subject(s) whose earlier case notes access: act on these first"


def _why_country(referrals: list[dict[str, Any]]) -> str:
    reasons: dict[str, int] = defaultdict(int)
    for referral in referrals:
        reasons[referral["reason"].rpartition("; ")[2]] += 1
    return "; ".join(f"{count} × {reason}" for reason, count in sorted(reasons.items()))


def _verdicts(referral: Mapping[str, Any], facts: Facts) -> list[dict[str, Any]]:
    """The judgements that tie this referral's person to its account."""
    links = [
        n
        for n in facts.links[referral["account"]]
        if n["kind"] == "account-person" and n["to_id"] == referral["person"]
    ]
    return [j for n in links for j in facts.judgements[n["link"]]]


def _account(sheet: Sheet, referral: Mapping[str, Any], facts: Facts) -> None:
    account = facts.accounts[referral["account"]]
    values = {"priority": referral["priority"], "why": referral["reason"]}
    sheet.add_row(ACCOUNTS, referral["referral"], values, [referral["referral"]])
    about = {"account": account["account"], "native": account["native"], "username": account["username"],
             "email": account["email"], "registered": account["registered_at"],
             "registered from": account["registered_ip"]}  # fmt: skip
    sheet.add_row(ACCOUNTS, referral["referral"], about, [account["account"]])
    if referral["person"]:
        _person(sheet, referral, facts)


def _person(sheet: Sheet, referral: Mapping[str, Any], facts: Facts) -> None:
    """A person whom a judgement names: the record, the ladder of evidence, and what speaks against it."""
    person, subject = facts.persons[referral["person"]], referral["referral"]
    record = {k: person[k] for k in ("full_name", "born", "email", "phone", "country")}
    sheet.add_row(PERSONS, subject, {**record, "record of": person["reference"]}, [person["person"]])
    for link in facts.links[referral["account"]]:
        if link["to_id"] == person["person"]:
            sheet.add_row(
                PERSONS, subject, {"speaks for": link["reason"], "speaks against": link["against"]}, [link["link"]]
            )
    for verdict in _verdicts(referral, facts):
        words = f"{verdict['verdict']} by {verdict['examiner']}: {verdict['why']}"
        sheet.add(PERSONS, subject, "judgement", words, [verdict["judgement"]])
    for link in facts.links[person["person"]]:
        earlier = facts.persons[link["to_id"]]
        words = f"{link['reason']}. {earlier['note'] or ''}".strip()
        sheet.add(PERSONS, subject, "earlier case (a suggestion, not judged)", words, [link["link"], earlier["person"]])


def _conduct(sheet: Sheet, account: str, facts: Facts) -> None:
    for p in facts.payments[account]:
        values = {"account": facts.accounts[account]["username"], "time": p["time"], "amount": btc(p["sats"]),
                  "satoshis": p["sats"], "transaction": p["txid"], "output": p["vout"], "address": p["address"],
                  "block": p["height"]}  # fmt: skip
        sheet.add_row(PAYMENTS, p["payment"], values, [p["payment"]])
        for s in facts.services[p["payment"]]:
            cells = {"payment": p["payment"], "direction": s["direction"], "service": s["service"], "hops": s["hops"],
                     "confidence": s["confidence"], "transaction": s["txid"],
                     "speaks against": s["against"]}  # fmt: skip
            sheet.add_row(SERVICES, s["id"], cells, [s["id"]])
        for h in facts.hops[p["payment"]]:
            cells = {"payment": p["payment"], "step": h["step"], "transaction": h["txid"], "from": h["from_cluster"],
                     "to": h["to_cluster"], "satoshis": h["sats"], "why": h["reason"]}  # fmt: skip
            sheet.add_row(HOPS, h["hop"], cells, [h["hop"]])
    _media(sheet, account, facts)
    for kind, rows in (("upload", facts.uploads[account]), ("download", facts.downloads[account])):
        for t in rows:
            cells = {"account": facts.accounts[account]["username"], "kind": kind, "time": t["time"],
                     "reference": t["reference"], "from": t["ip"]}  # fmt: skip
            sheet.add_row(TRANSFERS, t[kind], cells, [t[kind]])
    for login in facts.logins[account][:LOGIN_LIMIT]:
        cells = {"account": facts.accounts[account]["username"], "time": login["time"], "from": login["ip"],
                 "agent": login["agent"], "time rule": login["zone"]}  # fmt: skip
        sheet.add_row(LOGINS, login["login"], cells, [login["login"]])


def _media(sheet: Sheet, account: str, facts: Facts) -> None:
    """Hashes and metadata of what the account uploaded; never the media."""
    for link in facts.links[account]:
        work = facts.work.get(link["to_id"])
        if link["kind"] != "account-media" or work is None:
            continue
        cells = {"account": facts.accounts[account]["username"], "state": work["state"], "why": work["reason"],
                 "kind": work["kind"], "width": work["width"], "height": work["height"], "path": work["name"],
                 "size": work["size"], "type": work["mime"], "sha256": work["sha256"], "sha1": work["sha1"],
                 "md5": work["md5"], "pdq": work["pdq"]}  # fmt: skip
        sheet.add_row(MEDIA, link["link"], cells, [link["link"], "work/" + work["item"]])


def _process(sheet: Sheet, referrals: list[dict[str, Any]], facts: Facts) -> None:
    """What was asked of services about these accounts' payments."""
    mine = {p["payment"] for r in referrals for p in facts.payments[r["account"]]}
    asked = {(s["service"], s["txid"]) for p in mine for s in facts.services[p] if s["direction"] == "back"}
    for service in sorted({s for s, _ in asked}):
        for q in facts.requests[service]:
            if (service, q["txid"]) in asked:
                cells = {"reference": q["reference"], "service": service, "legal name": q["legal_name"],
                         "jurisdiction": q["jurisdiction"], "transaction": q["txid"], "address": q["address"],
                         "satoshis": q["sats"], "time": q["time"]}  # fmt: skip
                sheet.add_row(PROCESS, q["request"], cells, [q["request"]])


def _method(sheet: Sheet, facts: Facts, params: Mapping[str, Any]) -> None:
    """Versions and settings under which the figures were made, and the evidence itself."""
    sheet.add(METHOD, "casewright", "Casewright version", __version__, facts.settings)
    for name in ("network", "max_hops", "dust_sats", "pdq_distance", "pdq_quality", "frame_share", "assumed_zone",
                 "clock_offset_seconds", "retention_days"):  # fmt: skip
        sheet.add(METHOD, "case.toml", name, params[name], facts.settings)
    for exhibit in facts.seizures:
        sheet.add(METHOD, exhibit["exhibit"], "exhibit", exhibit["name"], [exhibit["exhibit"]])
        sheet.add(METHOD, exhibit["exhibit"], "exhibit SHA-256", exhibit["exhibit"], [exhibit["exhibit"]])

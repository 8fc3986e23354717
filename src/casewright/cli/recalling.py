"""Recalls: finding out who has it, putting the decision into the ledger, and writing the notices."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from casewright.cli.correspondence import keep_account
from casewright.cli.pipeline import OF_VERB
from casewright.cli.recorded import still_counting
from casewright.cli.work import runner
from casewright.engine.query import Reader
from casewright.engine.units import Inline
from casewright.model.errors import Missing, UsageError
from casewright.refer.contents import FIGURES
from casewright.refer.notice import Notice, write_notice
from casewright.refer.package import TAGMANIFEST
from casewright.refer.recall import (
    CORRECTION,
    NOT_RECORDED,
    Decision,
    about,
    content_of,
    corrections,
    said_once,
    value_digest,
)
from casewright.refer.seal import encrypt_package
from casewright.refer.sealings import REFERRAL, Row, read_held, sealings
from casewright.refer.writers.sheets import exact
from casewright.vault.case import Case
from casewright.vault.ledger import canonical

CSV_LIMIT = 1 << 28


def decide(case: Case, decision: Decision) -> list[Row]:
    """Put the decision into the ledger, a line for each country that has it; the caller holds the case.

    Returns the packages of which nobody can say what they held. Raises Missing when no package held any of it.
    """
    packages = _sealings(case)
    held = {p["tagmanifest"]: found for p in packages if (found := _held(case, p)) is not None}
    unknown = [p for p in packages if p["tagmanifest"] not in held]
    with_it = {d: rows for d, figures in held.items() if (rows := about(figures, decision.ids))}
    if not with_it:
        more = f" {len(unknown)} packages of an earlier version left no record." if unknown else ""
        raise Missing(f"no package that was sealed held {', '.join(decision.ids)}.{more}")
    recall = decision.named(with_it)
    by_country: dict[str, list[Row]] = {}
    for package in packages:
        if package["tagmanifest"] in with_it:
            by_country.setdefault(package["country"], []).append(package)
    known = {(e.data["recall"], e.data["country"]) for e in case.ledger.events("recalled")}
    events = []
    with Reader(case.tables) as reader:
        for country, mine in by_country.items():
            if (recall, country) not in known:
                rows = [row for p in mine for row in with_it[p["tagmanifest"]]]
                events.append(_event(case, decision, recall, country, _went_out(mine), rows, reader))
    case.ledger.append(*(("recalled", event) for event in events))
    return unknown


def _went_out(packages: list[Row]) -> list[Row]:
    """Of a country's packages that held it those that went out, as far as anybody recorded; otherwise all."""
    return [p for p in packages if p["sent"] != NOT_RECORDED] or packages


def _event(
    case: Case, decision: Decision, recall: str, country: str, packages: list[Row], sent: list[Row], reader: Reader
) -> dict[str, Any]:
    said = said_once(sent)
    if decision.form == CORRECTION:
        now = [row for name in _packages_of(reader, country)
               for row in about(reader.table(FIGURES, {"name": name}), decision.ids)]  # fmt: skip
        said = corrections(sent, now) or said
        if not decision.says and all(row["should"] is None for row in said):
            raise UsageError(f"the case says the same of this to {country} as before. Correct it first (a judgement, a "
                             "mapping, a tag), or add --says TEXT.")  # fmt: skip
    content = content_of(decision, recall, country, said, packages, case.settings)
    figures = {one for one in decision.ids if one.startswith("fig-")}
    values = [value_digest(row) for row in sent if row["figure"] in figures]
    recipients = still_counting(case, country, {key for p in packages for key in p["recipients"]})
    return {"recall": recall, "country": country, "form": decision.form, "items": sorted(decision.ids),
            "values": sorted(set(values)), "why": decision.why, "says": decision.says, "examiner": decision.examiner,
            "packages": [p["tagmanifest"] for p in packages], "recipients": recipients,
            "content": case.store.put([canonical(content)], durable=True)}  # fmt: skip


def _packages_of(reader: Reader, country: str) -> list[str]:
    sql = "SELECT DISTINCT package FROM figures WHERE country = $cc ORDER BY package"
    return [row["package"] for row in reader.rows(sql, {"cc": country})]


def _sealings(case: Case) -> list[Row]:
    """Every package that was sealed, each with whether it went out; notices aside."""
    sealed, sent = ([e.data for e in case.ledger.events(kind)] for kind in ("package sealed", "package sent"))
    keep_account(case)
    with Reader(case.tables) as reader:
        confirmed = {row["tagmanifest"] for row in reader.rows("SELECT DISTINCT tagmanifest FROM receipts")}
    rows = [row for row in sealings(sealed, sent) if row["kind"] == REFERRAL]
    return [{**row, "sent": _sent(row, confirmed)} for row in rows]


def _sent(row: Mapping[str, Any], confirmed: set[str]) -> str:
    if row["sent_on"]:
        return f"sent on {row['sent_on']}"
    if row["tagmanifest"] in confirmed:
        return "confirmed"
    return "encrypted to its recipient" if row["recipients"] else NOT_RECORDED


def _held(case: Case, package: Row) -> pa.Table | None:
    """The figures of a sealing: as kept in the store; of an earlier version, from the package if that still is it."""
    if package["held"]:
        return read_held(case.store.open(package["held"]))
    bag = case.packages / package["package"]
    tags = bag / TAGMANIFEST
    if not tags.is_file() or hashlib.sha256(tags.read_bytes()).hexdigest() != package["tagmanifest"]:
        return None
    csv.field_size_limit(CSV_LIMIT)
    text = (bag / "data" / "figures.csv").read_text("utf-8")
    rows = [{name: exact(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text, newline=""))]
    return pa.Table.from_pylist([{**row, "sources": row["sources"].split()} for row in rows])


def seal_notices(case: Case, out: Path | None = None) -> list[dict[str, Any]]:
    """Write and seal every notice that was decided and not sealed yet; the caller holds the case."""
    done = {(e.data.get("recall"), e.data["country"]) for e in case.ledger.events("package sealed")}
    made = []
    for event in case.ledger.events("recalled"):
        said = event.data
        if (said["recall"], said["country"]) in done:
            continue
        with case.store.open(said["content"]) as file:
            content = json.loads(file.read())
        notice = Notice(content, event.line, event.time[:10], said["recipients"])
        bag, digest = write_notice(notice, case.packages, case.seal_key(), case.settings.case,
                                   case.settings.refer.font_folders)  # fmt: skip
        keys = said["recipients"]
        encrypted = [str(encrypt_package(bag, keys, out or case.packages))] if keys else []
        case.ledger.append(("package sealed", {"country": said["country"], "package": bag.name, "tagmanifest": digest,
                                               "recipients": keys, "recall": said["recall"]}))  # fmt: skip
        made.append({"country": said["country"], "path": str(bag), "tagmanifest": digest, "encrypted": encrypted,
                     "recall": said["recall"], "form": said["form"], "packages": content["packages"]})  # fmt: skip
    runner(case, Inline()).run([*OF_VERB["receipt"], "recalls"])
    return made

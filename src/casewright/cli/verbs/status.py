"""`casewright status`: what came in, what became of it, and what to do next."""

from typing import Any

from casewright.cli.chain_mode import chain_mode, tell_chain_mode
from casewright.cli.confirmed import found_packages, tell_packages
from casewright.cli.console import Voice
from casewright.cli.other_cases import counted_cases, tell_counts
from casewright.cli.process import found_process, tell_process
from casewright.cli.tag_doubts import tag_doubts, tell_tag_doubts
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.cli.work import found_wallets, runner, tell_to_open, tell_wallets, to_open
from casewright.engine.query import Reader
from casewright.engine.sandbox import WANTED
from casewright.engine.units import Inline
from casewright.refer.funnel import FUNNEL
from casewright.vault.case import Case

LEDGER = """
SELECT r.state, count(r.credit) AS entries, count(r.payment) AS payments,
       coalesce(sum(c.sats), 0)::BIGINT AS "sats booked", coalesce(sum(p.sats), 0)::BIGINT AS "sats paid",
       min(r.reason) AS example
FROM reconciled r LEFT JOIN credits c USING (credit) LEFT JOIN payments p USING (payment)
GROUP BY r.state ORDER BY r.state = 'agrees' DESC, r.state
"""
"""Every entry of the service's ledger and every payment, by what they are to each other."""


MEASURED = """
SELECT heuristic, measure, count, "of", CASE WHEN "of" > 0 THEN printf('%.2f', 100 * count / "of") END AS percent
FROM heuristics_measured
"""


def status(case: CasePath, as_json: AsJson = False) -> None:
    """Show what came in, and what to do next."""
    voice, opened = Voice(as_json), Case(case)
    opened.ledger.verify(opened.settings.seal.public_key, torn_tail_is_fine=True)
    with Reader(opened.tables) as reader:
        exhibits = reader.rows("SELECT role, name, form, size, files, exhibit FROM exhibits ORDER BY role, name")
        tallies = reader.rows("SELECT * FROM tallies")
        aside = reader.rows(
            "SELECT stage, noun, reason, sum(count)::BIGINT AS count, min(detail) AS example FROM set_aside "
            "GROUP BY stage, noun, reason ORDER BY stage, noun, reason"
        )
        volumes = reader.rows(
            "SELECT volume, layers, system, start, size, is_read, exhibit FROM volumes ORDER BY exhibit, parent, volume"
        )
        hashes = reader.rows(
            "SELECT image, algorithm, stored, computed, holds, exhibit FROM stored_hashes ORDER BY ALL"
        )
        wallets = found_wallets(reader)
        ledger = reader.rows(LEDGER)
        process, routes = found_process(reader)
        correspondence = found_packages(opened, reader)
        cases = counted_cases(reader)
        measured = reader.rows(MEASURED)
        opening = to_open(reader)
        doubts: dict[str, Any] = {**tag_doubts(reader), "chain_mode": chain_mode(reader, opened)}
        funnel = {name: reader.rows(sql)[0]["n"] for name, sql in FUNNEL.items()}
    stale = runner(opened, Inline()).stale()
    step = next_step(opened, stale, funnel)
    about = opened.settings.case
    protections = sandbox(opened)
    voice.answer({"case": str(case), "title": about.title, "exhibits": exhibits, "volumes": volumes,
                  "stored_hashes": hashes, "protections": protections, "tallies": tallies, "set_aside": aside,
                  "wallets": wallets, **doubts, "ledger_against_chain": ledger,
                  "legal_process": process, "routes": routes, **correspondence, "case_links": cases, "to_open": opening,
                  "funnel": funnel, "stale": stale, "next": step})  # fmt: skip
    voice.say(f"{about.title} · {about.agency} · {about.examiner}", style="bold")
    _table(voice, "Sealed", ["role", "name", "form", "size", "files", "exhibit"], exhibits)
    if volumes:
        words = [{**row, "read": "yes" if row["is_read"] else "no"} for row in volumes]
        _table(voice, "Volumes", ["volume", "layers", "system", "start", "size", "read"], words)
    if hashes:
        words = [{**row, "now": "holds" if row["holds"] else f"DIFFERS: {row['computed']}"} for row in hashes]
        _table(voice, "Hashes stored in the images", ["image", "algorithm", "stored", "now"], words)
    _table(voice, "Balance: received = done + nothing to find + set aside",
           ["stage", "noun", "received", "done", "nothing", "set_aside"], tallies)  # fmt: skip
    _table(voice, "Set aside, by reason", ["stage", "noun", "reason", "count", "example"], aside)
    tell_wallets(voice, wallets)
    tell_chain_mode(voice, doubts["chain_mode"])
    tell_tag_doubts(voice, doubts)
    tell_process(voice, process, routes)
    tell_counts(voice, cases)
    tell_packages(voice, correspondence)
    if ledger:
        _table(voice, "The service's ledger against the chain (casewright query CASE \"SELECT * FROM reconciled\")",
               ["state", "entries", "payments", "sats booked", "sats paid", "example"], ledger)  # fmt: skip
    voice.table(["found", ""], [[k, v] for k, v in funnel.items()], title="Found")
    if measured:
        _table(voice, "Heuristics, held against the market's own addresses", [*measured[0]], measured)
    if opening["items"]:
        tell_to_open(voice, opening)
    if protections:
        voice.say(f"Evidence was parsed with: {', '.join(protections['given'])}")
        for missing in protections["missing"]:
            voice.say(f"This kernel did not give: {missing}", style="bold")
    voice.say(f"Next: {step}", style="bold")


def _table(voice: Voice, title: str, columns: list[str], rows: list[dict[str, Any]]) -> None:
    voice.table(columns, [[row[c] for c in columns] for row in rows], title=title)
    voice.say("")


def sandbox(case: Case) -> dict[str, list[str]]:
    """Which protections the kernel gave the children that parsed evidence, when they ran last; empty before."""
    runs = [e.data["protections"] for e in case.ledger.events("stage done") if e.data.get("protections")]
    if not runs:
        return {}
    return {"given": runs[-1], "missing": [p for p in WANTED if p not in runs[-1]]}


def next_step(case: Case, stale: list[str], funnel: dict[str, int]) -> str:
    """The command that moves the case on."""
    roles = {e.data["role"] for e in case.ledger.events("sealed")}
    root = case.root
    steps = (
        ("seizure" not in roles, f"casewright intake {root} SOURCE"),
        ("mapping" not in roles, f"casewright extract {root}"),
        ("chain" not in roles, f"casewright trace {root} --chain DIR --tags PATH"),
        (bool(stale), f"casewright run {root}   (out of date: {', '.join(stale)})"),
        (
            funnel["suggested persons"] > 0 and not funnel["persons judged"],
            f"casewright link {root} --judge LINK=VERDICT --why TEXT",
        ),
        (not any(case.packages.iterdir()), f"casewright refer {root}"),
    )
    return next((command for needed, command in steps if needed), f"casewright verify {root}")

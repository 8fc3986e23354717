"""`casewright demo`: the fictional operation, from the seized disk to sealed packages, held against its truth."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.console import Voice
from casewright.cli.second_agency import ask_second_agency
from casewright.cli.verbs.link import note_flags, note_steps, record
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, On
from casewright.cli.verbs.refer import write_packages
from casewright.cli.work import propose_mapping, reading, run_stages, seal, tell_stages
from casewright.demo.build import build_demo
from casewright.demo.grade import grade
from casewright.engine.query import Reader
from casewright.link.flags import Flag
from casewright.link.judge import Said
from casewright.link.process import Step
from casewright.model.errors import DONE, SOME_SET_ASIDE, Missing, UsageError
from casewright.model.settings import CASE_FILE, CaseSettings
from casewright.vault.case import Case
from casewright.vault.keys import SealKey

ABOUT = CaseSettings("Operation Glasshouse", "Museum Crimes Unit", "R. Example", "MCU-2018-0117")
ASKED_ON = "2018-03-05"
"""The day on which the invented examiner asked all services."""
SEIZURE, KEY_FILE = "seizure", "seizure/demo-seal.key"


class Scale(StrEnum):
    small = "small"
    wtv = "wtv"


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; it becomes the case.")],
    scale: Annotated[Scale, typer.Option(help="Size of the operation.")] = Scale.small,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Build a fictional operation and run everything.

    A market of stolen museum scans: seized disk, chain, records. Every stage runs, packages are sealed, and the
    result is held against the truth."""
    voice = Voice(as_json)
    if scale is Scale.wtv:
        raise Missing("the full-size operation is not built yet. Run: casewright demo DIR")
    if folder.exists() and any(folder.iterdir()) and not (folder / SEIZURE).is_dir():
        raise UsageError(f"{folder} is not empty. Choose a folder that is not there yet.")
    seizure = folder / SEIZURE
    voice.err.print("building the seizure")
    truth = build_demo(seizure)
    case = _open(folder)
    with case.writing():
        _seal_evidence(case, seizure, voice, on)
        run_stages(case, voice, "link", on)
        _judge(case, truth)
        run_stages(case, voice, "deconflict", on)
        ask_second_agency(case, truth)
        ran = run_stages(case, voice, "run", on)
        packages = write_packages(case, voice)
    with reading(case) as reader:
        grades = grade(truth, reader.rows)
        counts = _counts(reader)
    good = not any(g.wrong or g.missed for g in grades)
    voice.answer({"case": str(folder), "counts": counts, "packages": packages, "as_the_truth": good,
                  "grades": [vars(g) for g in grades]})  # fmt: skip
    tell_stages(voice, ran)
    _tell(voice, folder, grades, packages)
    raise typer.Exit(DONE if good else SOME_SET_ASIDE)


def _open(folder: Path) -> Case:
    """The demo's case; made on the first run, taken up again when an earlier one was stopped."""
    if (folder / CASE_FILE).is_file():
        return Case(folder)
    if not (folder / KEY_FILE).exists():
        SealKey.from_seed(b"casewright demonstration; worth nothing").save(folder / KEY_FILE)
    return Case.create(folder, ABOUT, KEY_FILE, network="regtest")


def _seal_evidence(case: Case, seizure: Path, voice: Voice, on: str) -> None:
    seal(case, voice, seizure / "glasshouse.E01", "seizure", "GH-01 server disk")
    proposal = case.root / "mapping.proposed.toml"
    if not any(e.data["role"] == "mapping" for e in case.ledger.events("sealed")):
        proposal.write_text(propose_mapping(case, voice, on), "utf-8")
        seal(case, voice, proposal, "mapping", "mapping.toml (the proposal, unchanged)")
    seal(case, voice, seizure / "knowns.vics.json", "list", "knowns.vics.json")
    seal(case, voice, seizure / "bitcoin", "chain", "regtest data folder")
    for pack in sorted((seizure / "tags").iterdir()):
        seal(case, voice, pack, "tags")
    for answer in sorted((seizure / "returns").iterdir()):
        seal(case, voice, answer, "return")
    seal(case, voice, seizure / "prior.csv", "prior")


def _judge(case: Case, truth: dict[str, Any]) -> None:
    """The invented examiner's decisions, once."""
    if case.ledger.events("judgement"):
        return
    with reading(case) as reader:
        links = {
            (r["native"], r["email"]): r["link"]
            for r in reader.rows(
                "SELECT l.link, a.native, p.email FROM links l JOIN accounts a ON a.account = l.from_id "
                "JOIN persons p ON p.person = l.to_id WHERE l.kind = 'account-person'"
            )
        }
        accounts = {r["native"]: r["account"] for r in reader.rows("SELECT native, account FROM accounts")}
        requests = [r["reference"] for r in reader.rows("SELECT reference FROM legal_process ORDER BY service")]
    decided = [
        Said(links[d["account"], d["email"]], d["verdict"], d["why"])
        for d in truth["decisions"]
        if (d["account"], d["email"]) in links
    ]
    record(case, decided)
    note_flags(case, [Flag(accounts[native], *seen) for native, *seen in truth["flags"] if native in accounts])
    note_steps(case, [Step(reference, "sent", ASKED_ON) for reference in requests])


def _counts(reader: Reader) -> dict[str, int]:
    names = ("items", "accounts", "payments", "media", "worklist", "hops", "services", "persons", "links", "referrals",
             "figures", "set_aside")  # fmt: skip
    return {name: reader.rows(f"SELECT count(*) AS n FROM {name}")[0]["n"] for name in names}  # noqa: S608  ours


def _tell(voice: Voice, folder: Path, grades: list[Any], packages: list[dict[str, Any]]) -> None:
    rows = [[g.stage, g.right, g.wrong, g.missed] for g in grades]
    voice.say("")
    voice.table(["stage", "right", "wrong", "missed"], rows, title="Held against the truth")
    voice.say(f"\n{len(packages)} packages in {folder / 'packages'}. Look at:", style="bold")
    if packages:
        voice.say(f"  {packages[0]['path']}/data/referral.pdf")
    voice.say(f"  casewright status {folder}")
    voice.say(f"  casewright verify {folder}")

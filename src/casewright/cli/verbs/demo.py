"""`casewright demo`: the fictional operation, from the seized disk to sealed packages, held against its truth."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.console import Voice
from casewright.cli.second_agency import ask_second_agency
from casewright.cli.verbs.link import note_flags, note_steps, record
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, On
from casewright.cli.verbs.refer import write_packages
from casewright.cli.work import propose_mapping, run_stages, seal, tell_stages
from casewright.demo.build import build_demo
from casewright.demo.grade import grade
from casewright.demo.server import IMAGE
from casewright.demo.wtv.build import SERVER, build_wtv
from casewright.demo.wtv.grade import grade_large
from casewright.demo.wtv.size import Size, named, size_of
from casewright.engine.query import Reader
from casewright.engine.stage import Progress
from casewright.link.flags import Flag
from casewright.link.judge import Said
from casewright.link.process import Step
from casewright.model.errors import DONE, SOME_SET_ASIDE, UsageError
from casewright.model.settings import CASE_FILE, CaseSettings
from casewright.vault.case import Case
from casewright.vault.keys import SealKey

ABOUT = CaseSettings("Operation Glasshouse", "Museum Crimes Unit", "R. Example", "MCU-2018-0117")
ASKED_ON = "2018-03-05"
"""The day on which the invented examiner asked all services."""
SMALL, SEIZURE, KEY_FILE = "small", "seizure", "seizure/demo-seal.key"


def demo(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make; it becomes the case.")],
    scale: Annotated[str, typer.Option(help="small; wtv: as large as the real one; wtv/16: a sixteenth.")] = SMALL,
    chain: Annotated[
        int | None,
        typer.Option(help="Transactions of wtv's chain; by default what the disk has room for.", show_default=False),
    ] = None,
    evidence_only: Annotated[bool, typer.Option("--evidence-only", help="Write DIR/seizure, and stop there.")] = False,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Build a fictional operation and run everything.

    A market of stolen museum scans: seized disk, chain, records. Every stage runs, packages are sealed, and the
    result is held against the truth."""
    voice, size = Voice(as_json), _size(scale, chain, folder)
    if folder.exists() and any(folder.iterdir()) and not (folder / SEIZURE).is_dir():
        raise UsageError(f"{folder} is not empty. Choose a folder that is not there yet.")
    seizure = folder / SEIZURE
    truth = _build(seizure, size, voice)
    if evidence_only:
        voice.answer({"seizure": str(seizure), "size": truth.get("size")})
        return
    case = _open(folder)
    with case.writing():
        _seal_evidence(case, seizure, voice, on)
        run_stages(case, voice, "link", on)
        _judge(case, truth)
        run_stages(case, voice, "deconflict", on)
        if size is None:
            ask_second_agency(case, truth)
        ran = run_stages(case, voice, "run", on)
        packages = write_packages(case, voice, on=on)
    with Reader(case.tables) as reader:
        grades = (grade_large(truth, reader.rows, case.tables, seizure / "truth") if size
                  else grade(truth, reader.rows))  # fmt: skip
        counts = _counts(reader)
    good = not any(g.wrong or g.missed for g in grades)
    voice.answer({"case": str(folder), "counts": counts, "packages": packages, "as_the_truth": good,
                  "grades": [vars(g) for g in grades]})  # fmt: skip
    tell_stages(voice, ran)
    _tell(voice, folder, grades, packages)
    raise typer.Exit(DONE if good else SOME_SET_ASIDE)


def _size(scale: str, chain: int | None, folder: Path) -> Size | None:
    """None for the small operation."""
    part = named(scale)
    if part is None:
        if scale != SMALL:
            raise UsageError(f"there is no size {scale!r}. Choose small, wtv, or wtv/16 for a sixteenth.")
        return None
    above = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return Size(part, chain) if chain else size_of(part, shutil.disk_usage(above).free)


def _build(seizure: Path, size: Size | None, voice: Voice) -> dict[str, Any]:
    """Write the seizure, and say how large it is; returns the truth."""
    voice.err.print("building the seizure")
    if size is None:
        return build_demo(seizure)
    with voice.progress() as watch:
        tell: Callable[[str, int, int], None] = lambda part, done, total: watch(Progress(part, done, total))  # noqa: E731
        truth = build_wtv(seizure, size, tell)
    lines = sum(truth["disk"]["log_lines"].values())
    voice.err.print(
        f"{size.accounts:,} accounts, {len(truth['payments']):,} payments in {truth['transactions']:,} transactions, "
        f"{lines:,} log lines, {size.videos:,} videos and {size.pictures:,} pictures on record, of which "
        f"{size.sample_films:,} and {size.sample_pictures:,} have real bytes"
    )
    return truth


def _open(folder: Path) -> Case:
    """The demo's case; made on the first run, taken up again when an earlier one was stopped."""
    if (folder / CASE_FILE).is_file():
        return Case(folder)
    if not (folder / KEY_FILE).exists():
        SealKey.from_seed(b"casewright demonstration; worth nothing").save(folder / KEY_FILE)
    return Case.create(folder, ABOUT, KEY_FILE, network="regtest")


def _seal_evidence(case: Case, seizure: Path, voice: Voice, on: str) -> None:
    server = seizure / SERVER if (seizure / SERVER).is_dir() else seizure / IMAGE
    seal(case, voice, server, "seizure", "GH-01 server disk")
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
    with Reader(case.tables) as reader:
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

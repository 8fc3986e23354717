"""`casewright recall`: a signed notice to those who have what turned out to be wrong."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.recalling import decide, seal_notices
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import run_stages, summary
from casewright.model.errors import UsageError
from casewright.refer.recall import CORRECTION, IDENTITY, NOT_RECORDED, WITHDRAWAL, Decision
from casewright.vault.case import Case


def recall(
    case: CasePath,
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Accounts, persons, figures or what they rest on.", show_default=False),
    ] = None,
    why: Annotated[str, typer.Option(help="Your reason; the notice and the ledger say it.")] = "",
    examiner: Annotated[str, typer.Option(help="Who decides it; by default the case's examiner.")] = "",
    correct: Annotated[
        bool, typer.Option("--correct", help="Not withdrawn: it should say what the case says now.")
    ] = False,
    says: Annotated[str, typer.Option(help="What it should say, in your words (with --correct).")] = "",
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where encrypted copies go.", show_default=False)
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Withdraw or correct what was sent, with a signed notice to exactly those who have it.

    Without an ID it goes on with notices that were decided and not written."""
    voice, opened = Voice(as_json), Case(case)
    decision = _decision(tuple(dict.fromkeys(ids or [])), correct, why, says, examiner or opened.settings.case.examiner)
    with opened.writing():
        ran = run_stages(opened, voice, "refer", on) if correct else []
        unknown = decide(opened, decision) if decision else []
        notices = seal_notices(opened, out)
    voice.answer(summary(opened, ran, notices=notices, without_record=unknown))
    for one in notices:
        copies = "".join(f", encrypted {copy}" for copy in one["encrypted"])
        voice.say(f"{one['country']}: {one['path']}{copies}", style="bold")
        for package in one["packages"]:
            voice.say(f"  for {package['package']}, {package['tagmanifest']}: {package['sent']}")
        if all(package["sent"] == NOT_RECORDED for package in one["packages"]):
            voice.say("  No sending is recorded: send this only if that package went out.", style="yellow")
    for row in unknown:
        voice.say(f"{row['package']}, {row['tagmanifest']}: an earlier version sealed it and kept no record of what it "
                  "held. Look into that package yourself.", style="yellow")  # fmt: skip
    voice.say("The next packages heed it: casewright refer " + str(case) if notices else "Nothing to write.")


def _decision(ids: tuple[str, ...], correct: bool, why: str, says: str, examiner: str) -> Decision | None:
    if not ids:
        if correct or why or says:
            raise UsageError("recall takes ID... with --why TEXT; ids are printed beside every value of a package.")
        return None
    if strange := [one for one in ids if not IDENTITY.fullmatch(one)]:
        raise UsageError(f"{strange[0]!r} is no id of a row. Recall an account, referral, person, payment or figure.")
    if not why.strip():
        raise UsageError("a recall needs a reason: add --why TEXT.")
    if says and not correct:
        raise UsageError("--says goes with --correct: a withdrawal says nothing instead.")
    return Decision(ids, CORRECTION if correct else WITHDRAWAL, why.strip(), says.strip(), examiner)

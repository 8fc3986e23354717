"""`casewright store`: the case's bytes on storage that several machines share."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.engine import mirror
from casewright.engine.stage import Progress
from casewright.model.errors import DONE, MISSING, SEAL_BROKEN
from casewright.vault.case import Case


class Way(StrEnum):
    """What is done with the twin."""

    push = "push"
    pull = "pull"
    check = "check"


WORK = {Way.push: mirror.push, Way.pull: mirror.pull, Way.check: mirror.check}
SAID = {Way.push: "brought there", Way.pull: "brought here", Way.check: "brought"}


def store(
    way: Annotated[Way, typer.Argument(help="push, pull or check.", show_default=False)],
    case: CasePath,
    as_json: AsJson = False,
) -> None:
    """Copy a case's bytes to shared storage, or back.

    By their digests, to or from the storage that case.toml names. push: what is not there yet. pull: what is not here.
    check: read all that should be there."""
    voice, opened = Voice(as_json), Case(case)
    with opened.writing(), voice.progress() as watch:
        done = WORK[way](opened, lambda looked, of: watch(Progress(f"store {way}", looked, of)))
        if way is not Way.check and done.brought:
            url = opened.settings.store.twin
            data = {"way": str(way), "url": url, "files": done.brought, "size": done.size}
            opened.ledger.append(("copied", data))
    voice.answer({"case": str(case), "way": str(way), **asdict(done)})
    for text in done.wrong:
        voice.say(text, style="bold red")
    voice.say(f"{done.brought:,} files of {done.size / 1e6:,.1f} MB {SAID[way]}, {done.there:,} were there and stand.")
    raise typer.Exit(SEAL_BROKEN if done.broken else MISSING if done.wrong else DONE)

"""`casewright intake`: seal exhibits and list what is in them."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import finish, run_stages, seal, summary, tell_stages
from casewright.model.errors import UsageError
from casewright.vault.case import Case


def intake(
    case: CasePath,
    sources: Annotated[
        list[Path] | None, typer.Argument(metavar="SOURCE...", help="Folders, archives or disk images.")
    ] = None,
    exhibit: Annotated[str | None, typer.Option(help="Exhibit name (with one source).", show_default=False)] = None,
    unlock: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Passphrase or key file for encrypted volumes; sealed, never sent out."),
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Seal evidence and list every file in it.

    Folders, archives or disk images: what they are is told by their bytes, never by their names."""
    voice, opened = Voice(as_json), Case(case)
    if not sources and not unlock:
        raise UsageError("name at least one SOURCE, or a key for what is sealed already: --unlock FILE.")
    if exhibit and len(sources or []) != 1:
        raise UsageError("--exhibit names one source; intake the others by themselves.")
    with opened.writing():
        sealed = [seal(opened, voice, path, "key") for path in unlock or []]
        sealed += [seal(opened, voice, s, "seizure", exhibit) for s in sources or []]
        for one in sealed:
            voice.say(f"{one['source']}: " + (f"sealed as {one['exhibit']}" if one["new"] else "was sealed before"))
        ran = run_stages(opened, voice, "intake", on)
    voice.answer(summary(opened, ran, sealed=sealed))
    tell_stages(voice, ran)
    voice.say(f"Next: casewright extract {case}")
    finish(ran)

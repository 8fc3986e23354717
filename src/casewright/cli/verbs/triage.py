"""`casewright triage`: judge media against hash lists, and put what needs a human first."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import finish, reading, run_stages, seal, summary, tell_stages
from casewright.vault.case import Case


def triage(
    case: CasePath,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", metavar="FILE", help="Hash list: VICS JSON, CSV, or NSRL (SQLite).", show_default=False),
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Judge media against hash lists.

    Hash pictures and videos, match them, rank what a human should see: what is on no list comes first."""
    voice, opened = Voice(as_json), Case(case)
    with opened.writing():
        sealed = [seal(opened, voice, path, "list") for path in lists or []]
        ran = run_stages(opened, voice, "triage", on)
    with reading(opened) as reader:
        states = reader.rows("SELECT state, count(*) AS items FROM worklist GROUP BY state ORDER BY state")
    voice.answer(summary(opened, ran, sealed=sealed, worklist={r["state"]: r["items"] for r in states}))
    tell_stages(voice, ran)
    voice.table(["state", "distinct items"], [[r["state"], r["items"]] for r in states], title="Worklist")
    finish(ran)

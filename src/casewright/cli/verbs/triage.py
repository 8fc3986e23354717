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
        run_stages(opened, voice, "first look", on)
        first = _first_verdict(opened, voice)
        ran = run_stages(opened, voice, "triage", on)
    with reading(opened) as reader:
        states = reader.rows("SELECT state, count(*) AS items FROM worklist GROUP BY state ORDER BY state")
    counts = {r["state"]: r["items"] for r in states}
    voice.answer(summary(opened, ran, sealed=sealed, first_verdict=first, worklist=counts))
    tell_stages(voice, ran)
    voice.table(["state", "distinct items"], [[r["state"], r["items"]] for r in states], title="Worklist")
    finish(ran)


FIRST = """
SELECT CASE WHEN bool_or(method IN ('sha256', 'sha1', 'md5')) THEN 'known'
            WHEN count(method) > 0 THEN 'near' ELSE 'new' END AS state
FROM media LEFT JOIN first_matches USING (item) WHERE kind = 'video' GROUP BY item
"""


def _first_verdict(case: Case, voice: Voice) -> dict[str, int]:
    """What keyframes say of the videos, told before hours go into reading all of them."""
    with reading(case) as reader:
        rows = reader.rows(f"SELECT state, count(*) AS videos FROM ({FIRST}) GROUP BY state ORDER BY state")  # noqa: S608
    found = {row["state"]: row["videos"] for row in rows}
    if found:
        said = ", ".join(f"{count} {state}" for state, count in found.items())
        voice.err.print(f"first verdict on videos, by keyframes: {said}; now every second of them is looked at")
    return found

"""`casewright triage`: judge media against hash lists, and put what needs a human first."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.link import record, verdict_on
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.vics import export_vics, tell_export
from casewright.cli.work import finish, run_stages, seal, summary, tell_stages, tell_to_open, to_open
from casewright.engine.query import Reader
from casewright.link.judge import Said
from casewright.media.vics_case import document_dialect
from casewright.model.errors import UsageError
from casewright.vault.case import Case


def triage(
    case: CasePath,
    lists: Annotated[
        list[Path] | None,
        typer.Option("--list", metavar="FILE", help="Hash list: VICS JSON, CSV, or NSRL (SQLite).", show_default=False),
    ] = None,
    vics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the case's media there as VICS 2.0.", show_default=False)
    ] = None,
    of: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="With --vics: this list again, with what was decided.", show_default=False),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ITEM=VERDICT", help="positive, negative, unsure or withdrawn; needs --why.", show_default=False
        ),
    ] = None,
    why: Annotated[str, typer.Option(help="Your reason for these judgements; goes into the ledger.")] = "",
    category: Annotated[
        str | None, typer.Option(metavar="CODE", help="With --judge: the category that you chose.", show_default=False)
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(help="With --category: where the code counts; by default as in --vics.", show_default=False),
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Judge media against hash lists.

    Hash pictures and videos, match them, rank what a human should see: what is on no list comes first. What was judged
    is not shown again, nor are its copies and versions."""
    voice, opened = Voice(as_json), Case(case)
    if of and not vics:
        raise UsageError("--of says which list --vics FILE writes again; it needs that option.")
    if judge and not why.strip():
        raise UsageError("a judgement needs a reason: add --why TEXT.")
    if (category and not judge) or (dialect and not category):
        raise UsageError("--category needs --judge ITEM=VERDICT, and --dialect needs --category.")
    verdicts = [verdict_on(one, "ITEM") for one in judge or []]
    with opened.writing():
        sealed = [seal(opened, voice, path, "list") for path in lists or []]
        run_stages(opened, voice, "first look", on)
        first = _first_verdict(opened, voice)
        ran = run_stages(opened, voice, "triage", on)
        if verdicts:
            chosen = (category, dialect or _dialect(opened)) if category else ()
            record(opened, [Said(f"media/{item}", verdict, why, *chosen) for item, verdict in verdicts])
            ran = run_stages(opened, voice, "triage", on)
        out = export_vics(opened, vics, of) if vics else None
    with Reader(opened.tables) as reader:
        states = reader.rows("SELECT state, count(*) AS items FROM worklist GROUP BY state ORDER BY state")
        opening = to_open(reader)
    worklist = {r["state"]: r["items"] for r in states}
    voice.answer(summary(opened, ran, sealed=sealed, first_verdict=first, worklist=worklist, to_open=opening, vics=out))
    tell_stages(voice, ran)
    voice.table(["state", "distinct items"], [[r["state"], r["items"]] for r in states], title="Worklist")
    tell_to_open(voice, opening)
    if out:
        tell_export(voice, out)
    finish(ran)


def _dialect(case: Case) -> str:
    """The dialect in which the case's media would go out."""
    with Reader(case.tables) as reader:
        return document_dialect(reader)


FIRST = """
SELECT CASE WHEN bool_or(method IN ('sha256', 'sha1', 'md5')) THEN 'known'
            WHEN count(method) > 0 THEN 'near' ELSE 'new' END AS state
FROM media LEFT JOIN first_matches USING (item) WHERE kind = 'video' GROUP BY item
"""


def _first_verdict(case: Case, voice: Voice) -> dict[str, int]:
    """What keyframes say of the videos, told before hours go into reading all of them."""
    with Reader(case.tables) as reader:
        rows = reader.rows(f"SELECT state, count(*) AS videos FROM ({FIRST}) GROUP BY state ORDER BY state")  # noqa: S608
    found = {row["state"]: row["videos"] for row in rows}
    if found:
        said = ", ".join(f"{count} {state}" for state, count in found.items())
        voice.err.print(f"first verdict on videos, by keyframes: {said}; now every second of them is looked at")
    return found

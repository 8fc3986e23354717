"""`casewright review`: the room where people decide, in a browser on this machine."""

import json
import sys
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.model.errors import UsageError
from casewright.vault.case import Case
from casewright.vault.keys import key_path

PROGRAM = (sys.executable, "-m", "casewright")


def review(
    case: CasePath,
    port: Annotated[int, typer.Option(metavar="N", help="Port on this machine; 0: any that is free.")] = 8710,
    name: Annotated[
        str | None,
        typer.Option("--as", metavar="NAME", help="Who decides; by default the case's examiner.", show_default=False),
    ] = None,
    role: Annotated[str, typer.Option(help="lead, reviewer (seals nothing) or reader (decides nothing).")] = "lead",
    most: Annotated[int, typer.Option("--a-day", metavar="N", help="Media you let yourself open a day; 0: any.")] = 150,
    work: Annotated[int, typer.Option("--break-after", metavar="MINUTES", help="When you want a break.")] = 45,
    as_json: AsJson = False,
) -> None:
    """Decide in a browser on this machine.

    Open the link that is printed; it works once. Nothing is shown until you ask for it, and what you decide is in the
    ledger before the page says so. Ctrl-C ends it."""
    from casewright.review.desk import Desk  # noqa: PLC0415  slow to import
    from casewright.review.exposure import Exposure, Limits  # noqa: PLC0415
    from casewright.review.job import Work  # noqa: PLC0415
    from casewright.review.serve import serve  # noqa: PLC0415
    from casewright.review.visitor import MAY, Visitor  # noqa: PLC0415

    voice, opened = Voice(as_json), Case(case)
    if role not in MAY:
        raise UsageError(f"there is no role {role!r}. Choose one of {', '.join(MAY)}.")
    visitor = Visitor(name or opened.settings.case.examiner, role)
    exposure = Exposure(key_path().with_name("exposure.json"), Limits(most, work))
    desk = Desk(opened, exposure, Work(PROGRAM, case))
    desk.check()

    def ready(link: str) -> None:
        voice.say(f"Reviewing {opened.settings.case.title} as {visitor.name} ({role}). Open this link; it works once:")
        voice.say(f"  {link}")
        if as_json:
            sys.stdout.write(json.dumps({"link": link, "as": visitor.name, "role": role}) + "\n")
        sys.stdout.flush()

    serve(desk, visitor, port, ready)

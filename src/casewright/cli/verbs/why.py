"""`casewright why`: from any figure back to the bytes."""

from typing import Annotated, Any

import typer

from casewright.cli.console import Voice, show
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.engine.query import Reader
from casewright.engine.why import Explainer, Finding
from casewright.model.bitcoin import valid_address
from casewright.model.errors import UsageError
from casewright.vault.case import Case

VALUE = 100
LINES = 200
"""What a terminal shows before it says how many steps there are more; --json gives all."""


def why(
    case: CasePath,
    named: Annotated[
        list[str], typer.Argument(metavar="ID", help="Any id that a table or a package shows, or two addresses.")
    ],
    as_json: AsJson = False,
) -> None:
    """Walk any figure back to its bytes.

    Package line, judgement, link, observation, run, and the bytes in the exhibit. Of two addresses: the transactions
    that join them in one cluster."""
    voice, opened = Voice(as_json), Case(case)
    words = " ".join(named).split()
    two = len(words) == 2 and all(map(valid_address, words))
    if len(named) > 1 and not two:
        raise UsageError("why takes one id, or two addresses.")
    identity = named[0]  # an id may have spaces in it: what is counted, or measured
    with Reader(opened.tables) as reader:
        if two:
            from casewright.cli.joined import tell_joined  # noqa: PLC0415  slow to import

            tell_joined(voice, reader, *words)
            return
        steps = list(Explainer(opened.tables, reader).walk(identity))
    ledger = {e.data.get("link"): e for e in opened.ledger.events("judgement")}
    voice.answer({"id": identity, "steps": [_document(depth, finding, ledger) for depth, finding in steps]})
    for depth, finding in steps[:LINES]:
        _tell(voice, depth, finding, ledger)
    if len(steps) > LINES:
        voice.say(f"... and {len(steps) - LINES} steps more; --json gives them all.")


def _document(depth: int, finding: Finding, ledger: dict[Any, Any]) -> dict[str, Any]:
    document = {"depth": depth, "id": finding.id, "table": finding.table, "row": finding.row,
                "run": finding.made_by, "locus": finding.locus, "rests_on": finding.rests_on}  # fmt: skip
    if finding.table == "judgements" and (event := ledger.get(finding.row["link"])):
        document["ledger"] = {"line": event.seq + 1, "hash": event.hash, "time": event.time}
    return document


def _short(text: str) -> str:
    return text if len(text) <= VALUE else text[:VALUE] + "..."


def _tell(voice: Voice, depth: int, finding: Finding, ledger: dict[Any, Any]) -> None:
    indent = "  " * depth
    values = {k: v for k, v in finding.row.items() if v is not None and k not in ("sources", "path", finding.table)}
    words = ", ".join(f"{k} {_short(show(v))}" for k, v in list(values.items())[:7])
    voice.say(f"{indent}{finding.table} {finding.id}", style="bold")
    voice.say(f"{indent}  {words}")
    if finding.locus:
        place = ", ".join(f"{k} {v}" for k, v in finding.locus.items() if v != "")
        voice.say(f"{indent}  stands in {place}", style="green")
    if finding.made_by and not depth:
        voice.say(f"{indent}  made by stage {finding.made_by['stage']} version {finding.made_by['version']}")
    if finding.table == "judgements" and (event := ledger.get(finding.row["link"])):
        voice.say(f"{indent}  ledger line {event.seq + 1}, {event.time}, {event.hash}", style="green")

"""`casewright extract`: records out of the evidence, by a mapping that a person accepted."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import (
    finish,
    found_wallets,
    propose_mapping,
    run_stages,
    seal,
    summary,
    tell_stages,
    tell_wallets,
)
from casewright.engine.query import Reader
from casewright.extract.mapping import read_mapping
from casewright.model.errors import MISSING
from casewright.vault.case import Case

PROPOSAL_FILE = "mapping.proposed.toml"


def extract(
    case: CasePath,
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Mapping that you looked over.", show_default=False)
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Read accounts, addresses, logs, selectors and wallets.

    Without a mapping, propose one and stop."""
    voice, opened = Voice(as_json), Case(case)
    if mapping:
        read_mapping(mapping.read_bytes(), str(mapping))  # refuses a mapping that makes no sense before it is sealed
    with opened.writing():
        sealed = [seal(opened, voice, mapping, "mapping")] if mapping else []
        if not any(e.data["role"] == "mapping" for e in opened.ledger.events("sealed")):
            proposal = opened.root / PROPOSAL_FILE
            proposal.write_text(propose_mapping(opened, voice, on), "utf-8")
            command = f"casewright extract {case} --mapping {proposal}"
            voice.answer({"case": str(case), "proposal": str(proposal), "next": command})
            voice.say(f"Nobody said yet which columns mean what. A proposal is in {proposal}.")
            voice.say(f"Look it over, correct it, then accept it: {command}")
            raise typer.Exit(MISSING)
        ran = run_stages(opened, voice, "extract", on)
    with Reader(opened.tables) as reader:
        wallets = found_wallets(reader)
    voice.answer(summary(opened, ran, sealed=sealed, wallets=wallets))
    tell_stages(voice, ran)
    tell_wallets(voice, wallets)
    finish(ran)

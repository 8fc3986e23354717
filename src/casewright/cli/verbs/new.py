"""`casewright new`: an empty case."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import AsJson
from casewright.model.bitcoin import NETWORKS
from casewright.model.errors import UsageError
from casewright.model.settings import CaseSettings
from casewright.vault.case import Case
from casewright.vault.twin import check_url


def new(
    case: Annotated[Path, typer.Argument(metavar="CASE", help="Folder to make.", show_default=False)],
    title: Annotated[str, typer.Option(help="Title of the case.", show_default=False)],
    agency: Annotated[str, typer.Option(help="Your agency.", show_default=False)],
    examiner: Annotated[str, typer.Option(help="Who examines; stands in the ledger.", show_default=False)],
    reference: Annotated[str, typer.Option(help="Your own case number.")] = "",
    network: Annotated[
        str, typer.Option(help="Bitcoin network: mainnet, testnet, testnet4, signet or regtest.")
    ] = "mainnet",
    store: Annotated[str, typer.Option(metavar="URL", help="Storage that holds its bytes too.")] = "",
    as_json: AsJson = False,
) -> None:
    """Make an empty case."""
    voice = Voice(as_json)
    if network not in NETWORKS:
        raise UsageError(f"there is no network {network!r}. Choose one of {', '.join(NETWORKS)}.")
    if store:
        check_url(store)
    made = Case.create(case, CaseSettings(title, agency, examiner, reference), network=network, twin=store)
    voice.answer({"case": str(made.root), "title": title, "seal_key": made.settings.seal.public_key})
    voice.say(f"Made {made.root}. It is sealed with the key {made.settings.seal.public_key}.")
    voice.say(f"Next: casewright intake {made.root} SOURCE")

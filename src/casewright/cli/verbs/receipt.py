"""`casewright receipt`: what recipients send back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.console import Voice
from casewright.cli.correspondence import SIGNATURE, keep_account, note_keys, seal_receipt, signer_named, trust
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.cli.work import summary
from casewright.engine.query import Reader
from casewright.model.errors import DONE, SOME_SET_ASIDE, UsageError
from casewright.vault.case import Case

TAKEN = """
SELECT r.*, list(struct_pack(item := o.item_id, outcome := o.outcome, to_whom := o.sent_on_to, words := o.words)
                 ORDER BY o."row") FILTER (o.outcome IS NOT NULL) AS outcomes
FROM receipts r LEFT JOIN outcomes o USING (receipt) WHERE list_contains($exhibits, r.exhibit) GROUP BY ALL
ORDER BY r.number
"""
ASIDE = """
SELECT subject AS exhibit, noun, reason, detail FROM set_aside
WHERE stage = 'receipts' AND list_contains($exhibits, subject) ORDER BY id
"""


def receipt(
    case: CasePath,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Receipts as text, with FILE.minisig beside.", show_default=False),
    ] = None,
    key: Annotated[
        list[str] | None,
        typer.Option(metavar="CC=KEY", help="minisign key that signs CC's receipts; recorded.", show_default=False),
    ] = None,
    trusted: Annotated[
        bool, typer.Option("--trust", help="Take these without a signature that holds; needs --why. Recorded.")
    ] = False,
    why: Annotated[str, typer.Option(help="Your reason for --trust; goes into the ledger.")] = "",
    examiner: Annotated[str, typer.Option(help="Who decides it; by default the case's examiner.")] = "",
    as_json: AsJson = False,
) -> None:
    """Take receipts in: which package was confirmed, by whom, and what became of it.

    A receipt is sealed as it came; one that does not count is set aside with the reason."""
    voice, opened = Voice(as_json), Case(case)
    signers = [signer_named(one) for one in key or []]
    texts = _texts(files or [])
    if not texts and not signers:
        raise UsageError("receipt takes FILE..., or --key CC=KEY.")
    with opened.writing():
        note_keys(opened, signers)
        exhibits = [seal_receipt(opened, path) for path in texts]
        if trusted:
            trust(opened, exhibits, why, examiner or opened.settings.case.examiner)
        ran = keep_account(opened)
    with Reader(opened.tables) as reader:
        taken, aside = _found(reader, exhibits)
    voice.answer(summary(opened, ran, receipts=taken, set_aside=aside))
    _tell(voice, taken, aside)
    raise typer.Exit(SOME_SET_ASIDE if aside else DONE)


def _texts(files: Sequence[Path]) -> list[Path]:
    """The receipts among these files; a signature goes with the text beside it."""
    texts = [path for path in files if path.suffix != SIGNATURE]
    for path in files:
        if path.suffix == SIGNATURE and path.with_suffix("") not in texts:
            raise UsageError(f"{path} is a signature; give the text that it signs, {path.with_suffix('')}.")
    return texts


def _found(reader: Reader, exhibits: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    bound = {"exhibits": exhibits}
    return reader.rows(TAKEN, bound), reader.rows(ASIDE, bound)


def _tell(voice: Voice, taken: list[dict[str, Any]], aside: list[dict[str, Any]]) -> None:
    for row in taken:
        who = ", ".join(filter(None, (row["received_by"], row["unit"])))
        voice.say(f"{row['country']}: received on {row['received_on']} by {who}", style="green")
        if row["signed_by"] is None:
            voice.say(
                f"  WITHOUT A SIGNATURE THAT HOLDS, taken by {row['trusted_by']}: {row['trusted_why']}", style="yellow"
            )
        if False in (row["signature_verified"], row["files_verified"]):
            voice.say("  they could not verify the package: call them", style="bold red")
        for said in row["outcomes"] or []:
            to = f" to {said['to_whom']}" if said["to_whom"] else ""
            words = f"; {said['words']}" if said["words"] else ""
            voice.say(f"  {said['item'] or 'everything'}: {said['outcome']}{to}{words}")
    for row in aside:
        voice.say(f"set aside, {row['reason']}: {row['detail']}", style="yellow")

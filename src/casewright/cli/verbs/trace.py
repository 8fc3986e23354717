"""`casewright trace`: find the payments and follow them."""

from pathlib import Path
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.pictures import export_graph, export_picture
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import finish, reading, run_stages, seal, summary, tell_stages
from casewright.model.errors import Missing
from casewright.vault.case import Case


def trace(
    case: CasePath,
    chain: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Bitcoin Core data folder or raw blocks.", show_default=False),
    ] = None,
    tags: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="GraphSense TagPack or ActorPack.", show_default=False)
    ] = None,
    picture: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="PAYMENT FILE", help="Draw the flow of one payment: .html or .svg.", show_default=False),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all hops for other programs: .graphml or .gexf.", show_default=False),
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Find the payments and follow them both ways.

    Back from each payment to the services it came from, and forward to where it was cashed out."""
    voice, opened = Voice(as_json), Case(case)
    with opened.writing():
        sealed = [seal(opened, voice, path, "chain") for path in chain or []]
        sealed += [seal(opened, voice, path, "tags") for path in tags or []]
        if not any(e.data["role"] == "chain" for e in opened.ledger.events("sealed")):
            raise Missing(f"no chain was given yet. Run: casewright trace {case} --chain DIR")
        ran = run_stages(opened, voice, "trace", on)
        out = [export_picture(opened, *picture)] if picture else []
        out += [export_graph(opened, graph)] if graph else []
    with reading(opened) as reader:
        found = reader.rows(
            "SELECT direction, service, confidence, count(DISTINCT payment) AS payments, "
            "count(DISTINCT txid) AS transactions, sum(share)::BIGINT AS share FROM services "
            "GROUP BY ALL ORDER BY direction, service, confidence"
        )
        paid = reader.rows("SELECT count(*) AS payments, coalesce(sum(sats), 0)::BIGINT AS sats FROM payments")[0]
    voice.answer(summary(opened, ran, sealed=sealed, payments=paid, services=found, written=out))
    tell_stages(voice, ran)
    voice.say(f"{paid['payments']} payments, {paid['sats'] / 1e8:.8f} BTC")
    columns = ["direction", "service", "confidence", "payments", "transactions", "share"]
    voice.table(columns, [[row[c] for c in columns] for row in found], title="Services reached: leads, not verdicts")
    for one in out:
        voice.say(f"{one['file']}: the {one['form']}, SHA-256 {one['sha256']}")
    finish(ran)

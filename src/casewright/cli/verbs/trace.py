"""`casewright trace`: find the payments and follow them."""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.chain_mode import chain_mode, tell_chain_mode
from casewright.cli.console import Voice
from casewright.cli.esplora import Server, fetch
from casewright.cli.layers import switch, switch_mode, switched
from casewright.cli.pictures import export_graph, export_picture
from casewright.cli.tag_doubts import tag_doubts, tell_tag_doubts
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import finish, run_stages, seal, summary, tell_stages
from casewright.engine.query import Reader
from casewright.model.bitcoin import as_paid, in_coins
from casewright.model.errors import Missing
from casewright.vault.case import Case


def trace(
    case: CasePath,
    chain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="Bitcoin Core data folder, raw blocks, exports (Parquet, CSV), or http://127.0.0.1:PORT (Esplora).",
            show_default=False,
        ),
    ] = None,
    tags: Annotated[
        list[Path] | None, typer.Option(metavar="PATH", help="Tags: GraphSense packs or CSV.", show_default=False)
    ] = None,
    picture: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="PAYMENT FILE", help="Draw the flow of one payment: .html or .svg.", show_default=False),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write all hops for other programs: .graphml or .gexf.", show_default=False),
    ] = None,
    more: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="LAYER", help="Join addresses by this too: change, tags.", show_default=False),
    ] = None,
    less: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="LAYER", help="What if this did not join addresses?", show_default=False),
    ] = None,
    targeted: Annotated[
        bool | None,
        typer.Option(
            "--targeted/--full",
            help="Search the blocks for the market's payments and follow them, or read the whole chain.",
            show_default=False,
        ),
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Find the payments and follow them both ways.

    Back from each payment to the services it came from, and forward to where it was cashed out."""
    voice, opened = Voice(as_json), Case(case)
    before = opened.settings.chain.layers
    layers = switched(before, more or [], less or [])
    earlier = _reached(opened) if layers != before else []
    with opened.writing():
        sealed = [seal_chain(opened, voice, source, on) for source in chain or []]
        sealed += [seal(opened, voice, path, "tags") for path in tags or []]
        if not any(e.data["role"] == "chain" for e in opened.ledger.events("sealed")):
            raise Missing(f"no chain was given yet. Run: casewright trace {case} --chain DIR")
        if layers != before:
            switch(opened, layers)
        if targeted is not None and targeted != opened.settings.chain.targeted:
            switch_mode(opened, targeted)
        ran = run_stages(opened, voice, "trace", on)
        out = [export_picture(opened, *picture)] if picture else []
        out += [export_graph(opened, graph)] if graph else []
    found = _reached(opened)
    with Reader(opened.tables) as reader:
        doubts = tag_doubts(reader)
        mode = chain_mode(reader, opened)
        paid = reader.rows("SELECT count(*) AS payments, coalesce(sum(sats), 0)::BIGINT AS sats FROM payments")[0]
    voice.answer(
        summary(
            opened,
            ran,
            sealed=sealed,
            payments=paid,
            services=found,
            written=out,
            **doubts,
            chain_mode=mode,
            layers={"before": before, "now": layers, "services_before": earlier},
        )
    )
    tell_stages(voice, ran)
    voice.say(f"{paid['payments']} payments, {in_coins(paid['sats'])} BTC")
    rows = _beside(found, earlier) if layers != before else found
    columns = list(rows[0]) if rows else ["direction", "service", "confidence", "payments"]
    voice.table(columns, [[row[c] for c in columns] for row in rows], title="Services reached: leads, not verdicts")
    tell_chain_mode(voice, mode)
    tell_tag_doubts(voice, doubts)
    if layers != before:
        now, then = (", ".join(names) or "nothing" for names in (layers, before))
        voice.say(f"Addresses are joined by: {now}; before by: {then}. Recorded in case.toml.", style="bold")
    for one in out:
        voice.say(f"{one['file']}: the {one['form']}, SHA-256 {one['sha256']}")
    finish(ran)


REACHED = """
SELECT direction, service, confidence, count(DISTINCT txid) AS transactions, sum(share)::BIGINT AS share,
       count(DISTINCT payment) AS payments
FROM services GROUP BY direction, service, confidence ORDER BY direction, service, confidence
"""


def seal_chain(case: Case, voice: Voice, source: str, on: str) -> dict[str, Any]:
    """Seal a source of the chain; of a server, what it answers about the deposit addresses."""
    if "://" not in source:
        return seal(case, voice, Path(source), "chain")
    server = Server(source)  # refused first if it is elsewhere
    run_stages(case, voice, "extract", on)
    with Reader(case.tables) as reader:
        given = [as_paid(row["address"]) for row in reader.rows("SELECT DISTINCT address FROM deposit_addresses")]
    if not given:
        raise Missing(f"no deposit addresses are known yet to ask for. Run: casewright extract {case.root}")
    with tempfile.TemporaryDirectory(prefix="casewright-esplora-") as folder, closing(server):
        path = fetch(server, given, case.settings.chain.max_hops, Path(folder))
        return seal(case, voice, path, "chain")


def _reached(case: Case) -> list[dict[str, Any]]:
    with Reader(case.tables) as reader:
        return reader.rows(REACHED)


def _beside(now: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Services reached under other layers, and how many payments reached each before."""
    names = ("direction", "service", "confidence")
    counts = [{tuple(row[n] for n in names): row["payments"] for row in rows} for rows in (now, before)]
    keys = sorted({*counts[0], *counts[1]}, key=str)
    return [
        {**dict(zip(names, key, strict=True)), "payments": counts[0].get(key, 0), "before": counts[1].get(key, 0)}
        for key in keys
    ]  # fmt: skip

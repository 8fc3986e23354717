"""`casewright deconflict`: find out with another agency what both look at, by files, and show nothing else."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import ON_DEFAULT, AsJson, CasePath, On
from casewright.cli.work import run_stages, seal
from casewright.engine.query import Reader
from casewright.link.deconflict.asking import Found
from casewright.link.deconflict.card import card_of, read_card
from casewright.link.deconflict.exchange import Exchange
from casewright.link.deconflict.keep import remove_stale
from casewright.link.deconflict.own import EXCLUSION
from casewright.link.deconflict.psi import require_library
from casewright.link.deconflict.side import Made, Own
from casewright.model.errors import Missing, Refused, UsageError
from casewright.model.selectors import KINDS, NEVER
from casewright.vault.case import Case
from casewright.vault.disk import write_atomically

OURS = "SELECT DISTINCT kind, form FROM deconflict_selectors WHERE left_out IS NULL AND list_contains($kinds, kind)"
LEFT_OUT = """
SELECT kind, left_out AS reason, count(*)::BIGINT AS selectors FROM deconflict_selectors WHERE left_out IS NOT NULL
GROUP BY ALL ORDER BY ALL
"""


class Step(StrEnum):
    card = "card"
    setup = "setup"
    request = "request"
    answer = "answer"
    read = "read"


TAKES_FILE = {Step.request: "the set that the peer sent", Step.answer: "the peer's request", Step.read: "its answer"}


def deconflict(
    step: Annotated[Step, typer.Argument(metavar="STEP", help="card, setup, request, answer or read.")],
    case: CasePath,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="What the peer sent.", show_default=False)] = None,
    peer: Annotated[
        Path | None, typer.Option(metavar="CARD", help="The peer's card, got in person.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where the file for the peer goes.", show_default=False)
    ] = None,
    authority: Annotated[
        str, typer.Option(metavar="TEXT", help="On which authority; goes to the peer and the ledger.")
    ] = "",
    hits: Annotated[
        bool, typer.Option("--hits", help="Ask which are common, or tell it: after the count only.")
    ] = False,
    kind: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Only these kinds.", show_default=False)
    ] = None,
    exclude: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Selectors, accounts or items never to compare, one a line.", show_default=False
        ),
    ] = None,
    on: On = ON_DEFAULT,
    as_json: AsJson = False,
) -> None:
    """Compare with another agency.

    Who asks learns what both have, nothing else; docs/deconfliction.md says what a dishonest peer can learn. Steps:
    card (your agency's card), setup (send your set), request (ask a set how many are common), answer, read; then the
    last three again with --hits for which."""
    voice, opened = Voice(as_json), Case(case)
    if step is Step.card:
        _card(opened, voice, _target(out))
        return
    require_library()
    if step in TAKES_FILE and file is None:
        raise UsageError(f"deconflict {step.value} needs FILE: {TAKES_FILE[step]}.")
    if step is not Step.read and not authority.strip():
        raise UsageError("say on which authority: --authority TEXT.")
    if peer is None:
        raise UsageError("name the peer's card: --peer CARD.")
    target = None if step is Step.read else _target(out)
    held = target.with_name(f"{target.name}.unsent") if target else Path()
    exchange = Exchange(opened, read_card(peer), authority, datetime.now(UTC), lambda raw: write_atomically(held, raw))
    with opened.writing():
        remove_stale(opened.root, exchange.now.date().isoformat())
        for path in exclude or []:
            seal(opened, voice, path, EXCLUSION)
        if step is Step.read:
            found = exchange.read(file or Path())
            run_stages(opened, voice, "deconflict", on)
            _tell_found(voice, found)
            return
        made, left = _made(exchange, step, file or Path(), hits, kind, voice, on)
        held.replace(target or Path())
    _tell_made(voice, made, target or Path(), left)


def _made(
    exchange: Exchange, step: Step, file: Path, hits: bool, kinds: list[str] | None, voice: Voice, on: str
) -> tuple[Made, list[dict[str, Any]]]:
    """The file of a step, and what was left out of our set."""
    if step is Step.answer:
        return exchange.answer(file, hits), []
    if step is Step.request and hits:
        return exchange.which(file), []
    wanted = _kinds(kinds)
    run_stages(exchange.case, voice, "deconflict", on)
    with Reader(exchange.case.tables) as reader:
        own = selectors_of(reader, wanted)
        left = reader.rows(LEFT_OUT)
    return (exchange.setup(own) if step is Step.setup else exchange.request(file, own)), left


def selectors_of(reader: Reader, kinds: Iterable[str]) -> list[Own]:
    """What the case brings of these kinds; a site has millions."""
    found = reader.table(OURS, {"kinds": sorted(kinds)})
    return list(zip(found.column("kind").to_pylist(), found.column("form").to_pylist(), strict=True))


def _kinds(given: list[str] | None) -> set[str]:
    for one in given or []:
        if one in NEVER:
            raise Refused(f"{one}: {NEVER[one]}.")
        if one not in KINDS:
            raise UsageError(f"there is no kind {one!r}. Choose of {', '.join(KINDS)}.")
    return set(given or KINDS)


def _target(out: Path | None) -> Path:
    if out is None:
        raise UsageError("say where the file goes: --out FILE.")
    if out.exists():
        raise UsageError(f"{out} is there already. Choose another name.")
    if not out.resolve().parent.is_dir():
        raise Missing(f"the folder of {out} is not there.")
    return out


def _card(case: Case, voice: Voice, target: Path) -> None:
    card = card_of(case)
    write_atomically(target, card.dump().encode("utf-8"))
    voice.answer({"card": str(target), **asdict(card)})
    voice.say(f"{target}: hand it over in person, or read both keys out over a line you know.")
    voice.say(f"  sign {card.sign}\n  age  {card.age}")


def _tell_made(voice: Voice, made: Made, target: Path, left: list[dict[str, Any]]) -> None:
    about = made.message
    voice.answer({"file": str(target), "step": about.step, "mode": about.mode, "run": about.run, "size": about.size,
                  "kinds": about.kinds, "expires": about.expires, "left_out": left})  # fmt: skip
    voice.say(f"{target}: {about.step} ({about.mode}), {about.size:,} members with noise, valid until {about.expires}")
    if about.kinds:
        voice.say(f"compared: {', '.join(about.kinds)}")
    if left:
        voice.table(["kind", "left out", "selectors"], [list(row.values()) for row in left])


def _tell_found(voice: Voice, found: Found) -> None:
    about, kinds = found.message, Counter(kind for kind, _ in found.hits)
    voice.answer({"run": about.run, "mode": about.mode, "peer": about.agency, "common": found.common,
                  "peer_reference": about.reference or None, "kinds": dict(sorted(kinds.items()))})  # fmt: skip
    if about.mode == "count":
        voice.say(f"{about.agency} has {found.common} of the selectors that were asked.", style="bold")
        if found.common:
            voice.say("Which ones: casewright deconflict request CASE SETUP --hits ...")
        return
    said = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    voice.say(f"{about.agency}, case {about.reference or '(without reference)'}: {said}", style="bold")
    voice.say('Ours among them: casewright query CASE "SELECT kind, form, account FROM deconfliction"')

"""What the verbs share: opening a case, sealing sources, running stages, and answering."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer
from rich.text import Text

from casewright.cli.console import Voice
from casewright.cli.pipeline import OF_VERB, PIPELINE
from casewright.engine.on_ray import OnRay, is_ray
from casewright.engine.query import Reader
from casewright.engine.runner import Ran, Runner
from casewright.engine.stage import Progress
from casewright.engine.tables import TableFolder
from casewright.engine.units import Engine, Inline, Processes
from casewright.evidence.describe import gather_source, left_out
from casewright.extract.proposed import PROPOSAL
from casewright.model.errors import DONE, SOME_SET_ASIDE, Missing, UsageError
from casewright.model.ids import printable_path
from casewright.vault.case import Case, SourceFile


def engine_named(name: str) -> Engine:
    """`inline`, `processes`, `processes:N`, or one of `OnRay`'s. Every engine gives the same bytes."""
    kind, _, number = name.partition(":")
    if kind == "inline" and not number:
        return Inline()
    if kind == "processes" and (not number or number.isdigit()):
        return Processes(int(number) if number else os.cpu_count() or 1)
    if is_ray(name):
        return OnRay(name)
    raise UsageError(
        f"there is no engine {name!r}. Choose inline, processes, processes:N, ray, ray:HOST:PORT or ray://HOST:PORT."
    )


@contextmanager
def at_work(name: str, voice: Voice) -> Iterator[Engine]:
    """The engine of this name; a cluster is left at the end, and what was done where is told."""
    engine = engine_named(name)
    if not isinstance(engine, OnRay):
        yield engine
        return
    with engine:
        yield engine
    for line in engine.account():
        voice.err.print(Text(line), soft_wrap=True)


def runner(case: Case, engine: Engine, watch: Any = lambda event: None) -> Runner:
    return Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, PIPELINE, engine, watch)


def run_stages(case: Case, voice: Voice, verb: str, on: str) -> list[Ran]:
    """Bring the verb's stages, and all they rest on, up to date. The caller holds the case."""
    case.seal_settings()
    with at_work(on, voice) as engine, voice.progress() as watch:
        ran = runner(case, engine, watch).run(OF_VERB[verb])
        if isinstance(engine, OnRay):
            fresh = {r.stage for r in ran if not r.skipped}
            engine.saw(s for s in PIPELINE if s.name in fresh)
    return ran


def source_files(path: Path) -> list[SourceFile]:
    """The files of a source, each with its path inside the exhibit; a single file has an empty one."""
    if not path.exists():
        raise Missing(f"{path} is not there.")
    files = gather_source(path)
    if not files:
        raise Missing(f"{path} holds no files.")
    if path.is_file() and len(files) == 1:
        return [SourceFile(files[0], b"")]
    base = path if path.is_dir() else path.parent
    return [SourceFile(f, os.fsencode(f.relative_to(base))) for f in files]


def seal(case: Case, voice: Voice, path: Path, role: str, name: str | None = None) -> dict[str, Any]:
    """Seal a source; says whether it was new to the case."""
    left = [printable_path(os.fsencode(p.relative_to(path))) for p in left_out(path)]
    files = source_files(path)
    data = {"left_out": left} if left else None
    with voice.progress() as watch:
        tell = _teller(watch, sum(f.file.stat().st_size for f in files))
        event = case.seal_source(files, role, name or path.resolve().name, data, tell)
    return {"source": str(path), "role": role, "new": event is not None, **(dict(event.data) if event else {})}


def _teller(watch: Callable[[Progress], None], total: int) -> Callable[[int], None]:
    """Draws how much of a source is sealed, in megabytes."""
    done = 0

    def tell(size: int) -> None:
        nonlocal done
        done += size
        watch(Progress("seal", done >> 20, total >> 20, "MB"))

    return tell


def summary(case: Case, ran: Sequence[Ran], **more: Any) -> dict[str, Any]:
    """The JSON answer of a verb that ran stages."""
    return {"case": str(case.root), **more, "stages": [asdict(r) for r in ran]}


def tell_stages(voice: Voice, ran: Sequence[Ran]) -> None:
    """One line a noun of each stage: what it received, and what became of it."""
    rows = [
        [r.stage, t["noun"], t["received"], t["done"], t["nothing"], t["set_aside"], "as before" if r.skipped else ""]
        for r in ran
        for t in r.tallies
    ]
    voice.table(["stage", "what", "received", "done", "nothing to find", "set aside", ""], rows)


def exit_code(ran: Sequence[Ran]) -> int:
    return SOME_SET_ASIDE if any(t["set_aside"] for r in ran for t in r.tallies) else DONE


def finish(ran: Sequence[Ran]) -> None:
    """Leave with the code that says whether anything was set aside."""
    raise typer.Exit(exit_code(ran))


OPEN = """
SELECT (SELECT count(*) FROM media) AS items, count(*) FILTER (opens) AS open,
       coalesce(sum(items) FILTER (judgement IS NOT NULL), 0)::BIGINT AS judged FROM worklist
"""
OPEN_BY_STATE = "SELECT state, count(*) AS n FROM worklist WHERE opens GROUP BY state ORDER BY state DESC"


def to_open(reader: Reader) -> dict[str, Any]:
    """How many media a reviewer must open, by their state, against opening every item."""
    (found,) = reader.rows(OPEN)
    states = {row["state"]: row["n"] for row in reader.rows(OPEN_BY_STATE)}
    percent = round(100 * found["open"] / found["items"], 1) if found["items"] else 0.0
    return {**found, "percent": percent, "states": states}


def tell_to_open(voice: Voice, found: Mapping[str, Any]) -> None:
    states = ", ".join(f"{n:,} {state}" for state, n in found["states"].items())
    more = f"; {found['judged']:,} items are judged" if found["judged"] else ""
    said = f"{found['items']:,} media items; {found['open']:,} to open ({found['percent']:g} %)"
    voice.say(said + (f": {states}" if states else "") + more, style="bold")


WALLETS = """SELECT program, network, encrypted, private_keys, count(*)::BIGINT AS wallets,
sum(addresses)::BIGINT AS addresses FROM wallets GROUP BY ALL ORDER BY ALL"""


def found_wallets(reader: Reader) -> list[dict[str, Any]]:
    """Wallets of the same kind together, with the addresses they own, watch or have in their books."""
    return reader.rows(WALLETS)


def tell_wallets(voice: Voice, found: Sequence[Mapping[str, Any]]) -> None:
    """Of private keys only that they are there."""
    rows = [
        [w["program"], w["network"], w["wallets"], w["addresses"], "encrypted" if w["encrypted"] else "",
         "present" if w["private_keys"] else ""] for w in found
    ]  # fmt: skip
    if rows:
        voice.table(["wallet", "network", "found", "addresses", "", "private keys"], rows, title="Wallets")


def propose_mapping(case: Case, voice: Voice, on: str) -> str:
    """The text of a mapping proposed from the dumps among the items; the caller holds the case."""
    case.seal_settings()
    with at_work(on, voice) as engine, voice.progress() as watch:
        made = runner(case, engine, watch)
        made.run(["items"])
        output = made.once(PROPOSAL)
    proposals = [row["toml"] for row in output.tables["proposal"].to_pylist()]
    if not proposals:
        raise Missing(
            "no database dump was found, so that no mapping can be proposed. Write one: docs/formats/mapping.md"
        )
    return str(proposals[0])

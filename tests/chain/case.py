"""All stages of the chain room, one after the other, on the files of a case."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import pyarrow as pa

from casewright.chain.stages import STAGES
from casewright.engine.stage import Context, Output, Piece, SetAside, Stage
from casewright.model.settings import ChainSettings, Settings
from tests.world import context, digests_of

Files = Mapping[str, bytes]


def exhibit_rows(role: str, files: Files) -> list[dict[str, Any]]:
    """Rows of `exhibit_files` for one exhibit with these files, by path."""
    return [
        {"exhibit": role, "role": role, "position": position, "path": path.encode(), "name": path, "size": len(raw),
         "sha256": digests_of(raw).sha256}
        for position, (path, raw) in enumerate(files.items())
    ]  # fmt: skip


def run_stages(
    chain: Files, tags: Files, deposits: list[dict[str, Any]], aside: list[SetAside] | None = None, **chosen: Any
) -> dict[str, pa.Table]:
    """Tables of the room for these block files, tag packs and rows of `deposit_addresses`, under default settings but
    those `chosen`. `aside` gets what is set aside."""
    settings = Settings(chain=ChainSettings(**{"network": "regtest", **chosen}))
    given = {"exhibit_files": exhibit_rows("chain", chain) + exhibit_rows("tags", tags), "deposit_addresses": deposits}
    base = context(given, (*chain.values(), *tags.values()))
    for stage in STAGES:
        world = Context(stage.params(settings), base.tables, base.blobs)
        outputs = list(_outputs(stage, world))
        balanced(outputs)
        made = _joined(outputs)
        if aside is not None:
            aside += [one for output in outputs for one in output.set_aside]
        base = Context({}, {**base.tables, **made}, base.blobs)
    return {name: table for name, table in base.tables.items() if len(table)}


def balanced(outputs: Iterable[Output]) -> None:
    """received = done + nothing to find + set aside, for each noun of a stage."""
    left = Counter[str]()
    for output in outputs:
        for tally in output.tallies:
            left[tally.noun] += tally.received - tally.done - tally.nothing
        for one in output.set_aside:
            left[one.noun] -= one.count
    assert not any(left.values()), left


def _outputs(stage: Stage, world: Context) -> Iterable[Output]:
    """What the stage makes of all its rows in one batch."""
    query = f"SELECT * FROM {stage.over} t WHERE {stage.where} ORDER BY {stage.order}"
    batch = world.sql(query) if stage.over else pa.table({})
    made = stage.work(batch, world)
    if isinstance(made, Output):
        return [made]
    return [one.make() if isinstance(one, Piece) else one for one in made]


def _joined(outputs: Iterable[Output]) -> dict[str, pa.Table]:
    parts: dict[str, list[pa.Table]] = {}
    for output in outputs:
        for name, table in output.tables.items():
            parts.setdefault(name, []).append(table)
    return {name: pa.concat_tables(lots) for name, lots in parts.items()}

"""The stage `blocks` in both modes: what a search found is put together just as what was read whole.

Of blocks that were searched the head decides where they stand, and the transactions found are all that they have.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.assembly import heads_of, in_order
from casewright.chain.balance import Files
from casewright.chain.blocks import block_rows, pieces_of
from casewright.chain.blocks import blocks as whole_blocks
from casewright.chain.heights import GENESIS
from casewright.chain.segments import Survey, segments_of, survey
from casewright.chain.targeted.finds import Found, put_together, sound_finds, taken_apart
from casewright.engine.parts import HeldPart
from casewright.engine.stage import Context, Piece
from casewright.kernels.blocks import display
from casewright.model.tables import TABLES

HEAD = ("content", "hash", "prev", "time", "bits", "span_start", "span_length")
Spot = tuple[int, int]
"""Place of a transaction in its block, and its first byte in the file."""


def blocks(batch: pa.Table, context: Context) -> Iterator[Piece]:
    """`blocks`, `transactions`, `inputs` and `outputs` of all chain exhibits, in the order of the chain."""
    if not len(context.table("searched_contents")):
        yield from whole_blocks(batch, context)
        return
    files, heads, found = Files(_as_whole(context)), context.table("searched_heads"), _found(context)
    whole = pa.concat_tables([TABLES["read_blocks"].empty(), *(part.read() for part in context.parts("read_blocks"))])
    rows, counts = _read(whole, heads, found)
    read = survey([HeldPart(rows)])
    read = replace(read, sound=_sound(read, len(heads)))
    listed = replace(
        read, rows=read.rows.set_column(read.rows.column_names.index("transactions"), "transactions", counts)
    )
    ordered = in_order(
        heads_of(read.rows, files.in_order(read.rows["content"], read.sound)), GENESIS[context.params["network"]]
    )
    told = block_rows(ordered, listed, files)
    used = np.array([head.row for head, place in ordered if place.state != "stale"], np.int64)
    own = told.filter(pc.not_equal(told["state"], "stale"))
    holding = read.rows["transactions"].to_numpy()[used] > 0
    segments = segments_of(read, used[holding])
    put = partial(_placed, _spots(heads, found))
    yield from pieces_of(read, segments, told, own.filter(pa.array(holding)), context, put,
                         lambda written: files.balance(listed.rows, read.sound, len(ordered), len(told) - len(own),
                                                       written))  # fmt: skip


def _as_whole(context: Context) -> Context:
    """The context as if what was searched had been read whole: so files and damage are counted in one place."""
    joined = {
        name: pa.concat_tables([context.table(name), context.table(more).select(TABLES[name].schema.names)])
        for name, more in (("read_files", "searched_files"), ("read_damage", "searched_damage"))
    }
    return Context(context.params, {**context.tables, **joined}, context.blobs)


def _found(context: Context) -> dict[bytes, list[Found]]:
    """What was found of each block, once, in the order of the block."""
    once: dict[bytes, dict[int, Found]] = {}
    for name in ("searched_finds", "followed_finds"):
        for _, block, found in taken_apart(sound_finds(context.table(name))):
            once.setdefault(block, {}).setdefault(found.position, found)
    return {block: [own[position] for position in sorted(own)] for block, own in once.items()}


def _read(whole: pa.Table, heads: pa.Table, found: Mapping[bytes, list[Found]]) -> tuple[pa.Table, pa.ChunkedArray]:
    """Rows of `read_blocks` for all, the heads first; and how many transactions each block really has."""
    own = [found.get(block, []) for block in heads["hash"].to_pylist()]
    packed = [put_together(some) for some in own]
    columns: dict[str, Any] = {name: heads[name] for name in HEAD}
    columns |= {name: pa.array([row[name] for row in packed], pa.binary()) for name in put_together([])}
    columns |= {"height": pa.nulls(len(heads), pa.int64()), "transactions": pa.array(map(len, own), pa.int64())}
    schema = TABLES["read_blocks"].schema
    searched = pa.table([columns[name] for name in schema.names], schema=schema)
    counts = pa.chunked_array([*heads["transactions"].chunks, *whole["transactions"].chunks], pa.int64())
    return pa.concat_tables([searched, whole]), counts


def _sound(read: Survey, searched: int) -> NDArray[np.bool_]:
    """A block that was searched may have no transaction here, but never one that does not fit."""
    sound, heads = read.sound.copy(), read.rows.slice(0, searched)
    lengths = [pc.binary_length(heads[name]).to_numpy() for name in ("hash", "prev")]
    sound[:searched] |= (heads["transactions"].to_numpy() == 0) & (lengths[0] == 32) & (lengths[1] == 32)
    return sound


def _spots(heads: pa.Table, found: Mapping[bytes, list[Found]]) -> dict[str, Spot]:
    """Where each transaction of blocks that were searched stands. A block in two contents stands where it is first."""
    begins: dict[bytes, int] = {}
    for block, begin in zip(heads["hash"].to_pylist(), heads["span_start"].to_pylist(), strict=True):
        begins.setdefault(block, begin)
    return {
        display(one.txid): (one.position, begins[block] + one.start)
        for block, own in found.items()
        for one in own
        if block in begins
    }


def _placed(spots: Mapping[str, Spot], rows_of: Callable[[], pa.Table]) -> pa.Table:
    """Rows of `transactions` whose places are those of transactions that do not follow each other."""
    rows = rows_of()
    told = zip(rows["txid"].to_pylist(), rows["position"].to_pylist(), rows["span_start"].to_pylist(), strict=True)
    places = [spots.get(txid, (position, start)) for txid, position, start in told]
    for name, column in zip(("position", "span_start"), zip(*places, strict=True), strict=False):
        rows = rows.set_column(rows.column_names.index(name), name, pa.array(column, pa.int64()))
    return rows

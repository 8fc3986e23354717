"""The stage `blocks`: the blocks of all files at once, because only together do they say which branch is the chain."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.chain.assembly import Head, heads_of, in_order
from casewright.chain.balance import Files
from casewright.chain.block_tables import Told
from casewright.chain.heights import GENESIS, Place
from casewright.chain.joins import join_holders, join_ids, join_spenders
from casewright.chain.segments import Segment, Survey, segments_of, survey
from casewright.engine.stage import Context, Output, Piece, SetAside, Tally
from casewright.engine.tables import parquet_bytes
from casewright.kernels.blocks import display
from casewright.model.tables import TABLES

MICROS = 1_000_000
Ordered = Sequence[tuple[Head, Place]]


def blocks(batch: pa.Table, context: Context) -> Iterator[Piece]:
    """`blocks`, `transactions`, `inputs` and `outputs` of all chain exhibits, in the order of the chain.

    Stale blocks are listed without their transactions. Blocks without a known ancestor are used, and have no height.
    """
    network, files, read = context.params["network"], Files(context), survey(context.parts("read_blocks"))
    ordered = in_order(heads_of(read.rows, files.in_order(read.rows["content"], read.sound)), GENESIS[network])
    told = block_rows(ordered, read, files)
    own = told.filter(pc.not_equal(told["state"], "stale"))
    used = np.array([head.row for head, place in ordered if place.state != "stale"], np.int64)
    yield from pieces_of(
        read, segments_of(read, used), told, own, context, lambda rows_of: rows_of(),
        lambda written: files.balance(read.rows, read.sound, len(ordered), len(told) - len(own), written),
    )  # fmt: skip


def pieces_of(
    read: Survey, segments: Sequence[Segment], told: pa.Table, own: pa.Table, context: Context,
    placed: Callable[[Callable[[], pa.Table]], pa.Table],
    balance: Callable[[int], tuple[list[SetAside], list[Tally]]],
) -> Iterator[Piece]:  # fmt: skip
    """All tables, segment by segment. `own`: rows of `blocks` for the blocks in the segments; `placed` has the last
    word on rows of `transactions`; `balance` counts, given how many transactions were written."""
    ids, joined = join_ids(read, segments, context.room)
    holders, spender = join_holders(read, joined, context.room), join_spenders(joined, context.room)
    output = Output({"blocks": told}, *balance(ids.count))
    said = repr((output.set_aside, output.tallies)).encode()
    pieces = 1 + 3 * len(segments)
    yield Piece(f"blocks {hashlib.sha256(parquet_bytes(told) + said).hexdigest()}", lambda: output, pieces)
    for one, holder in zip(joined, holders, strict=True):
        mine = slice(one.outputs, one.outputs + len(holder))
        rows = own.slice(one.segment.first, len(one.segment.rows))
        segment = Told(read, one, ids.txids, holder, spender[mine], rows)
        for name, key, rows_of in (
            ("transactions", segment.places_key, partial(placed, segment.transactions)),
            ("inputs", segment.inputs_key, segment.inputs),
            ("outputs", segment.outputs_key, partial(segment.outputs, context.params["network"])),
        ):
            yield Piece(f"{name} {key}", partial(_only, name, rows_of), pieces)


def _only(name: str, rows_of: Callable[[], pa.Table]) -> Output:
    return Output({name: rows_of()})


def block_rows(ordered: Ordered, read: Survey, files: Files) -> pa.Table:
    rows = read.rows.select(["content", "transactions", "span_start", "span_length"])
    rows = rows.take(pa.array([head.row for head, _ in ordered], pa.int64()))
    exhibits, paths = files.places(rows["content"].to_pylist())
    columns = {
        "hash": [display(head.hash) for head, _ in ordered],
        "height": [place.height for _, place in ordered],
        "time": pa.array([head.time * MICROS for head, _ in ordered], pa.timestamp("us")),
        "transactions": rows["transactions"],
        "state": [place.state for _, place in ordered],
        "prev": [display(head.prev) for head, _ in ordered],
        "exhibit": exhibits,
        "path": paths,
        "span_start": rows["span_start"],
        "span_length": rows["span_length"],
        "row": [None if head.height is None else int(read.first_row[head.row]) for head, _ in ordered],
    }
    return pa.table(columns, schema=TABLES["blocks"].schema)

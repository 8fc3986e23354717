"""The stage `blocks`: the blocks of all files at once, because only together do they say which branch is the chain."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.chain.assembly import Assembled, Head, assemble, heads_of, in_order, is_sound
from casewright.chain.balance import Files
from casewright.chain.heights import GENESIS, Place
from casewright.engine.stage import Context, Output
from casewright.kernels.blocks import display
from casewright.kernels.encoding import addresses_of, hex_of
from casewright.kernels.joining import SPEND, UNKNOWN
from casewright.kernels.scripts import KINDS
from casewright.model.tables import TABLES

WRITES = ("blocks", "transactions", "inputs", "outputs")
PIECE = 1 << 18
"""Transactions in one part of the tables."""
MICROS = 1_000_000
Ordered = Sequence[tuple[Head, Place]]


def blocks(batch: pa.Table, context: Context) -> Iterator[Output]:
    """`blocks`, `transactions`, `inputs` and `outputs` of all chain exhibits, in the order of the chain.

    Stale blocks are listed without their transactions. Blocks without a known ancestor are used, and have no height.
    """
    network, read = context.params["network"], context.table("read_blocks")
    sound, files = is_sound(read), Files(context)
    ordered = in_order(heads_of(read, files.in_order(read["content"], sound)), GENESIS[network])
    used = [(head, place) for head, place in ordered if place.state != "stale"]
    chain = assemble(_large(read).take(pa.array([head.row for head, _ in used], pa.int64())))
    told = _blocks(ordered, read, files)
    aside, tallies = files.balance(read, sound, len(ordered), len(ordered) - len(used), len(chain.txid))
    yield Output({**{name: TABLES[name].empty() for name in WRITES}, "blocks": told}, aside, tallies)
    own = told.filter(pc.not_equal(told["state"], "stale"))
    addresses = addresses_of(chain.scripts, chain.script_at, network)
    for start in range(0, len(chain.txid), PIECE):
        yield Output({"blocks": TABLES["blocks"].empty(), **_piece(chain, own, addresses, start)})


def _large(rows: pa.Table) -> pa.Table:
    """Bytes of many blocks together are more than 32 bits can count."""
    fields = [f.with_type(pa.large_binary()) if f.type == pa.binary() else f for f in rows.schema]
    return rows.cast(pa.schema(fields))


def _blocks(ordered: Ordered, read: pa.Table, files: Files) -> pa.Table:
    rows = read.select(["content", "transactions", "span_start", "span_length"])
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
        "row": [None if head.height is None else _first_row(read["shapes"][head.row]) for head, _ in ordered],
    }
    return pa.table(columns, schema=TABLES["blocks"].schema)


def _first_row(shapes: Any) -> int:
    """Row of a block's first transaction in an export."""
    return int.from_bytes(shapes.as_py()[:4], "little")


def _piece(chain: Assembled, own: pa.Table, addresses: pa.ChunkedArray, start: int) -> dict[str, pa.Table]:
    """Part of the three tables: PIECE transactions from `start` on, their inputs and outputs. `own`: their blocks."""
    end = min(start + PIECE, len(chain.txid))
    names = hex_of(chain.txid[start:end]).cast(pa.string())
    return {
        "transactions": _transactions(chain, own, names, slice(start, end)),
        "inputs": _inputs(chain, names, start, end),
        "outputs": _outputs(chain, names, addresses, start, end),
    }


def _transactions(chain: Assembled, own: pa.Table, names: pa.Array, rows: slice) -> pa.Table:
    blocks = own.select(["hash", "exhibit", "path", "span_start"]).take(pa.array(chain.block[rows]))
    exported = blocks["span_start"].is_null().to_numpy()
    inputs = np.diff(chain.first_input[rows.start : rows.stop + 1])
    columns = {
        "txid": names,
        "block": blocks["hash"],
        "position": chain.position[rows],
        "coinbase": inputs == 0,
        "exhibit": blocks["exhibit"],
        "path": blocks["path"],
        "span_start": pa.array(chain.start[rows], mask=exported),
        "span_length": pa.array(chain.length[rows], mask=exported),
        "row": pa.array(chain.length[rows], mask=~exported),
    }
    return pa.table(columns, schema=TABLES["transactions"].schema)


def _inputs(chain: Assembled, names: pa.Array, start: int, end: int) -> pa.Table:
    of, place = _of(chain.first_input, start, end)
    rows = slice(chain.first_input[start], chain.first_input[end])
    spend = chain.spend.reshape(-1, SPEND)[rows]
    columns = {
        "txid": names.take(pa.array(of)),
        "vin": place,
        "prev_txid": hex_of(spend[:, :32]).cast(pa.string()),
        "prev_vout": np.ascontiguousarray(spend[:, 32:]).view("<u4").ravel().astype(np.int64),
        "transaction": of + start,
        "spends": _numbers(chain.spends[rows]),
    }
    return pa.table(columns, schema=TABLES["inputs"].schema)


def _outputs(chain: Assembled, names: pa.Array, addresses: pa.ChunkedArray, start: int, end: int) -> pa.Table:
    of, place = _of(chain.first_output, start, end)
    rows = slice(chain.first_output[start], chain.first_output[end])
    holder, spender = chain.holder[rows], chain.spender[rows]
    spent = pa.array(spender != UNKNOWN)
    names_of_spenders = hex_of(chain.txid[np.maximum(spender, 0)]).cast(pa.string())
    columns = {
        "txid": names.take(pa.array(of)),
        "vout": place,
        "sats": chain.sats[rows],
        "address": addresses.take(pa.array(holder)),
        "kind": pa.array(KINDS).take(pa.array(chain.kind[rows])),
        "spent_by": pc.if_else(spent, names_of_spenders, pa.scalar(None, pa.string())),
        "transaction": of + start,
        "holder": holder,
        "spender": _numbers(spender),
    }
    return pa.table(columns, schema=TABLES["outputs"].schema)


def _of(first: Any, start: int, end: int) -> tuple[Any, Any]:
    """Of each row its transaction, counted from `start`, and its place in it."""
    counts = np.diff(first[start : end + 1])
    of = np.repeat(np.arange(end - start), counts)
    return of, np.arange(len(of)) - np.repeat(first[start:end] - first[start], counts)


def _numbers(values: Any) -> pa.Array:
    """Integers, NULL where they are not known."""
    return pa.array(values, mask=values == UNKNOWN)

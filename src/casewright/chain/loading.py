"""The chain's tables as arrays: made once, part by part, and mapped from the disk by every stage that asks for them."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.assembly import flat, sizes_of
from casewright.chain.columns import KINDS, UNKNOWN, UNTOLD, Chain, Numbers, as_texts, numbers
from casewright.engine.parts import HeldPart, TablePart
from casewright.engine.room import Arrays, Memory, Room
from casewright.engine.stage import Context
from casewright.engine.tables import parquet_bytes
from casewright.kernels.encoding import raw_of

EPOCH_MICROS = 1_000_000
TABLES = ("transactions", "inputs", "outputs")
Parts = Sequence[TablePart]
STRETCH = 1 << 22
"""Starts that are told at once."""
NOTHING: Mapping[str, NDArray[Any]] = {
    "height": np.empty(0, np.int32), "time": np.empty(0, np.int64), "txids": np.empty(0, np.uint8),
    "style": np.empty(0, np.uint8),
    "first_input": np.zeros(1, np.int64), "first_output": np.zeros(1, np.int64), "spends": np.empty(0, np.int32),
    "sats": np.empty(0, np.int64), "holder": np.empty(0, np.int32), "kind": np.empty(0, np.uint8),
    "spender": np.empty(0, np.int32), "address_at": np.zeros(1, np.int64), "addresses": np.empty(0, np.uint8),
}  # fmt: skip
"""The arrays of an empty chain, as they are kept: `addresses` are the texts end to end, `address_at` where each begins
(one that is empty is none), and `txids` 32 bytes each."""


def load_chain(context: Context) -> Chain:
    """The chain of a stage that reads `blocks`, `transactions`, `inputs` and `outputs`."""
    parts = {name: context.parts(name) for name in TABLES}
    return _chain(context.table("blocks").select(["hash", "height", "time"]), parts, context.room)


def chain_of(blocks: pa.Table, transactions: pa.Table, inputs: pa.Table, outputs: pa.Table) -> Chain:
    """The chain that four tables hold, their rows in the order of the chain."""
    held = {name: [HeldPart(t)] for name, t in zip(TABLES, (transactions, inputs, outputs), strict=True)}
    return _chain(blocks.select(["hash", "height", "time"]), held, Memory())


def key_of(parts: Sequence[TablePart]) -> str:
    """Names the rows of all parts together."""
    return hashlib.sha256("\n".join(part.digest for part in parts).encode()).hexdigest()


def _chain(blocks: pa.Table, parts: Mapping[str, Parts], room: Room) -> Chain:
    arrays = dict(room.keep_grown(partial(_key, blocks, parts), partial(_stretches, blocks, parts, room)))
    at, texts = arrays.pop("address_at"), arrays.pop("addresses")
    raw = pa.py_buffer(arrays.pop("txids"))
    txids = pa.Array.from_buffers(pa.binary(32), len(raw) // 32, [None, raw])
    return Chain(**cast(Any, arrays), txids=txids, addresses=as_texts(at, texts))


def _key(blocks: pa.Table, parts: Mapping[str, Parts]) -> str:
    of_blocks = hashlib.sha256(parquet_bytes(blocks.combine_chunks())).hexdigest()
    return " ".join(("chain 2", of_blocks, *(key_of(parts[name]) for name in TABLES)))


def _stretches(blocks: pa.Table, parts: Mapping[str, Parts], room: Room) -> Iterator[Arrays]:
    yield NOTHING
    count = sum(part.rows for part in parts["transactions"])
    room.tell("the chain is laid out in columns")
    yield from _transactions(blocks, parts["transactions"])
    inputs, outputs = np.zeros(count, np.int32), np.zeros(count, np.int32)
    yield from _inputs(parts["inputs"], inputs)
    yield from _outputs(parts["outputs"], outputs)
    for name, counts in (("first_input", inputs), ("first_output", outputs)):
        yield from _starts(name, counts)


def _transactions(blocks: pa.Table, parts: Parts) -> Iterator[Arrays]:
    hashes = blocks["hash"].combine_chunks()
    height, time = numbers(blocks["height"]), numbers(blocks["time"].cast(pa.int64())) // EPOCH_MICROS
    for part in parts:
        rows = part.read(["txid", "block", "version", "lock_time"])
        block = numbers(pc.index_in(rows["block"], hashes))
        yield {"height": height[block].astype(np.int32), "time": time[block], "txids": raw_of(flat(rows["txid"])),
               "style": style_of(numbers(rows["version"]), numbers(rows["lock_time"]))}  # fmt: skip


def style_of(version: Numbers, lock_time: Numbers) -> NDArray[np.uint8]:
    """`Chain.style` of transactions; -1 is not told. Versions above 126 are no program's habit, and one."""
    style = 2 * np.minimum(version, UNTOLD // 2 - 1) + (lock_time > 0)
    return np.where((version < 0) | (lock_time < 0), UNTOLD, style).astype(np.uint8)


def _inputs(parts: Parts, counts: NDArray[np.int32]) -> Iterator[Arrays]:
    for part in parts:
        rows = part.read(["transaction", "spends"])
        _count(numbers(rows["transaction"]), counts)
        yield {"spends": numbers(rows["spends"]).astype(np.int32)}


def _outputs(parts: Parts, counts: NDArray[np.int32]) -> Iterator[Arrays]:
    """Address of a holder: that of its first output. Holders are numbered as they first appear, so the first of each is
    where the largest number so far grows."""
    highest, end = UNKNOWN, 0
    for part in parts:
        rows = part.read(["transaction", "sats", "holder", "spender", "kind", "address"])
        _count(numbers(rows["transaction"]), counts)
        holder = numbers(rows["holder"])
        before = np.maximum.accumulate(np.concatenate(([highest], holder)))
        first = pc.fill_null(rows["address"].take(pa.array(np.flatnonzero(holder > before[:-1]))), "")
        at = end + np.cumsum(sizes_of(first))
        highest, end = int(before[-1]), int(at[-1]) if len(at) else end
        yield {
            "sats": numbers(rows["sats"]), "holder": holder.astype(np.int32), "kind": _kinds(rows["kind"]),
            "spender": numbers(rows["spender"]).astype(np.int32), "address_at": at, "addresses": flat(first),
        }  # fmt: skip


def _count(of: Numbers, counts: NDArray[np.int32]) -> None:
    """Add how many rows each transaction has: rows are in the order of transactions."""
    if len(of):
        counts[of[0] : of[-1] + 1] += np.bincount(of - of[0]).astype(np.int32)


def _starts(name: str, counts: NDArray[np.int32]) -> Iterator[Arrays]:
    """Where each transaction's rows begin, and the end."""
    before = 0
    for start in range(0, len(counts), STRETCH):
        ends = before + np.cumsum(counts[start : start + STRETCH], dtype=np.int64)
        before = int(ends[-1])
        yield {name: ends}


def _kinds(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], pc.index_in(column, pa.array(KINDS)).to_numpy().astype(np.uint8))

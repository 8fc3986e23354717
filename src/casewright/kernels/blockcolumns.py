"""What the blocks of a file hold, as columns: read by the compiled twin, and by the definition wherever that refuses.

`read_columns` walks a file just as `blockfiles.read_frames` does, and gives the same damage with the same reasons.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from casewright.kernels.blockfiles import Found, Plain, next_found, read_single
from casewright.kernels.blocks import EASIEST, MOST, Block
from casewright.kernels.blockscan import count_blocks, fill_blocks, frames
from casewright.kernels.scripts import kind_of
from casewright.kernels.sha256 import scratch

FEW, MANY, PIECE = 16, 4096, 16 << 20
"""Frames that are tried at once: few behind damage, then more and more, of so many bytes together."""
Column = NDArray[Any]


class Columns(NamedTuple):
    """B blocks, T transactions, I inputs (those of coinbases too) and O outputs, each in the order of the file.

    Hashes are as they were hashed. Places are bytes in the file's clear content: `start` and `length` of transactions,
    `witness` where witness data begins (0: none), `script` and `script_size` of outputs.
    """

    hash: Column
    prev: Column
    time: Column
    bits: Column
    block_start: Column
    block_size: Column
    transactions: Column
    txid: Column
    wtxid: Column
    start: Column
    length: Column
    witness: Column
    inputs: Column
    outputs: Column
    version: Column
    lock_time: Column
    prev_txid: Column
    prev_vout: Column
    sats: Column
    script: Column
    script_size: Column
    kind: Column


_HASHES = {"hash", "prev", "txid", "wtxid", "prev_txid"}
_TYPES = {"version": np.uint32, "lock_time": np.uint32, "prev_vout": np.uint32, "kind": np.uint8}
_LONGS = (("B", 7), ("T", 9), ("I", 2), ("O", 4))


@dataclass(frozen=True)
class Run:
    """Blocks that follow each other, or, without any, one stretch of damage."""

    columns: Columns
    damage: Found | None = None


def empty(blocks: int, transactions: int, inputs: int, outputs: int) -> Columns:
    """Columns of these lengths, not filled."""
    longs = [n for n, (_, k) in zip((blocks, transactions, inputs, outputs), _LONGS, strict=True) for _ in range(k)]
    return Columns(*(
        np.empty((n, 32), np.uint8) if name in _HASHES else np.empty(n, _TYPES.get(name, np.int64))
        for name, n in zip(Columns._fields, longs, strict=True)
    ))  # fmt: skip


def joined(parts: Sequence[Columns]) -> Columns:
    """Columns one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Columns(*map(np.concatenate, zip(*(parts or [empty(0, 0, 0, 0)]), strict=True)))


def read_columns(file: Plain, magic: bytes, easiest: int = EASIEST) -> tuple[Columns, list[Found]]:
    """Every whole block of a file of frames, and all that is damaged, both in the order of the file."""
    runs = list(read_runs(file, magic, easiest))
    return joined([run.columns for run in runs if not run.damage]), [run.damage for run in runs if run.damage]


def read_runs(file: Plain, magic: bytes, easiest: int = EASIEST) -> Iterator[Run]:
    """The same, stretch by stretch."""
    data, at, tries = as_bytes(file.clear), 0, MANY
    while at < len(data):
        columns = _fast(data, magic, at, tries, easiest)
        if len(columns.hash):
            yield Run(columns)
            at, tries = int(columns.block_start[-1] + columns.block_size[-1]), min(2 * tries, MANY)
            continue
        tries = FEW
        found, at = next_found(file, magic, at, easiest)
        if found:
            yield Run(of_blocks([found]), None if found.block else found)


def read_single_run(file: Plain, easiest: int = EASIEST) -> Run | None:
    """The one raw block that fills the file, as `blockfiles.read_single` has it."""
    columns = read_blocks(as_bytes(file.clear), np.zeros(1, np.int64), np.array([len(file.clear)]), easiest)
    if len(columns.hash):
        return Run(columns)
    found = read_single(file, easiest)
    return Run(of_blocks([found]), None if found.block else found) if found else None


def read_blocks(data: Column, starts: Column, sizes: Column, easiest: int = EASIEST) -> Columns:
    """The blocks at these places, up to the first that does not hold."""
    counts = np.zeros((len(starts), 3), np.int64)
    whole = count_blocks(data, starts, sizes, counts)
    columns = empty(whole, *counts[:whole].sum(axis=0).tolist())
    columns.block_start[:], columns.block_size[:] = starts[:whole], sizes[:whole]
    columns.transactions[:] = counts[:whole, 0]
    level, scrap = np.empty(32 * len(columns.txid) + 32, np.uint8), np.empty(MOST, np.uint8)
    good = fill_blocks(data, easiest, columns, level, scrap, scratch())
    return columns if good == whole else _cut(columns, good, counts[:good].sum(axis=0).tolist())


def _fast(data: Column, magic: bytes, at: int, most: int, easiest: int) -> Columns:
    starts, sizes = np.empty(most, np.int64), np.empty(most, np.int64)
    count = frames(data, as_bytes(magic), at, at + PIECE, starts, sizes)
    return read_blocks(data, starts[:count], sizes[:count], easiest)


def _cut(columns: Columns, blocks: int, others: list[int]) -> Columns:
    longs = [n for n, (_, k) in zip((blocks, *others), _LONGS, strict=True) for _ in range(k)]
    return Columns(*(column[:n] for column, n in zip(columns, longs, strict=True)))


def as_bytes(raw: bytes) -> Column:
    return np.frombuffer(raw, np.uint8)


def of_blocks(found: Sequence[Found]) -> Columns:
    """The columns of blocks that the definition read: what the compiled twin must give."""
    whole = [(f, f.block) for f in found if f.block]
    transactions = [(f.start, t) for f, b in whole for t in b.transactions]
    spends = [s for _, t in transactions for s in t.spends]
    coins = [c for _, t in transactions for c in t.coins]
    columns = empty(len(whole), len(transactions), len(spends), len(coins))
    values: list[list[Any]] = [
        *_blocks_of(whole),
        [t.txid for _, t in transactions],
        [t.wtxid for _, t in transactions],
        [at + t.start for at, t in transactions],
        [t.length for _, t in transactions],
        [at + t.witness if t.witness else 0 for at, t in transactions],
        [len(t.spends) for _, t in transactions],
        [len(t.coins) for _, t in transactions],
        [t.version for _, t in transactions],
        [t.lock_time for _, t in transactions],
        [s.txid for s in spends],
        [s.vout for s in spends],
        [c.sats for c in coins],
        [at + c.start for at, t in transactions for c in t.coins],
        [len(c.script) for c in coins],
        [int(kind_of(as_bytes(c.script), 0, len(c.script))) for c in coins],
    ]
    for column, own in zip(columns, values, strict=True):
        column[:] = as_bytes(b"".join(own)).reshape(-1, 32) if column.ndim == 2 else own
    return columns


def _blocks_of(whole: Sequence[tuple[Found, Block]]) -> list[list[Any]]:
    return [
        [b.hash for _, b in whole],
        [b.prev for _, b in whole],
        [b.time for _, b in whole],
        [b.bits for _, b in whole],
        [f.start for f, _ in whole],
        [b.size for _, b in whole],
        [len(b.transactions) for _, b in whole],
    ]


def _compile() -> None:
    """Compiles all of it when this module is imported: a child may not write what it compiled."""
    read_columns(Plain(bytes(4), bytes(4)), b"none")
    kind_of(as_bytes(bytes(4)), 0, 4)


_compile()

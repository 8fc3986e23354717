"""The joins of a whole chain, segment by segment: which transaction is which, what each input spends, who holds what.

First all ids, then all scripts, so that only one of the two large tables is held at a time. What is found out of a
segment is kept, and a later run goes on behind the last segment that is the same. What a coin's spender is, later
segments decide: that is gone through anew each time, over numbers only.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from casewright.chain.assembly import Numbers, flat
from casewright.chain.segments import Segment, Survey, of_kept
from casewright.engine.room import Arrays, Room
from casewright.kernels.joining import SPEND, UNKNOWN, Holders, Ids, mark_spenders
from casewright.kernels.runs import starts
from casewright.model.errors import Refused

MOST_OUTPUTS = 1 << 31
"""Outputs are numbered in 32 bits, with a sign."""


@dataclass(frozen=True)
class Joined:
    """What the joins say of one segment. `kept`: which of its blocks' transactions repeat none before them, and only of
    these are all others; `transactions` and `outputs`: how many the chain has before it."""

    segment: Segment
    transactions: int
    outputs: int
    kept: NDArray[np.bool_]
    first_input: Numbers
    first_output: Numbers
    spends: NDArray[np.int32]
    late: NDArray[np.int32]
    """Inputs whose coin stands behind them in the chain: `spends` has it, too."""


def join_ids(read: Survey, segments: Sequence[Segment], room: Room) -> tuple[Ids, list[Joined]]:
    """Transactions by id, and what each input spends; -1: what is not in the chain files."""
    most = sum(_sum(read.rows["transactions"].to_numpy()[s.rows]) for s in segments)
    outputs = sum(_sum(read.outputs[s.rows]) for s in segments)
    if outputs >= MOST_OUTPUTS:
        raise Refused(f"the chain files hold {outputs:,} outputs; one case can number {MOST_OUTPUTS - 1:,}. "
                      "Search them for the case's own addresses instead: casewright trace --targeted")  # fmt: skip
    ids = Ids(room.scratch("txids", np.uint8, 32 * most), room.scratch("first_output", np.int64, most + 1))
    found: list[Arrays] = []
    for number, segment in enumerate(segments):
        room.tell(f"transactions joined in {number} of {len(segments)} segments")
        before = ids.count
        arrays = room.keep(f"ids {segment.key}", partial(_ids, read, segment, ids))
        if ids.count == before:
            ids.add(arrays["txids"], arrays["outputs"])
        found.append(arrays)
    joined = list(_with_late(segments, found, ids))
    ids.forget()
    return ids, joined


def _ids(read: Survey, segment: Segment, ids: Ids) -> Arrays:
    rows = read.read(segment.rows, ("txids", "shapes", "spends"))
    shapes, txids = flat(rows["shapes"], "<u4").reshape(-1, 3), flat(rows["txids"]).reshape(-1, 32)
    # two coinbases of 2010 repeat older ones (BIP 30), and unconnected blocks may repeat what the chain has
    kept = ids.enter(txids, shapes[:, 2])
    spend = of_kept(flat(rows["spends"]).reshape(-1, SPEND), shapes[:, 1], kept)
    spends = ids.spent(spend)
    missing = np.flatnonzero(spends == UNKNOWN).astype(np.int32)
    return {"kept": kept, "txids": txids[kept], "inputs": shapes[kept, 1], "outputs": shapes[kept, 2],
            "spends": spends.astype(np.int32), "missing": missing, "sought": spend[missing]}  # fmt: skip


def _with_late(segments: Sequence[Segment], found: Sequence[Arrays], ids: Ids) -> Iterator[Joined]:
    """Once all ids are known: inputs that stand before what they spend, as blocks without ancestors may."""
    transactions = outputs = 0
    for segment, arrays in zip(segments, found, strict=True):
        first_input, first_output = starts(arrays["inputs"]), starts(arrays["outputs"])
        spends, late = arrays["spends"], np.empty(0, np.int32)
        if len(arrays["missing"]):
            coins = ids.spent(arrays["sought"])
            late = arrays["missing"][coins != UNKNOWN]
        if len(late):
            spends = np.array(spends)
            spends[late] = coins[coins != UNKNOWN]
        yield Joined(segment, transactions, outputs, arrays["kept"], first_input, first_output, spends, late)
        transactions, outputs = transactions + len(first_input) - 1, outputs + int(first_output[-1])


def join_holders(read: Survey, joined: Sequence[Joined], room: Room) -> list[NDArray[np.int32]]:
    """Of each segment the holder of each output."""
    used = np.concatenate([np.empty(0, np.int64), *(one.segment.rows for one in joined)])
    outputs, size = _sum(read.outputs[used]), _sum(read.script_bytes[used])
    holders = Holders(room.scratch("scripts", np.uint8, size), room.scratch("script_at", np.int64, outputs + 1))
    kept: list[Arrays] = []
    added = 0

    def make(one: Joined) -> Arrays:
        nonlocal added
        for arrays in kept[added:]:
            holders.add(arrays["scripts"], arrays["sizes"])
        added = len(kept) + 1
        return _holders(read, one, holders)

    for number, one in enumerate(joined):
        room.tell(f"scripts joined in {number} of {len(joined)} segments")
        kept.append(room.keep(f"holders {one.segment.key}", partial(make, one)))
    return [arrays["holder"] for arrays in kept]


def _holders(read: Survey, one: Joined, holders: Holders) -> Arrays:
    rows = read.read(one.segment.rows, ("shapes", "script_sizes", "scripts"))
    outputs, before = flat(rows["shapes"], "<u4").reshape(-1, 3)[:, 2], holders.count
    sizes = flat(rows["script_sizes"])
    scripts = of_kept(flat(rows["scripts"]), sizes, of_kept_outputs(outputs, one.kept))
    holder = holders.number(scripts, starts(of_kept(sizes, outputs, one.kept)))
    at = holders.at[before : holders.count + 1]
    return {"holder": holder.astype(np.int32), "sizes": np.diff(at).astype(np.uint8),
            "scripts": holders.scripts[at[0] : at[-1]]}  # fmt: skip


def of_kept_outputs(outputs: NDArray[np.uint32], kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Of each output, whether its transaction is kept."""
    return np.repeat(kept, outputs)


def join_spenders(joined: Sequence[Joined], room: Room) -> NDArray[np.int32]:
    """Of each output the transaction that spends it, from 1 on; 0 while it is unspent."""
    spender = room.scratch("spenders", np.int32, joined[-1].outputs + int(joined[-1].first_output[-1]) if joined else 0)
    for one in joined:
        mark_spenders(one.spends, one.first_input, one.transactions, spender)
    return spender


def _sum(counts: NDArray[np.int64]) -> int:
    return int(counts.sum(dtype=np.int64))

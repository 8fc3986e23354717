"""Clusters by co-spending: union-find against graphsense-clustering, the proof, and the whole stage's arrays at size.

uv run --with graphsense-clustering python bench/clusters.py [--transactions 4000000] [--runs 5]

Both sides get the same lists of inputs, as Arrow holds them, and give the least number of each one's group; a run in
which the groups differ fails. Processor time of one core (the peer may use several threads: its threads count), in
turns, the best of several runs.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from figures import clock, peak

from casewright.chain.columns import Chain
from casewright.chain.screen import could_be_joint
from casewright.chain.wallets import co_spent
from casewright.kernels.forest import Forest, rests_on_one
from casewright.kernels.unionfind_fast import Groups, Portion

MIB = 1 << 20
PORTION = 1 << 20
"""Transactions in one portion: both sides are fed the same ones."""


def main() -> None:
    options = argparse.ArgumentParser(description="clusters")
    options.add_argument("--transactions", type=int, default=4_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--only", choices=("union", "ways", "columns"))
    options.add_argument("--columns", type=int, default=10_000_000, help="transactions of the chain as columns")
    chosen = options.parse_args()
    starts, members, size = wallets(chosen.transactions)
    print(f"{chosen.transactions:,} transactions, {len(members):,} inputs, {size:,} addresses")
    if chosen.only in (None, "union"):
        union(starts, members, size, chosen.runs)
    if chosen.only in (None, "ways"):
        ways(starts, members, size)
    del starts, members
    if chosen.only in (None, "columns"):
        columns(chosen.columns)


def wallets(transactions: int, seed: int = 7) -> tuple[Any, Any, int]:
    """Inputs as on the chain: half of the transactions have one; addresses belong to wallets of very unequal size, and
    most inputs of a wallet are of addresses that it used lately."""
    dice = np.random.default_rng(seed)
    counts = np.minimum(dice.zipf(2.1, transactions), 200)
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    holdings = np.minimum(dice.zipf(1.6, transactions), transactions // 10)
    ends = np.cumsum(holdings)
    ends = ends[ends <= transactions]
    holdings = holdings[: len(ends)]
    size = int(ends[-1])
    who = np.searchsorted(ends, dice.integers(0, size, transactions), "right")  # the more addresses, the more payments
    many, first = holdings[who], ends[who] - holdings[who]
    lately = (np.arange(transactions) / transactions * many).astype(np.int64)
    back = np.minimum(dice.geometric(0.05, int(starts[-1])) - 1, 1000)
    return (
        starts,
        (np.repeat(first, counts) + (np.repeat(lately, counts) + back) % np.repeat(many, counts)).astype(np.int32),
        size,
    )


def portions(starts: Any) -> Iterator[tuple[int, Any]]:
    for begin in range(0, len(starts) - 1, PORTION):
        yield begin, starts[begin : begin + PORTION + 1]


def ours(starts: Any, members: Any, size: int, keep: bool) -> Any:
    groups = Groups.of(size)
    for begin, part in portions(starts):
        groups.join(Portion(begin, part - part[0], members[part[0] : part[-1]]), keep)
    groups.least()
    return groups


def theirs(lists: list[Any], size: int) -> Any:
    from gs_clustering import Clustering  # noqa: PLC0415  fetched for the measurement only

    clustering = Clustering(max_address_id=size - 1)
    for part in lists:
        clustering.process_transactions_arrow(part)
    return clustering.get_mapping()


def union(starts: Any, members: Any, size: int, runs: int) -> None:
    lists = [
        pa.ListArray.from_arrays(
            pa.array((part - part[0]).astype(np.int32)), pa.array(members[part[0] : part[-1]].astype(np.uint32))
        )
        for _, part in portions(starts)
    ]
    sides: dict[str, Callable[[], Any]] = {
        "graphsense-clustering": lambda: theirs(lists, size),
        "Casewright, groups alone": lambda: ours(starts, members, size, False),
        "Casewright, with the proof": lambda: ours(starts, members, size, True),
        "Casewright, with the proof as rooted trees": lambda: Forest.of(ours(starts, members, size, True)),
    }
    best: dict[str, tuple[float, float]] = {}
    for _ in range(runs):
        for name, side in sides.items():
            took, _ = clock(side)
            before = best.get(name, (took.wall, took.cpu))
            best[name] = min(before[0], took.wall), min(before[1], took.cpu)
    agree(theirs(lists, size), ours(starts, members, size, True).least())
    peer = best["graphsense-clustering"][1]
    print("| | wall s | processor s | inputs a second of one core | against the peer |\n|---|---|---|---|---|")
    for name, (wall, cpu) in best.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {len(members) / cpu / 1e6:.1f} M | {peer / cpu:.2f} |")
    bare, proof, trees = (best[name][1] for name in list(sides)[1:])
    print(f"proof / without: {proof / bare:.2f}; with rooted trees: {trees / bare:.2f}")


def agree(mapping: Any, least: Any) -> None:
    ids, clusters = (mapping.column(n).to_numpy() for n in (0, 1))
    if not np.array_equal(least[ids], clusters):
        raise SystemExit("the groups differ")
    print(f"equal groups: {len(np.unique(clusters)):,} of {len(ids):,} addresses")


def ways(starts: Any, members: Any, size: int, pairs: int = 2_000) -> None:
    """Time of one way in the largest group, and in a chain of merges as long as there can be."""
    groups = ours(starts, members, size, True)
    forest = Forest.of(groups)
    least = groups.least()
    names, sizes = np.unique(least, return_counts=True)
    largest = np.flatnonzero(least == names[np.argmax(sizes)])
    walked("the largest group", forest, largest, pairs)
    took, alone = clock(lambda: rests_on_one(forest, groups, [Portion(0, starts, members)]))
    print(f"merges that rest on one transaction: {alone.sum():,} of {len(alone):,}, {took.cpu:.2f} s")
    line = Groups.of(1_000_000)
    ends = np.repeat(np.arange(1_000_000, dtype=np.int32), 2)[1:-1]
    line.join(Portion(0, np.arange(0, len(ends) + 1, 2), ends))
    walked("a line of a million merges", Forest.of(line), np.arange(1_000_000), 200)
    print(f"most memory held: {peak() // MIB:,} MiB")


def walked(name: str, forest: Forest, things: Any, pairs: int) -> None:
    dice, times, lengths = np.random.default_rng(1), [], []
    for _ in range(pairs):
        one, other = (int(n) for n in dice.choice(things, 2))
        begun = time.perf_counter()
        way = forest.way(one, other)
        times.append(1000 * (time.perf_counter() - begun))
        if way is None:
            raise SystemExit("two of one group are not joined")
        lengths.append(len(way))
    p50, p95 = np.percentile(times, (50, 95))
    print(f"{name}: {len(things):,} addresses, ways of {np.mean(lengths):,.0f} merges, at most {max(lengths):,}: "
          f"p50 {p50:.3f} ms, p95 {p95:.3f} ms")  # fmt: skip


def columns(transactions: int) -> None:
    """All that the stage `clusters` does on numbers: CoinJoins screened, groups, proof, trees, what rests on one."""
    chain = chain_like(transactions)
    before = peak() // MIB
    print(f"{transactions:,} transactions, {len(chain.spends):,} inputs, {len(chain.sats):,} outputs, "
          f"{len(chain.addresses):,} holders; the columns themselves {size_of(chain) // MIB:,} MiB")  # fmt: skip
    took, asked = clock(lambda: could_be_joint(chain))
    print(f"screened for CoinJoins: {took.cpu:.1f} s, {asked.sum():,} to look at")
    took, found = clock(lambda: co_spent(chain))
    spent = found.is_member
    groups = len(np.unique(found.groups.least()[spent]))
    print(f"clusters with proof, trees and support: {took.cpu:.1f} s of a core, {took.wall:.1f} s; "
          f"{spent.sum():,} addresses spent from, {groups:,} clusters; "
          f"most memory held {peak() // MIB:,} MiB, before {before:,} MiB")  # fmt: skip


def chain_like(transactions: int) -> Chain:
    """A chain whose transactions spend the coins of `wallets`, with about two outputs each."""
    starts, members, holders = wallets(transactions)
    counts = np.full(transactions, 2)
    counts[::7] = 1
    counts[3::50] = 5
    first_output = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    dice, outputs = np.random.default_rng(2), int(first_output[-1])
    holder = dice.integers(0, holders, outputs)
    holder[:holders] = np.arange(holders)
    sats = dice.integers(600, 10**9, outputs)
    sats[dice.random(outputs) < 0.1] = 1_000_000
    first = np.full(holders, -1, np.int64)
    first[holder[::-1]] = np.arange(outputs)[::-1]
    nothing = np.zeros(outputs, np.int64)
    return Chain(
        np.zeros(transactions, np.int64), np.zeros(transactions, np.int64), starts, first_output, first[members], sats,
        holder, np.full(outputs, 2, np.uint8), nothing, pa.chunked_array([pa.nulls(transactions, pa.string())]),
        pa.array(np.zeros(holders, "S1")).cast(pa.string()),
    )  # fmt: skip


def size_of(chain: Chain) -> int:
    return sum(c.nbytes for c in (chain.height, chain.time, chain.first_input, chain.first_output, chain.spends,
                                  chain.sats, chain.holder, chain.kind, chain.spender))  # fmt: skip


if __name__ == "__main__":
    main()

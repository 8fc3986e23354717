"""Clusters by co-spending: union-find against graphsense-clustering, the proof, and the whole stage's arrays at size.

uv run --with graphsense-clustering python bench/clusters.py [--transactions 4000000] [--runs 5]

Both sides get the same lists of inputs, as Arrow holds them, and give the least number of each one's group; a run in
which the groups differ fails. Processor time of one core (the peer may use several threads: its threads count), in
turns, the best of several runs.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from chain_scale import memory_now, watched_all
from claims import Claim, claims_option, hand_over
from figures import clock
from wallet_maker import chain_like, spent

from casewright.chain.change import votes_of
from casewright.chain.change_part import parts
from casewright.chain.proof import proof_between
from casewright.chain.screen import could_be_joint
from casewright.chain.shortest import in_order
from casewright.chain.wallets import co_spent
from casewright.kernels.forest import Forest, rests_on_one
from casewright.kernels.unionfind_fast import Groups, Portion
from casewright.model.tables import TABLES

MIB = 1 << 20


def main() -> None:
    options = argparse.ArgumentParser(description="clusters")
    options.add_argument("--transactions", type=int, default=4_000_000)
    options.add_argument("--runs", type=int, default=5)
    options.add_argument("--only", choices=("union", "ways", "columns"))
    options.add_argument("--folder", type=Path, help="where the chain's columns lie meanwhile")
    options.add_argument("--columns", type=int, default=10_000_000, help="transactions of the chain as columns")
    claims_option(options)
    chosen, told = options.parse_args(), list[Claim]()
    if chosen.only != "columns":
        world = spent(chosen.transactions)
        links = [Portion(*portion) for portion in world.portions()]
        print(f"{chosen.transactions:,} transactions, {world.starts[-1]:,} inputs, {world.addresses:,} addresses")
    if chosen.only in (None, "union"):
        told += union(links, world.addresses, chosen.runs)
    if chosen.only in (None, "ways"):
        told += ways(links, world.addresses)
    if chosen.only in (None, "columns"):
        columns(chosen.columns, chosen.folder)
    hand_over("clusters", chosen.claims, told)


def ours(links: list[Portion], size: int, keep: bool) -> Any:
    groups = Groups.of(size)
    for part in links:
        groups.join(part, keep)
    groups.least()
    return groups


def theirs(lists: list[Any], size: int) -> Any:
    from gs_clustering import Clustering  # noqa: PLC0415  fetched for the measurement only

    clustering = Clustering(max_address_id=size - 1)
    for part in lists:
        clustering.process_transactions_arrow(part)
    return clustering.get_mapping()


def union(links: list[Portion], size: int, runs: int) -> list[Claim]:
    lists = [
        pa.ListArray.from_arrays(pa.array(part.starts.astype(np.int32)), pa.array(part.members.astype(np.uint32)))
        for part in links
    ]
    sides: dict[str, Callable[[], Any]] = {
        "graphsense-clustering": lambda: theirs(lists, size),
        "Casewright, groups alone": lambda: ours(links, size, False),
        "Casewright, with the proof": lambda: ours(links, size, True),
        "Casewright, with the proof as rooted trees": lambda: Forest.of(ours(links, size, True)),
    }
    inputs = sum(len(part.members) for part in links)
    best: dict[str, tuple[float, float]] = {}
    for _ in range(runs):
        for name, side in sides.items():
            took, _ = clock(side)
            before = best.get(name, (took.wall, took.cpu))
            best[name] = min(before[0], took.wall), min(before[1], took.cpu)
    agree(theirs(lists, size), ours(links, size, True).least())
    peer = best["graphsense-clustering"][1]
    print("| | wall s | processor s | inputs a second of one core | against the peer |\n|---|---|---|---|---|")
    for name, (wall, cpu) in best.items():
        print(f"| {name} | {wall:.2f} | {cpu:.2f} | {inputs / cpu / 1e6:.1f} M | {peer / cpu:.2f} |")
    bare, proof, trees = (best[name][1] for name in list(sides)[1:])
    print(f"proof / without: {proof / bare:.2f}; with rooted trees: {trees / bare:.2f}")
    told, rate = f"{inputs:,} inputs", 1e-6 * inputs
    against = (("groups", bare, peer), ("proof", proof, bare), ("trees", trees, bare))
    return [Claim(key, rate / mine, "M inputs/s", told, rate / other) for key, mine, other in against]


def agree(mapping: Any, least: Any) -> None:
    ids, clusters = (mapping.column(n).to_numpy() for n in (0, 1))
    if not np.array_equal(least[ids], clusters):
        raise SystemExit("the groups differ")
    print(f"equal groups: {len(np.unique(clusters)):,} of {len(ids):,} addresses")


def ways(links: list[Portion], size: int, pairs: int = 2_000) -> list[Claim]:
    """Time of one way in the largest group, and in a chain of merges as long as there can be."""
    groups = ours(links, size, True)
    forest = Forest.of(groups)
    least = groups.least()
    names, sizes = np.unique(least, return_counts=True)
    largest = np.flatnonzero(least == names[np.argmax(sizes)])
    size_of = f"a cluster of {len(largest):,} addresses"
    told = [Claim("way", walked("the largest group", forest, largest, pairs), "ms", size_of)]
    for key, p95 in shortest(links, groups, forest, largest).items():
        told.append(Claim(key, p95, "ms", size_of))
    took, alone = clock(lambda: rests_on_one(forest, groups, links))
    print(f"merges that rest on one transaction: {alone.sum():,} of {len(alone):,}, {took.cpu:.2f} s")
    line = Groups.of(1_000_000)
    ends = np.repeat(np.arange(1_000_000, dtype=np.int32), 2)[1:-1]
    line.join(Portion(0, np.arange(0, len(ends) + 1, 2), ends))
    walked("a line of a million merges", Forest.of(line), np.arange(1_000_000), 200)
    return told


def walked(name: str, forest: Forest, things: Any, pairs: int) -> float:
    """The 95th percentile, in milliseconds."""
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
    return float(p95)


def shortest(links: list[Portion], groups: Any, forest: Forest, largest: Any, pairs: int = 40) -> dict[str, float]:
    """Time of one shortest way in the largest group as `why` finds it: out of Parquet files, and the search alone. 95th
    percentiles, in milliseconds."""
    things = np.concatenate([part.members for part in links])
    numbers = np.concatenate([part.first + np.repeat(np.arange(len(part.starts) - 1), np.diff(part.starts))
                              for part in links])  # fmt: skip
    mine = np.isin(things, largest)
    pieces = pa.table({"place": np.searchsorted(largest, things[mine]), "link": numbers[mine]})
    pieces = pieces.sort_by([("link", "ascending"), ("place", "ascending")])  # as the query gives them
    took, found = clock(lambda: in_order(pieces, len(largest)))
    dice, ends, graph = np.random.default_rng(2), [], found[0]
    print(f"its {int(mine.sum()):,} spends in order: {1000 * took.wall:.0f} ms, once a question")
    ends = [tuple(int(n) for n in dice.choice(len(largest), 2, replace=False)) for _ in range(pairs)]
    searched = [lambda e=e: graph.shortest(*e, 1 << 40) or [] for e in ends]
    alone = timed("the search for the shortest way alone", searched)
    with tempfile.TemporaryDirectory(prefix="casewright-clusters-") as folder:
        ask = tables_in(Path(folder), things, numbers, groups, forest)
        looking = Looking(ask)
        asked = [lambda e=e: looking.explained(*(str(largest[n]) for n in e)) for e in ends]
        why = timed("why, out of Parquet files: both ways in words", asked)
        p50, p95 = np.percentile(looking.itself, (50, 95))
        print(f"of which the explanation itself, once its rows are looked up (processor): p50 {p50:.1f} ms, "
              f"p95 {p95:.1f} ms")  # fmt: skip
        return {"shortest": alone, "why": why}


class Looking:
    """Explanations, and what each took besides looking up its rows (milliseconds of a processor)."""

    def __init__(self, ask: Any) -> None:
        self.looked, self.itself, self._ask = 0.0, list[float](), ask

    def explained(self, one: str, other: str) -> Any:
        begun, self.looked = time.process_time(), 0.0
        steps = proof_between(self.ask, one, other).steps or ()
        self.itself.append(1000 * (time.process_time() - begun - self.looked))
        return steps

    def ask(self, sql: str, bind: Any) -> pa.Table:
        begun = time.process_time()
        found = self._ask(sql, bind)
        self.looked += time.process_time() - begun
        return found


def timed(name: str, asked: list[Callable[[], Any]]) -> float:
    times, lengths = [], []
    for ask in asked:
        begun = time.perf_counter()
        lengths.append(len(ask()))
        times.append(1000 * (time.perf_counter() - begun))
    p50, p95 = np.percentile(times, (50, 95))
    print(f"{name}: {np.mean(lengths):.1f} steps, at most {max(lengths)}: p50 {p50:.1f} ms, p95 {p95:.1f} ms")
    return float(p95)


def text(of: Any) -> pa.Array:
    return pa.array(of).cast(pa.string())


def tables_in(folder: Path, things: Any, numbers: Any, groups: Any, forest: Forest) -> Any:
    """The tables that `why` asks, of these spends, as Parquet files: ids are numbers."""
    (a, b, by), least = groups.proof(), groups.least()
    everyone, none = np.unique(things), [None] * len(a)
    made: dict[str, dict[str, Any]] = {
        "outputs": {"holder": things.astype(np.int64), "spender": numbers},
        "inputs": {"transaction": numbers, "txid": text(numbers)},
        "transactions": {"txid": text(np.unique(numbers)), "block": text(np.unique(numbers))},
        "blocks": {"hash": [""], "height": [0]},
        "clusters": {"address": text(everyone), "cluster": text(least[everyone]),
                     "holder": everyone.astype(np.int64), "depth": forest.depth[everyone],
                     "above": pa.array(forest.up[everyone].astype(np.int64), mask=forest.up[everyone] < 0)},
        "cluster_reasons": {"id": text(by), "cluster": text(least[a]),
                            "txid": text(by), "heuristic": ["co-spend"] * len(a), "alone": none,
                            "doubt": none, "address_a": text(a), "address_b": text(b),
                            "holder_a": a.astype(np.int64), "holder_b": b.astype(np.int64)},
    }  # fmt: skip
    connection = duckdb.connect(":memory:", config={"threads": 2})
    for name in ("coinjoins", "layer_links"):
        connection.register(name, TABLES[name].empty())
    for name, columns_ in made.items():
        pq.write_table(pa.table(columns_), folder / name)
        connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder / name}')")
    return lambda sql, bind: connection.sql(sql, params=bind).to_arrow_table()


def columns(transactions: int, folder: Path | None) -> None:
    """All that the stage `clusters` does on numbers: CoinJoins screened, groups, proof, trees, what rests on one."""
    with tempfile.TemporaryDirectory(dir=folder, prefix="casewright-clusters-") as made:
        chain = chain_like(spent(transactions), Path(made))
        before = memory_now()[0] // MIB
        print(f"{transactions:,} transactions, {len(chain.spends):,} inputs, {len(chain.sats):,} outputs, "
              f"{len(chain.addresses):,} addresses")  # fmt: skip
        took, asked = clock(lambda: could_be_joint(chain))
        print(f"screened for CoinJoins: {took.cpu:.1f} s of a core, {asked.sum():,} to look at")
        with watched_all() as memory:
            took, found = clock(lambda: co_spent(chain))
        groups = len(np.unique(found.groups.least()[found.is_member]))
        print(f"clusters with proof, trees and support: {took.cpu:.1f} s of a core ({took.wall:.1f} s), "
              f"{found.is_member.sum():,} addresses spent from, {groups:,} clusters; own memory at most "
              f"{max(memory)[0] // MIB:,} MiB, {before:,} before")  # fmt: skip
        with watched_all() as memory:
            took, count = clock(lambda: sum(len(votes_of(part).output) for part in parts(chain)))
        print(f"votes on change: {took.cpu:.1f} s of a core, {count:,} outputs; own memory "
              f"{max(memory)[0] // MIB:,} MiB")  # fmt: skip


if __name__ == "__main__":
    main()

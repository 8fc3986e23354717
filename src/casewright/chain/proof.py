"""Why two addresses are in one cluster: the fewest transactions that lead from one to the other.

The merges of a cluster are a forest, so there is one way by merges, and it is the proof. Where it passes through one
transaction twice, by way of an address that all the others were joined to, the transaction is told once: it spends from
both ends. Later transactions may join the two more directly: the shortest way is looked for among all that joined.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.chain.columns import Numbers, numbers
from casewright.chain.layer_names import LAYERS
from casewright.chain.shortest import Joined, shortest_way
from casewright.engine.stage import sql_stage_text
from casewright.kernels.forest import TOP, Forest
from casewright.kernels.nearest import TooMuchError
from casewright.model.bitcoin import as_paid
from casewright.model.errors import Missing

Row = Mapping[str, Any]
Ask = Callable[[str, Mapping[str, Any]], pa.Table]
"""A query with bound values."""
FORMAT = "casewright-cluster-proof-1"
FROM, TO = slice(None, -1), slice(1, None)
ONE = 1
"""A way of so many steps cannot be shorter."""


@dataclass(frozen=True)
class Step:
    """From one address to the next by one transaction (by two tags where that is what joins them)."""

    address_a: str
    address_b: str
    txid: str | None
    heuristic: str
    height: int | None
    alone: bool | None
    doubt: str | None
    reasons: tuple[str, ...]
    """Ids of the merges that the step stands for; none where its transaction joined what was joined before."""


@dataclass(frozen=True)
class Proof:
    """`steps`: the fewest that lead from one address to the other, or the way by merges where `limit` says why no fewer
    were looked for; None when the two are in different clusters."""

    start: str
    end: str
    clusters: tuple[str, str]
    steps: tuple[Step, ...] | None
    merges: tuple[Step, ...] = ()
    """The way by merges."""
    limit: str | None = None


def proof_between(ask: Ask, start: str, end: str) -> Proof:
    """The way from one address to another. Raises Missing when one of them is in no cluster."""
    start, end = as_paid(start), as_paid(end)
    one, other = _ends(ask, start, end)
    clusters = one["cluster"], other["cluster"]
    if clusters[0] != clusters[1]:
        return Proof(start, end, clusters, None)
    members = Members.of(ask, clusters[0])
    places = [int(np.searchsorted(members.holders, row["holder"])) for row in (one, other)]
    way, limit = _fewest(members, places)
    ends = list(pairwise([places[0], *(joined.place for joined in way)]))
    between = Between.of(ask, [members.way(*two) for two in (places, *ends)])
    merges = between.rows.take(pa.array(between.of_way(0)))
    met = [*merges["txid"].to_pylist(), *(joined.txid for joined in way)]
    heights = _heights(ask, [txid for txid in met if txid])
    by_merges = tuple(told_once(_merged(merges, between.ways[0].tolist(), heights)))
    if len(by_merges) <= ONE or not way or len(way) >= len(by_merges):
        return Proof(start, end, clusters, by_merges, by_merges, limit if len(by_merges) > ONE else None)
    return Proof(start, end, clusters, tuple(_steps(members, ends, way, between, heights)), by_merges)


def _ends(ask: Ask, *ends: str) -> list[Row]:
    sql = "SELECT address, cluster, holder FROM clusters WHERE address IN ($start, $end)"
    rows = {row["address"]: row for row in ask(sql, dict(zip(("start", "end"), ends, strict=True))).to_pylist()}
    for address in ends:
        if address not in rows:
            raise Missing(
                f"{address} is in no cluster: none of its coins was spent in the chain files, or it is not there."
            )
    return [rows[address] for address in ends]


def _fewest(members: "Members", places: Sequence[int]) -> tuple[list[Joined], str | None]:
    """The shortest way, or none where one merge joins the two, and why it was not looked for to the end."""
    passed = members.forest.passed(*(int(place) for place in places))
    if passed is None or len(passed) <= ONE + 1:
        return [], None
    try:
        return shortest_way(members.ask, members.cluster, len(members.holders), *places) or [], None
    except TooMuchError as limit:
        return [], str(limit)


@dataclass(frozen=True)
class Members:
    """The addresses of a cluster by their places, in the order of their numbers, and its merges as a tree over them."""

    ask: Ask
    cluster: str
    holders: Numbers
    addresses: pa.ChunkedArray
    forest: Forest

    @classmethod
    def of(cls, ask: Ask, cluster: str) -> "Members":
        rows = ask(sql_stage_text(__file__, "cluster_members"), {"cluster": cluster})
        holders, above = numbers(rows["holder"]), numbers(rows["above"])
        up = np.where(above == TOP, TOP, np.searchsorted(holders, above)).astype(np.int32)
        return cls(ask, cluster, holders, rows["address"], Forest(up, up, numbers(rows["depth"]).astype(np.int32)))

    def way(self, one: int, other: int) -> Numbers:
        """The holders on the way by merges between two places."""
        passed = self.forest.passed(one, other)
        return self.holders[:0] if passed is None else self.holders[passed]


@dataclass(frozen=True)
class Between:
    """The merges on some ways, by their ends. They become rows where they are told only: of long ways there are many.
    `keys` ascend; `order`: the row of each in `rows`."""

    ways: Sequence[Numbers]
    rows: pa.Table
    keys: Numbers
    order: Numbers

    @classmethod
    def of(cls, ask: Ask, ways: Sequence[Numbers]) -> "Between":
        holders = np.unique(np.concatenate(ways)).tolist()
        rows = ask(sql_stage_text(__file__, "merges_between"), {"holders": holders}).combine_chunks()
        keys = _keys(numbers(rows["holder_a"]), numbers(rows["holder_b"]))
        order = np.argsort(keys)
        return cls(ways, rows, keys[order], order)

    def of_way(self, number: int) -> Numbers:
        """The row of each merge on one of the ways, in order."""
        way = self.ways[number]
        return self.order[np.searchsorted(self.keys, _keys(way[FROM], way[TO]))]

    def by(self, txids: Sequence[str | None]) -> dict[int, list[dict[str, Any]]]:
        """Of each way behind the first its merges by one transaction, where there are such."""
        ways = self.ways[1:]
        way = np.repeat(np.arange(len(ways)), [max(0, len(holders) - 1) for holders in ways])
        ends = (np.concatenate([self.keys[:0], *(holders[part] for holders in ways)]) for part in (FROM, TO))
        merges = self.order[np.searchsorted(self.keys, _keys(*ends))]
        made_by = pc.fill_null(self.rows["txid"].take(pa.array(merges)), "")
        wanted = pc.fill_null(pa.array(txids, pa.string()).take(pa.array(way)), "")
        met = np.flatnonzero(pc.equal(made_by, wanted).to_numpy())
        found: dict[int, list[dict[str, Any]]] = {}
        for number, merge in zip(way[met].tolist(), self.rows.take(pa.array(merges[met])).to_pylist(), strict=True):
            found.setdefault(number, []).append(merge)
        return found


def _keys(one: Numbers, other: Numbers) -> Numbers:
    """Numbers of pairs, whatever their order."""
    return np.minimum(one, other) << 32 | np.maximum(one, other)


def _heights(ask: Ask, txids: Sequence[str]) -> Mapping[str | None, int | None]:
    """Heights of transactions, all by one look at the table: it is large."""
    if not txids:
        return {}
    rows = ask(sql_stage_text(__file__, "heights"), {"txids": sorted(set(txids))})
    return dict(zip(rows["txid"].to_pylist(), rows["height"].to_pylist(), strict=True))


SAID = ("address_a", "address_b", "holder_a", "txid", "heuristic", "alone", "doubt", "id")


def _merged(merges: pa.Table, holders: Sequence[int], heights: Mapping[str | None, int | None]) -> list[Step]:
    """The merges on the way over these holders as steps; by columns, since there may be thousands."""
    steps, rows = [], zip(*(merges[name].to_pylist() for name in SAID), strict=True)
    for start, (a, b, holder_a, txid, heuristic, alone, doubt, reason) in zip(holders, rows, strict=False):
        one, other = (a, b) if holder_a == start else (b, a)
        steps.append(Step(one, other, txid, heuristic, heights.get(txid), alone, doubt, (reason,)))
    return steps


def _steps(
    members: Members, ends: Sequence[tuple[int, int]], way: Sequence[Joined], between: Between,
    heights: Mapping[str | None, int | None],
) -> list[Step]:  # fmt: skip
    """The shortest way in words. What is said of a transaction's merges between the two ends of a step is said of the
    step; a co-spending without any joined what other transactions join as well."""
    steps, merged = [], between.by([joined.txid for joined in way])
    names = members.addresses.take(pa.array([ends[0][0], *(after for _, after in ends)])).to_pylist()
    for number, (joined, one, other) in enumerate(zip(way, names, names[1:], strict=False)):
        own = [m for m in merged.get(number, ()) if m["heuristic"] == LAYERS[joined.layer]]
        alone = any(m["alone"] for m in own) if joined.layer == 0 else None
        doubt = next((m["doubt"] for m in own if m["doubt"]), None)
        height, reasons = heights.get(joined.txid), tuple(m["id"] for m in own)
        steps.append(Step(one, other, joined.txid, LAYERS[joined.layer], height, alone, doubt, reasons))
    return steps


def told_once(way: Sequence[Step]) -> list[Step]:
    """Steps by one transaction, one behind the other, as one: it spends from both ends. What is said of any of the
    merges is said of the step."""
    told: list[Step] = []
    for step in way:
        last = told[-1] if told else None
        if last and step.txid and (last.txid, last.heuristic) == (step.txid, step.heuristic) == (last.txid, "co-spend"):
            told[-1] = Step(last.address_a, step.address_b, last.txid, last.heuristic, last.height,
                            last.alone or step.alone, last.doubt or step.doubt,
                            (*last.reasons, *step.reasons))  # fmt: skip
        else:
            told.append(step)
    return told

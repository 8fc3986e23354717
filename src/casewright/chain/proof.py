"""Why two addresses are in one cluster: the fewest transactions that lead from one to the other.

The merges of a cluster are a forest, so there is one way by merges, and it is the proof. Where it passes through one
transaction twice, by way of an address that all the others were joined to, the transaction is told once: it spends from
both ends. Later transactions may join the two more directly: the shortest way is looked for among all that joined.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

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
    one, other = (_member(ask, address) for address in (start, end))
    clusters = one["cluster"], other["cluster"]
    if clusters[0] != clusters[1]:
        return Proof(start, end, clusters, None)
    members = Members.of(ask, clusters[0])
    places = [int(np.searchsorted(members.holders, row["holder"])) for row in (one, other)]
    by_merges = tuple(told_once(members.merges([places])[0]))
    if len(by_merges) <= ONE:
        return Proof(start, end, clusters, by_merges, by_merges)
    try:
        way = shortest_way(ask, clusters[0], len(members.holders), *places)
    except TooMuchError as limit:
        return Proof(start, end, clusters, by_merges, by_merges, str(limit))
    if way is None or len(way) >= len(by_merges):
        return Proof(start, end, clusters, by_merges, by_merges)
    return Proof(start, end, clusters, tuple(_steps(members, places[0], way)), by_merges)


def _member(ask: Ask, address: str) -> Row:
    sql = "SELECT address, cluster, holder FROM clusters WHERE address = $address"
    rows: list[Row] = ask(sql, {"address": address}).to_pylist()
    if not rows:
        raise Missing(
            f"{address} is in no cluster: none of its coins was spent in the chain files, or it is not there."
        )
    return rows[0]


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

    def address(self, place: int) -> str:
        return str(self.addresses[place].as_py())

    def merges(self, ends: Sequence[Sequence[int]]) -> list[list[Step]]:
        """The merges on the way between each two of these places."""
        passed = [self.forest.passed(*two) for two in ends]
        ways = [[] if way is None else [int(n) for n in self.holders[way]] for way in passed]
        bind = {"cluster": self.cluster, "holders": sorted({holder for way in ways for holder in way})}
        rows = self.ask(sql_stage_text(__file__, "merges_between"), bind).to_pylist()
        by_pair = {frozenset((m["holder_a"], m["holder_b"])): m for m in rows}
        return [[_step(by_pair[frozenset(pair)], pair[0]) for pair in pairwise(way)] for way in ways]


def _step(merge: Row, start: int) -> Step:
    ends = merge["address_a"], merge["address_b"]
    one, other = ends if merge["holder_a"] == start else ends[::-1]
    told = {name: merge[name] for name in ("txid", "heuristic", "height", "alone", "doubt")}
    return Step(one, other, **told, reasons=(merge["id"],))


def _steps(members: Members, start: int, way: Sequence[Joined]) -> list[Step]:
    """The shortest way in words. What is said of a transaction's merges between the two ends of a step is said of the
    step; a co-spending without any joined what other transactions join as well."""
    ends = list(pairwise([start, *(joined.place for joined in way)]))
    steps = []
    for (one, other), joined, merges in zip(ends, way, members.merges(ends), strict=True):
        own = [m for m in merges if (m.txid, m.heuristic) == (joined.txid, LAYERS[joined.layer])]
        alone = any(m.alone for m in own) if joined.layer == 0 else None
        doubt = next((m.doubt for m in own if m.doubt), None)
        steps.append(Step(members.address(one), members.address(other), joined.txid, LAYERS[joined.layer],
                          joined.height, alone, doubt, tuple(r for m in own for r in m.reasons)))  # fmt: skip
    return steps


def told_once(way: Sequence[Step]) -> list[Step]:
    """Steps by one transaction, one behind the other, as one: it spends from both ends. What is said of any of the
    merges is said of the step."""
    told: list[Step] = []
    for step in way:
        last = told[-1] if told else None
        if last and step.txid and (last.txid, last.heuristic) == (step.txid, step.heuristic) == (last.txid, "co-spend"):
            told[-1] = replace(
                last, address_b=step.address_b, alone=last.alone or step.alone, doubt=last.doubt or step.doubt,
                reasons=(*last.reasons, *step.reasons),
            )  # fmt: skip
        else:
            told.append(step)
    return told

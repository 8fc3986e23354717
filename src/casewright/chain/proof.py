"""Why two addresses are in one cluster: the transactions on the way from one to the other.

The merges of a cluster are a forest, so there is one way, and it is the proof. Where it passes through one transaction
twice, by way of an address that all the others were joined to, the transaction is told once: it spends from both ends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.columns import numbers
from casewright.engine.stage import sql_stage_text
from casewright.kernels.forest import TOP, Forest
from casewright.model.bitcoin import as_paid
from casewright.model.errors import Missing

Row = Mapping[str, Any]
Ask = Callable[[str, Mapping[str, Any]], pa.Table]
"""A query with bound values."""
FORMAT = "casewright-cluster-proof-1"


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
    """Ids of the merges that the step stands for."""


@dataclass(frozen=True)
class Proof:
    """`steps` is None when the two addresses are in different clusters."""

    start: str
    end: str
    clusters: tuple[str, str]
    steps: tuple[Step, ...] | None


def proof_between(ask: Ask, start: str, end: str) -> Proof:
    """The way from one address to another. Raises Missing when one of them is in no cluster."""
    start, end = as_paid(start), as_paid(end)
    one, other = (_member(ask, address) for address in (start, end))
    cluster = one["cluster"]
    if cluster != other["cluster"]:
        return Proof(start, end, (cluster, other["cluster"]), None)
    passed = passed_holders(ask(sql_stage_text(__file__, "cluster_members"), {"cluster": cluster}), one, other)
    bind = {"cluster": cluster, "holders": passed}
    merges = ask(sql_stage_text(__file__, "merges_between"), bind).to_pylist()
    by_pair = {frozenset((m["holder_a"], m["holder_b"])): m for m in merges}
    way = [_step(by_pair[frozenset(pair)], pair[0]) for pair in pairwise(passed)]
    return Proof(start, end, (cluster, cluster), tuple(told_once(way)))


def _member(ask: Ask, address: str) -> Row:
    sql = "SELECT address, cluster, holder FROM clusters WHERE address = $address"
    rows: list[Row] = ask(sql, {"address": address}).to_pylist()
    if not rows:
        raise Missing(
            f"{address} is in no cluster: none of its coins was spent in the chain files, or it is not there."
        )
    return rows[0]


def passed_holders(members: pa.Table, start: Row, end: Row) -> list[int]:
    """Numbers of the addresses on the way, both ends among them. `members` are all of the cluster, by number."""
    holders, above = numbers(members["holder"]), numbers(members["above"])
    up = np.where(above == TOP, TOP, np.searchsorted(holders, above)).astype(np.int32)
    depth = numbers(members["depth"]).astype(np.int32)
    first, last = (int(np.searchsorted(holders, row["holder"])) for row in (start, end))
    passed = Forest(up, up, depth).passed(first, last)
    return [] if passed is None else [int(n) for n in holders[passed]]


def _step(merge: Row, start: int) -> Step:
    ends = merge["address_a"], merge["address_b"]
    one, other = ends if merge["holder_a"] == start else ends[::-1]
    told = {name: merge[name] for name in ("txid", "heuristic", "height", "alone", "doubt")}
    return Step(one, other, **told, reasons=(merge["id"],))


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

"""The stage `guard`: clusters that join two services, and the merges that joined them.

Two services do not share a wallet: where tags of two stand in one cluster, a merge on the way between them is wrong, or
a tag is. The rule that follows, wherever tags are used: **in such a cluster a tag counts for the address that carries
it, and for no other** (`Graph.verdict`). Androulaki et al. 2013 and Meiklejohn et al. 2013 name the danger: one wrong
link makes a super-cluster.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, groupby, pairwise, product
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.chain.columns import Numbers, numbers
from casewright.chain.labels import Tag, entity, kind
from casewright.engine.parts import rows_at
from casewright.engine.stage import Context, Output, Tally, sql_stage_text
from casewright.kernels.forest import TOP, Forest
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

MOST_SERVICES, MOST_ADDRESSES = 10, 12
"""Pairs are told of so many services of one cluster, and the nearest is looked for among so many addresses of each."""
WORDS = "its cluster joins {} and {}: a tag counts for its own address only"


def guard(batch: pa.Table, context: Context) -> Output:
    """`joined_services`: a row for each two services that one cluster joins. Done: clusters in which that is so."""
    tagged = context.sql(sql_stage_text(__file__, "tagged_members"), clusters=_tagged(context)).to_pylist()
    by_cluster = {name: list(rows) for name, rows in groupby(tagged, key=lambda row: row["cluster"])}
    mixed = {name: owners for name, rows in by_cluster.items() if len(owners := services_of(rows)) > 1}
    rows = [row for name, tree in trees(context, sorted(mixed)) for row in _pairs(context, name, tree, mixed[name])]
    tally = Tally("clusters with tags", len(by_cluster), len(mixed), len(by_cluster) - len(mixed))
    return Output({"joined_services": TABLES["joined_services"].rows(rows)}, [], [tally])


def _tagged(context: Context) -> pa.Table:
    """Rows of `clusters` for addresses that carry a tag."""
    return _met(context, "address", context.table("tags")["address"], ("address", "cluster", "holder"))


def _met(context: Context, column: str, values: Any, columns: Sequence[str]) -> pa.Table:
    """Rows of `clusters` in which a column has one of these values: it is gone through part by part."""
    wanted, found = pa.array(sorted(set(values.to_pylist())), pa.string()), []
    for part in context.parts("clusters"):
        rows = part.read(columns)
        found.append(rows.filter(pc.is_in(rows[column], wanted)))
    return pa.concat_tables([TABLES["clusters"].empty().select(list(columns)), *found])


Owned = dict[str, dict[int, Tag]]
"""Of each service the addresses that its strongest tags name, by number, with the tag."""


def services_of(tagged: Sequence[Tag]) -> Owned:
    """Services of one cluster, when two of them name different addresses; an address whose strongest tags name several
    services is a conflict of tags, and says nothing about the cluster."""
    owned: Owned = {}
    for holder, rows in groupby(tagged, key=lambda row: row["holder"]):
        told = [row for row in rows if kind(row) != "other"]
        strongest = [row for row in told if row["level"] == max(t["level"] for t in told)]
        if len({entity(row) for row in strongest}) == 1:
            owned.setdefault(entity(strongest[0]), {})[holder] = strongest[0]
    return owned


@dataclass(frozen=True)
class Tree:
    """The proof of one cluster: holders' numbers, the tree over their places, and the merge above each."""

    holders: Numbers
    forest: Forest
    reason: Numbers

    def place(self, holder: int) -> int:
        return int(np.searchsorted(self.holders, holder))

    def lower_ends(self, start: int, end: int) -> list[int]:
        """Of each merge on the way from one holder to another the end that stands lower, in order."""
        passed = self.forest.passed(self.place(start), self.place(end))
        nodes = [] if passed is None else passed.tolist()
        up = self.forest.up
        return [a if up[a] == b else b for a, b in pairwise(nodes)]

    def parts(self, lower: int, ones: Sequence[int], others: Sequence[int]) -> bool:
        """Whether the merge above `lower` parts all the ones from all the others."""
        sides = [{self.forest.within(self.place(h), lower) for h in group} for group in (ones, others)]
        return len(sides[0]) == len(sides[1]) == 1 and sides[0] != sides[1]


def trees(context: Context, clusters: Sequence[str]) -> Iterator[tuple[str, Tree]]:
    """The proof of each of these clusters."""
    if not clusters:
        return
    members = _met(context, "cluster", pa.array(clusters), ("cluster", "holder", "above", "depth", "reason"))
    rows = context.sql(sql_stage_text(__file__, "members_of"), {"clusters": list(clusters)}, clusters=members)
    names = rows["cluster"].combine_chunks().dictionary_encode().indices.to_numpy()
    starts = [0, *(np.flatnonzero(np.diff(names)) + 1).tolist(), len(names)]
    for cluster, first, end in zip(clusters, starts, starts[1:], strict=False):
        part = rows.slice(first, end - first)
        holders, above = numbers(part["holder"]), numbers(part["above"])
        up = np.where(above == TOP, TOP, np.searchsorted(holders, above)).astype(np.int32)
        forest = Forest(up, up, numbers(part["depth"]).astype(np.int32))
        yield cluster, Tree(holders, forest, numbers(part["reason"]))


def _pairs(context: Context, cluster: str, tree: Tree, owned: Owned) -> Iterator[dict[str, Any]]:
    """A row for each two services: the shortest way between their addresses, and the merges that part them."""
    for one, other in combinations(sorted(owned)[:MOST_SERVICES], 2):
        ones, others = list(owned[one])[:MOST_ADDRESSES], list(owned[other])[:MOST_ADDRESSES]
        ways = ((tree.lower_ends(a, b), a, b) for a, b in product(ones, others))
        way, a, b = min(ways, key=lambda found: (len(found[0]), *found[1:]))
        cut = [n for n in way if tree.parts(n, list(owned[one]), list(owned[other]))]
        merges = _merges(context, [int(tree.reason[n]) for n in way])
        told = [merges[int(tree.reason[n])] for n in cut]
        tags = owned[one][a], owned[other][b]
        labels = sorted(t["label"] for t in tags)
        yield {
            "id": make_id("joined", cluster, one, other), "cluster": cluster, "service_a": tags[0]["label"],
            "service_b": tags[1]["label"], "address_a": tags[0]["address"], "address_b": tags[1]["address"],
            "merges": len(way), "cut": [m["id"] for m in told],
            "cut_txids": list(dict.fromkeys(m["txid"] for m in told if m["txid"])),
            "doubt": "; ".join(dict.fromkeys((WORDS.format(*labels), *(m["doubt"] for m in told if m["doubt"])))),
            "sources": list(dict.fromkeys((tags[0]["tag"], tags[1]["tag"], *(m["id"] for m in merges.values())))),
        }  # fmt: skip


def _merges(context: Context, wanted: list[int]) -> dict[int, dict[str, Any]]:
    """Merges by their place, in the order of the way."""
    rows = rows_at(context.parts("cluster_reasons"), np.array(wanted, np.int64), ("id", "txid", "doubt"))
    return dict(zip(wanted, rows.to_pylist(), strict=True))

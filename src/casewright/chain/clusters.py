"""The stage `clusters`: addresses whose coins were spent together belong to one wallet, CoinJoins left out.

Co-spending (multi-input heuristic: Nakamoto 2008, section 10; Meiklejohn et al., IMC 2013) is a lead. It is wrong
where strangers sign together unseen, and where a custodian spends for many. Each merge keeps what it rests on
(`cluster_reasons`), one for each successful union, so that the way between two addresses is the proof.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain import layers
from casewright.chain.columns import Chain, Numbers
from casewright.chain.layers import Layer
from casewright.chain.links import with_address
from casewright.chain.loading import load_chain
from casewright.chain.payjoin import payjoin_doubts
from casewright.chain.screen import coinjoins
from casewright.chain.wallets import Wallets, joined
from casewright.engine.stage import Context, Output, shaped, sql_stage_text
from casewright.kernels.forest import TOP
from casewright.kernels.unionfind_fast import Small
from casewright.model.tables import TABLES

STRINGS = pa.list_(pa.string())
PIECE = 1 << 20
"""Rows that are turned into text at once."""


def clusters(batch: pa.Table, context: Context) -> Iterator[Output]:
    """`clusters` for every address that was spent from or joined, also where it is alone; `cluster_reasons`. Both come
    in pieces: of a large chain their text is more than a machine holds. Before them, what was left out as CoinJoins,
    and the links of other layers than co-spending."""
    found = wallets_of(load_chain(context), context)
    nothing = {name: TABLES[name].empty() for name in ("clusters", "cluster_reasons", "coinjoins", "layer_links")}
    yield Output({**nothing, "coinjoins": coinjoin_rows(found)}, [], [found.tally])
    for rows in link_rows(found):
        yield Output({**nothing, "layer_links": rows})
    holders, least = np.flatnonzero(found.is_member), found.groups.least()
    names = named(found.chain, holders, least[holders], context)
    for start in range(0, len(holders), PIECE):
        rows = cluster_rows(found, holders[start : start + PIECE], least, names)
        yield Output({**nothing, "clusters": rows})
    for start in range(0, found.groups.count, PIECE):
        rows = reason_rows(found, slice(start, start + PIECE), least, names, context)
        yield Output({**nothing, "cluster_reasons": rows})


def wallets_of(chain: Chain, context: Context) -> Wallets:
    """Holders joined by the layers that the case has switched on."""
    addressed, joint = with_address(chain), coinjoins(chain)
    made: Mapping[str, Any] = {
        "co-spend": lambda: layers.co_spend(chain, addressed, joint),
        "change": lambda: layers.change(chain, addressed, context.parts("change"), context.params["change_votes"]),
        "tags": lambda: layers.tags(chain, context.table("tags")),
    }
    chosen: list[Layer] = [made[name]() for name in context.params["layers"]]
    return joined(chain, addressed, joint, chosen)


@dataclass(frozen=True)
class Names:
    """The ids of clusters, in the order of the holders that stand for them."""

    roots: Small
    ids: pa.ChunkedArray

    def of(self, roots: Small) -> pa.ChunkedArray:
        return self.ids.take(pa.array(np.searchsorted(self.roots, roots)))


def named(chain: Chain, holders: Numbers, roots: Small, context: Context) -> Names:
    """Names of all clusters; `roots` says which one each holder is in. Worked out for some whole clusters at a time."""
    order = np.argsort(roots, kind="stable")
    parts, start = [], 0
    while start < len(order):
        last = roots[order[min(start + PIECE, len(order)) - 1]]
        end = int(np.searchsorted(roots, last, "right", sorter=order))
        mine = order[start:end]
        members = pa.table({"root": roots[mine], "address": chain.addresses.take(pa.array(holders[mine]))})
        parts.append(context.sql(sql_stage_text(__file__, "cluster_names"), members=members))
        start = end
    if not parts:
        return Names(np.empty(0, np.int32), pa.chunked_array([], pa.string()))
    return Names(np.concatenate([part["root"].to_numpy() for part in parts]),
                 pa.chunked_array([c for part in parts for c in part["cluster"].chunks], pa.string()))  # fmt: skip


def cluster_rows(found: Wallets, holders: Numbers, least: Small, names: Names) -> pa.Table:
    """Rows of `clusters` for some holders, in their order."""
    forest = found.forest
    rows = pa.table({
        "address": found.chain.addresses.take(pa.array(holders)), "cluster": names.of(least[holders]),
        "holder": holders, "above": _or_null(forest.up[holders]), "reason": _or_null(forest.by[holders]),
        "depth": forest.depth[holders],
    })  # fmt: skip
    return shaped("clusters", rows)


def reason_rows(found: Wallets, piece: slice, least: Small, names: Names, context: Context) -> pa.Table:
    """Rows of `cluster_reasons`, layer after layer, each in the order of the chain: a row's place is its number."""
    chain, (a, b, _), made_by = found.chain, (side[piece] for side in found.groups.proof()), found.made_by(piece)
    transactions, alone, of_layer = _or_null(made_by), found.alone[piece], found.of_layer[piece]
    merges = pa.table({
        "place": np.arange(len(a)), "address_a": chain.addresses.take(pa.array(a)),
        "address_b": chain.addresses.take(pa.array(b)), "txid": chain.named(transactions),
    })  # fmt: skip
    ids = context.sql(sql_stage_text(__file__, "reason_ids"), merges=merges)["id"]
    layer_names = pa.array([layer.name for layer in found.layers], pa.string())
    co_spent = np.isin(of_layer, [n for n, layer in enumerate(found.layers) if layer.name == "co-spend"])
    rows = {
        **{name: merges[name] for name in ("txid", "address_a", "address_b")}, "id": ids, "cluster": names.of(least[a]),
        "heuristic": layer_names.take(pa.array(of_layer)), "transaction": transactions, "holder_a": a, "holder_b": b,
        "alone": pa.array(alone, mask=~co_spent), "doubt": payjoin_doubts(chain, made_by, alone & co_spent),
        "tags": pa.array(found.tags_of(piece), STRINGS),
    }  # fmt: skip
    return shaped("cluster_reasons", pa.table(rows))


def coinjoin_rows(found: Wallets) -> pa.Table:
    """Rows of `coinjoins`, in the order of the chain."""
    transactions = pa.array(list(found.joint), pa.int64())
    rows = {"txid": found.chain.named(transactions), "transaction": transactions,
            "rule": pa.array(list(found.joint.values()), pa.string())}  # fmt: skip
    return shaped("coinjoins", pa.table(rows))


def link_rows(found: Wallets) -> Iterator[pa.Table]:
    """Rows of `layer_links`: each member of each link of the layers that the chain's inputs do not show."""
    for layer in found.layers:
        for part in layer.links() if layer.name != "co-spend" else ():
            of = part.first + np.repeat(np.arange(len(part.starts) - 1), np.diff(part.starts))
            for start in range(0, len(of), PIECE):
                yield _links(found.chain, layer, of[start : start + PIECE], part.members[start : start + PIECE])


def _links(chain: Chain, layer: Layer, links: Numbers, members: Small) -> pa.Table:
    made_by = np.full(len(links), TOP) if layer.transactions is None else layer.transactions[links]
    pairs = zip(links.tolist(), members.tolist(), strict=True) if layer.tags else ()
    tags = [layer.tags[link][member] for link, member in pairs] or [None] * len(links)
    rows = {
        "heuristic": pa.array([layer.name] * len(links), pa.string()), "link": links, "holder": members,
        "address": chain.addresses.take(pa.array(members)), "transaction": _or_null(made_by),
        "txid": chain.named(_or_null(made_by)), "tag": pa.array(tags, pa.string()),
    }  # fmt: skip
    return shaped("layer_links", pa.table(rows))


def _or_null(numbers: Small | Numbers) -> pa.Array:
    return pa.array(numbers, mask=numbers == TOP)

"""The stage `clusters`: addresses whose coins were spent together belong to one wallet, CoinJoins left out.

Co-spending (multi-input heuristic: Nakamoto 2008, section 10; Meiklejohn et al., IMC 2013) is a lead. It is wrong
where strangers sign together unseen, and where a custodian spends for many. Each merge keeps what it rests on
(`cluster_reasons`), one for each successful union, so that the way between two addresses is the proof.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain import layers
from casewright.chain.columns import Chain, Numbers, load_chain
from casewright.chain.layers import Layer
from casewright.chain.links import with_address
from casewright.chain.payjoin import payjoin_doubts
from casewright.chain.screen import coinjoins
from casewright.chain.wallets import Wallets, joined
from casewright.engine.stage import Context, Output, shaped, sql_stage_text
from casewright.kernels.forest import TOP
from casewright.kernels.unionfind_fast import Small

STRINGS = pa.list_(pa.string())


def clusters(batch: pa.Table, context: Context) -> Output:
    """`clusters` for every address that was spent from or joined, also where it is alone; `cluster_reasons`."""
    found = wallets_of(load_chain(context), context)
    rows, names = cluster_rows(found, context)
    return Output({"clusters": rows, "cluster_reasons": reason_rows(found, names, context)}, [], [found.tally])


def wallets_of(chain: Chain, context: Context) -> Wallets:
    """Holders joined by the layers that the case has switched on."""
    named, joint = with_address(chain), coinjoins(chain)
    made: Mapping[str, Any] = {
        "co-spend": lambda: layers.co_spend(chain, named, joint),
        "change": lambda: layers.change(chain, named, context.table("change"), context.params["change_votes"]),
        "tags": lambda: layers.tags(chain, context.table("tags")),
    }
    chosen: list[Layer] = [made[name]() for name in context.params["layers"]]
    return joined(chain, named, joint, chosen)


@dataclass(frozen=True)
class Names:
    """The ids of clusters, in the order of the holders that stand for them."""

    roots: Small
    ids: pa.ChunkedArray

    def of(self, roots: Small) -> pa.ChunkedArray:
        return self.ids.take(pa.array(np.searchsorted(self.roots, roots)))


def cluster_rows(found: Wallets, context: Context) -> tuple[pa.Table, Names]:
    """Rows of `clusters` in the order of holders, and the clusters' names."""
    holders, forest = np.flatnonzero(found.is_member), found.forest
    roots = found.groups.least()[holders]
    addresses = found.chain.addresses.take(pa.array(holders))
    members = pa.table({"root": roots, "address": addresses})
    named = context.sql(sql_stage_text(__file__, "cluster_names"), members=members)
    names = Names(named["root"].to_numpy(), named["cluster"])
    rows = pa.table({
        "address": addresses, "cluster": names.of(roots), "holder": holders, "above": _or_null(forest.up[holders]),
        "reason": _or_null(forest.by[holders]), "depth": forest.depth[holders],
    })  # fmt: skip
    return shaped("clusters", rows), names


def reason_rows(found: Wallets, names: Names, context: Context) -> pa.Table:
    """Rows of `cluster_reasons`, layer after layer, each in the order of the chain: a row's place is its number."""
    chain, (a, b, _), made_by = found.chain, found.groups.proof(), found.transactions
    transactions = _or_null(made_by)
    merges = pa.table({
        "place": np.arange(len(a)), "address_a": chain.addresses.take(pa.array(a)),
        "address_b": chain.addresses.take(pa.array(b)), "txid": chain.txids.take(transactions),
    })  # fmt: skip
    ids = context.sql(sql_stage_text(__file__, "reason_ids"), merges=merges)["id"]
    names_of_layers = pa.array([layer.name for layer in found.layers], pa.string())
    co_spent = np.isin(found.of_layer, [n for n, layer in enumerate(found.layers) if layer.name == "co-spend"])
    rows = {
        **{name: merges[name] for name in ("txid", "address_a", "address_b")}, "id": ids,
        "cluster": names.of(found.groups.least()[a]), "heuristic": names_of_layers.take(pa.array(found.of_layer)),
        "transaction": transactions, "holder_a": a, "holder_b": b, "alone": pa.array(found.alone, mask=~co_spent),
        "doubt": payjoin_doubts(chain, made_by, found.alone & co_spent), "tags": _tags(found),
    }  # fmt: skip
    return shaped("cluster_reasons", pa.table(rows))


def _tags(found: Wallets) -> pa.Array:
    """The two tags of each merge by tags."""
    a, b, links = found.groups.proof()
    if not any(layer.tags for layer in found.layers):
        return pa.nulls(len(a), STRINGS)
    told: list[list[str] | None] = [None] * len(a)
    for place, layer in enumerate(found.layers):
        for merge in np.flatnonzero(found.of_layer == place).tolist() if layer.tags else ():
            tag_of = layer.tags[int(links[merge])]
            told[merge] = [tag_of[int(a[merge])], tag_of[int(b[merge])]]
    return pa.array(told, STRINGS)


def _or_null(numbers: Small | Numbers) -> pa.Array:
    return pa.array(numbers, mask=numbers == TOP)

"""The stage `clusters`: addresses whose coins were spent together belong to one wallet, CoinJoins left out.

Co-spending (multi-input heuristic: Nakamoto 2008, section 10; Meiklejohn et al., IMC 2013) is a lead. It is wrong
where strangers sign together unseen, and where a custodian spends for many. Each merge keeps the transaction it
rests on (`cluster_reasons`), one for each successful union, so that the way between two addresses is the proof.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from casewright.chain.columns import Chain, Numbers, load_chain
from casewright.chain.links import Flags, several, spending, with_address, without
from casewright.chain.payjoin import payjoin_doubts
from casewright.chain.screen import coinjoins
from casewright.engine.stage import Context, Output, Tally, shaped, sql_stage_text
from casewright.kernels.forest import TOP, Forest, rests_on_one
from casewright.kernels.unionfind_fast import Groups, Small
from casewright.model.tables import TABLES


def clusters(batch: pa.Table, context: Context) -> Output:
    """`clusters` for every address that was ever spent from, alone in its cluster if need be; `cluster_reasons`."""
    found = co_spent(load_chain(context))
    rows, names = cluster_rows(found, context)
    tables = {"clusters": rows, "cluster_reasons": reason_rows(found, names, context)}
    return Output(tables, [], [found.tally])


@dataclass(frozen=True)
class Wallets:
    """Groups of a chain's holders, the proof of them, and which of them were spent from."""

    chain: Chain
    groups: Groups
    forest: Forest
    is_spent: Flags
    alone: Flags
    tally: Tally


def co_spent(chain: Chain) -> Wallets:
    """Holders joined by the transactions that spend for both, CoinJoins left out."""
    named, joint = with_address(chain), coinjoins(chain)
    groups, is_spent = Groups.of(len(named)), np.zeros(len(named), bool)
    received = joining = 0
    for part in spending(chain, named):
        is_spent[part.members[part.members >= 0]] = True
        linking = without(part, joint)
        groups.join(linking)
        received += int(np.count_nonzero(np.diff(part.starts)))
        joining += int(several(linking).sum())
    forest = Forest.of(groups)
    alone = rests_on_one(forest, groups, (without(part, joint) for part in spending(chain, named)))
    tally = Tally("transactions that spend", received, joining, received - joining)
    return Wallets(chain, groups, forest, is_spent, alone, tally)


@dataclass(frozen=True)
class Names:
    """The ids of clusters, in the order of the holders that stand for them."""

    roots: Small
    ids: pa.ChunkedArray

    def of(self, roots: Small) -> pa.ChunkedArray:
        return self.ids.take(pa.array(np.searchsorted(self.roots, roots)))


def cluster_rows(found: Wallets, context: Context) -> tuple[pa.Table, Names]:
    """Rows of `clusters` in the order of holders, and the clusters' names."""
    holders, forest = np.flatnonzero(found.is_spent), found.forest
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
    """Rows of `cluster_reasons` in the order of the chain: a row's place is its number."""
    chain, (a, b, transactions) = found.chain, found.groups.proof()
    merges = pa.table({
        "place": np.arange(len(a)), "address_a": chain.addresses.take(pa.array(a)),
        "address_b": chain.addresses.take(pa.array(b)), "txid": chain.txids.take(pa.array(transactions)),
    })  # fmt: skip
    ids = context.sql(sql_stage_text(__file__, "reason_ids"), merges=merges)["id"]
    count = len(merges)
    rows = {
        **{name: merges[name] for name in ("txid", "address_a", "address_b")}, "id": ids,
        "cluster": names.of(found.groups.least()[a]), "heuristic": pa.repeat("co-spend", count),
        "transaction": transactions, "holder_a": a, "holder_b": b, "alone": found.alone,
        "doubt": payjoin_doubts(chain, transactions.astype(np.int64), found.alone),
        "tags": pa.nulls(count, TABLES["cluster_reasons"].schema.field("tags").type),
    }  # fmt: skip
    return shaped("cluster_reasons", pa.table(rows))


def _or_null(numbers: Small | Numbers) -> pa.Array:
    return pa.array(numbers, mask=numbers == TOP)

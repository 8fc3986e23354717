"""The stage `clusters`: addresses whose coins were spent together belong to one wallet, CoinJoins left out.

Co-spending (multi-input heuristic: Nakamoto 2008, section 10; Meiklejohn et al., IMC 2013) is a lead. It is wrong
where strangers sign together unseen, and where a custodian spends for many. Each merge keeps the transaction it
rests on (`cluster_reasons`), one for each successful union, so that the way between two addresses is the proof.
"""

import pyarrow as pa

from casewright.chain.coinjoin import coinjoin_rule
from casewright.chain.shapes import spending
from casewright.engine.stage import Context, Output, Tally
from casewright.kernels.unionfind import UnionFind
from casewright.model.ids import make_id
from casewright.model.tables import TABLES


def clusters(batch: pa.Table, context: Context) -> Output:
    """`clusters` for every address that was ever spent from, alone in its cluster if need be; `cluster_reasons`."""
    links: list[tuple[str, str, str]] = []
    addresses: set[str] = set()
    received = joins = alone = 0
    for txid, shape in spending(context):
        received += 1
        owners = list(dict.fromkeys(a for a in shape.spenders if a))
        addresses.update(owners)
        if coinjoin_rule(shape):
            joins += 1
        else:
            alone += len(owners) < 2
            links.extend((owners[0], other, txid) for other in owners[1:])
    rows, reasons = group(sorted(addresses), links)
    tally = Tally("transactions that spend", received, received - joins - alone, joins + alone)
    tables = {"clusters": TABLES["clusters"].rows(rows), "cluster_reasons": TABLES["cluster_reasons"].rows(reasons)}
    return Output(tables, [], [tally])


def group(addresses: list[str], links: list[tuple[str, str, str]]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Rows of `clusters` and `cluster_reasons`. `addresses` are sorted, so that the least one names its cluster;
    `links` stand in the order of the chain: the first transaction that joins two clusters is the reason."""
    number = {address: i for i, address in enumerate(addresses)}
    found = UnionFind(len(addresses))
    proof = [link for link in links if found.union(number[link[0]], number[link[1]])]
    cluster = {a: make_id("cluster", addresses[found.find(i)]) for a, i in number.items()}
    rows = [{"address": address, "cluster": name} for address, name in cluster.items()]
    reasons = [
        {"id": make_id("reason", a, b, txid), "cluster": cluster[a], "txid": txid, "heuristic": "co-spend",
         "address_a": a, "address_b": b}
        for a, b, txid in proof
    ]  # fmt: skip
    return rows, reasons

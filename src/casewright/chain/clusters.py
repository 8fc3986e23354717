"""Co-spend clusters with their proofs."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from casewright.chain.coinjoin import Shape, coinjoin_rule
from casewright.engine.stage import Context, Output, Tally
from casewright.kernels.unionfind import UnionFind
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

SPENDS = """
SELECT t.txid, list(o.address ORDER BY i.vin) AS spenders, list(o.sats ORDER BY i.vin) AS sats
FROM transactions t
JOIN blocks b ON b.hash = t.block
JOIN inputs i ON i.txid = t.txid
LEFT JOIN outputs o ON o.txid = i.prev_txid AND o.vout = i.prev_vout
GROUP BY t.txid
ORDER BY min(b.height) NULLS LAST, min(b.hash), min(t.position), t.txid
"""
PAYS = """
SELECT txid, list(sats ORDER BY vout) AS sats, list(address ORDER BY vout) AS addresses FROM outputs GROUP BY txid
"""


def shapes(context: Context) -> Iterator[tuple[str, list[str | None], Shape]]:
    """Every transaction that spends, in the order of the chain: txid, addresses spent from, shape."""
    pays = {r["txid"]: r for r in context.sql(PAYS).to_pylist()}
    for row in context.sql(SPENDS).to_pylist():
        paid = pays.get(row["txid"], {"sats": [], "addresses": []})
        yield row["txid"], row["spenders"], Shape(row["sats"], paid["sats"], paid["addresses"])


def clusters(batch: pa.Table, context: Context) -> Output:
    """Addresses spent together are one wallet's, unless the transaction looks like a CoinJoin."""
    found: UnionFind[str, str] = UnionFind()
    joins = received = 0
    for txid, spenders, shape in shapes(context):
        received += 1
        named = [a for a in dict.fromkeys(spenders) if a]
        for address in named:
            found.add(address)
        if coinjoin_rule(shape):
            joins += 1
            continue
        for other in named[1:]:
            found.union(named[0], other, txid)
    names = _names(found)
    rows = [{"address": a, "cluster": names[found.find(a)]} for a in sorted(found)]
    reasons = [_reason(names[found.find(a)], a, b, txid) for a, b, txid in found.edges]
    tally = Tally("transactions that spend", received, received - joins, joins)
    tables = {"clusters": TABLES["clusters"].rows(rows), "cluster_reasons": TABLES["cluster_reasons"].rows(reasons)}
    return Output(tables, [], [tally])


def _names(found: UnionFind[str, str]) -> dict[str, str]:
    """Cluster id by root: derived from the least address in it."""
    least: dict[str, str] = {}
    for address in found:
        root = found.find(address)
        least[root] = min(address, least.get(root, address))
    return {root: make_id("cluster", address) for root, address in least.items()}


def _reason(cluster: str, one: str, other: str, txid: str) -> dict[str, Any]:
    return {"id": make_id("reason", one, other, txid), "cluster": cluster, "txid": txid, "heuristic": "co-spend",
            "address_a": one, "address_b": other}  # fmt: skip

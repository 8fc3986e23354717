"""The chain as a tracer sees it: who paid whom, in whose name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casewright.chain.coinjoin import coinjoin_rule
from casewright.chain.shapes import spending
from casewright.engine.stage import Context

CUSTODIAL = frozenset(
    ("exchange", "hosted_wallet", "wallet_service", "payment_processor", "broker", "otc", "atm", "gambling", "lending",
     "marketplace_escrow", "service")
)  # fmt: skip
"""Tag categories of services that know their customers."""
MIXING = frozenset(("mixing_service", "mixer", "coinjoin"))


@dataclass(frozen=True)
class Coin:
    """One output."""

    txid: str
    vout: int
    sats: int
    address: str | None
    spent_by: str | None

    @property
    def id(self) -> str:
        return f"{self.txid}:{self.vout}"


@dataclass
class Graph:
    """Outputs, inputs, clusters and tags in memory."""

    coins: dict[tuple[str, int], Coin] = field(default_factory=dict)
    outputs: dict[str, list[Coin]] = field(default_factory=dict)
    spends: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    cluster: dict[str, str] = field(default_factory=dict)
    tags: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    coinjoins: dict[str, str] = field(default_factory=dict)

    def owner(self, address: str | None) -> str:
        """The cluster that an address is in, itself when it never spent, or that it has none."""
        return self.cluster.get(address, address) if address else "(no address)"

    def tags_of(self, address: str | None) -> list[Mapping[str, Any]]:
        """Tags on an address and on everything in its cluster, strongest first."""
        return self.tags.get(self.owner(address), [])

    def known(self, txid: str) -> bool:
        return txid in self.outputs


def load_graph(context: Context) -> Graph:
    graph = Graph()
    for row in context.table("outputs").to_pylist():
        coin = Coin(row["txid"], row["vout"], row["sats"], row["address"], row["spent_by"])
        graph.coins[coin.txid, coin.vout] = coin
        graph.outputs.setdefault(coin.txid, []).append(coin)
    for row in context.sql("SELECT * FROM inputs ORDER BY txid, vin").to_pylist():
        graph.spends.setdefault(row["txid"], []).append((row["prev_txid"], row["prev_vout"]))
    graph.cluster = {r["address"]: r["cluster"] for r in context.table("clusters").to_pylist()}
    for tag in context.sql("SELECT * FROM tags ORDER BY level DESC, label, tag").to_pylist():
        graph.tags.setdefault(graph.owner(tag["address"]), []).append(tag)
    graph.coinjoins = {txid: rule for txid, shape in spending(context) if (rule := coinjoin_rule(shape))}
    return graph


def custodians(tags: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of the tags that call the wallet a custodial service, the strongest, one a label: several when they tie."""
    named = [t for t in tags if (t["category"] or "").lower().replace(" ", "_") in CUSTODIAL]
    strongest = [t for t in named if t["level"] == max(n["level"] for n in named)]
    return list({t["label"]: t for t in strongest}.values())


def mixes(tags: Sequence[Mapping[str, Any]]) -> bool:
    return any((t["category"] or "").lower().replace(" ", "_") in MIXING for t in tags)

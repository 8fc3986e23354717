"""The chain as a tracer sees it: coins, who spends them, and in whose name."""

from dataclasses import dataclass, field

from casewright.chain.coinjoin import coinjoin_rule, whirlpool_tx0
from casewright.chain.labels import Tag, Verdict, judge
from casewright.chain.shapes import spending
from casewright.engine.stage import Context
from casewright.kernels.unionfind import path_between


@dataclass(frozen=True)
class Coin:
    """One output, and the transaction that spends it."""

    txid: str
    vout: int
    sats: int
    address: str | None
    kind: str
    spent_by: str | None

    @property
    def id(self) -> str:
        return f"{self.txid}:{self.vout}"


@dataclass
class Graph:
    """Outputs, inputs, wallets and tags in memory. A *wallet* is a cluster, an address outside any, or the one coin
    whose script has no address."""

    outputs: dict[str, list[Coin]] = field(default_factory=dict)
    spends: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    cluster: dict[str, str] = field(default_factory=dict)
    tags: dict[str, list[Tag]] = field(default_factory=dict)
    links: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    coinjoins: dict[str, str] = field(default_factory=dict)
    entrances: set[str] = field(default_factory=set)
    floating: set[str] = field(default_factory=set)
    market: set[str] = field(default_factory=set)
    judged: dict[str, Verdict] = field(default_factory=dict)

    def coin(self, txid: str, vout: int) -> Coin | None:
        coins = self.outputs.get(txid, ())
        return coins[vout] if 0 <= vout < len(coins) else None

    def wallet(self, coin: Coin) -> str:
        return self.cluster.get(coin.address, coin.address) if coin.address else f"script of {coin.id}"

    def verdict(self, wallet: str) -> Verdict:
        """What tags say of a wallet. The market's own wallets are no service, whatever a tag calls them, unless their
        addresses belong to one that knows its customers."""
        if wallet not in self.judged:
            verdict = judge(self.tags.get(wallet, []))
            self.judged[wallet] = Verdict() if wallet in self.market and not verdict.custodial else verdict
        return self.judged[wallet]

    def proof(self, coin: Coin, tag: Tag) -> tuple[str, ...]:
        """Ids of the merges that join the coin's address to the tagged one; empty when it is the same address."""
        links = self.links.get(self.wallet(coin), ())
        return tuple(path_between(links, coin.address, tag["address"]) or ())

    def sources_of(self, txid: str) -> tuple[dict[str, list[Coin]], int]:
        """Coins that a transaction spends, by wallet in the order of its inputs; and how many are not in the files."""
        wallets: dict[str, list[Coin]] = {}
        unknown = 0
        for txid_spent, vout in self.spends.get(txid, ()):
            coin = self.coin(txid_spent, vout)
            if coin:
                wallets.setdefault(self.wallet(coin), []).append(coin)
            else:
                unknown += 1
        return wallets, unknown


def load_graph(context: Context) -> Graph:
    """The graph of the whole chain that was given."""
    graph = Graph()
    coins = "SELECT txid, vout, sats, address, kind, spent_by FROM outputs ORDER BY txid, vout"
    for row in context.sql(coins).to_pylist():
        graph.outputs.setdefault(row["txid"], []).append(Coin(**row))
    for row in context.sql("SELECT * FROM inputs ORDER BY txid, vin").to_pylist():
        graph.spends.setdefault(row["txid"], []).append((row["prev_txid"], row["prev_vout"]))
    graph.cluster = {r["address"]: r["cluster"] for r in context.table("clusters").to_pylist()}
    for row in context.sql("SELECT * FROM cluster_reasons ORDER BY id").to_pylist():
        graph.links.setdefault(row["cluster"], []).append((row["address_a"], row["address_b"], row["id"]))
    for tag in context.sql("SELECT * FROM tags ORDER BY tag").to_pylist():
        graph.tags.setdefault(graph.cluster.get(tag["address"], tag["address"]), []).append(tag)
    deposits = context.table("payments").column("address").to_pylist()
    graph.market = {graph.cluster.get(address, address) for address in deposits}
    sql = "SELECT t.txid FROM transactions t JOIN blocks b ON b.hash = t.block WHERE b.state = 'unconnected'"
    graph.floating = set(context.sql(sql).column("txid").to_pylist())
    for txid, shape in spending(context):
        if rule := coinjoin_rule(shape):
            graph.coinjoins[txid] = rule
        elif whirlpool_tx0(shape):
            graph.entrances.add(txid)
    return graph

"""The chain as a tracer sees it: coins, who spends them, and in whose name.

The chain itself stays in columns (`columns.Chain`). What a trace touches is turned into coins, ids and words once, and
kept for all payments that come by again.
"""

from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.assembly import flat
from casewright.chain.coinjoin import coinjoin_rule, whirlpool_tx0
from casewright.chain.columns import KINDS, UNKNOWN, Chain, Numbers, numbers
from casewright.chain.labels import Tag, Verdict, guarded, judge
from casewright.chain.loading import load_chain
from casewright.chain.market import in_giants
from casewright.chain.proven import Merges, load_proven
from casewright.chain.shapes import Shape
from casewright.engine.stage import Context
from casewright.kernels.encoding import raw_of
from casewright.kernels.forest import Forest

PUBLISHED = KINDS.index("op_return")
STRETCH = 1 << 24
"""Outputs that are looked at at once."""
REMEMBERED = 1_000_000
"""Coins and transactions that are kept in words; when there are more, they are forgotten and made again."""


@dataclass(frozen=True, slots=True)
class Coin:
    """One output, and the transaction that spends it (-1: none that is known). `made_in` is its own transaction."""

    number: int
    txid: str
    vout: int
    sats: int
    address: str | None
    kind: str
    wallet: int
    made_in: int
    spender: int

    @property
    def id(self) -> str:
        return f"{self.txid}:{self.vout}"


@dataclass(frozen=True)
class Crossing:
    """One transaction with all that traces ask of it, whichever payment they come from."""

    number: int
    txid: str
    spends: list[int]
    """Numbers of the coins that it spends, -1 where one is not in the chain files."""
    sources: dict[int, list[Coin]]
    """Coins that it spends, by wallet in the order of its inputs."""
    unknown: int
    """How many inputs spend what is not in the chain files."""
    first: int
    """Number of its first output."""
    paid: list[int]
    """Satoshis of its outputs, and the fee last."""
    spent: list[int]
    """Satoshis of its inputs; of no meaning when some are unknown."""
    rule: str | None
    """The rule that calls it a CoinJoin."""
    is_entrance: bool
    """It is a Tx0, with which somebody enters a Whirlpool."""

    @property
    def outputs(self) -> range:
        return range(self.first, self.first + len(self.paid) - 1)

    @property
    def is_exact(self) -> bool:
        """Whether inputs and outputs are known and balance, so that shares can be told."""
        return not self.unknown and bool(self.spends) and self.paid[-1] >= 0

    @cached_property
    def before(self) -> list[int]:
        """Satoshis of all outputs before each one."""
        return [0, *accumulate(self.paid)]


@dataclass
class Graph:
    """A chain with wallets and tags. A *wallet* is a cluster, an address outside any, or the one coin whose script has
    no address; its number is that of the cluster, or of the holder after all clusters, or below 0 that of the coin."""

    chain: Chain
    cluster_ids: pa.Array
    wallet_of: Numbers
    """Wallet of each holder."""
    is_market: NDArray[np.bool_]
    """Of each wallet."""
    tags: pa.Table
    tagged: Numbers
    """Wallets of the rows of `tags`, in order."""
    merges: Merges
    forest: Forest
    """Which merges join holders."""
    cluster_of: NDArray[np.int32]
    """Cluster of each holder as co-spending has it, UNKNOWN outside any: whoever ever spent is in one, if alone."""
    mixed: dict[int, str] = field(default_factory=dict)
    """What is to be said of clusters that join services, and of their tagged addresses, which stand for themselves."""
    swallowed: int = 0
    """The market's own addresses in clusters that are too large to be its wallet (`market`)."""
    coins: dict[int, Coin] = field(default_factory=dict)
    crossings: dict[int, Crossing] = field(default_factory=dict)
    judged: dict[int, Verdict] = field(default_factory=dict)
    proofs: dict[tuple[int, int], tuple[Tag, ...]] = field(default_factory=dict)
    dealings: dict[int, tuple[int, int]] = field(default_factory=dict)
    """How many others paid a wallet, and how many it paid; only of those for which that was asked (`behaviour`)."""
    frequented: dict[int, NDArray[np.bool_]] = field(default_factory=dict)

    def coin(self, number: int) -> Coin:
        """The coin of an output."""
        if number not in self.coins:
            _bound(self.coins)
            self.coins[number] = self._coin(number)
        return self.coins[number]

    def _coin(self, number: int) -> Coin:
        chain, holder = self.chain, int(self.chain.holder[number])
        made_in, vout = chain.place(number)
        address = chain.address(holder)
        wallet = int(self.wallet_of[holder]) if address else -1 - number
        sats, spender, kind = int(chain.sats[number]), int(chain.spender[number]), KINDS[chain.kind[number]]
        return Coin(number, chain.txid(made_in), vout, sats, address, kind, wallet, made_in, spender)

    def name(self, wallet: int) -> str:
        """How a wallet is called: the id of its cluster, or its address."""
        if wallet < 0:
            return f"script of {self.coin(-1 - wallet).id}"
        clusters = len(self.cluster_ids)
        named = self.cluster_ids[wallet].as_py() if wallet < clusters else self.chain.address(wallet - clusters)
        return str(named)

    def in_market(self, wallet: int) -> bool:
        return wallet >= 0 and bool(self.is_market[wallet])

    def crossing(self, transaction: int) -> Crossing:
        """A transaction, read once."""
        if transaction not in self.crossings:
            _bound(self.crossings)
            self.crossings[transaction] = self._crossing(transaction)
        return self.crossings[transaction]

    def _crossing(self, transaction: int) -> Crossing:
        chain = self.chain
        spends = chain.spends[chain.first_input[transaction] : chain.first_input[transaction + 1]].tolist()
        first, after = (int(n) for n in chain.first_output[transaction : transaction + 2])
        sources: dict[int, list[Coin]] = {}
        for number in spends:
            if number >= 0:
                coin = self.coin(number)
                sources.setdefault(coin.wallet, []).append(coin)
        paid, spent = chain.sats[first:after].tolist(), [int(chain.sats[n]) if n >= 0 else 0 for n in spends]
        alone = len(spends) == 1 and PUBLISHED not in chain.kind[first:after]  # neither strangers nor a Tx0
        shape = self._shape(spends, range(first, after)) if spends and not alone else None
        rule = coinjoin_rule(shape) if shape else None
        entrance = bool(shape and not rule and whirlpool_tx0(shape))
        return Crossing(transaction, chain.txid(transaction), spends, sources, sum(n < 0 for n in spends), first,
                        [*paid, sum(spent) - sum(paid)], spent, rule, entrance)  # fmt: skip

    def _shape(self, spends: list[int], outputs: range) -> Shape:
        known = [self.coin(number) if number >= 0 else None for number in spends]
        values, payers = [c.sats if c else None for c in known], [c.address if c else None for c in known]
        holders = [self.chain.address(int(self.chain.holder[number])) for number in outputs]
        kinds = [KINDS[self.chain.kind[number]] for number in outputs]
        paid = self.chain.sats[outputs.start : outputs.stop].tolist()
        return Shape(values, payers, paid, holders, kinds)

    def is_frequented(self, least: int) -> NDArray[np.bool_]:
        """Of each wallet whether it has so many coins at least: what fewer paid can't have so many payers."""
        if least not in self.frequented:
            coins = np.zeros(len(self.wallet_of), np.int32)
            for start in range(0, len(self.chain.holder), STRETCH):
                coins += np.bincount(self.chain.holder[start : start + STRETCH], minlength=len(coins)).astype(np.int32)
            of_wallet = np.bincount(self.wallet_of, coins, len(self.is_market))
            self.frequented[least] = of_wallet >= least
        return self.frequented[least]

    def is_mined(self, transaction: int) -> bool:
        """Whether it spends nothing: newly mined coins."""
        return bool(self.chain.first_input[transaction] == self.chain.first_input[transaction + 1])

    def is_floating(self, transaction: int) -> bool:
        return bool(self.chain.height[transaction] < 0)

    def verdict(self, wallet: int) -> Verdict:
        """What tags say of a wallet. The market's own wallets are no service, whatever a tag calls them, unless their
        addresses belong to one that knows its customers."""
        if wallet not in self.judged:
            _bound(self.judged)
            first, after = np.searchsorted(self.tagged, [wallet, wallet + 1])
            verdict = judge(self.tags.slice(first, after - first).to_pylist()) if first < after else Verdict()
            verdict = guarded(verdict, self.mixed.get(wallet))
            self.judged[wallet] = Verdict() if self.in_market(wallet) and not verdict.custodial else verdict
        return self.judged[wallet]

    def proof(self, coin: Coin, tag: Tag) -> tuple[Tag, ...]:
        """The merges that join the coin's address to the tagged one; none when it is the same address."""
        key = int(self.chain.holder[coin.number]), int(tag["holder"])
        if key not in self.proofs:
            _bound(self.proofs)
            way = self.forest.way(*key)
            self.proofs[key] = self.merges.told(way.tolist()) if way is not None else ()
        return self.proofs[key]


def _bound(remembered: dict[Any, Any]) -> None:
    if len(remembered) >= REMEMBERED:
        remembered.clear()


def load_graph(context: Context) -> Graph:
    """The graph of the whole chain that was given."""
    return graph_of(load_chain(context), context)


def graph_of(chain: Chain, context: Context) -> Graph:
    """The chain with the wallets, tags and own addresses that the case knows."""
    proven = load_proven(chain, context)
    alone = len(proven.names) + np.arange(len(chain.addresses))
    wallet_of = np.where(proven.cluster_of != UNKNOWN, proven.cluster_of, alone)
    mixed = _split(wallet_of, proven.names, context, chain)
    is_market = np.zeros(len(proven.names) + len(wallet_of), bool)
    mine = places(own_addresses(context), chain.addresses)
    mine = mine[mine >= 0]
    swallowed = mine[in_giants(proven, mine, context.params["market_members"])]
    wallet_of[swallowed] = alone[swallowed]
    is_market[wallet_of[mine]] = True
    tags = context.table("tags")
    tags, tagged = _sorted(tags, "tag", places(tags["address"], chain.addresses), wallet_of)
    return Graph(chain, proven.names, wallet_of, is_market, tags, tagged, proven.merges, proven.forest,
                 proven.cluster_of, mixed, len(swallowed))  # fmt: skip


def _split(wallet_of: Numbers, names: pa.Array, context: Context, chain: Chain) -> dict[int, str]:
    """Take tagged addresses out of clusters that join services (`guard`): there a tag counts for its own address only.
    And out of any, where each of their tags says so of itself. What is to be said of those clusters and addresses."""
    rows = context.table("joined_services")
    found = places(rows["cluster"], names).tolist()
    mixed = dict(zip(found, rows["doubt"].to_pylist(), strict=True))
    tags = context.table("tags")
    tagged = places(tags["address"], chain.addresses).tolist()
    wide = {h for h, defines in zip(tagged, tags["defines_cluster"].to_pylist(), strict=True) if defines is not False}
    for holder in dict.fromkeys(h for h in tagged if h >= 0):
        said = mixed.get(int(wallet_of[holder]))
        if said or holder not in wide:
            wallet_of[holder] = len(names) + holder
        if said:
            mixed[len(names) + holder] = said
    return mixed


def own_addresses(context: Context) -> pa.ChunkedArray:
    """Addresses of the market: those that it gave to accounts and that were paid, and those of its seized wallets."""
    wallets = context.table("wallet_addresses")
    keyed = wallets.filter(pc.is_in(wallets["role"], pa.array(["own", "change"])))
    return pc.unique(
        pa.chunked_array([*context.table("payments")["address"].chunks, *keyed["address"].chunks], pa.string())
    )


def places(values: Any, within: Any) -> Numbers:
    """Where each value stands in a longer column; -1 where it does not. Only the values go into a table of hashes."""
    values = _whole(values).cast(within.type)
    met = np.flatnonzero(pc.is_in(within, values).to_numpy(zero_copy_only=False))
    found = numbers(pc.index_in(values, _whole(within.take(pa.array(met)))))
    return np.where(found >= 0, met[found], UNKNOWN) if len(met) else found


def _whole(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def outputs_of(chain: Chain, payments: pa.Table) -> Numbers:
    """Number of the output of each payment."""
    vout = numbers(payments["vout"])
    raw = raw_of(flat(payments["txid"]))
    txids = pa.Array.from_buffers(pa.binary(32), len(vout), [None, pa.py_buffer(raw)])
    return chain.first_output[places(txids, chain.txids)] + vout


def _sorted(table: pa.Table, key: str, places: Numbers, group_of: Numbers) -> tuple[pa.Table, Numbers]:
    """Rows whose place is known, with their holder, in the order of their group and key; and the groups."""
    kept = np.flatnonzero(places >= 0)
    groups = group_of[places[kept]]
    rows = table.take(pa.array(kept)).append_column("group", pa.array(groups))
    rows = rows.append_column("holder", pa.array(places[kept]))
    order = pc.sort_indices(rows, [("group", "ascending"), (key, "ascending")])
    return rows.take(order).drop_columns("group"), groups[order.to_numpy()]


def market_coins(graph: Graph) -> list[int]:
    """Numbers of all coins that the market's own wallets spent. Wallets of a service that holds the market's money are
    left out: what such a service spends is its own, and it may be a large part of the chain."""
    chain, own = graph.chain, graph.is_market.copy()
    for wallet in np.unique(graph.tagged).tolist():
        own[wallet] &= not graph.verdict(wallet).custodial
    mine = own[graph.wallet_of] & pc.is_valid(chain.addresses).to_numpy(zero_copy_only=False)
    found: list[int] = []
    for start in range(0, len(chain.holder), STRETCH):
        here = slice(start, start + STRETCH)
        found += (start + np.flatnonzero(mine[chain.holder[here]] & (chain.spender[here] >= 0))).tolist()
    return found

"""The largest flows into and out of wallets, of many wallets at once.

A flow is a transaction and a wallet beside the one that is asked about. What is looked for is always a list of
addresses or transactions, so that an index finds it; of wallets that hold more than can be looked through in a moment
the largest coins and transactions are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from casewright.engine.query import among

AROUND, MOST_COINS, MOST_MADE, MOST_OWN = 12, 20_000, 400, 100
"""Flows of each way; coins of all wallets asked about, transactions of one, and those of them that it made itself."""
UNKNOWN = "unknown"
Rows = Callable[[str, Mapping[str, Any]], list[dict[str, Any]]]
MEMBERS = "SELECT cluster, address FROM clusters WHERE {among}"
COINS = """
SELECT address, txid, sats, spent_by FROM outputs WHERE {among} ORDER BY sats DESC, txid, vout LIMIT {most}
"""
SPENDING = "SELECT txid, prev_txid, prev_vout FROM inputs WHERE {among}"
MADE = "SELECT txid, vout, sats, address FROM outputs WHERE {among}"
CHANGE = "SELECT txid, vout FROM change WHERE {among} AND coalesce(votes, 0) > coalesce(against, 0)"


class Flow(NamedTuple):
    """`sats`: what the wallet asked about was paid by the transaction, or what `other` was; `coins`: so many of it."""

    wallet: str
    other: str
    txid: str
    outward: bool
    sats: int
    coins: int
    change: bool


def around(rows: Rows, wallets: Sequence[str]) -> list[Flow]:
    """Of each wallet, in order: what came in, then what went out, at most so many of each; what may be change last."""
    if not wallets:
        return []
    mine = {wallet: {wallet} for wallet in wallets}
    for row in _found(rows, MEMBERS, "cluster", wallets):
        mine[row["cluster"]].add(row["address"])
    coins = defaultdict(list)
    for row in _found(rows, COINS, "address", [a for held in mine.values() for a in held], most=MOST_COINS):
        coins[row["address"]].append(row)
    of = {wallet: [coin for address in sorted(held) for coin in coins[address]] for wallet, held in mine.items()}
    paid, spent = {w: _paid(of[w]) for w in wallets}, {w: _spent(of[w]) for w in wallets}
    chain = _Chain(rows, {t for w in wallets for t in paid[w]}, {t for w in wallets for t in spent[w]})
    return [flow for w in wallets
            for flow in (*_inward(w, mine[w], paid[w], chain), *_outward(w, mine[w], spent[w], chain))]  # fmt: skip


def _paid(coins: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """What each transaction paid the wallet: the largest of others, and fewer of those that it made itself."""
    sums: dict[str, int] = defaultdict(int)
    for coin in coins:
        sums[coin["txid"]] += coin["sats"] or 0
    made = {coin["spent_by"] for coin in coins}
    largest = sorted(sums, key=lambda txid: (-sums[txid], txid))
    others = [txid for txid in largest if txid not in made][:MOST_MADE]
    own = [txid for txid in largest if txid in made][:MOST_OWN]
    return {txid: sums[txid] for txid in (*others, *own)}


def _spent(coins: Sequence[Mapping[str, Any]]) -> list[str]:
    """The transactions that spend most of its coins."""
    sums: dict[str, int] = defaultdict(int)
    for coin in coins:
        if coin["spent_by"] is not None:
            sums[coin["spent_by"]] += coin["sats"] or 0
    return sorted(sums, key=lambda txid: (-sums[txid], txid))[:MOST_MADE]


class _Chain:
    """What the transactions concerned spend and make."""

    def __init__(self, rows: Rows, paying: set[str], spending: set[str]) -> None:
        self.spends: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for row in _found(rows, SPENDING, "txid", paying):
            self.spends[row["txid"]].append((row["prev_txid"], row["prev_vout"]))
        before = {prev for coins in self.spends.values() for prev, _ in coins}
        self.makes: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.address: dict[tuple[str, int], str | None] = {}
        for row in _found(rows, MADE, "txid", before | spending):
            self.makes[row["txid"]].append(row)
            self.address[row["txid"], row["vout"]] = row["address"]
        known = {address for address in self.address.values() if address is not None}
        self.cluster = {row["address"]: row["cluster"] for row in _found(rows, MEMBERS, "address", known)}
        self.change = {(row["txid"], row["vout"]) for row in _found(rows, CHANGE, "txid", spending)}

    def name(self, address: str | None) -> str:
        return UNKNOWN if address is None else self.cluster.get(address, address)


def _inward(wallet: str, mine: set[str], paid: Mapping[str, int], chain: _Chain) -> list[Flow]:
    found: dict[tuple[str, str], int] = defaultdict(int)
    for txid in paid:
        for coin in chain.spends[txid]:
            if (address := chain.address.get(coin)) not in mine:
                found[txid, chain.name(address)] += 1
    flows = [Flow(wallet, other, txid, False, paid[txid], coins, False) for (txid, other), coins in found.items()]
    return sorted(flows, key=lambda f: (-f.sats, f.txid, f.other))[:AROUND]


def _outward(wallet: str, mine: set[str], spent: Iterable[str], chain: _Chain) -> list[Flow]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for txid in spent:
        for coin in chain.makes[txid]:
            if coin["address"] not in mine:
                found[txid, chain.name(coin["address"])].append(coin)
    flows = [Flow(wallet, other, txid, True, sum(coin["sats"] or 0 for coin in coins), len(coins),
                  any((txid, coin["vout"]) in chain.change for coin in coins))
             for (txid, other), coins in found.items()]  # fmt: skip
    return sorted(flows, key=lambda f: (f.change, -f.sats, f.txid, f.other))[:AROUND]


def _found(rows: Rows, sql: str, column: str, wanted: Iterable[str], **more: int) -> list[dict[str, Any]]:
    these = list(wanted)
    return rows(sql.format(among=among(column, "these", len(these)), **more), {"these": these}) if these else []

"""Following a payment back to the service it came from, and forward to where it was cashed out.

Nothing is followed through a service (it pools its customers' coins) or through a CoinJoin (its inputs link no one).
Every stop is a row that says why.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from casewright.chain.graph import Coin, Graph, custodians, load_graph, mixes
from casewright.engine.stage import Context, Output, Tally
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

MANY_OUTPUTS = 3


@dataclass
class Trace:
    """One payment, one direction."""

    graph: Graph
    payment: str
    direction: str
    max_hops: int
    dust: int
    hops: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)
    stops: set[str] = field(default_factory=set)
    seen: set[str] = field(default_factory=set)

    def back(self, coin: Coin) -> "Trace":
        """From the coin that is the payment, back over the transactions that made it."""
        queue = deque([(coin, 1)])
        while queue:
            target, step = queue.popleft()
            queue.extend(self._one_back(target, step))
        return self

    def _one_back(self, target: Coin, step: int) -> list[tuple[Coin, int]]:
        txid, graph = target.txid, self.graph
        if txid in self.seen:
            return []
        self.seen.add(txid)
        spends = graph.spends.get(txid)
        if not spends:
            return self._stop(target, step, "(coinbase)", "stops: newly mined coins")
        if rule := graph.coinjoins.get(txid):
            self.stops.add(f"a branch of the trace ends in a transaction of the {rule} shape")
            return self._stop(target, step, "(several owners)", f"stops at a CoinJoin: {rule} shape")
        wallets: dict[str, list[Coin]] = {}
        for spent in spends:
            coin = graph.coins.get(spent)
            if coin is None:
                self._stop(target, step, "(unknown)", f"stops: {spent[0]} is not in the chain files")
            else:
                wallets.setdefault(graph.owner(coin.address), []).append(coin)
        return [follow for owner, coins in wallets.items() for follow in self._wallet(target, step, owner, coins)]

    def _wallet(self, target: Coin, step: int, owner: str, coins: list[Coin]) -> list[tuple[Coin, int]]:
        tags = self.graph.tags_of(coins[0].address)
        named = custodians(tags)
        if mixes(tags):
            self.stops.add("a branch of the trace ends in a mixing service")
            return self._stop(target, step, owner, f"stops at a mixing service: {tags[0]['label']}")
        if named:
            self._reached(target, step, coins[0], named, tags)
            return self._stop(target, step, owner, f"reaches {' / '.join(t['label'] for t in named)}, by tag")
        self._hop(step, target.txid, owner, self.graph.owner(target.address), target.sats,
                  "paid from a wallet without a tag; its own funding is followed")  # fmt: skip
        if step >= self.max_hops:
            return self._stop(target, step, owner, f"stops: {self.max_hops} hops, the limit of case.toml")
        small = [c for c in coins if c.sats < self.dust]
        if small:
            self._stop(target, step, owner, f"stops: {len(small)} inputs below {self.dust} sat are not followed")
        return [(c, step + 1) for c in coins if c.sats >= self.dust]

    def forward(self, coin: Coin) -> "Trace":
        """From the coin that is the payment, over the transactions that spend it and what they made."""
        queue = deque([(coin, 1)])
        while queue:
            target, step = queue.popleft()
            queue.extend(self._one_forward(target, step))
        return self

    def _one_forward(self, coin: Coin, step: int) -> list[tuple[Coin, int]]:
        owner = self.graph.owner(coin.address)
        if coin.spent_by is None:
            self._hop(step, coin.txid, owner, owner, coin.sats, "stops: not spent yet")
            return []
        if coin.spent_by in self.seen:
            return []
        self.seen.add(coin.spent_by)
        if rule := self.graph.coinjoins.get(coin.spent_by):
            self._hop(step, coin.spent_by, owner, "(several owners)", coin.sats, f"stops at a CoinJoin: {rule} shape")
            return []
        follow = []
        for output in self.graph.outputs.get(coin.spent_by, []):
            follow += self._paid(output, owner, step)
        return follow

    def _paid(self, output: Coin, owner: str, step: int) -> list[tuple[Coin, int]]:
        target, tags = self.graph.owner(output.address), self.graph.tags_of(output.address)
        if output.sats < self.dust or output.address is None:
            return []
        named = custodians(tags)
        if mixes(tags):
            self._hop(step, output.txid, owner, target, output.sats, f"stops at a mixing service: {tags[0]['label']}")
        elif named:
            self._reached(output, step, output, named, tags)
            labels = " / ".join(t["label"] for t in named)
            self._hop(step, output.txid, owner, target, output.sats, f"reaches {labels}, by tag")
        else:
            change = "back to the same wallet" if target == owner else "to a wallet without a tag"
            limit = step >= self.max_hops
            stop = f"; stops: {self.max_hops} hops, the limit of case.toml" if limit else "; followed"
            self._hop(step, output.txid, owner, target, output.sats, change + stop)
            return [] if limit else [(output, step + 1)]
        return []

    def _stop(self, target: Coin, step: int, owner: str, reason: str) -> list[tuple[Coin, int]]:
        self._hop(step, target.txid, owner, self.graph.owner(target.address), target.sats, reason)
        return []

    def _hop(self, step: int, txid: str, source: str, target: str, sats: int, reason: str) -> None:
        number = len(self.hops)
        self.hops.append({
            "hop": make_id("hop", self.payment, self.direction, number, txid), "payment": self.payment,
            "direction": self.direction, "step": step, "txid": txid, "from_cluster": source, "to_cluster": target,
            "sats": sats, "reason": reason, "sources": [txid, self.payment],
        })  # fmt: skip

    def _reached(
        self, coin: Coin, step: int, met: Coin, named: list[Mapping[str, Any]], tags: list[Mapping[str, Any]]
    ) -> None:
        """`coin` left or entered the service; `met` is where its tag was found."""
        for tag in named:
            others = sorted({t["label"] for t in tags} - {tag["label"]})
            against = [f"tagged as {', '.join(others)} by others"] if others else []
            if met.address not in {t["address"] for t in tags}:
                against.append("the tag is on another address of the same cluster")
            outputs = len(self.graph.outputs.get(coin.txid, []))
            if self.direction == "back" and outputs > MANY_OUTPUTS:
                against.append(
                    f"the withdrawal pays {outputs} outputs at once: only the service knows for whom each was"
                )
            if step > 1:
                against.append(f"not direct: {step - 1} untagged wallet steps lie between, which may be other persons")
            self.services.append({
                "id": make_id("service", self.payment, self.direction, coin.txid, coin.vout, tag["label"]),
                "payment": self.payment, "direction": self.direction, "service": tag["label"], "address": met.address,
                "txid": coin.txid, "vout": coin.vout, "sats": coin.sats, "hops": step,
                "confidence": "strong" if step == 1 or self.direction == "forward" else "weak",
                "against": against, "sources": [coin.id, met.id, tag["tag"], self.payment],
            })  # fmt: skip

    def finished(self) -> list[dict[str, Any]]:
        """The services, each told what the other branches say against it."""
        labels = sorted({s["service"] for s in self.services})
        for service in self.services:
            more = sorted(self.stops) if self.direction == "back" else []
            if len(labels) > 1 and self.direction == "back":
                more.append(f"coins of several services meet: {', '.join(labels)}")
            service["against"] = "; ".join([*service["against"], *more]) or "nothing found in the chain"
        return self.services


def trace(batch: pa.Table, context: Context) -> Output:
    """Every payment, in both directions."""
    graph, hops, services, reached = load_graph(context), [], [], 0
    payments = context.sql("SELECT * FROM payments ORDER BY height NULLS LAST, txid, vout, account").to_pylist()
    for row in payments:
        coin = graph.coins[row["txid"], row["vout"]]
        settings = (context.params["max_hops"], context.params["dust_sats"])
        for made in (
            Trace(graph, row["payment"], "back", *settings).back(coin),
            Trace(graph, row["payment"], "forward", *settings).forward(coin),
        ):
            hops += made.hops
            services += made.finished()
            reached += made.direction == "back" and bool(made.services)
    tally = Tally("payments", len(payments), reached, len(payments) - reached)
    return Output({"hops": TABLES["hops"].rows(hops), "services": TABLES["services"].rows(services)}, [], [tally])

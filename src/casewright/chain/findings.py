"""What one trace of one payment found: rows of `hops` and of `services`, each with what it rests on."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from casewright.chain.flow import UNKNOWN_COIN, Share
from casewright.chain.gaps import Gaps
from casewright.chain.graph import Coin, Graph
from casewright.chain.labels import WELL_FOUNDED, Tag, Verdict
from casewright.model.ids import make_id

NOTHING_AGAINST = "nothing found in the chain; a tag is another's word, and a withdrawal is not yet a person"
DAY = 86_400
LITTLE = 20
"""A share below one twentieth speaks against a service, and behind wallets makes it a hint, no attribution."""
BACK, FORWARD, MARKET = "back", "forward", "market"


@dataclass(frozen=True)
class Limits:
    """How far a trace goes: hops from the payment, least satoshis of a coin, days from the payment (0: any), and
    transactions in all. `taint` is the convention by which shares are told. `gathered_from` and `busy_wallet`: from how
    many others on a wallet behaves like a service's (`behaviour`; 0: never)."""

    max_hops: int
    dust_sats: int
    max_age_days: int = 0
    taint: str = "haircut"
    most_transactions: int = 2_000
    gathered_from: int = 0
    busy_wallet: int = 0

    def is_old(self, days: int) -> bool:
        return 0 < self.max_age_days < days


@dataclass(frozen=True)
class Way:
    """Where a walk stands: at a coin, so many hops and so many transactions from the payment. They differ behind a
    peeling chain, which is one hop."""

    coin: Coin
    step: int = 1
    transactions: int = 1
    mingled: int = 1
    guesses: int = 0


@dataclass
class Findings:
    """Collects the rows of one payment and direction, in the order in which they are found.

    `payment` is empty for the trace of all that the market's own wallets paid.
    """

    graph: Graph
    payment: str
    direction: str
    limits: Limits
    gaps: Gaps = field(default_factory=Gaps)
    hops: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)
    crossed: dict[int, int] = field(default_factory=dict)
    """Step in which each transaction was crossed."""
    queued: set[int] = field(default_factory=set)
    """Coins that the walk goes on with."""
    loose_ends: dict[str, int] = field(default_factory=dict)
    flows: list[tuple[dict[str, Any], int, tuple[int, ...]]] = field(default_factory=list)
    """Rows whose share is still to be told: of the coin, or of the coin as far as others paid for it."""

    def hop(
        self, step: int, coin: Coin, txid: str, payer: int | str, payee: int, reason: str, *rests_on: str,
        ends: str | None = None, label: str | None = None, end: str = "", paid_with: Sequence[Coin] | None = (),
        transactions: int = 1,
    ) -> None:  # fmt: skip
        """A step over `txid` that follows `coin`. `ends` says how the branch ends here, `label` at whom; `end` names
        one that ends without a service. `paid_with`: the coins that this row is about among those that paid for it;
        None when they are not known."""
        if end:
            self.loose_ends[end] = self.loose_ends.get(end, 0) + 1
        payer = payer if isinstance(payer, str) else self.graph.name(payer)
        row = {
            "hop": make_id("hop", self.payment, self.direction, len(self.hops), txid, coin.id),
            "payment": self.payment or None, "direction": self.direction, "step": step, "txid": txid,
            "from_cluster": payer, "to_cluster": self.graph.name(payee), "sats": coin.sats, "share": None,
            "transactions": transactions, "ends": ends, "label": label, "reason": reason,
            "sources": list(dict.fromkeys((txid, coin.id, *rests_on))),
        }  # fmt: skip
        self.hops.append(row)
        known = (UNKNOWN_COIN,) if paid_with is None else tuple(c.number for c in paid_with)
        self.flows.append((row, coin.number, known))

    def reached(
        self, way: Way, moved: Coin, met: Coin, verdict: Verdict, doubts: Sequence[str], rules: Sequence[str],
        sure: bool, paid_with: Sequence[Coin] = (),
    ) -> None:  # fmt: skip
        """`moved` is the output that left or entered the service, `met` the coin whose address is the service's."""
        tied = [*verdict.custodial, *verdict.mixing]
        for tag in tied:
            against = [*verdict.doubts, *doubts]
            founded = tag["level"] >= WELL_FOUNDED
            confidence = "strong" if way.transactions == 1 and sure and founded else "weak"
            if tag in verdict.mixing:
                confidence = "none"
                against.insert(
                    0, f"{tag['label']} mixes coins of many: what leaves it is not what its customer brought"
                )
            if len(tied) > 1:
                against.append("equally strong tags name others: all of them are told the same share")
            self._service(way, moved, met, tag, confidence, against, rules, paid_with)

    def _service(
        self, way: Way, moved: Coin, met: Coin, tag: Tag, confidence: str, against: list[str], rules: Sequence[str],
        paid_with: Sequence[Coin],
    ) -> None:  # fmt: skip
        merges = self.graph.proof(met, tag)
        proof = [merge["id"] for merge in merges]
        named = f"tag of {tag['address']}: {tag['label']} ({tag['category'] or 'no category'}, {tag['level']} of 100)"
        rules = [named, *rules]
        if met.address != tag["address"]:
            words = _in_words(merges)
            against = [*against, f"the tag is on {tag['address']}, joined to this address by {words}"]
            against += [f"merge by {m['txid'] or 'tags'}: {m['doubt']}" for m in merges if m["doubt"]]
            rules.insert(1, f"cluster: {met.address} is joined to the tagged address by {words}")
        if self.graph.is_floating(moved.made_in):
            against = [*against, "its block's ancestors are not in the chain files: the chain could not be checked"]
        row = {
            "id": make_id("service", self.payment, self.direction, moved.id, met.id, tag["tag"]),
            "payment": self.payment or None, "direction": self.direction, "service": tag["label"],
            "address": met.address, "txid": moved.txid, "vout": moved.vout, "sats": moved.sats, "share": None,
            "hops": way.transactions, "confidence": confidence, "rules": rules, "against": against,
            "sources": list(dict.fromkeys(s for s in (self.payment, moved.id, met.id, tag["tag"], *proof) if s)),
        }  # fmt: skip
        self.services.append(row)
        self.flows.append((row, moved.number, tuple(c.number for c in paid_with)))

    def days(self, later: int, earlier: int) -> int:
        """Days between the blocks of two transactions."""
        time = self.graph.chain.time
        return (int(time[later]) - int(time[earlier])) // DAY

    def told(self, share: Share, paid: int = 0) -> None:
        """Fill in the share of every row, now that the whole trace is known; `paid`: satoshis of the payment."""
        for row, coin, paid_with in self.flows:
            row["share"] = share(coin, paid_with)
        for service in self.services:
            service["against"] += self._small(service["share"], paid)
            if service["confidence"] == "weak" and self._is_little(service["share"], paid):
                service["confidence"] = "hint"

    def _small(self, share: int | None, paid: int) -> list[str]:
        """What a share says against a service: that it is little, or that nobody can tell."""
        if share is None:
            return ["its share cannot be told: an input on the way is not in the chain files"]
        if not self._is_little(share, paid):
            return []
        side = "came from there" if self.direction == BACK else "went there"
        return [f"little: by {self.limits.taint} {share} of the payment's {paid} sat {side}"]

    def _is_little(self, share: int | None, paid: int) -> bool:
        return share is not None and share * LITTLE < paid

    def finished(self) -> list[dict[str, Any]]:
        """Rows of `services`, each told what the other branches say against it."""
        labels = sorted({s["service"] for s in self.services})
        for service in self.services:
            against = list(service["against"])
            if (others := [name for name in labels if name != service["service"]]) and self.payment:
                against.append(f"several sources: the trace also reaches {', '.join(others)}")
            if self.direction == BACK:
                against += [_branches(count, end) for end, count in sorted(self.loose_ends.items())]
            service["against"] = "; ".join(dict.fromkeys(against)) or NOTHING_AGAINST
        return self.services


def _branches(count: int, end: str) -> str:
    return f"{count} other {'branch ends' if count == 1 else 'branches end'} {end}"


MERGES = {"co-spend": "co-spend{s}", "change": "guess{es} of change", "tags": "pair{s} of equal tags"}


def _in_words(merges: Sequence[Tag]) -> str:
    """How many merges of each layer lead from one address to the other."""
    counts = Counter(merge["heuristic"] for merge in merges)
    words = [f"{n} {MERGES[layer].format(s='s'[: n - 1], es='es'[: 2 * n - 2])}" for layer, n in sorted(counts.items())]
    return " and ".join(words) or "no merge"

"""What one trace of one payment found: rows of `hops` and of `services`, each with what it rests on."""

from dataclasses import dataclass, field
from typing import Any

from casewright.chain.graph import Coin, Graph
from casewright.chain.labels import Tag, Verdict
from casewright.model.ids import make_id

NOTHING_AGAINST = "nothing found in the chain; a tag is another's word, and a withdrawal is not yet a person"


@dataclass(frozen=True)
class Limits:
    """How far a trace goes: transactions from the payment, least satoshis of a coin, and transactions in all."""

    max_hops: int
    dust_sats: int
    most_transactions: int = 2_000


@dataclass
class Findings:
    """Collects the rows of one payment and direction, in the order in which they are found."""

    graph: Graph
    payment: str
    direction: str
    limits: Limits
    hops: list[dict[str, Any]] = field(default_factory=list)
    services: list[dict[str, Any]] = field(default_factory=list)
    crossed: dict[str, int] = field(default_factory=dict)
    loose_ends: dict[str, int] = field(default_factory=dict)

    def hop(
        self, step: int, coin: Coin, txid: str, payer: str, payee: str, reason: str, *rests_on: str, end: str = ""
    ) -> None:
        """A step over `txid` that follows `coin`. `end` names a branch that ends without a service."""
        if end:
            self.loose_ends[end] = self.loose_ends.get(end, 0) + 1
        self.hops.append({
            "hop": make_id("hop", self.payment, self.direction, len(self.hops), txid, coin.id), "payment": self.payment,
            "direction": self.direction, "step": step, "txid": txid, "from_cluster": payer, "to_cluster": payee,
            "sats": coin.sats, "reason": reason, "sources": list(dict.fromkeys((txid, coin.id, *rests_on))),
        })  # fmt: skip

    def reached(self, step: int, moved: Coin, met: Coin, verdict: Verdict, doubts: list[str], sure: bool) -> None:
        """`moved` is the output that left or entered the service, `met` the coin whose address is the service's."""
        for tag in verdict.custodial:
            confidence = "strong" if step == 1 and sure else "weak"
            self._service(step, moved, met, tag, confidence, [*verdict.doubts, *doubts])
        for tag in verdict.mixing:
            mixed = f"{tag['label']} mixes coins of many: what leaves it is not what its customer brought"
            self._service(step, moved, met, tag, "none", [mixed, *verdict.doubts, *doubts])

    def _service(self, step: int, moved: Coin, met: Coin, tag: Tag, confidence: str, against: list[str]) -> None:
        proof = self.graph.proof(met, tag)
        if met.address != tag["address"]:
            merges = f"{len(proof)} co-spend" + ("s" if len(proof) > 1 else "")
            against = [*against, f"the tag is on {tag['address']}, joined to this address by {merges}"]
        if moved.txid in self.graph.floating:
            against = [*against, "its block's ancestors are not in the chain files: the chain could not be checked"]
        self.services.append({
            "id": make_id("service", self.payment, self.direction, moved.id, met.id, tag["tag"]),
            "payment": self.payment, "direction": self.direction, "service": tag["label"], "address": met.address,
            "txid": moved.txid, "vout": moved.vout, "sats": moved.sats, "hops": step, "confidence": confidence,
            "against": against, "sources": list(dict.fromkeys((self.payment, moved.id, met.id, tag["tag"], *proof))),
        })  # fmt: skip

    def finished(self) -> list[dict[str, Any]]:
        """Rows of `services`, each told what the other branches say against it."""
        labels = sorted({s["service"] for s in self.services})
        for service in self.services:
            against = list(service["against"])
            if others := [name for name in labels if name != service["service"]]:
                against.append(f"several sources: the trace also reaches {', '.join(others)}")
            if self.direction == "back":
                against += [_branches(count, end) for end, count in sorted(self.loose_ends.items())]
            service["against"] = "; ".join(dict.fromkeys(against)) or NOTHING_AGAINST
        return self.services


def _branches(count: int, end: str) -> str:
    return f"{count} other {'branch ends' if count == 1 else 'branches end'} {end}"

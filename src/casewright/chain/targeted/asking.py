"""What targeted mode asks for, round after round: back from payments, and forward from what the market spent.

Nothing is asked for behind the market's own or tagged addresses, dust, or a transaction of very many inputs or outputs;
of every transaction it is told why what is before or behind it was not read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from casewright.chain.targeted.finds import OP_RETURN, Found
from casewright.kernels.targeted import MARKET, PAYS, PAYS_TAGGED, SPENDS, SPENDS_ASKED, SPENDS_TAGGED

SIDEWAYS = 0
"""Depth of what is read only to know whose coins a transaction spends: nothing is read behind it."""
TAGGED = -1
"""Depth of tagged outputs: what spends them shows what else is the service's, and is not followed."""
NOT_BACK = "only what is behind payments is read"
NOT_FORWARD = "only where the market's own coins go is looked for"
STOPPED = "nothing is read behind a tagged address, the market's own, or dust"
Output = bytes
"""An output as inputs write it: 32 bytes of id and 4 of its place."""


@dataclass(frozen=True)
class Limits:
    """Settings of `[chain]` that bound the walk."""

    dust_sats: int
    targeted_hops: int
    targeted_inputs: int
    targeted_transactions: int


@dataclass(frozen=True)
class Asked:
    """What one round asks for: transactions by id with the height of their block (-1: nobody knows), and what spends
    outputs."""

    ids: dict[bytes, int] = field(default_factory=dict)
    outputs: dict[Output, int] = field(default_factory=dict)
    """With the depth of what made them."""


@dataclass
class Walk:
    """All that was found so far, and where it goes on. `marks`: of scripts that are sought."""

    limits: Limits
    marks: Mapping[bytes, int]
    known: dict[bytes, Found] = field(default_factory=dict)
    _back: dict[bytes, int] = field(default_factory=dict)
    _forward: dict[bytes, int] = field(default_factory=dict)
    _own: dict[Output, int] = field(default_factory=dict)
    _asked: Asked = field(default_factory=Asked)
    _demanded: dict[bytes, tuple[int, set[int]]] = field(default_factory=dict)
    _expanded: dict[bytes, int] = field(default_factory=dict)
    _why_not_back: dict[bytes, str] = field(default_factory=dict)
    _why_not_forward: dict[bytes, str] = field(default_factory=dict)
    _looked_for: dict[bytes, set[int]] = field(default_factory=dict)

    def begin(self, found: Iterable[Found], spends_are_known: bool) -> None:
        """With what the search found. `spends_are_known`: it saw by undo data what every block spends; else the
        spending of the market's coins is asked for first."""
        for one in found:
            self.known.setdefault(one.txid, one)
            if one.why & PAYS:
                self._back[one.txid] = 1
            elif one.why & (SPENDS | SPENDS_TAGGED):
                self._back.setdefault(one.txid, SIDEWAYS)
            if one.why & SPENDS:
                self._forward[one.txid] = 1
            self._look_for_own(one, not spends_are_known)

    def _look_for_own(self, one: Found, ask: bool) -> None:
        for vout, (_, _, script) in enumerate(one.outputs()):
            if self.marks.get(script, 0) & MARKET:
                self._looked_for.setdefault(one.txid, set()).add(vout)
                if ask:
                    self._own[_output(one.txid, vout)] = 0
            elif one.why & PAYS_TAGGED and self.marks.get(script, 0):
                self._own[_output(one.txid, vout)] = TAGGED

    @property
    def goes_on(self) -> bool:
        return bool(self._back or self._forward or self._own)

    def ask(self) -> Asked:
        """What the next round asks for."""
        self._asked, self._demanded = Asked(outputs=self._own), {}
        back, forward = self._back, self._forward
        self._back, self._forward, self._own = {}, {}, {}
        for txid, depth in back.items():
            self._ask_back(self.known[txid], depth)
        for txid, depth in forward.items():
            self._ask_forward(self.known[txid], depth)
        return self._asked

    def _ask_back(self, one: Found, depth: int) -> None:
        spent = list(one.inputs())
        unknown = [prev for prev, _, _ in spent if prev not in self.known]
        if why := self._too_many(len(unknown), "unknown inputs"):
            self._why_not_back[one.txid] = why
            return
        self._expanded[one.txid] = depth
        for prev, vout, height in spent:
            below = SIDEWAYS if depth == SIDEWAYS else depth + 1
            before, vouts = self._demanded.get(prev, (below, set()))
            self._demanded[prev] = (max(before, below) if SIDEWAYS in (before, below) else min(before, below),
                                    vouts | {vout} if below else vouts)  # fmt: skip
            if prev not in self.known:
                self._asked.ids[prev] = height

    def _ask_forward(self, one: Found, depth: int) -> None:
        outputs = list(one.outputs())
        why = self._too_many(len(outputs), "outputs")
        if depth > self.limits.targeted_hops:
            why = f"{self.limits.targeted_hops} hops, [chain] targeted_hops in case.toml"
        if why:
            self._why_not_forward[one.txid] = why
            return
        for vout, (sats, kind, script) in enumerate(outputs):
            if kind != OP_RETURN and sats >= self.limits.dust_sats and script not in self.marks:
                self._asked.outputs[_output(one.txid, vout)] = depth
                self._looked_for.setdefault(one.txid, set()).add(vout)

    def _too_many(self, count: int, what: str) -> str:
        limits, there = self.limits, len(self.known) + len(self._asked.ids)
        if count > limits.targeted_inputs:
            return f"it has {count} {what}; [chain] targeted_inputs in case.toml says {limits.targeted_inputs}"
        if count and there + count > limits.targeted_transactions:
            return f"{limits.targeted_transactions} transactions, [chain] targeted_transactions in case.toml"
        return ""

    def take(self, found: Iterable[Found]) -> None:
        """What a round found; decides where the next one goes on."""
        for one in found:
            self.known.setdefault(one.txid, one)
            if one.why & SPENDS_ASKED and one.txid not in self._forward:
                told = (self._asked.outputs.get(_output(prev, vout), TAGGED) for prev, vout, _ in one.inputs())
                depths = [depth for depth in told if depth != TAGGED]
                if depths:
                    self._forward[one.txid] = min(depths) + 1
                if one.txid not in self._expanded:
                    self._back.setdefault(one.txid, SIDEWAYS)
        for txid, (depth, vouts) in self._demanded.items():
            if txid in self.known and self._expanded.get(txid, SIDEWAYS) == SIDEWAYS:
                self._go_back(self.known[txid], depth, vouts)

    def _go_back(self, one: Found, depth: int, vouts: set[int]) -> None:
        outputs = list(one.outputs())
        coins = [outputs[vout] for vout in vouts if vout < len(outputs)]
        if depth == SIDEWAYS:
            self._why_not_back.setdefault(one.txid, NOT_BACK)
        elif depth > self.limits.targeted_hops:
            self._why_not_back[one.txid] = f"{self.limits.targeted_hops} hops, [chain] targeted_hops in case.toml"
        elif not any(sats >= self.limits.dust_sats and script not in self.marks for sats, _, script in coins):
            self._why_not_back[one.txid] = STOPPED
        else:
            self._back[one.txid] = depth

    def told(self) -> Iterator[tuple[bytes, dict[str, Any]]]:
        """Of each transaction, what was read before and behind it."""
        for txid in self.known:
            yield (
                txid,
                {
                    "back": None if txid in self._expanded else self._why_not_back.get(txid, NOT_BACK),
                    "forward": self._why_not_forward.get(txid, NOT_FORWARD),
                    "vouts": sorted(self._looked_for.get(txid, ())),
                },
            )


def _output(txid: bytes, vout: int) -> Output:
    return txid + vout.to_bytes(4, "little")

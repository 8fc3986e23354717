"""Wallets of an invented economy: each with the habits of some program, which are its fingerprint."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from casewright.demo.economies.ledger import Deed, Ledger
from casewright.demo.mixes.made import miners_fee

LEAST_CHANGE, LOW_RATE = 1_000, 8


@dataclass(frozen=True)
class Habits:
    """What tells one wallet program from another.

    `order` of outputs: bip69, change last, change first or random. `picks` coins: oldest, largest, or closest (the
    smallest that suffices). `reuse`: how often change goes back to the address that paid. `locked`: sets the locktime
    to the height. `rounds`: its fees are whole thousands. `pool`: addresses that it keeps for good, 0 for a new one
    each time.
    """

    kind: str = "p2wpkh"
    order: str = "random"
    picks: str = "oldest"
    reuse: float = 0.0
    locked: bool = False
    rounds: bool = False
    pool: int = 0
    stonewalls: bool = False
    along: int = 0


PROGRAMS = (
    Habits("p2wpkh", "random", "closest", locked=True),
    Habits("p2wpkh", "bip69", "oldest", locked=True),
    Habits("p2pkh", "change last", "oldest", reuse=0.3, rounds=True),
    Habits("p2sh", "bip69", "largest", rounds=True),
    Habits("p2wpkh", "bip69", "oldest", stonewalls=True),
    Habits("p2tr", "random", "closest", locked=True),
    Habits("p2pkh", "change first", "largest", reuse=0.9),
)


@dataclass(eq=False)
class Wallet:
    """Coins of one owner."""

    ledger: Ledger
    owner: str
    habits: Habits
    dice: Random
    coins: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return sum(self.ledger.sats[c] for c in self.coins)

    def address(self, kind: str = "") -> int:
        """A new address, or one of those kept for good."""
        if self.habits.pool and len(self.kept) >= self.habits.pool:
            return self.dice.choice(self.kept)
        holder = self.ledger.hold(self.owner, kind or self.habits.kind, self.coins.append)
        self.kept.append(holder)
        return holder

    def take(self, sats: int, outputs: int) -> list[int]:
        """Coins worth `sats` and the fee, out of the wallet; none when there are not enough. Coinbases must be ripe."""
        ripe = [c for c in self.coins if self._ripe(c)]
        value = self.ledger.sats
        if self.habits.picks == "largest":
            ripe.sort(key=lambda c: -value[c])
        elif self.habits.picks == "closest":
            enough = [c for c in ripe if value[c] >= sats + self.fee(1, outputs)]
            ripe = [min(enough, key=lambda c: value[c])] if enough else sorted(ripe, key=lambda c: -value[c])
        taken, total = [], 0
        for coin in ripe:
            taken.append(coin)
            total += value[coin]
            if total >= sats + self.fee(len(taken), outputs):
                return self.remove([*taken, *self._along(ripe, taken)])
        return []

    def _along(self, ripe: Sequence[int], taken: Sequence[int]) -> list[int]:
        """Small coins that go along because fees are low."""
        if not self.habits.along or self.ledger.rate > LOW_RATE:
            return []
        small = sorted((c for c in ripe if self.ledger.sats[c] > 10_000), key=lambda c: self.ledger.sats[c])
        return [c for c in small if c not in taken][: self.habits.along]

    def remove(self, coins: Sequence[int]) -> list[int]:
        gone = set(coins)
        self.coins[:] = [c for c in self.coins if c not in gone]
        return list(coins)

    def fee(self, coins: int, outputs: int) -> int:
        fee = miners_fee(coins, outputs, self.ledger.rate)
        return -(-fee // 1_000) * 1_000 if self.habits.rounds else fee

    def pay(self, targets: Sequence[tuple[int, int]], what: str) -> Deed | None:
        """Pay holders; what is left comes back as change. None when there is not enough."""
        coins = self.take(sum(s for _, s in targets), len(targets) + 1)
        return self.spend(coins, targets, what) if coins else None

    def spend(self, coins: Sequence[int], targets: Sequence[tuple[int, int]], what: str) -> Deed:
        """Pay from these very coins."""
        total = sum(self.ledger.sats[c] for c in coins)
        left = total - sum(s for _, s in targets) - self.fee(len(coins), len(targets) + 1)
        change = [(self._change(coins), left)] if left >= LEAST_CHANGE else []
        height = self.ledger.height if self.habits.locked else 0
        return self.ledger.send(coins, self._ordered(list(targets), change), what, locktime=height)

    def send_all(self, coins: Sequence[int], holder: int, what: str) -> Deed | None:
        """All of these coins to one address, without change."""
        sats = sum(self.ledger.sats[c] for c in coins) - self.fee(len(coins), 1)
        if sats < LEAST_CHANGE:
            return None
        return self.ledger.send(self.remove(coins), [(holder, sats)], what)

    def _change(self, coins: Sequence[int]) -> int:
        if self.dice.random() < self.habits.reuse:
            return self.ledger.holder[coins[0]]
        return self.address()

    def _ordered(self, paid: list[tuple[int, int]], change: list[tuple[int, int]]) -> list[tuple[int, int]]:
        if self.habits.order == "bip69":
            return sorted([*paid, *change], key=lambda o: (o[1], self.ledger.holders[o[0]].script))
        if self.habits.order == "change first":
            return [*change, *paid]
        whole = [*paid, *change]
        return self.dice.sample(whole, len(whole)) if self.habits.order == "random" else whole

    def _ripe(self, coin: int) -> bool:
        deed = self.ledger.deeds[self.ledger.made[coin]]
        return deed.what != "mined" or self.ledger.height - deed.height >= 100


def some_program(dice: Random) -> Habits:
    """One of the programs, with a little of the user's own carelessness."""
    habits = dice.choice(PROGRAMS)
    return replace(habits, reuse=min(0.95, habits.reuse + dice.choice((0, 0, 0, 0.1))))

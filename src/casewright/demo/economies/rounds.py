"""CoinJoins in the economy: people's own coins go through the makers of `demo/mixes`, and what comes out is theirs."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from casewright.demo.economies.ledger import Ledger
from casewright.demo.economies.wallets import Habits, Wallet
from casewright.demo.mixes import joinmarket, pairs, wabisabi, wasabi, whirlpool
from casewright.demo.mixes.made import Made, Peer, owner
from casewright.model.bitcoin import COIN

POOL = COIN // 20
Brought = Sequence[tuple[Wallet, Sequence[int]]]


@dataclass(eq=False)
class Rounds:
    """Coordinators of every make, and the coins that wait in a pool."""

    ledger: Ledger
    dice: Random
    coordinator: Wallet = field(init=False)
    newcomers: list[tuple[Wallet, int]] = field(default_factory=list)
    remixers: list[tuple[Wallet, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.coordinator = Wallet(self.ledger, "coordinators", Habits(), self.dice)

    def joinmarket(self, taker: Wallet, makers: Sequence[Wallet], value: int) -> bool:
        """The taker mixes `value` with as many makers as have it; at least two."""
        room = joinmarket.LEAST_CHANGE + value // 50 + self.ledger.rate * 4_000
        able = [m for m in makers if m is not taker and m.balance > 2 * value + room][:9]
        if len(able) < 2 or taker.balance < value + room:
            return False
        brought = [(w, w.take(value + room, 2)) for w in (taker, *able)]
        if not all(coins for _, coins in brought):
            self._give_back(brought)
            return False
        peers = self._peers(brought)
        self._send(joinmarket.join(self.dice, peers[0], peers[1:], value, self.ledger.rate), brought, "JoinMarket")
        return True

    def wasabi1(self, wallets: Sequence[Wallet]) -> None:
        """All who bring enough; ten at least."""
        base = wasabi.BASE - self.dice.randint(0, 200_000)
        brought = self._bring(wallets, base + self.ledger.rate * 900, 100)
        if len(brought) < 10:
            self._give_back(brought)
            return
        made = wasabi.join(self._peers(brought), base, self.ledger.rate, wasabi.LEVELS)
        self._send(made, brought, "Wasabi 1")

    def wasabi2(self, wallets: Sequence[Wallet]) -> None:
        """Up to ten coins of each; twenty at least."""
        least, brought = 30_000 + 200 * self.ledger.rate, []
        for wallet in wallets:
            if large := [c for c in wallet.coins if self.ledger.sats[c] > least][: wabisabi.MOST_COINS]:
                brought.append((wallet, wallet.remove(large)))
        if sum(len(coins) for _, coins in brought) < 20:
            self._give_back(brought)
            return
        self._send(wabisabi.join(self.dice, self._peers(brought), self.ledger.rate), brought, "Wasabi 2")

    def enter_whirlpool(self, wallet: Wallet) -> None:
        """Tx0: the wallet's coins become coins of a pool's size, which wait for a mix."""
        rate = self.ledger.rate
        coins = wallet.take(whirlpool.premix(POOL, rate) + whirlpool.POOL_FEES[POOL] + rate * 2_000, 5)
        if not coins:
            return
        brought = [(wallet, coins)]
        made = whirlpool.tx0(self._peers(brought)[0], POOL, rate)
        roles = self._send(made, brought, "Whirlpool Tx0", joint=False)
        ready = [coin for coin, role in roles if role == "premix"]
        self.newcomers += [(wallet, coin) for coin in wallet.remove(ready)]

    def whirlpool(self) -> None:
        """One mix, when five different people wait, newcomers among them. Half of what comes out waits again."""
        chosen: dict[str, tuple[Wallet, int]] = {}
        fresh = self.dice.sample(self.newcomers, len(self.newcomers))
        again = self.dice.sample(self.remixers, len(self.remixers))
        for lot, most in ((fresh, 3 if again else 5), (again, 5)):
            for wallet, coin in lot:
                if len(chosen) < most:
                    chosen.setdefault(wallet.owner, (wallet, coin))
        fresh_chosen = [c for c in chosen.values() if c in self.newcomers]
        if len(chosen) < 5 or not fresh_chosen:
            return
        self.newcomers = [e for e in self.newcomers if e not in chosen.values()]
        self.remixers = [e for e in self.remixers if e not in chosen.values()]
        brought = [(wallet, [coin]) for wallet, coin in chosen.values()]
        self._send(whirlpool.mix(POOL, self._peers(brought)), brought, "Whirlpool")
        for wallet, _ in chosen.values():
            if self.dice.random() < 0.5:
                self.remixers.append((wallet, wallet.remove([wallet.coins[-1]])[0]))

    def stonewall(self, wallet: Wallet, other: Wallet, payee: int, sats: int) -> bool:
        """A payment that looks as if two had made it; with a friend's coins (`other`), two do."""
        room = sats + self.ledger.rate * 900 + 2_000
        lots: list[tuple[Wallet, Sequence[int]]] = []
        for side in (wallet, other):
            coins = side.take(room, 4)
            lots.append((side, coins))
        if not all(coins for _, coins in lots):
            self._give_back(lots)
            return False
        one, two = self._peers(lots)
        two_people = wallet is not other
        made = pairs.stonewall(one, two, "payee", sats, self.ledger.rate)
        self._send(made, lots, "Stonewall x2" if two_people else "Stonewall", joint=two_people, payee=payee)
        return True

    def payjoin(self, payer: Wallet, payee: Wallet, sats: int) -> bool:
        """The payee adds a coin of its own to the payment."""
        coins = payer.take(sats + self.ledger.rate * 400 + 2_000, 2)
        own = payee.take(10_000, 1)[:1]
        lots = [(payer, coins), (payee, own)]
        if not coins or not own:
            self._give_back(lots)
            return False
        one, two = self._peers(lots)
        self._send(pairs.payjoin(self.dice, one, two, sats, self.ledger.rate), lots, "PayJoin", joint=False)
        return True

    def _bring(self, wallets: Sequence[Wallet], sats: int, most: int) -> Brought:
        """Coins worth `sats` of each wallet that has them, up to seven."""
        brought: list[tuple[Wallet, Sequence[int]]] = []
        for wallet in wallets[:most]:
            coins = wallet.take(sats, 3)
            if len(coins) > wasabi.MOST_COINS:
                self._give_back([(wallet, coins)])
            elif coins:
                brought.append((wallet, coins))
        return brought

    def _give_back(self, brought: Brought) -> None:
        for wallet, coins in brought:
            wallet.coins.extend(coins)

    def _peers(self, brought: Brought) -> list[Peer]:
        return [Peer(str(n), tuple(self.ledger.sats[c] for c in coins)) for n, (_, coins) in enumerate(brought)]

    def _send(
        self, made: Made, brought: Brought, what: str, joint: bool = True, payee: int | None = None
    ) -> list[tuple[int, str]]:
        """The transaction in the ledger; its coins with their roles. Peers are numbers in `brought`, others
        coordinators."""
        flat = [coin for _, coins in brought for coin in coins]
        spends = [flat[int(put.holder.rpartition("/in")[2])] for put in made.inputs]
        pays = []
        for out in made.outputs:
            name = owner(out.holder)
            if out.role == "data":
                holder = self.ledger.data(b"whirlpool" + bytes(31))
            elif name == "payee" and payee is not None:
                holder = payee
            else:
                holder = (brought[int(name)][0] if name.isdigit() else self.coordinator).address(out.kind)
            pays.append((holder, out.sats))
        deed = self.ledger.send(spends, pays, what, joint)
        return list(zip(deed.makes, (o.role for o in made.outputs), strict=True))

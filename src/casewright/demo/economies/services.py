"""Services of an invented economy: exchanges, hosted wallets, a processor of payments, a mixer that keeps custody.

All hold their customers' coins in one pot, so that what leaves is nobody's in particular. They differ in how.
"""

from dataclasses import dataclass, field
from random import Random

from casewright.demo.economies.ledger import Deed, Ledger
from casewright.demo.economies.wallets import Habits, Wallet
from casewright.model.bitcoin import COIN

SWEEP_EVERY, GATHER_EVERY, GATHERED, SMALL = 12, 15, 80, COIN // 4
SWEEP_AT_ONCE, HOT_MOST, HOT_LEAST, REFILL = 60, 40 * COIN, 12 * COIN, 8
STYLES = {
    "pool": Habits("p2pkh", "change last", "oldest", pool=3),
    "fresh": Habits("p2wpkh", "random", "oldest", along=4),
    "peeling": Habits("p2sh", "change last", "largest", rounds=True),
    "one": Habits("p2pkh", "change first", "largest", pool=1),
}
"""How a service keeps its hot coins: at a few addresses for good, at new ones of many coins each time, at new ones of
one large coin from which all is peeled, or at a single address."""


@dataclass(frozen=True)
class Kind:
    """An invented service as tags name it."""

    label: str
    category: str
    style: str
    batches: bool
    shared: bool = False
    """Pays out of its customers' deposit coins themselves, without sweeping them first."""
    named: bool = True
    """Whether tag packs know it."""


@dataclass(eq=False)
class Service:
    """Its wallets, its customers' deposit addresses, and whom it still has to pay."""

    kind: Kind
    ledger: Ledger
    dice: Random
    hot: Wallet = field(init=False)
    cold: Wallet = field(init=False)
    deposits: Wallet = field(init=False)
    of_customer: dict[str, int] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)
    due: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        label = self.kind.label
        self.hot = Wallet(self.ledger, label, STYLES[self.kind.style], self.dice)
        self.cold = Wallet(self.ledger, label, Habits("p2sh", "change last", "oldest", pool=2), self.dice)
        self.deposits = Wallet(self.ledger, label, Habits("p2pkh"), self.dice)
        if self.kind.shared:
            self.deposits.coins = self.hot.coins

    def deposit_address(self, customer: str, again: bool = True) -> int:
        """The customer's deposit address: the one given before, or a new one."""
        if not again or customer not in self.of_customer:
            wallet = self.hot if self.kind.shared else self.deposits
            holder = self.ledger.hold(self.kind.label, self.deposits.habits.kind, wallet.coins.append)
            self.of_customer[customer] = holder
            self.given.append(holder)
        return self.of_customer[customer]

    def ask(self, holder: int, sats: int) -> None:
        """A customer asks for a withdrawal; it leaves with the next pay-out."""
        self.due.append((holder, sats))

    def pay_out(self) -> list[Deed]:
        """Everything that is due, in batches or one by one."""
        lots = [self.due] if self.kind.batches else [[d] for d in self.due]
        self.due = []
        made = [self.hot.pay(lot, "batch" if len(lot) > 1 else "withdrawal") for lot in lots if lot]
        return [deed for deed in made if deed]

    def sweep(self) -> None:
        """Gather deposits in the hot wallet, some dozens at a time."""
        coins = [c for c in self.deposits.coins if self.ledger.sats[c] > 20_000]
        for start in range(0, len(coins), SWEEP_AT_ONCE):
            lot = coins[start : start + SWEEP_AT_ONCE]
            self.deposits.send_all(lot, self.hot.address(), "sweep")

    def balance_out(self) -> None:
        """Hot coins beyond what is needed go to the cold wallet, and come back when they run low."""
        if self.hot.balance > HOT_MOST:
            self.hot.pay([(self.cold.address(), self.hot.balance - HOT_MOST // 2)], "to the cold wallet")
        elif self.hot.balance < HOT_LEAST and self.cold.balance > HOT_LEAST:
            parts = [(self.hot.address(), HOT_LEAST // REFILL) for _ in range(REFILL)]
            self.cold.pay(parts, "from the cold wallet")

    def gather(self) -> None:
        """Many small hot coins become one, when there are many."""
        small = [c for c in self.hot.coins if self.ledger.sats[c] < SMALL][:GATHERED]
        if len(small) > 10:
            self.hot.send_all(small, self.hot.address(), "consolidation")

    def work(self, tick: int) -> None:
        """One tick: pay out, and every few ticks sweep and gather."""
        self.pay_out()
        turn = tick + sum(map(ord, self.kind.label))
        if not self.kind.shared and turn % SWEEP_EVERY == 0:
            self.sweep()
        if turn % GATHER_EVERY == 0:
            self.gather()
        if self.kind.category == "exchange":
            self.balance_out()

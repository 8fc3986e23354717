"""The market of an invented economy: deposit addresses for its accounts, and an operator who cashes out."""

from dataclasses import dataclass, field
from random import Random

from casewright.demo.economies.ledger import Ledger
from casewright.demo.economies.services import Service
from casewright.demo.economies.wallets import Habits, Wallet
from casewright.demo.mixes.made import amount
from casewright.model.bitcoin import COIN

OWNER = "Glasshouse"
SHOE_BOX = 3 * COIN


@dataclass(eq=False)
class Market:
    """`given`: account by deposit address (its holder). Deposits and what was gathered are wallets of one owner."""

    ledger: Ledger
    dice: Random
    banks: list[Service]
    deposits: Wallet = field(init=False)
    purse: Wallet = field(init=False)
    given: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.deposits = Wallet(self.ledger, OWNER, Habits("p2wpkh"), self.dice)
        self.purse = Wallet(self.ledger, OWNER, Habits("p2wpkh", "random", "largest", locked=True), self.dice)

    def give(self, account: str) -> int:
        """A deposit address for an account."""
        holder = self.deposits.address()
        self.given[holder] = account
        return holder

    def work(self, tick: int) -> None:
        """Sweeps every ten ticks; some money goes to exchanges straight from the deposits, some by way of the purse."""
        if tick % 10 == 7 and self.dice.random() < 0.7:
            self._sweep(self.dice.random() < 0.3)
        if tick % 6 == 2 and self.purse.balance > SHOE_BOX // 4:
            self.dice.choice((self._peel, self._peel, self._cash_out, self._pay_helper))()

    def _sweep(self, straight: bool) -> None:
        """Gather deposits; `straight`: at an exchange."""
        coins = [c for c in self.deposits.coins if self.ledger.sats[c] > 5_000][:40]
        if len(coins) > 3:
            target = self._account() if straight else self.purse.address()
            self.deposits.send_all(coins, target, "market's cash-out" if straight else "market's sweep")

    def _peel(self) -> None:
        """Two to five payments to exchanges, each from the change of the one before."""
        for _ in range(self.dice.randint(2, 5)):
            self.purse.pay([(self._account(), amount(self.dice, COIN // 10, 0.5))], "market's peel")

    def _cash_out(self) -> None:
        """All that one or more coins hold, to one exchange."""
        coins = self.dice.sample(self.purse.coins, min(len(self.purse.coins), self.dice.randint(1, 3)))
        self.purse.send_all(coins, self._account(), "market's cash-out")

    def _pay_helper(self) -> None:
        """Wages and server rent: to people, whose coins they are then."""
        holder = self.dice.choice(self.helpers).address() if self.helpers else self.purse.address()
        self.purse.pay([(holder, amount(self.dice, COIN // 30, 0.5))], "market's expense")

    helpers: list[Wallet] = field(default_factory=list)

    def _account(self) -> int:
        """A deposit address of the operator's accounts, under an invented name, sometimes a new one."""
        bank = self.dice.choice(self.banks)
        return bank.deposit_address("a friend of museums", again=self.dice.random() < 0.6)

"""A whole invented economy from a seed: the same seed and size give the same chain, byte for byte."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from casewright.demo.economies.ledger import MATURITY, Ledger
from casewright.demo.economies.market import Market
from casewright.demo.economies.people import Person, act, random_people
from casewright.demo.economies.rounds import Rounds
from casewright.demo.economies.services import Kind, Service
from casewright.demo.economies.wallets import Habits, Wallet
from casewright.model.bitcoin import COIN

EXCHANGES = (
    Kind("Kestrel Exchange", "exchange", "pool", batches=True),
    Kind("Tallow Coin", "exchange", "fresh", batches=False, shared=True),
    Kind("Brightwater Desk", "exchange", "one", batches=False),
    Kind("Lantern Markets", "exchange", "fresh", batches=True, shared=True),
    Kind("Harbour Hosted Wallet", "hosted_wallet", "fresh", batches=False, shared=True),
    Kind("Pewter Trade", "exchange", "peeling", batches=False),
)
NAMELESS = Kind("an exchange that no tag names", "exchange", "fresh", batches=False, named=False)
PROCESSOR = Kind("Thimble Pay", "payment_processor", "fresh", batches=True, shared=True)
MIXER = Kind("Murkpool", "mixing_service", "fresh", batches=False)
FUNDING = MATURITY + 12


@dataclass(frozen=True)
class Size:
    """People, blocks after the first coins are ripe, and things that people do in each."""

    people: int = 300
    ticks: int = 300
    acts: int = 25
    harsh: bool = False
    """Whether one exchange of middle size is in no tag pack at all, and some tags are stale: on addresses that now are
    somebody's own."""


@dataclass(eq=False)
class World:
    """All actors, and the ledger that they write."""

    seed: int
    size: Size
    dice: Random = field(init=False)
    ledger: Ledger = field(init=False)
    tick: int = 0
    delayed: dict[int, list[tuple[Service, int, int]]] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = Random(f"economy {self.seed}")  # noqa: S311  a story, not a secret
        self.ledger = Ledger(f"economy {self.seed}")
        kinds = [*EXCHANGES[:4], *([NAMELESS] if self.size.harsh else []), *EXCHANGES[4:]]
        self.services_of_people = [self._service(kind) for kind in kinds]
        self.processor, self.mixer = self._service(PROCESSOR), self._service(MIXER)
        self.rounds = Rounds(self.ledger, self.dice)
        self.miner = Wallet(self.ledger, "miner", Habits("p2pkh", "change last", "oldest", pool=6), self.dice)
        self.attacker = Wallet(self.ledger, "dust sender", Habits("p2pkh", "change last", "oldest"), self.dice)
        self.merchants = [Wallet(self.ledger, f"merchant {n}", Habits(), self.dice) for n in range(4)]
        self.market = Market(self.ledger, self.dice, self.services_of_people[:4])
        self.people = random_people(self, self.size.people, self.dice)
        for who in self.dice.sample(self.people, len(self.people) // 2):
            who.market.append(self.market.give(who.name))
        self.market.helpers = [p.wallet for p in self.people[:3]]

    def _service(self, kind: Kind) -> Service:
        return Service(kind, self.ledger, self.dice)

    @property
    def services(self) -> list[Service]:
        return [*self.services_of_people, self.processor, self.mixer]

    def market_address(self, who: Person) -> int:
        """The deposit address that somebody's account shows today: one for good, or now and then a new one."""
        if self.dice.random() < 0.2:
            who.market.append(self.market.give(who.name))
        return who.market[-1]

    def later(self, ticks: int, service: Service, holder: int, sats: int) -> None:
        """The service is asked for a withdrawal in some ticks."""
        self.delayed.setdefault(self.tick + ticks, []).append((service, holder, sats))

    def tell(self) -> "World":
        """From the first block to the last."""
        self._fund()
        for tick in range(self.size.ticks):
            self.tick = tick
            self._block(self._things_to_do())
        return self

    def _fund(self) -> None:
        """The miner's coins ripen, and are sold at the exchanges; merchants, mixer and dust sender begin with some."""
        for _ in range(FUNDING):
            self._block(())
        for number in range(8):
            self._block(self._sales(number))

    def _sales(self, number: int) -> Iterable[None]:
        for service in (*self.services_of_people, self.mixer):
            coins = [c for c in self.miner.coins if self.miner._ripe(c)][:1]
            if coins:
                sats = self.ledger.sats[coins[0]]
                parts = [(service.deposit_address(f"miner {n}"), sats // 5) for n in range(4)]
                self.miner.spend(self.miner.remove(coins), parts, "miner's sale")
            yield
        if number == 1:
            for wallet in (*self.merchants, self.attacker):
                self.services_of_people[0].ask(wallet.address(), COIN)
        for service in self.services:
            service.sweep()
            service.pay_out()
            service.balance_out()

    def _block(self, doing: Iterable[None]) -> None:
        self.ledger.rate = self.dice.choice((2, 4, 8, 15, 30))
        self.ledger.open_block(self.miner.address())
        for _ in doing:
            pass
        self.ledger.seal_block()

    def _things_to_do(self) -> Iterable[None]:
        for service, holder, sats in self.delayed.pop(self.tick, ()):
            service.ask(holder, sats)
        for _ in range(self.size.acts):
            act(self, self.dice.choice(self.people))
            yield
        for service in self.services:
            service.work(self.tick)
        self.market.work(self.tick)
        self._rounds()
        if self.tick % 40 == 20:
            self._dust()
        if self.tick % 12 == 5:
            for merchant in self.merchants:
                self._settle(merchant)
        yield

    def _rounds(self) -> None:
        """Whirlpool whenever enough wait; Wasabi's rounds now and then, of those who mix."""
        self.rounds.whirlpool()
        mixing = [p.wallet for p in self.people if p.mixes]
        if self.tick % 25 == 12:
            self.rounds.wasabi1(self.dice.sample(mixing, len(mixing)))
        if self.tick % 25 == 20:
            self.rounds.wasabi2(self.dice.sample(mixing, min(18, len(mixing))))

    def _dust(self) -> None:
        """Some hundred satoshis to addresses that were seen before, to see with what they are spent."""
        holders = self.ledger.holders
        seen = [n for n, h in enumerate(holders) if h.kind != "op_return" and h.owner != "miner"]
        targets = [(h, self.dice.choice((547, 600, 888))) for h in self.dice.sample(seen, min(25, len(seen)))]
        self.attacker.pay(targets, "dust")

    def _settle(self, merchant: Wallet) -> None:
        """A merchant is paid by the processor, and sells most of what it took."""
        if self.processor.hot.balance > COIN // 2:
            self.processor.ask(merchant.address(), self.processor.hot.balance // 8)
        if merchant.balance > COIN // 4:
            bank = self.services_of_people[0]
            merchant.pay([(bank.deposit_address(merchant.owner), merchant.balance * 3 // 5)], "deposit")


def tell(seed: int, size: Size | None = None) -> World:
    """The economy of a seed."""
    return World(seed, size or Size()).tell()

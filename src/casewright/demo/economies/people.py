"""The people of an invented economy: they buy, sell, shop, pay each other, gather coins, mix, and some pay the
market."""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from casewright.demo.economies.services import Service
from casewright.demo.economies.wallets import Wallet, some_program
from casewright.demo.mixes.made import amount
from casewright.model.bitcoin import COIN

if TYPE_CHECKING:
    from casewright.demo.economies.world import World


@dataclass(eq=False)
class Person:
    """Somebody with a wallet, accounts at services, and perhaps one at the market."""

    name: str
    wallet: Wallet
    services: list[Service]
    mixes: bool
    market: list[int] = field(default_factory=list)
    """Deposit addresses that the market gave; empty for those who have no account there."""

    @property
    def service(self) -> Service:
        return self.wallet.dice.choice(self.services)


ROUNDED, HUNDREDTH = 0.3, COIN // 100


def asked(dice: Random, middle: int, spread: float = 1.2) -> int:
    """An amount that somebody types in: three in ten are round."""
    sats = amount(dice, middle, spread)
    if dice.random() >= ROUNDED:
        return sats
    step = HUNDREDTH if sats > HUNDREDTH else HUNDREDTH // 10
    return max(step, sats // step * step)


def buy(world: "World", who: Person) -> None:
    """A withdrawal from an exchange to one's own wallet."""
    who.service.ask(who.wallet.address(), asked(world.dice, COIN // 5))


def sell(world: "World", who: Person) -> None:
    sats = asked(world.dice, COIN // 40)
    who.wallet.pay([(who.service.deposit_address(who.name), sats)], "deposit")


def shop(world: "World", who: Person) -> None:
    """Pay an invoice of the processor; a new address each."""
    sats = asked(world.dice, COIN // 60)
    who.wallet.pay([(world.processor.deposit_address(f"invoice {world.tick}", again=False), sats)], "invoice")


def shop_from_account(world: "World", who: Person) -> None:
    """Pay an invoice straight from the exchange."""
    holder = world.processor.deposit_address(f"invoice {world.tick}", again=False)
    who.service.ask(holder, asked(world.dice, COIN // 60))


def shop_by_payjoin(world: "World", who: Person) -> None:
    world.rounds.payjoin(who.wallet, world.dice.choice(world.merchants), asked(world.dice, COIN // 60))


def pay_somebody(world: "World", who: Person) -> None:
    """Another person is paid; those whose wallet can make it a Stonewall."""
    other, sats = world.dice.choice(world.people), asked(world.dice, COIN // 60)
    if other is who:
        return
    if who.wallet.habits.stonewalls and world.dice.random() < 0.3:
        friend = world.dice.choice(world.people) if world.dice.random() < 0.3 else who
        if world.rounds.stonewall(who.wallet, friend.wallet, other.wallet.address(), sats):
            return
    who.wallet.pay([(other.wallet.address(), sats)], "payment")


def gather(world: "World", who: Person) -> None:
    """All of one's small coins into one."""
    small = [c for c in who.wallet.coins if world.ledger.sats[c] < COIN // 10]
    if len(small) > 4:
        who.wallet.send_all(small, who.wallet.address(), "consolidation")


def mix(world: "World", who: Person) -> None:
    if not who.mixes:
        return
    if world.dice.random() < 0.5:
        world.rounds.enter_whirlpool(who.wallet)
    else:
        makers = [p.wallet for p in world.dice.sample(world.people, len(world.people)) if p.mixes]
        world.rounds.joinmarket(who.wallet, makers, max(1_000_000, asked(world.dice, COIN // 20)))


def tumble(world: "World", who: Person) -> None:
    """Through the mixer that keeps custody, back to one's own wallet or on to the market."""
    sats = asked(world.dice, COIN // 20)
    if who.wallet.pay([(world.mixer.deposit_address(who.name, again=False), sats)], "into the mixer"):
        target = world.market_address(who) if who.market and world.dice.random() < 0.5 else who.wallet.address()
        world.later(world.dice.randint(2, 9), world.mixer, target, sats * 97 // 100)


def pay_market(world: "World", who: Person) -> None:
    """From the account at an exchange, or from one's own wallet."""
    sats = asked(world.dice, COIN // 70, 0.9)
    if world.dice.random() < 0.5:
        who.service.ask(world.market_address(who), sats)
    else:
        who.wallet.pay([(world.market_address(who), sats)], "market")


Action = Callable[["World", Person], None]
HABITS: tuple[tuple[Action, float], ...] = (
    (buy, 13), (sell, 24), (shop, 12), (shop_from_account, 4), (shop_by_payjoin, 0.15), (pay_somebody, 8), (gather, 3),
    (mix, 4), (tumble, 1),
)  # fmt: skip
MARKET_SHARE = 0.3
"""How often somebody with an account at the market pays there rather than do something else."""


def act(world: "World", who: Person) -> None:
    """One thing that a person does."""
    if who.market and world.dice.random() < MARKET_SHARE:
        pay_market(world, who)
        return
    actions, weights = zip(*HABITS, strict=True)
    world.dice.choices(actions, weights)[0](world, who)


def random_people(world: "World", count: int, dice: Random) -> list[Person]:
    """People with one or two accounts at exchanges or hosted wallets; four in ten mix, half have an account at the
    market. Services are of very different size."""
    services = world.services_of_people
    sizes = [len(services) * 2 - n * 2 + 1 for n in range(len(services))]
    made = []
    for n in range(count):
        name = f"person {n}"
        accounts = list(dict.fromkeys(dice.choices(services, sizes, k=dice.choice((1, 1, 2)))))
        who = Person(name, Wallet(world.ledger, name, some_program(dice), dice), accounts, dice.random() < 0.4)
        made.append(who)
    return made

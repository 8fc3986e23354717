"""The operation itself: who paid how, customers of the services, earlier cases. From a seed; names are invented."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from casewright.demo.crowd.crowd import KINDRED, KNOWN_BEFORE, Entry, written_of
from casewright.demo.crowd.faults import first_written
from casewright.demo.crowd.people import KIN, Given, Person, person
from casewright.demo.keys import Key
from casewright.demo.operation import (
    OPENED,
    ROUTES,
    SERVICES,
    Account,
    Customer,
    Operation,
    Payment,
    Prior,
    Service,
    decisions,
    on_one_day,
)
from casewright.demo.wtv import members
from casewright.demo.wtv.size import COUNTRIES, PRIORS, Size

SEED, LAST_DAY = 2019, 700
MORE_SERVICES = (
    Service("Lantern Markets", "Lantern Markets Ltd", "GB"), Service("Pewter Trade", "Pewter Trade GmbH", "DE"),
    Service("Larch Coin", "Larch Coin S.A.", "FR"), Service("Quayside", "Quayside Digital Inc.", "CA"),
    Service("Vidro Bolsa", "Vidro Bolsa Ltda.", "BR"), Service("Amber Cambio", "Amber Cambio S.L.", "ES"),
    Service("Saltbox", "Saltbox Pty Ltd", "AU"), Service("Hoshi Desk", "Hoshi Desk K.K.", "JP"),
    Service("Granit Bors", "Granit Bors AB", "SE"),
)  # fmt: skip


@dataclass(frozen=True)
class Cast:
    """Everybody whose record a service has, with their country, and the rest of the dice to tell earlier cases by."""

    people: tuple[Person, ...]
    countries: tuple[str, ...]


class Priors:
    """Subjects of earlier cases, told anew each time they are asked for: customers again, their kin, and strangers."""

    def __init__(self, cast: Cast, count: int) -> None:
        self._cast, self._count = cast, count

    def __iter__(self) -> Iterator[Prior]:
        dice, given, told = Random(f"priors {SEED}"), Given(), 0  # noqa: S311  a story, not a secret
        given.emails.update(one.email for one in self._cast.people)
        given.phones.update(one.phone for one in self._cast.people)
        for one, country in zip(self._cast.people, self._cast.countries, strict=True):
            for entry in _known_before(dice, one):
                yield _prior(told, entry, country)
                told += 1
        while told < self._count:
            entry = written_of(dice, given.only(dice, person(dice, told)), "prior", f"P-{told}", clean=True)
            yield _prior(told, entry, entry.written.country)
            told += 1


def _known_before(dice: Random, one: Person) -> Iterator[Entry]:
    if dice.random() < KNOWN_BEFORE:
        yield written_of(dice, one, "prior", "")
    if dice.random() < KINDRED:
        kind = dice.choice(sorted(KIN))
        yield written_of(dice, KIN[kind](dice, one, -1), "prior", "", kin=kind)


def _prior(number: int, entry: Entry, country: str) -> Prior:
    w = entry.written
    note = "has access to a collection" if number % 97 == 5 else ""
    return Prior(f"20{10 + number % 7}-{number:06d}", w.full_name, w.born, w.email, w.phone,
                 country if w.country else "", note)  # fmt: skip


def build(size: Size) -> Operation:
    """The operation of this size: of its accounts those that paid; the others are only counted (`members`)."""
    dice = Random(SEED)  # noqa: S311  a story, not a secret
    cast = _cast(dice, size)
    customers = tuple(_customer(n, one, country) for n, (one, country) in enumerate(zip(cast.people, cast.countries,
                                                                                        strict=True)))  # fmt: skip
    accounts = tuple(_account(size, members.payer(size, n)) for n in range(size.payers))
    payments = on_one_day(_payments(dice, size, customers))
    logins = tuple(sorted(((a.number, _seen(a), a.registered_ip) for a in accounts), key=lambda one: (one[1], one[0])))
    return Operation(
        accounts, (*SERVICES, *MORE_SERVICES), customers, payments, logins, (), (), Priors(cast, size.of(PRIORS)),
        decisions(payments),
    )  # fmt: skip


def _cast(dice: Random, size: Size) -> Cast:
    """Nineteen customers for twenty payers. Every country has one at least; the k-th has 1/k of the first's."""
    given, count = Given(), size.payers * 19 // 20
    people = tuple(given.only(dice, person(dice, n)) for n in range(count))
    shares = [1 / (k + 1) for k in range(len(COUNTRIES))]
    more = dice.choices(COUNTRIES, shares, k=count)
    return Cast(people, (*COUNTRIES, *more)[:count])


def _customer(number: int, one: Person, country: str) -> Customer:
    exchanges = [s.label for s in (*SERVICES, *MORE_SERVICES) if s.category == "exchange"]
    service = exchanges[members.drawn(number, 5, len(exchanges))]
    told = first_written(Random(number), one)  # noqa: S311
    return Customer(f"C-{70000 + number * 37}", service, told.full_name, told.born, told.email, told.phone, country,
                    f"203.0.113.{number % 234 + 20}")  # fmt: skip


def _account(size: Size, number: int) -> Account:
    key: Key = members.deposit_key(number)
    return Account(number, members.nick(number), members.mail(number), members.joined(size, number),
                   members.address_on_the_net(number, 3), "", key)  # fmt: skip


def _seen(account: Account) -> datetime:
    return account.registered_at + timedelta(hours=1 + account.number % 500)


def _payments(dice: Random, size: Size, customers: tuple[Customer, ...]) -> tuple[Payment, ...]:
    """Every payer pays along one route; who pays how often is drawn until all payments are told."""
    more = [0] * size.payers
    for _ in range(size.payments - size.payers):
        more[min(dice.randrange(size.payers), dice.randrange(size.payers))] += 1
    found = []
    for index in range(size.payers):
        number, route = members.payer(size, index), ROUTES[index % len(ROUTES)]
        customer = None if route in ("mixer", "mined") else customers[index % len(customers)]
        first = max(20, (members.joined(size, number) - OPENED).days + 1)
        for _ in range(1 + more[index]):
            sats = dice.randrange(3, 120) * 100_000 + dice.randrange(1000)
            found.append(Payment(number, sats, dice.randrange(first, LAST_DAY), route, customer))
    return tuple(sorted(found, key=lambda p: (p.day, p.account)))

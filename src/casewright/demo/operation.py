"""The fictional operation: "Glasshouse", a market that sold stolen museum scans from 2016 to 2018.

Pure and deterministic: the same seed gives the same accounts, customers, payments and decisions. Every name is
invented, every address lies in a range reserved for documentation.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from random import Random

from casewright.demo.keys import KINDS, Key

OPENED = datetime(2016, 3, 1)  # noqa: DTZ001  naive times are UTC throughout
CLOSED = datetime(2018, 2, 20)  # noqa: DTZ001
ACCOUNTS, PAYERS, MEDIA = 240, 45, 268

HOSTILE = (
    '=HYPERLINK("http://x.example/","y")', "+cmd|' /C calc'!A0", "@SUM(1+1)*cmd", "-2+3",
    "robert'); DROP TABLE users;--",
    "<script>alert(1)</script>", "back\\slash", 'quo"te', "tab\there", "\u202egnp.tac", "\u200fmirror", "mus\u00e9e_42",
    "\u535a\u7269\u9928", "\ubc15\ubb3c\uad00", "\u043c\u0443\u0437\u0435\u0439", "\U0001f3fa_amphora", "x" * 200,
    "#{payload}", "{{7*7}}", "..\\..\\etc",
)  # fmt: skip
FIRST = ("amber", "brick", "cedar", "delft", "ember", "flint", "grove", "hazel", "ivory", "jade", "kiln", "linen",
         "maple", "north", "ochre", "pearl", "quartz", "raven", "slate", "tulip", "umber", "velvet", "willow",
         "yarrow")  # fmt: skip
SECOND = ("curator", "archivist", "restorer", "plinth", "vitrine", "relief", "mosaic", "etching", "codex", "torso")
RANGES = ("192.0.2.", "198.51.100.", "203.0.113.")


@dataclass(frozen=True)
class Account:
    number: int
    username: str
    email: str
    registered_at: datetime
    registered_ip: str
    country: str
    deposit_key: Key

    @property
    def deposit_address(self) -> str:
        return self.deposit_key.address


@dataclass(frozen=True)
class Service:
    """An invented exchange or mixer: how tags name it, and who it is."""

    label: str
    legal_name: str
    country: str
    category: str = "exchange"


@dataclass(frozen=True)
class Customer:
    """An invented customer of an exchange."""

    number: str
    service: str
    full_name: str
    born: str
    email: str
    phone: str
    country: str
    ip: str


@dataclass(frozen=True)
class Payment:
    """A payment as it really was. `route`: direct, batch, wallet, wallet2, peel, coinjoin, whirlpool, mixer, mined."""

    account: int
    sats: int
    day: int
    route: str
    customer: Customer | None


@dataclass(frozen=True)
class Transfer:
    account: int
    time: datetime
    media: int
    ip: str


@dataclass(frozen=True)
class Prior:
    case: str
    full_name: str
    born: str
    email: str
    phone: str
    country: str
    note: str


@dataclass(frozen=True)
class Decision:
    """What the invented examiner decides on an account and a customer, and why."""

    account: int
    email: str
    verdict: str
    why: str


@dataclass(frozen=True)
class Operation:
    accounts: tuple[Account, ...]
    services: tuple[Service, ...]
    customers: tuple[Customer, ...]
    payments: tuple[Payment, ...]
    logins: tuple[tuple[int, datetime, str], ...]
    uploads: tuple[Transfer, ...]
    downloads: tuple[Transfer, ...]
    priors: Iterable[Prior]
    decisions: tuple[Decision, ...]

    def deposit_key(self, account: int) -> Key:
        """The key of an account's deposit address, by the account's number."""
        return self._keys[account]

    @cached_property
    def _keys(self) -> dict[int, Key]:
        return {account.number: account.deposit_key for account in self.accounts}


FLAGS = ((110, "access", "writes to another member that he holds the keys of a depot, and will scan more"),)
"""What the invented examiner saw: account, indicator, and why."""
SERVICES = (
    Service("Kestrel Exchange", "Kestrel Digital Assets B.V.", "NL"),
    Service("Tallow Coin", "Tallow Coin Co., Ltd.", "KR"),
    Service("Brightwater Desk", "Brightwater Desk LLC", "US"),
    Service("Murkpool", "", "", "mixing_service"),
)
PEOPLE = (
    ("Fenna Voorbeeld", "NL"), ("Joris Testman", "NL"), ("Lieke van Fictie", "NL"), ("Bram Nietecht", "NL"),
    ("Erika Beispiel", "DE"), ("Otto Muster-Probe", "DE"), ("Jan\u00f6sch Erfunden", "DE"), ("Pat Placeholder", "US"),
    ("Robin Sample", "US"), ("Casey Notreal", "US"), ("Morgan Invented", "US"), ("\uac00\uc0c1\uc778", "KR"),
    ("\uc608\uc2dc\uc790", "KR"), ("\ud5c8\uad6c\ubbfc", "KR"), ("Alex Madeup", "GB"), ("Sam Fictional", "GB"),
    ("\u0412\u044b\u043c\u044b\u0448\u043b\u0435\u043d \u0418\u043c\u044f\u0440\u0435\u043a\u043e\u0432", "BG"),
    ("Fulano Exemplo", "BR"), ("Beltrana Inventada", "BR"), ("Jo Doe-Example", "GB"), ("Kim Ghost", "US"),
    ("Tess Proefpersoon", "NL"), ("Max Phantasie", "DE"), ("Lee Nobody", "KR"),
)  # fmt: skip
HOME = {"NL": 0, "DE": 0, "BG": 0, "GB": 0, "KR": 1, "US": 2, "BR": 2}
ROUTES = ("direct",) * 19 + ("batch",) * 4 + ("wallet",) * 8 + ("wallet2",) * 4 + ("peel",) * 3 + ("coinjoin",) * 3 + (
    "whirlpool", "mixer", "mixer", "mined")  # fmt: skip


def build_operation(seed: int = 2019) -> Operation:
    """The whole operation, from a seed."""
    dice = Random(seed)  # noqa: S311  a story, not a secret
    accounts = tuple(_account(dice, n) for n in range(1, ACCOUNTS + 1))
    customers = tuple(_customer(n, name, country) for n, (name, country) in enumerate(PEOPLE))
    payments = _payments(dice, customers)
    return Operation(
        accounts, SERVICES, customers, on_one_day(payments), _logins(dice, accounts),
        _transfers(dice, accounts, payments, True), _transfers(dice, accounts, payments, False), _priors(customers),
        decisions(payments),
    )  # fmt: skip


def _ip(dice: Random) -> str:
    return (
        f"2001:db8::{dice.randrange(1, 65535):x}"
        if dice.random() < 0.1
        else dice.choice(RANGES) + str(dice.randrange(1, 255))
    )


def _moment(dice: Random, start: datetime = OPENED) -> datetime:
    return start + timedelta(seconds=dice.randrange(int((CLOSED - start).total_seconds())))


def _account(dice: Random, number: int) -> Account:
    plain = f"{dice.choice(FIRST)}_{dice.choice(SECOND)}{number}"
    name = HOSTILE[number // 11 % len(HOSTILE)] if number % 11 == 0 and number // 11 <= len(HOSTILE) else plain
    country = dice.choice(("NL", "DE", "US", "KR", "GB", "BR", "FR", "CA"))
    kind = KINDS[number % len(KINDS)]
    email = f"{plain}@{dice.choice(('example.org', 'example.net', 'mail.example'))}"
    return Account(number, name, email, _moment(dice), _ip(dice), country, Key(f"deposit {number}", kind))


def _customer(number: int, name: str, country: str) -> Customer:
    service = SERVICES[HOME[country]].label
    born = f"{1955 + number * 7 % 45}-{number % 12 + 1:02d}-{number * 5 % 28 + 1:02d}"
    return Customer(f"C-{70000 + number * 37}", service, name, born, f"customer{number}@example.com",
                    f"+00 555 {number:04d}", country, f"203.0.113.{number + 20}")  # fmt: skip


def _payments(dice: Random, customers: tuple[Customer, ...]) -> tuple[Payment, ...]:
    """Each payer pays along one route, some several times. Customers come in turn, so some have two accounts."""
    payments = []
    payers = [n * 5 for n in range(1, PAYERS + 1)]
    for index, (account, route) in enumerate(zip(payers, ROUTES, strict=True)):
        customer = None if route in ("mixer", "mined") else customers[index % len(customers)]
        times = 3 if index % 9 == 0 else 2 if index % 4 == 0 else 1
        for nth in range(times if route != "batch" else 1):
            sats = 500 if (index, nth) == (18, 2) else dice.randrange(12, 400) * 100_000 + dice.randrange(1000)
            payments.append(Payment(account, sats, dice.randrange(20, 600), route, customer))
    return tuple(sorted(payments, key=lambda p: (p.day, p.account)))


def _logins(dice: Random, accounts: tuple[Account, ...]) -> tuple[tuple[int, datetime, str], ...]:
    found = [
        (
            account.number,
            _moment(dice, account.registered_at),
            account.registered_ip if dice.random() < 0.7 else _ip(dice),
        )
        for account in accounts
        for _ in range(dice.randrange(1, 6))
    ]
    return tuple(sorted(found, key=lambda login: (login[1], login[0])))


def on_one_day(payments: tuple[Payment, ...]) -> tuple[Payment, ...]:
    """Customers whom an exchange pays in a batch are paid together, on the day of its first: one withdrawal then stands
    behind the payments of several accounts, and only the address paid tells their customers apart."""
    first: dict[str, int] = {}
    moved = []
    for payment in payments:
        day = payment.day
        if payment.route == "batch" and payment.customer:
            day = first.setdefault(payment.customer.service, day)
        moved.append(replace(payment, day=day))
    return tuple(sorted(moved, key=lambda p: (p.day, p.account)))


def _transfers(
    dice: Random, accounts: tuple[Account, ...], payments: tuple[Payment, ...], up: bool
) -> tuple[Transfer, ...]:
    """Every medium was uploaded by one of a few; payers took several."""
    found = []
    by_number = {a.number: a for a in accounts}
    if up:
        owners = [5, 10, 25, 33, 60, 77, 110, 121, 150, 200]
        plan = [(dice.choice(owners), media) for media in range(1, MEDIA + 1) if media % 6]
    else:
        plan = [(p.account, dice.randrange(1, MEDIA + 1)) for p in payments for _ in range(dice.randrange(2, 7))]
    for number, media in plan:
        account = by_number[number]
        found.append(Transfer(number, _moment(dice, account.registered_at), media, account.registered_ip))
    return tuple(sorted(found, key=lambda t: (t.time, t.account, t.media)))


def _priors(customers: tuple[Customer, ...]) -> tuple[Prior, ...]:
    """Some customers again, some others of the same name, some strangers."""
    same = [
        Prior(f"2014-{n:03d}", c.full_name, c.born, c.email, c.phone, c.country, note)
        for n, (c, note) in enumerate((
            (customers[0], "works in a museum's photo archive: has access to a collection"),
            (customers[5], "sold scans at fairs"),
            (customers[11], "has access to a collection through his employer"),
        ))
    ]  # fmt: skip
    named = [
        Prior(
            f"2015-{n:03d}",
            customers[k].full_name,
            "1931-01-01",
            f"someone{n}@example.net",
            "",
            customers[k].country,
            "",
        )
        for n, k in enumerate((1, 7, 14))
    ]
    strangers = [
        Prior(
            f"2013-{n:03d}", f"Unrelated Person {n}", f"1960-05-{n + 1:02d}", f"unrelated{n}@example.net", "", "FR", ""
        )
        for n in range(8)
    ]
    return tuple(same + named + strangers) + _written_otherwise(customers)


def _written_otherwise(customers: tuple[Customer, ...]) -> tuple[Prior, ...]:
    """A customer whom an earlier case wrote in another script and order, one with a mistyped day, and one's twin."""
    vymyslen, placeholder, tess = customers[16], customers[7], customers[21]
    year, month, day = placeholder.born.split("-")
    return (
        Prior("2016-000", "IMYAREKOV, Vymyshlen", ".".join(reversed(vymyslen.born.split("-"))), "imyarekov@example.net",
              f"00 {vymyslen.phone.removeprefix('+')}", "BG", "bought catalogues of the same collection"),
        Prior("2016-001", " ".join(reversed(placeholder.full_name.split())), f"{year}-{month}-{int(day) % 9 + 1:02d}",
              placeholder.email.replace("@", "+scans@"), "", placeholder.country, "asked for scans by mail"),
        Prior("2016-002", "Noor Proefpersoon", tess.born, "noor@example.net", tess.phone, tess.country, "a witness"),
    )  # fmt: skip


def decisions(payments: tuple[Payment, ...]) -> tuple[Decision, ...]:
    """The examiner judges what came directly; one was paid by somebody else, one stays open, some are not judged."""
    found: dict[int, Decision] = {}
    for payment in sorted(payments, key=lambda p: p.account):
        customer = payment.customer
        if payment.route not in ("direct", "batch", "wallet") or customer is None or payment.account in found:
            continue
        email, turn = customer.email, len(found)
        if turn == 3:
            found[payment.account] = Decision(payment.account, email, "negative",
                                              "a voucher that was sold on; the addresses never agree")  # fmt: skip
        elif turn == 6:
            found[payment.account] = Decision(payment.account, email, "unsure", "awaiting the device records")
        elif turn % 5 == 4:
            found[payment.account] = Decision(payment.account, email, "", "not judged yet")
        else:
            found[payment.account] = Decision(payment.account, email, "positive",
                                              "customer record, address at withdrawal and sign-ins agree")  # fmt: skip
    return tuple(d for d in found.values() if d.verdict)

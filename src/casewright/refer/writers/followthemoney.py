"""The package as FollowTheMoney entities, one a line (followthemoney.tech, schemata of 4.x): for Aleph and its like.

Accounts are UserAccounts, addresses CryptoWallets, persons Persons with an Identification, suggested earlier cases
Similars, media Images and Videos with their SHA-1. Payments and transfers are Events: a Payment there needs legal
entities on both sides, which nobody knows. UnknownLinks tie them. What is withheld, or what a schema would refuse, is
left out; figures.csv has all.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from msgspec.json import encode

from casewright.model.ids import make_id
from casewright.refer.writers.grid import Figure, Figures, first

Row = Mapping[str, Figure]
Entity = dict[str, Any]
DAY = re.compile(r"(1[89]|20)\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC")
EMAIL = re.compile(r"[A-Za-z0-9._+-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
PHONE = re.compile(r"\+[1-9]\d{6,14}")
COUNTRY = re.compile(r"[A-Z]{2}")


def ftm_lines(figures: Figures) -> bytes:
    """The entities as JSON lines; each id once, in the order of the figures."""
    told, entities = _Told(figures), dict[str, Entity]()
    for section, tell in TOLD:
        for row in figures.section(section).rows:
            if shown := {label: f for label, f in row.items() if not f.withheld}:
                for entity in tell(told, shown):
                    entities.setdefault(entity["id"], entity)
    return b"".join(encode(entity, order="sorted") + b"\n" for entity in entities.values())


class _Told:
    """What rows of other sections say of accounts and persons."""

    def __init__(self, figures: Figures) -> None:
        named: dict[str, set[str]] = {}
        self.met: dict[str, set[str]] = {}
        self.person = {}
        for row in figures.section("accounts").rows:
            if "account" in row:
                named.setdefault(_name(row), set()).add(row["account"].value)
        for row in figures.section("persons").rows:
            if "full name" in row and not row["full name"].withheld:
                self.person[first(row).subject] = row["full name"].sources[0]
        self.account = {name: min(accounts) for name, accounts in named.items() if len(accounts) == 1}
        """Accounts by the name that other rows give them; names that two accounts have lead nowhere."""
        for row in figures.section("logins").rows:
            if row.keys() >= {"account", "from"} and not row["from"].withheld:
                self.met.setdefault(row["account"].value, set()).update(_ip(row["from"].value))


def _name(row: Row) -> str:
    return row["username"].value if "username" in row else row["account"].value


def _entity(schema: str, own: str, /, **properties: list[str]) -> Entity:
    return {"id": own, "schema": schema, "properties": {k: v for k, v in properties.items() if v}}


def _link(subject: str, other: str, role: str, /, **more: list[str]) -> Entity:
    return _entity("UnknownLink", make_id("ftm", subject, other, role), subject=[subject], object=[other], role=[role],
                   **more)  # fmt: skip


def _all(row: Row, label: str, fits: re.Pattern[str] | None = None) -> list[str]:
    """The value, if it is there and what the schema takes."""
    found = row[label].value if label in row else ""
    return [found] if found and (fits is None or fits.fullmatch(found)) else []


def _when(row: Row, label: str) -> list[str]:
    return [f"{m[1]}T{m[2]}" for value in _all(row, label) if (m := MOMENT.fullmatch(value))]


def _ip(text: str) -> list[str]:
    try:
        return [str(ipaddress.ip_address(text))]
    except ValueError:
        return []


def _accounts(told: _Told, row: Row) -> Iterator[Entity]:
    if "account" not in row:
        return
    account, name = row["account"].value, _name(row)
    met = told.met.get(name, set()) if told.account.get(name) == account else set()
    met = met.union(*map(_ip, _all(row, "registered from")))
    yield _entity("UserAccount", account, name=[name], username=[name], email=_all(row, "email", EMAIL),
                  createdAt=_when(row, "registered"), notes=_all(row, "why"), ipAddress=sorted(met))  # fmt: skip


def _persons(told: _Told, row: Row) -> Iterator[Entity]:
    """A person whom a judgement names; a further row of theirs holds a further earlier case."""
    person = told.person.get(first(row).subject)
    if person is None:
        return
    if "full name" in row:
        yield _entity("Person", person, name=_all(row, "full name"), birthDate=_all(row, "born", DAY),
                      email=_all(row, "email", EMAIL), phone=_all(row, "phone", PHONE),
                      country=[c.lower() for c in _all(row, "country", COUNTRY)])  # fmt: skip
        yield _entity("Identification", make_id("ftm", person, "record"), holder=[person],
                      number=_all(row, "record of"), type=["customer record of a service"])  # fmt: skip
    for account in row["account"].sources[:1] if "account" in row else ():
        yield _link(person, account, "judged to be behind the account", summary=_all(row, "judgement"),
                    description=_all(row, "speaks against"))  # fmt: skip
    if "earlier case" in row:
        earlier = row["earlier case"].sources[1]
        yield _entity("Person", earlier, name=["subject of an earlier case"], notes=_all(row, "earlier case"))
        yield _entity("Similar", make_id("ftm", person, earlier, "similar"), candidate=[person], match=[earlier],
                      criteria=_all(row, "earlier case"))  # fmt: skip


def _payments(told: _Told, row: Row) -> Iterator[Entity]:
    subject = first(row).subject
    about = [f"{tx}:{n}" for tx in _all(row, "transaction") for n in _all(row, "output")]
    yield _entity("Event", subject, name=["payment"], date=_when(row, "time"), summary=_all(row, "amount"),
                  recordId=about)  # fmt: skip
    for address in _all(row, "address"):
        wallet = make_id("ftm", "wallet", address)
        yield _entity("CryptoWallet", wallet, name=[address], publicKey=[address], currencySymbol=["BTC"])
        yield _link(wallet, subject, "was paid")
        for account in first(row).sources[1:2]:
            yield _link(account, wallet, "deposit address that the site gave")


def _services(told: _Told, row: Row) -> Iterator[Entity]:
    for name in _all(row, "service"):
        service = make_id("ftm", "service", name)
        yield _entity("Organization", service, name=[name])
        for payment in _all(row, "payment"):
            said = ", ".join(row[k].value for k in ("direction", "confidence") if k in row) or "trace"
            yield _link(service, payment, said, summary=_all(row, "rests on"), description=_all(row, "speaks against"))


def _media(told: _Told, row: Row) -> Iterator[Entity]:
    for sha1 in _all(row, "sha1"):
        schema = "Video" if [kind for kind in _all(row, "kind") if kind == "video"] else "Image"
        medium = make_id("ftm", "medium", sha1)
        yield _entity(schema, medium, contentHash=[sha1], fileName=_all(row, "path"), fileSize=_all(row, "size"),
                      mimeType=_all(row, "type"), notes=_all(row, "state"))  # fmt: skip
        for account in first(row).sources[2:3]:
            yield _link(account, medium, "uploaded", summary=_all(row, "speaks for"))


def _transfers(told: _Told, row: Row) -> Iterator[Entity]:
    subject = first(row).subject
    yield _entity("Event", subject, name=_all(row, "kind") or ["transfer"], date=_when(row, "time"),
                  recordId=_all(row, "reference"))  # fmt: skip
    for name in _all(row, "account"):
        if account := told.account.get(name):
            yield _link(account, subject, "did it")


TOLD: tuple[tuple[str, Callable[[_Told, Row], Iterator[Entity]]], ...] = (
    ("accounts", _accounts), ("persons", _persons), ("payments", _payments), ("services", _services),
    ("media", _media), ("transfers", _transfers),
)  # fmt: skip

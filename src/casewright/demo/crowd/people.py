"""Who the invented people are, and what a source first wrote of them."""

from dataclasses import dataclass, replace
from random import Random

from casewright.demo.crowd.names import Name, given_like, name

PREFIXES = {
    "DE": ("+49", 11), "NL": ("+31", 9), "PL": ("+48", 9), "FR": ("+33", 9), "ES": ("+34", 9), "TR": ("+90", 10),
    "VN": ("+84", 9), "GB": ("+44", 10), "KR": ("+82", 10), "CN": ("+86", 11), "GR": ("+30", 10), "BG": ("+359", 9),
    "RS": ("+381", 9), "UA": ("+380", 9), "EG": ("+20", 10), "MA": ("+212", 9), "JO": ("+962", 9),
}  # fmt: skip
"""Country code, and digits behind it. What follows is 555, which no plan gives out there."""
HOSTS = ("example.org", "example.net", "example.com", "mail.example", "post.example", "inbox.example")


@dataclass(frozen=True)
class Person:
    """Somebody, as they are. `kin`: whose twin, brother or housemate they are."""

    number: int
    name: Name
    born: str
    email: str
    phone: str
    kin: int | None = None


def person(dice: Random, number: int) -> Person:
    made = name(dice)
    return Person(number, made, _born(dice), email(dice, made), phone(dice, made.country))


class Given:
    """Emails and phones that are somebody's already: neither is given out twice."""

    def __init__(self) -> None:
        self.emails, self.phones = set[str](), set[str]()

    def only(self, dice: Random, one: Person) -> Person:
        """The person with an email and a phone of their own, except for what they share with their kin."""
        while one.email in self.emails:
            local, _, host = one.email.partition("@")
            one = replace(one, email=f"{local}{dice.randrange(10)}@{host}")
        while one.phone in self.phones:
            one = replace(one, phone=phone(dice, one.name.country))
        self.emails.add(one.email)
        self.phones.add(one.phone)
        return one


def twin(dice: Random, of: Person, number: int) -> Person:
    """Same family name, day and phone; another given name."""
    named = replace(of.name, given=given_like(dice, of.name))
    return Person(number, named, of.born, email(dice, named), of.phone, of.number)


def sibling(dice: Random, of: Person, number: int) -> Person:
    named = replace(of.name, given=given_like(dice, of.name))
    return Person(number, named, _born(dice), email(dice, named), of.phone, of.number)


def housemate(dice: Random, of: Person, number: int) -> Person:
    """Somebody else under the same phone."""
    return replace(person(dice, number), phone=of.phone, kin=of.number)


def namesake(dice: Random, of: Person, number: int) -> Person:
    return replace(person(dice, number), name=of.name, email=email(dice, of.name), kin=of.number)


def family_mail(dice: Random, of: Person, number: int) -> Person:
    """A son or daughter who uses the family's mail."""
    return replace(sibling(dice, of, number), email=of.email, phone=phone(dice, of.name.country))


KIN = {"twin": twin, "sibling": sibling, "shared phone": housemate, "namesake": namesake, "family mail": family_mail}


def _born(dice: Random) -> str:
    return f"{dice.randrange(1945, 2003)}-{dice.randrange(1, 13):02d}-{dice.randrange(1, 29):02d}"


def email(dice: Random, of: Name) -> str:
    given, family = (
        dice.choice(part.latin).lower().replace("-", "").replace(" ", "") for part in (of.given, of.family)
    )
    joint = dice.choice((f"{given}.{family}", f"{family}{given[:1]}", f"{given}{family[:3]}", f"{family}.{given}"))
    return f"{joint}{dice.choice(('', dice.randrange(100), dice.randrange(10000)))}@{dice.choice(HOSTS)}"


def phone(dice: Random, country: str) -> str:
    code, digits = PREFIXES[country]
    return f"{code}555{dice.randrange(10 ** (digits - 3)):0{digits - 3}d}"

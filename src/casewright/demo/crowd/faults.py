"""What happens to a record on its way from a person to a table: one function a fault, each under its name."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from casewright.demo.crowd.names import Name, name
from casewright.demo.crowd.people import PREFIXES, Person, email, phone


@dataclass(frozen=True)
class Written:
    """What one source says of a person. Birth dates stand as year, month and day until they are `told`."""

    full_name: str
    born: str
    email: str
    phone: str
    country: str


def first_written(dice: Random, person: Person) -> Written:
    """As a clerk writes it who makes no mistake: in Latin letters, the given name first."""
    called = _spelled(person.name, 0)
    return Written(" ".join(called), person.born, person.email, person.phone, person.name.country)


def _spelled(named: Name, way: int) -> list[str]:
    parts = [named.given, named.middle, named.family]
    return [part.latin[way % len(part.latin)] for part in parts if part]


def _own_script(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, full_name=p.name.own())


def _spelled_otherwise(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, full_name=" ".join(_spelled(p.name, dice.randrange(1, 6))))


def _name_turned(dice: Random, w: Written, p: Person) -> Written:
    *given, family = _spelled(p.name, 0)
    return replace(w, full_name=dice.choice((f"{family} {' '.join(given)}", f"{family.upper()}, {' '.join(given)}")))


def _name_mistyped(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, full_name=_mistyped(dice, w.full_name))


def _middle_left_out(dice: Random, w: Written, p: Person) -> Written:
    if p.name.close:
        return w
    more = p.name.middle or name(dice).given
    if p.name.middle:
        return replace(w, full_name=f"{p.name.given.latin[0]} {p.name.family.latin[0]}")
    return replace(w, full_name=f"{p.name.given.latin[0]} {more.latin[0]} {p.name.family.latin[0]}")


def _married(dice: Random, w: Written, p: Person) -> Written:
    other = name(dice)
    return replace(w, full_name=f"{p.name.given.latin[0]} {other.family.latin[0]}")


def _mistyped(dice: Random, text: str) -> str:
    """One letter doubled, lost, changed, or two of them turned."""
    at = dice.randrange(1, max(2, len(text) - 1))
    kind = dice.randrange(4)
    if kind == 0:
        return text[:at] + text[at] + text[at:] if at < len(text) else text
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2:
        return text[:at] + dice.choice("abcdefghiklmnoprstu") + text[at + 1 :]
    return text[:at] + text[at + 1 : at + 2] + text[at : at + 1] + text[at + 2 :]


def _digit(dice: Random, text: str, places: range) -> str:
    at = dice.choice([n for n in places if text[n].isdigit()])
    return text[:at] + str((int(text[at]) + dice.randrange(1, 10)) % 10) + text[at + 1 :]


def _born_mistyped(dice: Random, w: Written, p: Person) -> Written:
    year, month, day = w.born.split("-")
    if dice.random() < 0.5:
        return replace(w, born=f"{year[:2]}{(int(year[2:]) + dice.choice((1, -1, 10, -10))) % 100:02d}-{month}-{day}")
    return replace(w, born=f"{year}-{month}-{(int(day) + dice.choice((0, 1, 10, 17)) + 1) % 28 + 1:02d}")


def _born_turned(dice: Random, w: Written, p: Person) -> Written:
    year, month, day = w.born.split("-")
    return replace(w, born=f"{year}-{day}-{month}") if int(day) <= 12 else w


def _born_told_otherwise(dice: Random, w: Written, p: Person) -> Written:
    year, month, day = w.born.split("-")
    return replace(w, born=dice.choice((f"{day}/{month}/{year}", f"{month}/{day}/{year}", f"{day}.{month}.{year}")))


def _mail_written_otherwise(dice: Random, w: Written, p: Person) -> Written:
    local, _, host = w.email.partition("@")
    return replace(w, email=dice.choice((w.email.upper(), f"{local}+shop@{host}", f" {local.title()}@{host} ")))


def _mail_elsewhere(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, email=w.email.partition("@")[0] + "@other.example")


def _mail_changed(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, email=email(dice, p.name))


def _phone_changed(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, phone=phone(dice, p.name.country))


def _phone_written_otherwise(dice: Random, w: Written, p: Person) -> Written:
    code = PREFIXES[p.name.country][0]
    bare = w.phone.removeprefix(code)
    grouped = f"{bare[:3]} {bare[3:6]}-{bare[6:]}"
    return replace(
        w, phone=dice.choice((f"{code} (0){grouped}", f"00{code[1:]} {grouped}", f"{code}.{bare}", f"0{bare}"))
    )


def _phone_mistyped(dice: Random, w: Written, p: Person) -> Written:
    return replace(w, phone=_digit(dice, w.phone, range(len(w.phone) - 6, len(w.phone))))


Fault = Callable[[Random, Written, Person], Written]
FAULTS: dict[str, tuple[str, Fault]] = {
    "own script": ("full_name", _own_script), "spelled otherwise": ("full_name", _spelled_otherwise),
    "name turned": ("full_name", _name_turned), "name mistyped": ("full_name", _name_mistyped),
    "part of name more or less": ("full_name", _middle_left_out), "family name changed": ("full_name", _married),
    "birth date mistyped": ("born", _born_mistyped), "day and month turned": ("born", _born_turned),
    "birth date in another order": ("born", _born_told_otherwise),
    "email written otherwise": ("email", _mail_written_otherwise), "email elsewhere": ("email", _mail_elsewhere),
    "email changed": ("email", _mail_changed), "phone changed": ("phone", _phone_changed),
    "phone written otherwise": ("phone", _phone_written_otherwise), "phone mistyped": ("phone", _phone_mistyped),
}  # fmt: skip
"""Name, the field that it befalls, and what it does."""
RARE = ("family name changed",)


def faulty(dice: Random, person: Person, most: int = 3) -> tuple[Written, dict[str, str]]:
    """The person as another source has them: up to so many faults, at most one a field; and what befell which field."""
    written, befell = first_written(dice, person), dict[str, str]()
    for _ in range(dice.randrange(most + 1)):
        called = dice.choice(sorted(FAULTS))
        field, fault = FAULTS[called]
        if field in befell or (called in RARE and dice.random() < 0.6):
            continue
        changed = fault(dice, written, person)
        if changed != written:
            written, befell[field] = changed, called
    return written, befell


SAID = {"born": "birth date"}
MISSING = {"customer": {"born": 0.03, "email": 0.05, "phone": 0.2, "country": 0.1},
           "prior": {"born": 0.06, "email": 0.35, "phone": 0.3, "country": 0.15}}  # fmt: skip


def thinned(dice: Random, written: Written, kind: str) -> tuple[Written, dict[str, str]]:
    """What the source did not ask for is empty."""
    lost = [field for field, rate in MISSING[kind].items() if dice.random() < rate]
    return replace(written, **dict.fromkeys(lost, "")), {field: f"no {SAID.get(field, field)}" for field in lost}

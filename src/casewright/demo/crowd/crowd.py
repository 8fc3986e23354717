"""Customers of three services and subjects of earlier cases, some of them the same people, with the truth of it."""

from dataclasses import dataclass
from random import Random

from casewright.demo.crowd.faults import Written, faulty, first_written, thinned
from casewright.demo.crowd.people import KIN, Given, Person, person

SERVICES = ("Kestrel Exchange", "Tallow Coin", "Brightwater Desk")
KNOWN_BEFORE, TWO_SERVICES, KINDRED = 0.3, 0.15, 0.12
"""Share of customers who are subjects of an earlier case, who are customers of a second service, and who have a twin,
a namesake and the like among the subjects of earlier cases."""


@dataclass(frozen=True)
class Entry:
    """A record of one person (`who`) in one source, with what befell it. `kin`: how the person is near another one."""

    who: int
    source: str
    number: str
    written: Written
    befell: tuple[str, ...]
    kin: str = ""


@dataclass(frozen=True)
class Crowd:
    customers: tuple[Entry, ...]
    priors: tuple[Entry, ...]

    def truth(self) -> dict[tuple[str, str], tuple[str, ...]]:
        """Pairs of record numbers that are one person, with all that befell the two."""
        of: dict[int, list[Entry]] = {}
        for entry in (*self.customers, *self.priors):
            of.setdefault(entry.who, []).append(entry)
        return {
            (one.number, two.number): (*one.befell, *two.befell)
            for same in of.values()
            for n, one in enumerate(same)
            if one.source != "prior"
            for two in same[n + 1 :]
        }


def crowd(seed: int, customers: int = 1000, priors: int = 20_000) -> Crowd:
    dice = Random(seed)  # noqa: S311  a story, not a secret
    given = Given()
    people = [given.only(dice, person(dice, n)) for n in range(int(customers / (1 + TWO_SERVICES)))]
    asked: list[Entry] = []
    known: list[Entry] = []
    number = len(people)
    for one in people:
        service = dice.choice(SERVICES)
        asked.append(written_of(dice, one, service, f"C-{len(asked)}", clean=True))
        if dice.random() < TWO_SERVICES:
            other = dice.choice([s for s in SERVICES if s != service])
            asked.append(written_of(dice, one, other, f"C-{len(asked)}"))
        if dice.random() < KNOWN_BEFORE:
            known.append(written_of(dice, one, "prior", f"P-{len(known)}"))
        if dice.random() < KINDRED:
            kind = dice.choice(sorted(KIN))
            known.append(written_of(dice, KIN[kind](dice, one, number), "prior", f"P-{len(known)}", kin=kind))
            number += 1
    while len(known) < priors:
        known.append(written_of(dice, given.only(dice, person(dice, number)), "prior", f"P-{len(known)}", clean=True))
        number += 1
    return Crowd(tuple(asked), tuple(known))


def written_of(dice: Random, one: Person, source: str, number: str, clean: bool = False, kin: str = "") -> Entry:
    """What a source has of somebody; `clean`: without anything but gaps."""
    written, befell = (first_written(dice, one), {}) if clean else faulty(dice, one)
    written, lost = thinned(dice, written, "prior" if source == "prior" else "customer")
    return Entry(one.number, source, number, written, tuple({**befell, **lost}.values()), kin)

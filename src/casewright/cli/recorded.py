"""What somebody decides about packages and the ledger alone records: codes of single items, keys that count no more."""

from collections.abc import Iterable, Mapping
from typing import Any

from casewright.engine.query import Reader
from casewright.engine.why import Explainer
from casewright.model.errors import Missing, Refused, UsageError
from casewright.refer.handling import code_of
from casewright.vault.case import Case
from casewright.vault.keys import is_public_key

KEYS = "recipient key"


def note_codes(case: Case, given: Iterable[str], why: str) -> list[dict[str, Any]]:
    """Record under which handling code items stand from now on; the caller holds the case. All or, on an error, none.

    Raises Refused for what is no code, Missing for what is no row of the case.
    """
    made = []
    for one in given:
        item, sign, code = (part.strip() for part in one.partition("="))
        if not sign or not item:
            raise UsageError(f"--code takes ID=CODE, such as person-5e0c...=TLP:RED, not {one!r}.")
        made.append({"item": item, "code": code_of(code).text if code else "",
                     "examiner": case.settings.case.examiner, "why": _said(why, "--code")})  # fmt: skip
    if made:
        with Reader(case.tables) as reader:
            found = Explainer(case.tables, reader)
            if strange := [event["item"] for event in made if not found.find(event["item"])]:
                raise Missing(f"there is no {', '.join(strange)} in the tables of this case.")
    case.ledger.append(*(("handling", event) for event in made))
    return made


def note_withdrawn(case: Case, given: Iterable[str], why: str) -> list[dict[str, Any]]:
    """Record that keys count no more, and how many receipts were in by then; the caller holds the case."""
    last = {(p["country"], key): False for p in _sealed(case) for key in p["recipients"]}
    last |= {(event["country"], event["key"]): event.get("withdrawn", False) for event in _events(case)}
    standing = {pair for pair, gone in last.items() if not gone}
    receipts = sum(event.data["role"] == "receipt" for event in case.ledger.events("sealed"))
    made = []
    for one in given:
        country, sign, key = one.partition("=")
        if not sign or (country.upper(), key) not in standing:
            raise Missing(f"{one}: no such key was recorded. --withdraw-key takes CC=KEY.")
        made.append({"country": country.upper(), "key": key, "withdrawn": True, "after": receipts,
                     "examiner": case.settings.case.examiner, "why": _said(why, "--withdraw-key")})  # fmt: skip
    case.ledger.append(*((KEYS, event) for event in made))
    return made


def check_recipients(case: Case, keys: Mapping[str, Iterable[str]]) -> None:
    """Raises Refused when something would be encrypted to a key that was withdrawn."""
    away = {(e["country"], e["key"]): e for e in _events(case) if e.get("withdrawn") and not is_public_key(e["key"])}
    for country, mine in keys.items():
        for key in mine:
            if event := away.get((country, key)):
                raise Refused(f"{country}: the key {key} was withdrawn by {event['examiner']}: {event['why']}. "
                              f"Give the one that replaces it: --recipient {country}=KEY")  # fmt: skip


def still_counting(case: Case, country: str, keys: Iterable[str]) -> list[str]:
    """Of these age keys those that nobody withdrew."""
    away = {e["key"] for e in _events(case) if e["country"] == country and e.get("withdrawn")}
    return sorted(set(keys) - away)


def _events(case: Case) -> list[Mapping[str, Any]]:
    return [event.data for event in case.ledger.events(KEYS)]


def _sealed(case: Case) -> list[Mapping[str, Any]]:
    return [event.data for event in case.ledger.events("package sealed")]


def _said(why: str, option: str) -> str:
    if not why.strip():
        raise UsageError(f"{option} needs a reason: add --why TEXT.")
    return why

"""Handling codes: under which a value stands, and whether a recipient may have it.

The case has one code; `[refer.codes]` gives others to sections, exhibits and items, and to all that rests on them or
tells of them; `refer --code` gives one to an item, in the ledger. The code of the section `persons` holds wherever a
person may be named. The
strictest in a scheme counts; of codes of several schemes each must be allowed. `[refer.allowed]` says what a country
may have; the case's own code is allowed everywhere. What a recipient may not have is withheld, and the package says so.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from casewright.engine.stage import Context
from casewright.model.errors import Refused
from casewright.refer.resting import exhibit_named, naming, resting

CATALOGUE = Path(__file__).with_name("handling.toml")
KINDS = ("section", "exhibit", "item")
HANDLING, PERSONS = "ledger/handling", "persons"
EVERYWHERE = "*"
COUNTS = frozenset(("Subjects", "Part", "Payments", "Uploads", "Downloads", "Legal process", "Why this country"))
"""Answers of the first page that count rows and quote none: only the code of their section holds for them."""


@dataclass(frozen=True)
class Code:
    """One code as it is written, and how far it restricts within its scheme."""

    text: str
    scheme: str
    level: int


@cache
def _schemes() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads(CATALOGUE.read_text("utf-8"))["scheme"]
    return found


@cache
def code_of(text: str) -> Code:
    """Raises Refused for what is no code of the catalogue, naming those there are."""
    for scheme in _schemes():
        if found := re.fullmatch(scheme["pattern"], text):
            return Code(text, scheme["name"], scheme["order"].index(found["handling"]))
    known = "; ".join(scheme["written"] for scheme in _schemes())
    raise Refused(f"case.toml [refer]: {text!r} is no handling code. There are: {known}.")


@dataclass(frozen=True)
class Codes:
    """The codes of one case: the default, those of sections, and those of rows by id."""

    default: Code
    sections: Mapping[str, Code] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Code]] = field(default_factory=dict)
    allowed: Mapping[str, Sequence[Code]] = field(default_factory=dict)

    @classmethod
    def of(cls, params: Mapping[str, Any], context: Context) -> "Codes":
        """As the settings and the ledger say. Raises Refused for what they can't mean."""
        default, given = code_of(params["handling"]), params.get("codes", {})
        named: dict[str, dict[str, Code]] = {kind: {} for kind in KINDS}
        for key, text in given.items():
            kind, _, name = key.partition(" ")
            if kind not in named or not name:
                raise Refused(f"case.toml [refer.codes]: {key!r} must be one of {', '.join(KINDS)} and a name.")
            named[kind][name] = code_of(text)
        allowed = {country: _listed(text) for country, text in params.get("allowed", {}).items()}
        rows = _rows(named["exhibit"], [*named["item"].items(), *_told(context)], context)
        if PERSONS in named["section"]:
            for one in naming(context):
                rows.setdefault(one, []).append(named["section"][PERSONS])
        return cls(default, named["section"], rows, allowed)

    @property
    def one(self) -> str | None:
        """The code of every figure, where there is no other: then nothing is withheld."""
        return None if self.sections or self.rows else self.default.text

    def of_figure(self, section: str, subject: str, label: str, sources: Iterable[str]) -> str:
        """The code of a figure, as it is printed: of several schemes all, with a comma between."""
        codes = [self.sections.get(section, self.default)]
        if label not in COUNTS:
            for one in (subject, *sources):
                codes += self.rows.get(one, ())
        strictest: dict[str, Code] = {}
        for code in codes:
            if code.scheme not in strictest or code.level > strictest[code.scheme].level:
                strictest[code.scheme] = code
        return ", ".join(code.text for code in strictest.values())

    def withheld(self, country: str, text: str) -> bool:
        """Whether that country may not have what stands under these codes."""
        if text == self.default.text:
            return False
        may = (self.default, *self.allowed.get(country, self.allowed.get(EVERYWHERE, ())))
        return not all(
            any(code.scheme == one.scheme and code.level <= one.level for one in may)
            for code in map(code_of, text.split(", "))
        )


def _listed(text: str) -> list[Code]:
    return [code_of(one.strip()) for one in text.split(",")]


def _told(context: Context) -> list[tuple[str, Code]]:
    """The codes that people gave to items on the command line; the last on an item counts, and an empty one is none."""
    events = context.tables[HANDLING].column("event").to_pylist() if HANDLING in context.tables else []
    told = {event["item"]: event["code"] for event in (json.loads(line)["data"] for line in events)}
    return [(item, code_of(code)) for item, code in told.items() if code]


def _rows(exhibits: Mapping[str, Code], items: Sequence[tuple[str, Code]], context: Context) -> dict[str, list[Code]]:
    """The ids of all rows that stand in these exhibits, are these items, or rest on such rows, with their codes."""
    found: dict[str, list[Code]] = {}
    begun = [(exhibit_named(name, context), code) for name, code in exhibits.items()] + list(items)
    for name, code in begun:
        for one in resting(name, context):
            found.setdefault(one, []).append(code)
    return found

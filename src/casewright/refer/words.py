"""Fixed words of packages in the languages there are: a TOML file each in `languages/`. English stands in the code.

Only our own words are translated: titles, labels, and the sentences that our stages write. What comes from evidence or
from people stays as it is, in its own letters. A word that a catalogue lacks stays English.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from casewright.model.errors import UsageError

FOLDER = Path(__file__).with_name("languages")
OURS = frozenset((
    "Access and risk now", "Also at risk", "Most urgent", "Best identity", "Rests on", "Speaks against it", "Subjects",
    "Why this country", "Payments", "Uploads", "Downloads", "Legal process", "Deconfliction", "Action asked",
    "Reply within", "Permitted use", "Part", "Withheld", "why", "on record", "address on record", "speaks for",
    "speaks against", "judgement", "earlier case", "direction", "confidence", "of the payment", "answered", "state",
    "kind", "the site's ledger", "rests on", "time rule",
))  # fmt: skip
"""Labels whose values are sentences of ours; the others hold evidence's words, which no catalogue may touch."""
PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Words:
    """One language. `Words()` is English."""

    language: str = "en"
    name: str = "English"
    scripts: tuple[str, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def say(self, text: str, **values: object) -> str:
        """A fixed sentence, with `{name}` in it filled in."""
        found = self.said.get(text, text)
        return PLACE.sub(lambda place: str(values[place[1]]), found) if values else found

    def label(self, label: str) -> str:
        return self.labels.get(label, label)

    def value(self, label: str, value: str) -> str:
        """A figure's value: translated where it is a sentence of ours, verbatim otherwise."""
        return self._sentence(value) if label in OURS and self.values else value

    def _sentence(self, text: str) -> str:
        """The whole if the catalogue has it, or else piece by piece."""
        whole = self._known(text)
        if whole is not None:
            return whole
        return "; ".join(piece if (known := self._known(piece)) is None else known for piece in text.split("; "))

    def _known(self, text: str) -> str | None:
        if text in self.values:
            return self.values[text]
        for pattern, translated in self._patterns:
            if found := pattern.fullmatch(text):
                return PLACE.sub(lambda place: found[place[1]], translated)
        return None

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Sentences with places in them: what stands there goes over as it is."""
        return [(_pattern(key), text) for key, text in self.values.items() if PLACE.search(key)]


def _pattern(text: str) -> re.Pattern[str]:
    """Whole numbers for `{n}` and the like of one letter; any text that holds no `; ` for longer names."""
    pieces = PLACE.split(text)
    parts = [
        re.escape(piece) if n % 2 == 0 else f"(?P<{piece}>{'[0-9.,]+' if len(piece) == 1 else '(?:(?!; ).)+?'})"
        for n, piece in enumerate(pieces)
    ]
    return re.compile("".join(parts), re.DOTALL)


def languages() -> list[str]:
    """The languages there are."""
    return sorted(["en", *(path.stem for path in FOLDER.glob("*.toml"))])


@cache
def words_of(language: str) -> Words:
    """Raises UsageError for a language that has no catalogue."""
    if language == "en":
        return Words()
    if language not in languages():
        raise UsageError(f"there is no catalogue for the language {language!r}. There are: {', '.join(languages())}.")
    raw = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return Words(language, raw["name"], tuple(raw.get("scripts", ())), raw["say"], raw["labels"], raw["values"])

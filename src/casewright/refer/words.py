"""Fixed words of packages in the languages there are: a TOML file each in `languages/`.

`[say]` has the document's sentences by a name, `[labels]` what values are, `[values]` sentences that our stages write,
both by the English that stands in the code. What comes from evidence or from people stays as it is, in its own letters.
A label or value that a catalogue lacks stays English.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from casewright.model.errors import UsageError

FOLDER = Path(__file__).with_name("languages")
OURS = frozenset((
    "Access and risk now", "Also at risk", "Most urgent", "Best identity", "Rests on", "Speaks against it", "Subjects",
    "Ladder", "Why this country", "Payments", "Uploads", "Downloads", "Legal process", "Deconfliction", "Action asked",
    "Reply within", "Permitted use", "Keep until", "Part", "Withheld", "why", "on record", "address on record",
    "speaks for", "speaks against", "judgement", "earlier case", "direction", "confidence", "of the payment",
    "answered", "state", "kind", "the site's ledger", "rests on", "time rule", "Subject", "sets it apart",
    "Points elsewhere", "country, against", "also", "rung", "what says so", "by", "strength", "decides", "what",
))  # fmt: skip
"""Labels whose values are sentences of ours; the others hold evidence's words, which no catalogue may touch."""
PLACE = re.compile(r"\{(\w+)\}")
SENTENCES, LISTS = ("said", "also"), ("rungs", "deeds", "listed", "kinds", "hints")
"""Places that hold sentences of ours again, and lists of such, with commas between; all others go over as they are."""
AND = ", and "


@dataclass(frozen=True)
class Words:
    """One language."""

    language: str
    name: str
    scripts: tuple[str, ...]
    """Letters that its words need, beyond those that every document draws."""
    said: Mapping[str, str]
    labels: Mapping[str, str]
    values: Mapping[str, str]

    def say(self, name: str, **values: object) -> str:
        """A fixed sentence, with `{...}` in it filled in."""
        return PLACE.sub(lambda place: str(values[place[1]]), self.said[name])

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
        return "; ".join(self._piece(piece) for piece in text.split("; "))

    def _piece(self, text: str) -> str:
        """One piece; sentences of ours that `, and` joins, if all of them are."""
        joined = [self._known(part) for part in (text.split(AND) if AND in self.values else [text])]
        return text if None in joined else self.values.get(AND, "").join(part for part in joined if part is not None)

    def _listed(self, text: str) -> str:
        return ", ".join(self._piece(piece) for piece in text.split(", "))

    def _known(self, text: str) -> str | None:
        if text in self.values:
            return self.values[text]
        for pattern, translated in self._patterns:
            if found := pattern.fullmatch(text):
                return self._filled(translated, found)
        return None

    def _filled(self, translated: str, found: re.Match[str]) -> str:
        """What stands in a place goes over as it is, but for sentences of ours."""
        places = {name: self._placed(name, text) for name, text in found.groupdict().items()}
        return PLACE.sub(lambda place: places[place[1]], translated)

    def _placed(self, name: str, text: str) -> str:
        if name in SENTENCES:
            return self._sentence(text)
        return self._listed(text) if name in LISTS else text

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """Sentences with places in them."""
        return [(_pattern(key), text) for key, text in self.values.items() if PLACE.search(key)]


def _pattern(text: str) -> re.Pattern[str]:
    """Numbers for `{n}` and the like of one letter, a day for `{..._day}`; any text that holds no `; ` for others."""
    pieces = PLACE.split(text)
    parts = [re.escape(piece) if n % 2 == 0 else f"(?P<{piece}>{_shape(piece)})" for n, piece in enumerate(pieces)]
    return re.compile("".join(parts), re.DOTALL)


def _shape(name: str) -> str:
    if len(name) == 1:
        return "[0-9.,]+"
    return r"\d{4}-\d\d-\d\d" if name.endswith("_day") else "(?:(?!; ).)+?"


def languages() -> list[str]:
    """The languages there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def words_of(language: str) -> Words:
    """Raises UsageError for a language that has no catalogue."""
    if language not in languages():
        raise UsageError(f"there is no catalogue for the language {language!r}. There are: {', '.join(languages())}.")
    raw = tomllib.loads((FOLDER / f"{language}.toml").read_text("utf-8"))
    return Words(language, raw["name"], tuple(raw["scripts"]), raw["say"], raw["labels"], raw["values"])


def english() -> Words:
    return words_of("en")

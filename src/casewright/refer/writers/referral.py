"""The referral as an officer reads it: a first page of answers, subjects in order of priority, tables up to a limit.

What the limits leave out stands in the sheets, and each section says how much that is.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from casewright.model.ids import printable_path
from casewright.refer.countries import UNRESOLVED
from casewright.refer.words import Words, english
from casewright.refer.writers.fonts import Letters
from casewright.refer.writers.grid import Figure, Figures, Section, first
from casewright.refer.writers.pdf import compile_pdf

TEMPLATE = Path(__file__).with_name("referral.typ")
CARDS, INDEX, ROWS = 40, 400, 120
"""Subjects shown in full; subjects listed in a line each; rows of any other table."""
VALUE_LIMIT, FIRST_PAGE_LIMIT, TRANSLATED_LIMIT = 400, 250, 215
"""Letters of a value; of one on the first page, which is one page; and there in languages that need more room."""
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
QUESTIONS = (
    ("risk", ("Access and risk now", "Also at risk", "Most urgent")),
    ("apart", ("Subject",)),
    ("identity", ("Best identity", "Rests on", "Ladder", "Speaks against it", "Subjects", "Part")),
    ("country", ("Why this country", "Points elsewhere")),
    ("conduct", ("Payments", "Uploads", "Downloads")),
    ("use", ("Handling code", "Permitted use", "Withheld", "Keep until")),
    ("process", ("Legal process",)),
    ("others", ("Deconfliction",)),
    ("action", ("Action asked", "Reply within")),
    ("contact", ("Contact", "Case")),
)
"""The first page: each question, and the figures of the summary that answer it. A test holds that none is left out."""
SUBJECTS = ("priority", "username", "email", "registered", "sign-ins", "why")
PARTS: Sequence[tuple[str, Sequence[str]]] = (
    ("recalls", ()),
    ("accounts", ()),
    ("persons", ()),
    ("ladder", ("rung", "account", "what says so", "speaks against")),
    ("where", ("country", "by", "account", "strength", "decides", "what says so", "speaks against")),
    ("payments", ("time", "amount", "account", "transaction", "block")),
    ("credits", ("time", "amount", "account", "the site's ledger")),
    ("services", ("service", "direction", "hops", "confidence", "of the payment", "speaks against")),
    ("other_cases", ("other case", "shared", "value", "account", "speaks for", "speaks against")),
    ("process", ("reference", "service", "time", "satoshis", "transaction", "answered")),
    ("media", ("state", "account", "kind", "path", "sha256")),
    ("method", ()),
)
"""Sections, and the columns of their tables; without columns each row is a card with all its values."""


@dataclass(frozen=True)
class Cover:
    """What a referral says of itself beside its figures."""

    country: str
    handling: str
    case: str
    words: Words = field(default_factory=english)
    letters: Letters = field(default_factory=Letters)


def write_referral(figures: Figures, cover: Cover, path: Path) -> None:
    """One PDF; the same figures give the same bytes."""
    compile_pdf(TEMPLATE, _Document(cover).content(figures), path, cover.letters)


@dataclass(frozen=True)
class _Document:
    """The document's data, in the cover's language and letters."""

    cover: Cover

    def content(self, figures: Figures) -> dict[str, Any]:
        cover, say = self.cover, self.cover.words.say
        unresolved = cover.country == UNRESOLVED
        parts = [self._part(figures.section(name), columns) for name, columns in PARTS if figures.section(name).rows]
        return {
            "language": cover.words.language, "handling": self._safe(cover.handling), "case": self._safe(cover.case),
            "title": say("title_unresolved") if unresolved else say("title", country=cover.country),
            "fixed": {name: say(name) for name in ("lead", "named", "balance", "page", "of")},
            "balance": self._balance(figures), "questions": self._questions(figures.section("summary")), "parts": parts,
        }  # fmt: skip

    def _part(self, section: Section, columns: Sequence[str]) -> dict[str, Any]:
        say, name = self.cover.words.say, section.name
        note = say(f"note_{name}") if f"note_{name}" in self.cover.words.said else ""
        shown = section.rows[: ROWS if columns else CARDS]
        listed = _subjects(section.rows[CARDS:])[:INDEX] if name == "accounts" else []
        tables = [self._table("", shown, columns)] if columns else []
        tables += [self._table(say("further"), listed, SUBJECTS)] if listed else []
        return {
            "title": say(f"title_{name}"), "note": note, "handling": self._handled(section), "tables": tables,
            "cards": [] if columns else [[self._cell(f) for f in row.values()] for row in shown],
            "more": self._more(section, len(shown), len(listed)),
        }  # fmt: skip

    def _more(self, section: Section, shown: int, listed: int) -> str:
        """What is only in the sheets; nothing is left out without a word."""
        counts = {"all": len(section.rows), "shown": shown, "listed": listed, "file": f"{section.name}.csv"}
        if len(section.rows) <= shown:
            return ""
        return self.cover.words.say("listed" if listed else "shown", **counts)

    def _handled(self, section: Section) -> str:
        """The codes under which the section's values stand, and how many are withheld under which."""
        codes = Counter(f.handling for row in section.rows for f in row.values() if f.handling and not f.withheld)
        away = Counter(f.handling for row in section.rows for f in row.values() if f.withheld)
        said = [self.cover.words.say("handling", codes=", ".join(sorted(codes)))] if codes else []
        said += [self.cover.words.say("withheld", count=count, code=code)
                 for code, count in sorted(away.items())]  # fmt: skip
        return self._safe(". ".join(said))

    def _table(self, title: str, rows: Iterable[Mapping[str, Figure]], columns: Sequence[str]) -> dict[str, Any]:
        """Each row begins with the id of its first figure, which rests on the same rows as the others."""
        labels = [self.cover.words.label(column) for column in columns]
        return {"title": title, "columns": labels, "rows": [self._row(row, columns) for row in rows]}

    def _row(self, row: Mapping[str, Figure], columns: Sequence[str]) -> list[str]:
        return [first(row).figure, *(self._cell(row[c])["value"] if c in row else "" for c in columns)]

    def _questions(self, summary: Section) -> list[dict[str, Any]]:
        """The first page is one page: what is long is cut there, and said to be."""
        limit = FIRST_PAGE_LIMIT if self.cover.words.language == "en" else TRANSLATED_LIMIT
        figures = [figure for row in summary.rows for figure in row.values()]
        asked = [
            {"ask": self.cover.words.say(f"ask_{ask}"), "lead": self.cover.words.label(labels[0]),
             "answers": [self._cell(f, limit) for f in figures if f.label in labels]}
            for ask, labels in QUESTIONS
        ]  # fmt: skip
        return [question for question in asked if question["answers"]]

    def _cell(self, figure: Figure, limit: int = VALUE_LIMIT) -> dict[str, str]:
        words = self.cover.words
        value = figure.value if figure.withheld else words.value(figure.label, figure.value)
        text = self._safe(value[: limit + 1])
        if len(value) > limit:
            text = self._safe(value[:limit]) + " " + words.say("cut", count=len(value))
        return {
            "label": isolated(_breakable(self._safe(words.label(figure.label)))),
            "value": isolated(_breakable(text)),
            "figure": figure.figure,
        }

    def _safe(self, text: str) -> str:
        return self.cover.letters.drawable(printable_path(text.encode("utf-8", "surrogateescape")))

    def _balance(self, figures: Figures) -> str:
        """What set something aside, in one sentence; every stage stands in the table of balances."""
        say = self.cover.words.say
        rows = [{label: f.value for label, f in row.items()} for row in figures.section("balance").rows]
        aside = [r for r in rows if r.get("set_aside") != "0"]
        told = [
            say("balance_stage", **r)
            for r in aside if r.keys() >= {"stage", "noun", "received", "done", "nothing", "set_aside"}
        ]  # fmt: skip
        told += [say("balance_rest", count=len(rows) - len(aside))]
        return "; ".join(told) if rows else ""


def _subjects(rows: Sequence[Mapping[str, Figure]]) -> list[Mapping[str, Figure]]:
    """One row an account: former values that stand in a further row are in the sheets."""
    return [row for row in rows if "priority" in row]


def _breakable(text: str) -> str:
    """Long words may break every 24 characters, at a space of no width."""
    words = (w if len(w) < 34 else "\u200b".join(w[i : i + 24] for i in range(0, len(w), 24)) for w in text.split(" "))
    return " ".join(words)


def isolated(text: str) -> str:
    """A value that reads from right to left cannot reorder what stands beside it (Unicode Annex 9: isolates)."""
    return f"\u2068{text}\u2069" if RIGHT_TO_LEFT.search(text) else text

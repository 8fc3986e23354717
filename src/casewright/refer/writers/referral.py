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
from casewright.refer.words import Words
from casewright.refer.writers.fonts import Letters
from casewright.refer.writers.grid import Figure, Figures, Section, first
from casewright.refer.writers.pdf import compile_pdf

TEMPLATE = Path(__file__).with_name("referral.typ")
CARDS, INDEX, ROWS = 40, 400, 120
"""Subjects shown in full; subjects listed in a line each; rows of any other table."""
VALUE_LIMIT, FIRST_PAGE_LIMIT = 400, 280
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
QUESTIONS = (
    ("Is anyone at risk now, and why?", ("Access and risk now", "Also at risk", "Most urgent")),
    ("Who is it, and what does that rest on?", ("Best identity", "Rests on", "Speaks against it", "Subjects", "Part")),
    ("Why this country?", ("Why this country",)),
    ("What was done, and when?", ("Payments", "Uploads", "Downloads")),
    ("How may this be used?", ("Handling code", "Permitted use", "Withheld", "Keep until")),
    ("What was asked of services?", ("Legal process",)),
    ("Who else is looking?", ("Deconfliction",)),
    ("What is asked of you?", ("Action asked", "Reply within")),
    ("Whom to call?", ("Contact", "Case")),
)
"""The first page: each question, and the figures of the summary that answer it. A test holds that none is left out."""
BALANCE = "{stage}: of {received} {noun}, {done} done, {nothing} with nothing to find, {set_aside} set aside"
SHOWN = "Of {all} rows, the first {shown} are shown; all of them stand in referral.xlsx and {file}."
LISTED = (
    "Of {all} rows, {shown} are shown in full and {listed} subjects in a line each; all of them stand in referral.xlsx "
    "and {file}."
)
SUBJECTS = ("priority", "username", "email", "registered", "sign-ins", "why")
PARTS = (
    ("accounts", "Accounts", "", ()),
    ("persons", "Persons named by a judgement", "What speaks against stands next to what speaks for it.", ()),
    ("payments", "Payments", "What the site's own ledger says of each stands in payments.csv.",
     ("time", "amount", "account", "transaction", "block")),
    ("credits", "Entries of the site's ledger without a payment", "Booked by the site, not found on the chain.",
     ("time", "amount", "account", "the site's ledger")),
    ("services", "Services that traces reached",
     "Leads for legal process. Only a direct withdrawal is strong. How much of a payment is a service's, the "
     "convention says that the method names. Rules and steps of every trace stand in services.csv and hops.csv.",
     ("service", "direction", "hops", "confidence", "of the payment", "speaks against")),
    ("process", "Legal process", "Requests drafted; each answer names its reference.",
     ("reference", "service", "time", "satoshis", "transaction", "answered")),
    ("media", "Media uploaded: hashes and metadata", "No media are part of this package.",
     ("state", "account", "kind", "path", "sha256")),
    ("method", "Method", "Versions and settings under which every figure was made.", ()),
)  # fmt: skip
"""Section, title, note, and the columns of its table; without columns each row is a card with all its values."""


@dataclass(frozen=True)
class Cover:
    """What a referral says of itself beside its figures."""

    country: str
    handling: str
    case: str
    words: Words = field(default_factory=Words)
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
        title = say("Accounts whose country is not known") if cover.country == UNRESOLVED else say(
            "Referral to {country}", country=cover.country)  # fmt: skip
        return {
            "language": cover.words.language, "title": title, "handling": self._safe(cover.handling),
            "case": self._safe(cover.case), "fixed": self._fixed(), "balance": self._balance(figures),
            "questions": self._questions(figures.section("summary")),
            "parts": [part for name, title, note, columns in PARTS
                      if (part := self._part(figures.section(name), title, note, columns))],
        }  # fmt: skip

    def _fixed(self) -> dict[str, str]:
        say = self.cover.words.say
        return {
            "lead": say("A payment or a match is a lead, not a verdict."),
            "named": say("Persons are named by recorded human judgement only. The grey code beside a value leads back "
                         "to the evidence: casewright why CASE CODE, or figures.csv. Letters that the fonts of this "
                         "document lack are written \\uXXXX; referral.xlsx holds them as they are."),
            "balance": say("Balance of the whole case:"), "page": say("page"), "of": say("of"),
        }  # fmt: skip

    def _part(self, section: Section, title: str, note: str, columns: Sequence[str]) -> dict[str, Any] | None:
        if not section.rows:
            return None
        say = self.cover.words.say
        part: dict[str, Any] = {"title": say(title), "note": say(note) if note else "", "cards": [], "tables": [],
                                "handling": self._handled(section)}  # fmt: skip
        shown = section.rows[: ROWS if columns else CARDS]
        listed: Sequence[Mapping[str, Figure]] = []
        if columns:
            part["tables"] = [self._table("", shown, columns)]
        else:
            part["cards"] = [[self._cell(f) for f in row.values()] for row in shown]
        if section.name == "accounts":
            listed = _subjects(section.rows[CARDS:])[:INDEX]
            part["tables"] = (
                [self._table(say("Further subjects, in order of priority"), listed, SUBJECTS)] if listed else []
            )
        part["more"] = self._more(section, len(shown), len(listed))
        return part

    def _more(self, section: Section, shown: int, listed: int) -> str:
        """What is only in the sheets; nothing is left out without a word."""
        counts = {"all": len(section.rows), "shown": shown, "listed": listed, "file": f"{section.name}.csv"}
        if len(section.rows) <= shown:
            return ""
        return self.cover.words.say(LISTED if listed else SHOWN, **counts)

    def _handled(self, section: Section) -> str:
        """The codes under which the section's values stand, and how many are withheld under which."""
        codes = Counter(f.handling for row in section.rows for f in row.values() if f.handling and not f.withheld)
        away = Counter(f.handling for row in section.rows for f in row.values() if f.withheld)
        said = [self.cover.words.say("Handling: {codes}", codes=", ".join(sorted(codes)))] if codes else []
        said += [self.cover.words.say("{count} values withheld: {code}", count=count, code=code)
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
        figures = [figure for row in summary.rows for figure in row.values()]
        asked = [
            {"ask": self.cover.words.say(ask), "lead": self.cover.words.label(labels[0]),
             "answers": [self._cell(f, FIRST_PAGE_LIMIT) for f in figures if f.label in labels]}
            for ask, labels in QUESTIONS
        ]  # fmt: skip
        return [question for question in asked if question["answers"]]

    def _cell(self, figure: Figure, limit: int = VALUE_LIMIT) -> dict[str, str]:
        words = self.cover.words
        value = figure.value if figure.withheld else words.value(figure.label, figure.value)
        text = self._safe(value[: limit + 1])
        if len(value) > limit:
            text = (
                self._safe(value[:limit])
                + " "
                + words.say("... ({count} characters, whole in the CSV)", count=len(value))
            )
        return {"label": words.label(figure.label), "value": isolated(_breakable(text)), "figure": figure.figure}

    def _safe(self, text: str) -> str:
        return self.cover.letters.drawable(printable_path(text.encode("utf-8", "surrogateescape")))

    def _balance(self, figures: Figures) -> str:
        """What set something aside, in one sentence; every stage stands in the table of balances."""
        say = self.cover.words.say
        rows = [{label: f.value for label, f in row.items()} for row in figures.section("balance").rows]
        aside = [r for r in rows if r.get("set_aside") != "0"]
        told = [
            say(BALANCE, **r)
            for r in aside if r.keys() >= {"stage", "noun", "received", "done", "nothing", "set_aside"}
        ]  # fmt: skip
        told += [say("the other {count} counts set nothing aside (balance.csv)", count=len(rows) - len(aside))]
        return "; ".join(told) if rows else ""


def _subjects(rows: Sequence[Mapping[str, Figure]]) -> list[Mapping[str, Figure]]:
    """One row an account: former values that stand in a further row are in the sheets."""
    return [row for row in rows if "priority" in row]


def _breakable(text: str) -> str:
    """Long words may break every 24 characters, at a space of no width."""
    words = (w if len(w) < 40 else "\u200b".join(w[i : i + 24] for i in range(0, len(w), 24)) for w in text.split(" "))
    return " ".join(words)


def isolated(text: str) -> str:
    """A value that reads from right to left cannot reorder what stands beside it (Unicode Annex 9: isolates)."""
    return f"\u2068{text}\u2069" if RIGHT_TO_LEFT.search(text) else text

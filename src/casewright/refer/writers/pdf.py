"""The referral as a PDF, by typst. Figures go in as JSON; no markup is ever made of them."""

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import typst

from casewright.model.ids import printable_path
from casewright.refer.countries import UNRESOLVED
from casewright.refer.writers.sheets import FIXED, Figures, grid, sections

TEMPLATE = Path(__file__).with_name("referral.typ")
CARDS, VALUE_LIMIT, FIRST_PAGE_LIMIT = 40, 400, 280
COVERED = ((0x20, 0x7E), (0xA1, 0x2AF), (0x370, 0x3FF), (0x400, 0x4FF), (0x5D0, 0x5EA), (0x1E00, 0x1EFF),
           (0x2010, 0x2040), (0x2044, 0x2052), (0x20A0, 0x20BF), (0x2190, 0x21FF))  # fmt: skip
"""What the fonts inside typst can draw, found by trial; a test tries each. PDF/A forbids boxes for missing letters."""
ROWS = 120
QUESTIONS = (
    ("Is anyone at risk now, and why?", ("Access and risk now", "Also at risk", "Most urgent")),
    ("Who is it, and what does that rest on?", ("Best identity", "Rests on", "Speaks against it", "Subjects")),
    ("Why this country?", ("Why this country",)),
    ("What was done, and when?", ("Payments", "Uploads", "Downloads")),
    ("How may this be used?", ("Handling code", "Permitted use")),
    ("What was asked of services?", ("Legal process",)),
    ("Who else is looking?", ("Deconfliction",)),
    ("What is asked of you?", ("Action asked", "Reply within")),
    ("Whom to call?", ("Contact", "Case")),
)
"""The first page: each question, and the figures of the summary that answer it. A test holds that none is left out."""
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


def write_pdf(figures: Figures, country: str, texts: Mapping[str, str], path: Path) -> None:
    """One PDF; the same figures give the same bytes."""
    safe = {name: drawable(text) for name, text in texts.items()}
    title = "Accounts whose country is not known" if country == UNRESOLVED else f"Referral to {country}"
    data = {"country": country, "title": title, **safe, "balance": _balance(figures), **_content(figures)}
    data["escaped"] = any(drawable(f["value"]) != f["value"] for f in figures)
    compile_pdf(TEMPLATE, data, path)


def compile_pdf(template: Path, data: Mapping[str, Any], path: Path) -> None:
    """A PDF/A-2a of a template and its data; no clock and no font of the machine reaches it."""
    document = typst.compile(
        str(template), format="pdf", ignore_system_fonts=True, pdf_standards=["a-2a"], timestamp=int(FIXED.timestamp()),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
    )  # fmt: skip
    path.write_bytes(document)


def _content(figures: Figures) -> dict[str, Any]:
    found = sections(figures)
    parts = []
    for name, title, note, columns in PARTS:
        rows = [row for _, row in grid(found.get(name, []))[1]]
        part: dict[str, Any] = {"title": title, "note": note, "columns": columns, "rows": [], "cards": []}
        if columns:
            part["rows"] = [_table_row(row, columns) for row in rows[:ROWS]]
        else:
            part["cards"] = [[_cell(f) for f in row.values()] for row in rows[:CARDS]]
        if rows:
            parts.append({**part, "more": max(0, len(rows) - (ROWS if columns else CARDS))})
    return {"questions": _questions(found.get("summary", [])), "parts": parts}


def _questions(summary: Figures) -> list[dict[str, Any]]:
    """The first page is one page: what is long is cut there, and said to be."""
    asked = [
        {"ask": ask, "answers": [_cell(f, FIRST_PAGE_LIMIT) for f in summary if f["label"] in labels]}
        for ask, labels in QUESTIONS
    ]
    return [question for question in asked if question["answers"]]


def _table_row(row: Mapping[str, Mapping[str, Any]], columns: tuple[str, ...]) -> list[str]:
    """The id of the row's first figure, which rests on the same rows as the others, and then the columns' values."""
    cells = {label: _cell(figure) for label, figure in row.items()}
    return [next(iter(cells.values()))["figure"], *(cells[c]["value"] if c in cells else "" for c in columns)]


def _cell(figure: Mapping[str, Any], limit: int = VALUE_LIMIT) -> dict[str, str]:
    text = drawable(printable_path(figure["value"].encode("utf-8", "surrogateescape")))
    short = text if len(text) <= limit else text[:limit] + f" ... ({len(text)} characters, whole in the CSV)"
    return {"label": figure["label"], "value": _breakable(short), "figure": figure["figure"]}


def drawable(text: str) -> str:
    """Letters that the fonts lack (Korean, Chinese, emoji, combining marks) as escapes; the sheets hold the letters."""
    return "".join(c if _drawn(c) else f"\\u{ord(c):04x}" for c in text)


def _drawn(character: str) -> bool:
    number = ord(character)
    covered = any(first <= number <= last for first, last in COVERED)
    return covered and character.isprintable() and not unicodedata.combining(character)


def _breakable(text: str) -> str:
    """Long words may break every 24 characters, at a space of no width."""
    words = (w if len(w) < 40 else "\u200b".join(w[i : i + 24] for i in range(0, len(w), 24)) for w in text.split(" "))
    return " ".join(words)


def _balance(figures: Figures) -> str:
    """What set something aside, in one sentence; every stage stands in the table of balances."""
    rows = [{label: f["value"] for label, f in row.items()} for _, row in grid(sections(figures).get("balance", []))[1]]
    aside = [
        f"{r['stage']}: of {r['received']} {r['noun']}, {r['done']} done, {r['nothing']} with nothing to find, "
        f"{r['set_aside']} set aside"
        for r in rows if r["set_aside"] != "0"
    ]  # fmt: skip
    return "; ".join([*aside, f"the other {len(rows) - len(aside)} counts set nothing aside (balance.csv)"])

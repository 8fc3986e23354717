"""Figures as tables: XLSX for people, CSV for programs. Every cell is text, so that no user name becomes a formula."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

from casewright.refer.words import Words
from casewright.refer.writers.grid import Figures, Section, first

FIXED = datetime(2000, 1, 1, tzinfo=UTC)
"""The time that files say they were made: no clock may reach a package."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
DOUBTFUL = frozenset((*FORMULA, "'"))
CELL_LIMIT = 32_000
SHEET_ROWS = 1_048_000
"""Excel has 1,048,576; what a section has more goes on in a further sheet."""


def inert(text: str) -> str:
    """Text that no spreadsheet program takes for a formula: a quote is put before what begins like one.

    Quotes that stand there already don't count, so the rule can be turned back: `'=` becomes `''=`.
    """
    if text[:1] not in DOUBTFUL:
        return text
    return "'" + text if text.lstrip("'").startswith(FORMULA) else text


def exact(cell: str) -> str:
    """What `inert` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _fitting(text: str) -> str:
    """A cell holds 32,767 characters; what is longer is cut, and says so."""
    return text if len(text) <= CELL_LIMIT else f"{text[:CELL_LIMIT]} ... ({len(text)} characters, whole in the CSV)"


def write_xlsx(figures: Figures, path: Path, words: Words) -> None:
    """A sheet for each section, the id of the row's first figure in front. Strings only; the same bytes each time.

    Columns and our own sentences stand in the package's language; CSV files are in English in every one.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
               "constant_memory": True}  # fmt: skip
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": FIXED.replace(tzinfo=None), "title": "Referral"})
        bold = book.add_format({"bold": True, "text_wrap": True})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        for section in figures.sections.values():
            for start in range(0, len(section.rows), SHEET_ROWS):
                more = f" {start // SHEET_ROWS + 1}" if start else ""
                _sheet(book.add_worksheet(section.name + more), section, start, words, (bold, wrap))


def _sheet(sheet: Any, section: Section, start: int, words: Words, formats: tuple[Any, Any]) -> None:
    bold, wrap = formats
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, len(section.columns), 24, wrap)
    for x, column in enumerate(["figure", *section.columns]):
        sheet.write_string(0, x, words.label(column), bold)
    places = {column: x for x, column in enumerate(section.columns, start=1)}
    for y, row in enumerate(section.rows[start : start + SHEET_ROWS], start=1):
        sheet.write_string(y, 0, first(row).figure)
        for label, figure in sorted(row.items(), key=lambda pair: places[pair[0]]):
            sheet.write_string(y, places[label], _fitting(words.value(label, figure.value)))


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow([inert(column) for column in columns])
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return sink.getvalue()


def write_csvs(figures: Figures, folder: Path) -> None:
    """A file for each section, and `figures.csv` with every value, its id and what it rests on."""
    for name, section in figures.sections.items():
        cells = ([first(row).figure, *(row[c].value if c in row else "" for c in section.columns)]
                 for row in section.rows)  # fmt: skip
        write_text(folder / f"{name}.csv", csv_text(["figure", *section.columns], cells))
    every = ((*f[:5], f.handling, " ".join(f.sources)) for f in figures.listed)
    columns = ["figure", "section", "subject", "label", "value", "handling", "sources"]
    write_text(folder / "figures.csv", csv_text(columns, every))


def write_text(path: Path, text: str) -> None:
    """UTF-8; what is none stands escaped."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))

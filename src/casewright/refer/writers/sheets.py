"""Figures as tables: XLSX for people, CSV for programs. Every cell is text, so that no user name becomes a formula."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

FIXED = datetime(2000, 1, 1, tzinfo=UTC)
"""The time that files say they were made: no clock may reach a package."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
CELL_LIMIT = 32_000
Figures = Sequence[Mapping[str, Any]]


def sections(figures: Figures) -> dict[str, Figures]:
    """Figures by section, in order."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for figure in figures:
        found.setdefault(figure["section"], []).append(figure)
    return dict(found)


def grid(figures: Figures) -> tuple[list[str], list[tuple[str, dict[str, Mapping[str, Any]]]]]:
    """Columns in the order in which they first occur, and for each subject its figures by column.

    A subject that has a column twice gets a further row.
    """
    columns: dict[str, None] = {}
    rows: list[tuple[str, dict[str, Mapping[str, Any]]]] = []
    open_row: dict[str, dict[str, Mapping[str, Any]]] = {}
    for figure in figures:
        columns.setdefault(figure["label"])
        row = open_row.get(figure["subject"])
        if row is None or figure["label"] in row:
            row = open_row[figure["subject"]] = {}
            rows.append((figure["subject"], row))
        row[figure["label"]] = figure
    return list(columns), rows


def inert(text: str) -> str:
    """Text that no spreadsheet program takes for a formula: a quote is put before what begins like one.

    Quotes that stand there already don't count, so the rule can be turned back: `'=` becomes `''=`.
    """
    return "'" + text if text.lstrip("'").startswith(FORMULA) else text


def exact(cell: str) -> str:
    """What `inert` was given."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def _fitting(text: str) -> str:
    """A cell holds 32,767 characters; what is longer is cut, and says so."""
    return text if len(text) <= CELL_LIMIT else f"{text[:CELL_LIMIT]} ... ({len(text)} characters, whole in the CSV)"


def write_xlsx(figures: Figures, path: Path) -> None:
    """A sheet for each section, the id of the row's first figure in front. Strings only; the same bytes each time."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False, "in_memory": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": FIXED.replace(tzinfo=None), "title": "Referral"})
        bold, wrap = (
            book.add_format({"bold": True, "text_wrap": True}),
            book.add_format({"text_wrap": True, "valign": "top"}),
        )
        for name, mine in sections(figures).items():
            sheet = book.add_worksheet(name)
            columns, rows = grid(mine)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, 0, 26)
            sheet.set_column(1, len(columns), 24, wrap)
            for x, column in enumerate(["figure", *columns]):
                sheet.write_string(0, x, column, bold)
            for y, (_, row) in enumerate(rows, start=1):
                sheet.write_string(y, 0, next(iter(row.values()))["figure"])
                for x, column in enumerate(columns, start=1):
                    if column in row:
                        sheet.write_string(y, x, _fitting(row[column]["value"]))


def csv_text(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return sink.getvalue()


def write_csvs(figures: Figures, folder: Path) -> None:
    """A file for each section, and `figures.csv` with every value, its id and what it rests on."""
    for name, mine in sections(figures).items():
        columns, rows = grid(mine)
        cells = (
            [next(iter(row.values()))["figure"], *(row[c]["value"] if c in row else "" for c in columns)]
            for _, row in rows
        )
        write_text(folder / f"{name}.csv", csv_text(["figure", *columns], cells))
    every = ([f["figure"], f["section"], f["subject"], f["label"], f["value"], " ".join(f["sources"])] for f in figures)
    write_text(folder / "figures.csv", csv_text(["figure", "section", "subject", "label", "value", "sources"], every))


def write_text(path: Path, text: str) -> None:
    """UTF-8; what is none stands escaped."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))

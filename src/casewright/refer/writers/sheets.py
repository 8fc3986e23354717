"""Figures as tables: XLSX for people, CSV for programs. Every cell is text, so that no user name becomes a formula."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from casewright.refer.words import OURS, Words
from casewright.refer.writers.book import Sheet, write_book
from casewright.refer.writers.grid import Figures, Section

FIXED = datetime(2000, 1, 1, tzinfo=UTC)
"""The time that files say they were made: no clock may reach a package."""
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
DOUBTFUL = frozenset((*FORMULA, "'"))
CELL_LIMIT = 32_000
SHEET_ROWS = 1_048_000
"""Excel has 1,048,576; what a section has more goes on in a further sheet."""
FIRST_WIDTH, WIDTH = 26, 24


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
    sheets = [sheet for section in figures.sections.values() for sheet in _sheets(section, words)]
    write_book(path, "Referral", sheets)


def _sheets(section: Section, words: Words) -> Iterator[Sheet]:
    """The section's sheet; the rows that one cannot hold stand in further ones."""
    columns = [section.ids, *(_printed(label, section.column(label), words) for label in section.columns)]
    heads = [words.label(label) for label in ("figure", *section.columns)]
    widths = [FIRST_WIDTH] + [WIDTH] * len(section.columns)
    for start in range(0, len(section.rows), SHEET_ROWS):
        more = f" {start // SHEET_ROWS + 1}" if start else ""
        yield Sheet(section.name + more, heads, widths, [c[start : start + SHEET_ROWS] for c in columns])


def _printed(label: str, column: Sequence[str], words: Words) -> Sequence[str]:
    """A column in the package's language, as far as cells can hold it."""
    if label in OURS and words.values:
        column = _each(lambda value: words.value(label, value), column)
    return [_fitting(text) for text in column] if max(map(len, column), default=0) > CELL_LIMIT else column


def _each(made: Callable[[str], str], column: Sequence[str]) -> list[str]:
    """The function of every value; what repeats is worked out once."""
    known = {value: made(value) for value in set(column)}
    return [known[value] for value in column]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells under their columns."""
    return _csv_text(columns, list(zip(*rows, strict=True)) or [()] * len(columns))


def _csv_text(heads: Sequence[str], columns: Sequence[Sequence[str]]) -> str:
    """The same, column by column. Only a column in which a cell may be taken for a formula is gone through."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(map(inert, heads))
    safe = [cells if DOUBTFUL.isdisjoint([cell[:1] for cell in cells]) else map(inert, cells) for cells in columns]
    writer.writerows(zip(*safe, strict=True))
    return sink.getvalue()


def write_csvs(figures: Figures, folder: Path) -> None:
    """A file for each section, and `figures.csv` with every value, its id and what it rests on."""
    for name, section in figures.sections.items():
        cells = [section.ids, *map(section.column, section.columns)]
        write_text(folder / f"{name}.csv", _csv_text(["figure", *section.columns], cells))
    every = [*figures.columns("figure", "section", "subject", "label", "value", "handling"),
             [" ".join(sources) for (sources,) in zip(*figures.columns("sources"), strict=True)]]  # fmt: skip
    columns = ["figure", "section", "subject", "label", "value", "handling", "sources"]
    write_text(folder / "figures.csv", _csv_text(columns, every))


def write_text(path: Path, text: str) -> None:
    """UTF-8; what is none stands escaped."""
    path.write_bytes(text.encode("utf-8", "backslashreplace"))

"""Workbooks hold, cell by cell, what XlsxWriter would have written, and nothing that acts."""

import csv
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
import xlsxwriter

from casewright.refer import package
from casewright.refer.package import Order, write_packages
from casewright.refer.writers.book import BLOCK, Sheet, column_name, escaped, write_book
from casewright.refer.writers.sheets import exact
from tests.refer.test_hostile import HOSTILE
from tests.refer.world import KEY, SETTINGS, packages

PLAIN = ("one", "", " kept  spaces ", "1.50000000 BTC", "00123", "TRUE", "https://example.org/a?b=1&c=2", "가상인",
         "_x0041_x0042_", "_x", "a_x00", "two\nlines\tand a tab")  # fmt: skip
Cells = list[list[str | None]]


def rows_of(path: Path) -> dict[str, Cells]:
    """Every sheet's rows; openpyxl leaves `_xHHHH_` as they stand, for both writers alike."""
    book = openpyxl.load_workbook(path)
    return {s.title: [[c.value for c in row] for row in s.iter_rows()] for s in book.worksheets}


def by_xlsxwriter(path: Path, heads: Sequence[str], columns: Sequence[Sequence[str]]) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        sheet = book.add_worksheet("things")
        for x, column in enumerate(columns):
            sheet.write_string(0, x, heads[x])
            for y, text in enumerate(column, 1):
                if text:
                    sheet.write_string(y, x, text)


def test_every_cell_is_what_xlsxwriter_writes(tmp_path: Path) -> None:
    texts = [t for t in (*PLAIN, *HOSTILE.values()) if not set(t) & {"\ufffe"} and "_x0042" not in t]
    columns = [texts, texts[::-1], [t * 2 for t in texts]]
    write_book(tmp_path / "ours.xlsx", "Things", [Sheet("things", ["a", "b", "<c>"], [9, 9, 9], columns)])
    by_xlsxwriter(tmp_path / "theirs.xlsx", ["a", "b", "<c>"], columns)
    assert rows_of(tmp_path / "ours.xlsx") == rows_of(tmp_path / "theirs.xlsx")


def test_what_xml_cannot_hold_is_turned_back_by_the_published_escape() -> None:
    assert escaped("a\x00b\ufffe") == "a_x0000_b_xFFFE_"
    assert escaped("_x0041_x0042_") == "_x005F_x0041_x005F_x0042_"
    assert [column_name(x) for x in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_long_sheets_go_on_and_the_same_sheets_give_the_same_bytes(tmp_path: Path) -> None:
    column = [f"row {n}" if n % 3 else "" for n in range(2 * BLOCK + 6)]
    for name in ("a.xlsx", "b.xlsx"):
        write_book(
            tmp_path / name, "T", [Sheet("s", ["h", "n"], [9, 9], [column, column]), Sheet("e", ["h"], [9], [[]])]
        )
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx")["s"]
    assert [c.value or "" for c in sheet["A"]][1:] == column
    assert (sheet.freeze_panes, sheet.print_title_rows, sheet.column_dimensions["A"].width) == ("A2", "$1:$1", 9)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as book:
        assert all(ElementTree.fromstring(book.read(n)) is not None for n in book.namelist())


def test_sheets_and_csv_files_of_a_package_hold_the_same(tmp_path: Path) -> None:
    (bag,) = packages(tmp_path / "case", "NL")
    book = rows_of(bag / "data" / "referral.xlsx")
    for name, rows in book.items():
        with (bag / "data" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            assert [[exact(c) for c in row] for row in csv.reader(file)] == [
                [(c or "").replace("_x202E_", "\u202e") for c in row] for row in rows
            ], name


def test_more_packages_than_a_process_writes_are_all_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process ends after so many: a pool that renewed its processes itself stood still for good."""
    monkeypatch.setattr(package, "AT_ONCE", 1)
    case, orders = tmp_path / "case", [Order("NL"), Order("DE"), Order("ZZ")]
    alone = {bag.name: bag for bag in packages(case, "NL", "DE", "ZZ")}
    before = {name: (bag / "manifest-sha256.txt").read_bytes() for name, bag in alone.items()}
    done = write_packages(orders, case / "tables", [], SETTINGS, case / "packages", KEY, 2)
    assert [order.name for order, *_ in done] == ["NL", "DE", "ZZ"]
    after = {name: (bag / "manifest-sha256.txt").read_bytes() for name, bag in alone.items()}
    assert {n: _but_the_ledger(raw) for n, raw in after.items()} == {
        n: _but_the_ledger(raw) for n, raw in before.items()
    }


def _but_the_ledger(manifest: bytes) -> list[bytes]:
    return [line for line in manifest.splitlines() if not line.endswith(b"ledger.jsonl")]

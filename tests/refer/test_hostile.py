"""Hostile text in every text column behind the figures: each format shows it as text, and nothing of it acts."""

import csv
import json
import zipfile
from pathlib import Path

import openpyxl
import pikepdf
import pyarrow as pa
import pytest

from casewright.refer.check import contents_problems
from casewright.refer.stages import STAGES
from casewright.refer.writers.sheets import exact
from tests.refer.test_package import text_of
from tests.refer.world import KEY, packages

HOSTILE = {
    "formula": '=HYPERLINK("http://x","y")', "command": "@SUM(1+1)*cmd|' /C calc'!A0", "markup": "#{1+1} *b* <b>$x$ @r",
    "typst": '#read("/etc/passwd") #import "@preview/x:1.0.0"', "script": "<script>alert(1)</script>&#x3c;",
    "override": "\u202egnp.exe\u202c \u2066x", "arabic": "مرحبا 123 (abc)", "hebrew": "שלום 123 (abc)",
    "long": "n" * 10_000, "control": "a\x00b\x07\x1b[31m\x7f\ufffe", "lines": "a\r\n=1\tb\u2028c\x85d",
    "letters": "가상인 \U0001f3fa e\u0301 ﷽", "braces": '{"x": 1} ${y} {{z}} %s {0} {name}',
    "quotes": "'=1+1 \"\"\" ''' \\",
}  # fmt: skip
IDS = frozenset((
    "account", "payment", "person", "link", "from_id", "to_id", "item", "exhibit", "referral", "login", "upload", "id",
    "download", "request", "return_id", "judgement", "hop", "credit", "stage", "noun", "work_group", "tag",
))  # fmt: skip
"""Columns that hold ids of ours, by which tables are joined."""
WORDS = frozenset(("role", "direction", "verdict", "origin", "sha256", "sha1", "md5", "form"))
"""Columns in which a stage of ours writes one of a few words, or digests of ours."""
OURS = frozenset((("links", "kind"), ("worklist", "state"), ("referrals", "country"), ("referrals", "package")))


def spoiled(text: str, made: dict[str, pa.Table]) -> tuple[dict[str, pa.Table], int]:
    """The tables that the figures are made of, with the text in each column that may hold what others wrote."""
    figures, count, result = next(s for s in STAGES if s.name == "figures"), 0, dict(made)
    for name in (n for n in figures.reads if n in made):  # not lines of the ledger, which this world has none of
        table = made[name]
        for place, column in enumerate(table.schema):
            free = column.name not in IDS | WORDS and (name, column.name) not in OURS
            if free and column.type == pa.string() and table.num_rows:
                values = [_spoiled(text, value) for value in table.column(place).to_pylist()]
                table = table.set_column(place, column, pa.array(values, pa.string()))
                count += 1
        result[name] = table
    return result, count


def _spoiled(text: str, value: str | None) -> str | None:
    """The text, beside the words by which a stage of ours finds earlier cases."""
    kept = [word for word in ("strong:", "access") if value and word in value]
    return None if value is None else " ".join([*kept[:1], text, *kept[1:]]) if kept else text


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_text_in_every_column_is_only_text(name: str, tmp_path: Path) -> None:
    text, columns = HOSTILE[name], []

    def spoil(made: dict[str, pa.Table]) -> dict[str, pa.Table]:
        result, count = spoiled(text, made)
        columns.append(count)
        return result

    (bag,) = packages(tmp_path / "case", "NL", spoil=spoil)
    data = bag / "data"
    assert columns[0] > 60
    assert list(contents_problems(data)) == []
    _sheets(data, text)
    _document(data / "referral.pdf", text)
    for line in (data / "entities.ftm.json").read_text("utf-8").split("\n")[:-1]:
        json.loads(line)
    manifest = (bag / "manifest-sha256.txt").read_text("utf-8")
    assert sorted(line.partition("  ")[2] for line in manifest.splitlines()) == sorted(
        p.relative_to(bag).as_posix() for p in data.rglob("*")
    )
    assert KEY.public in (data / "recipient.txt").read_text("utf-8")


def _sheets(data: Path, text: str) -> None:
    with zipfile.ZipFile(data / "referral.xlsx") as book:
        assert all(b"<f>" not in book.read(name) and b"<hyperlink" not in book.read(name) for name in book.namelist())
    book = openpyxl.load_workbook(data / "referral.xlsx")
    assert all(c.data_type in "sn" for sheet in book.worksheets for row in sheet.iter_rows() for c in row)
    with (data / "figures.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(exact(row["value"]) == text for row in rows) > 30
    for path in data.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [c for c in cells if c.startswith(("=", "+", "-", "@", "\t", "\r"))], path


def _document(path: Path, text: str) -> None:
    """No steering, no control, no markup that ran; no action in the file. A right-to-left value stands isolated."""
    shown = text_of(path)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\x00\x07\x1b")
    assert "root:" not in shown
    if text.isascii() and text.isprintable() and len(text) < 40:
        assert text.replace(" ", "") in shown.replace(" ", "").replace("\r\n", "")
    with pikepdf.open(path) as pdf:
        assert not {"/OpenAction", "/AA", "/Names", "/AcroForm"} & pdf.Root.keys()
        assert all("/Annots" not in page and "/AA" not in page for page in pdf.pages)

"""Packages are what their formats ask, name nobody who was not judged, and render hostile text inert."""

import csv
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import bagit
import openpyxl
import pypdfium2
import pytest

from casewright.engine.query import Reader
from casewright.refer.writers.fonts import COVERED
from casewright.refer.writers.grid import Figure, Figures
from casewright.refer.writers.referral import Cover, write_referral
from casewright.refer.writers.sheets import inert

VALIDATE = Path(sys.executable).with_name("case_validate")


def text_of(path: Path) -> str:
    """All that a reader of this file can see or search."""
    if path.suffix == ".pdf":
        with pypdfium2.PdfDocument(path) as pdf:
            return "\n".join(page.get_textpage().get_text_range() for page in pdf)
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            return "\n".join(book.read(n).decode("utf-8", "replace") for n in book.namelist())
    return path.read_text("utf-8", "replace")


def test_every_package_is_a_valid_bag(demo: Path) -> None:
    for bag in sorted((demo / "packages").iterdir()):
        assert bagit.Bag(str(bag)).is_valid()


def test_the_first_page_is_one_page_and_tells_what_sets_its_accounts_apart(demo: Path) -> None:
    begun = []
    for bag in sorted((demo / "packages").iterdir()):
        with pypdfium2.PdfDocument(bag / "data" / "referral.pdf") as pdf:
            first = " ".join(pdf[0].get_textpage().get_text_range().split())
        assert "Whom to call?" in first, bag.name
        assert "Balance of the whole case" in first, bag.name
        assert first.index("1. Is anyone at risk") < first.index("2. Which accounts"), bag.name
        begun.append(first[first.index("Subject:") : first.index("3. Who is it")])
    assert len(set(begun)) == len(begun) == 8


def test_case_validate_accepts_the_graph(demo: Path) -> None:
    graph = demo / "packages" / "NL" / "data" / "case.jsonld"
    command = [str(VALIDATE), str(graph)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Conforms: True" in done.stdout, done.stdout + done.stderr


def test_the_graph_leads_from_payments_persons_and_media_to_accounts(demo: Path) -> None:
    graph = json.loads((demo / "packages" / "NL" / "data" / "case.jsonld").read_text("utf-8"))["@graph"]
    nodes = {node["@id"]: node for node in graph}
    assert len(nodes) == len(graph)
    seen = set()
    for node in graph:
        for edge, section in (("casewright:ofAccount", "accounts"), ("casewright:ofPayment", "payments")):
            if edge in node:
                seen.add(node["@id"].rpartition("/")[2].split(":")[1].split("-")[0])
                assert nodes[node[edge]["@id"]]["@id"].startswith(f"kb:{section}-")
    assert seen == {"payments", "persons", "media", "services"}
    assert all("core:name" in node for node in graph if node["@type"] == "identity:Person")


@pytest.mark.slow
def test_case_validate_refuses_a_graph_with_a_broken_hash(demo: Path, tmp_path: Path) -> None:
    """So that the test above can fail."""
    text = (demo / "packages" / "NL" / "data" / "case.jsonld").read_text("utf-8")
    document = json.loads(text)
    facet = next(f for n in document["@graph"] for f in n.get("core:hasFacet", []) if "observable:hash" in f)
    del facet["observable:hash"][0]["types:hashValue"]
    (tmp_path / "broken.jsonld").write_text(json.dumps(document))
    command = [str(VALIDATE), str(tmp_path / "broken.jsonld")]
    assert "Conforms: False" in subprocess.run(command, capture_output=True, text=True, check=False).stdout


def test_nobody_is_named_without_a_positive_judgement_that_stands(demo: Path) -> None:
    unnamed = "SELECT email FROM persons EXCEPT SELECT p.email FROM persons p JOIN referrals r USING (person)"
    with Reader(demo / "tables") as reader:
        rows = reader.rows("SELECT r.country, p.full_name FROM referrals r JOIN persons p USING (person)")
        named = {(r["country"], r["full_name"]) for r in rows}
        everybody = {r["full_name"] for r in reader.rows("SELECT full_name FROM persons")}
        mails = {r["email"] for r in reader.rows(unnamed) if r["email"]}
    assert len(named) > 10
    assert len(everybody - {n for _, n in named}) > 5
    for bag in sorted((demo / "packages").iterdir()):
        everything = "\n".join(text_of(p) for p in sorted(bag.rglob("*")) if p.is_file())
        for name in everybody:
            if (bag.name, name) not in named:
                assert name not in everything, (bag.name, name)
        for mail in mails:
            assert mail not in everything, (bag.name, mail)


def test_no_media_leave(demo: Path) -> None:
    for path in (demo / "packages").rglob("*"):
        if path.is_file() and path.suffix not in (".pdf", ".xlsx"):
            path.read_text("utf-8")
    with zipfile.ZipFile(demo / "packages" / "NL" / "data" / "referral.xlsx") as book:
        assert not [n for n in book.namelist() if "media" in n.lower().split("/")[:-1]]


def test_sheets_hold_no_formula(demo: Path) -> None:
    for bag in sorted((demo / "packages").iterdir()):
        book = openpyxl.load_workbook(bag / "data" / "referral.xlsx")
        assert all(c.data_type != "f" for s in book.worksheets for row in s.iter_rows() for c in row)
        for path in (bag / "data").glob("*.csv"):
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.reader(file):
                    assert not [c for c in row if c.startswith(("=", "+", "-", "@"))], (path, row)
    assert inert("=1+1") == "'=1+1"


def test_the_first_page_answers_in_the_order_in_which_an_officer_asks(demo: Path) -> None:
    with pypdfium2.PdfDocument(demo / "packages" / "NL" / "data" / "referral.pdf") as pdf:
        page = pdf[0].get_textpage().get_text_range()
    asked = ["Access and risk now", "Best identity", "Why this country", "Payments", "Handling code",
             "Permitted use", "Legal process", "Deconfliction", "Action asked", "Reply within", "Contact",
             "Balance of the whole case"]  # fmt: skip
    places = [page.find(words) for words in asked]
    assert -1 not in places, dict(zip(asked, places, strict=True))
    assert places == sorted(places)
    assert "not a verdict" in page


def test_hashes_go_along_as_vics_metadata(demo: Path) -> None:
    document = json.loads((demo / "packages" / "NL" / "data" / "hashes.vics.json").read_text())
    media = document["value"][0]["Media"]
    assert len(media) == document["value"][0]["TotalMediaFiles"] > 0
    assert all(m["Category"] is None and len(m["MD5"]) == 32 for m in media)


def figure(value: str, label: str = "username") -> Figure:
    return Figure("fig-1", "accounts", "s", label, value)


@pytest.mark.parametrize(
    "value",
    ["#{1+1} *bold* _x_ $x^2$", '=HYPERLINK("http://x")', "\u202egnp.exe", "x" * 10_000, "가상인 \U0001f3fa e\u0301",
     "\x00\x07\x1b[31m", "<script>alert(1)</script>", "\\u{41} #read(\"/etc/passwd\")", "[x](y) @ref <label>"],
)  # fmt: skip
def test_hostile_text_is_only_text_in_the_pdf(value: str, tmp_path: Path) -> None:
    cover = Cover("NL", value[:50], value[:50])
    write_referral(Figures([figure(value)]), cover, tmp_path / "a.pdf")
    write_referral(Figures([figure(value)]), cover, tmp_path / "b.pdf")
    assert (tmp_path / "a.pdf").read_bytes() == (tmp_path / "b.pdf").read_bytes()
    shown = text_of(tmp_path / "a.pdf")
    assert "root:" not in shown
    assert "\u202e" not in shown
    if value.isascii() and value.isprintable() and len(value) < 40:
        assert value.replace(" ", "") in shown.replace(" ", "").replace("\r\n", "")


def test_every_letter_that_is_said_to_be_drawable_can_be_drawn(tmp_path: Path) -> None:
    """PDF/A refuses a document with a letter that its fonts lack, so writing it is the test."""
    for first, last in COVERED:
        letters = " ".join(chr(n) for n in range(first, last + 1) if chr(n).isprintable())
        figures = Figures([figure(letters[i : i + 380]) for i in range(0, len(letters), 380)])
        write_referral(figures, Cover("NL", "", ""), tmp_path / "a.pdf")

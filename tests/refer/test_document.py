"""The document as a file for archives: PDF/A-2a as far as its structure shows, and the letters that it draws.

No validator is to be had as a package; typst refuses to write what breaks the standard, and this looks at the file.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from casewright.model.errors import Missing, UsageError
from casewright.refer.words import languages
from casewright.refer.writers.fonts import SCRIPTS, Letters, check_scripts
from casewright.refer.writers.grid import Figure, Figures
from casewright.refer.writers.referral import CARDS, INDEX, ROWS, Cover, isolated, write_referral
from tests.refer.test_package import text_of
from tests.refer.world import packages

FONTS = Path("/usr/share/fonts")


def have(script: str) -> bool:
    return all(any(FONTS.rglob(file)) for file in SCRIPTS[script].files)


@pytest.fixture(scope="module", params=languages())
def document(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    if request.param == "ko" and not have("hangul"):
        pytest.skip("the font of fonts-nanum is not here")
    folder = tmp_path_factory.mktemp(request.param)
    (bag,) = packages(folder / "case", "NL", language=request.param)
    return request.param, bag / "data" / "referral.pdf"


def test_the_document_says_that_it_is_pdf_a_2a_and_has_what_that_asks(document: tuple[str, Path]) -> None:
    language, path = document
    with pikepdf.open(path) as pdf, pdf.open_metadata() as about:
        assert (about["pdfaid:part"], about["pdfaid:conformance"]) == ("2", "A")
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang).split("-")[0] == language
        assert pdf.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert not pdf.is_encrypted
        assert "/EmbeddedFiles" not in pdf.Root.get("/Names", {})
        fonts = list(_fonts(pdf))
        assert fonts
        assert all(any(f"/FontFile{n}" in font for n in ("", "2", "3")) for font in fonts)


def test_what_a_reader_hears_is_in_order(document: tuple[str, Path]) -> None:
    """Headings, tables with heads, and paragraphs are tagged; no picture is without words, since there is none."""
    _, path = document
    with pikepdf.open(path) as pdf:
        kinds = [str(node.S) for node in _tags(pdf.Root.StructTreeRoot)]
    assert kinds.count("/H1") == 1
    assert kinds.count("/H2") >= 4
    assert {"/Table", "/TH", "/TD", "/P"} <= set(kinds)
    assert "/Figure" not in kinds


def _fonts(pdf: pikepdf.Pdf) -> Iterator[Any]:
    for thing in pdf.objects:
        if isinstance(thing, pikepdf.Dictionary) and thing.get("/Type") == "/FontDescriptor":
            yield thing


def _tags(node: Any) -> Iterator[Any]:
    kids = node.get("/K", [])
    for kid in kids if isinstance(kids, pikepdf.Array) else [kids]:
        if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
            yield kid
            yield from _tags(kid)


def test_a_script_without_its_font_is_refused_in_words(tmp_path: Path) -> None:
    cover = Cover("KR", "", "", letters=Letters(("hangul",), (str(tmp_path),)))
    with pytest.raises(Missing, match="apt-get install fonts-nanum"):
        write_referral(Figures([]), cover, tmp_path / "a.pdf")
    with pytest.raises(UsageError, match="no script 'runes'"):
        check_scripts(["runes"])


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_every_letter_of_a_script_can_be_drawn(script: str, tmp_path: Path) -> None:
    if not have(script):
        pytest.skip(f"the font of {SCRIPTS[script].package} is not here")
    letters = "".join(chr(n) for first, last in SCRIPTS[script].covered for n in range(first, last + 1))
    rows = [
        Figure(f"f{i}", "accounts", "s", f"l{i}", " ".join(letters[i : i + 190])) for i in range(0, len(letters), 190)
    ]
    write_referral(Figures(rows), Cover("NL", "", "", letters=Letters((script,))), tmp_path / "a.pdf")
    assert "\\u" not in text_of(tmp_path / "a.pdf").replace("\\uXXXX", "")


def test_a_value_that_reads_from_right_to_left_is_isolated() -> None:
    assert isolated("שלום") == "\u2068שלום\u2069"
    assert isolated("plain") == "plain"


def test_what_a_large_country_has_more_is_said(tmp_path: Path) -> None:
    """Subjects in order of priority: some in full, more in a line each, and what only the sheets hold in numbers."""
    subjects = CARDS + INDEX + 7
    rows = [
        Figure(f"a{n}", "accounts", f"s{n}", label, str(n))
        for n in range(subjects)
        for label in ("priority", "username")
    ]
    rows += [Figure(f"p{n}", "payments", f"p{n}", "amount", str(n)) for n in range(ROWS + 3)]
    write_referral(Figures(rows), Cover("NL", "", ""), tmp_path / "a.pdf")
    text = text_of(tmp_path / "a.pdf").replace("\r\n", " ")
    assert f"Of {subjects} rows, {CARDS} are shown in full and {INDEX} subjects in a line each" in text
    assert f"Of {ROWS + 3} rows, the first {ROWS} are shown" in text
    assert f"a{CARDS + INDEX - 1}" in text
    assert f"a{CARDS + INDEX}" not in text

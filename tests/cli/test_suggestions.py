"""`link --suggestions`: pairs side by side on a page that is inert, and judgements that can be taken back."""

import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from casewright.cli.side_by_side import About, Pair, page
from casewright.cli.verbs.link import PENDING
from casewright.engine.query import Reader
from casewright.engine.why import Explainer
from tests.command import in_process
from tests.link.crowds import suggested
from tests.link.test_resolution import ANNA, BEFORE
from tests.world import rows_of

NASTY = "<script>alert(1)</script>\u202e\x00\"&' onload=x"
RETURNS = """reference,service,txid,customer,full_name,born,email,phone,country
CW-1,Kestrel,aa,C-1,Anna Sokolova,1980-04-13,anna.s@example.org,+31555123456,NL
"""
PRIOR = """case,full_name,born,email,phone,country,note
2014-1,СОКОЛОВА Анна,13.04.1980,,0031 555 123456,NL,has access to an archive
"""


def page_of(left: dict[str, Any], right: dict[str, Any], judged: dict[str, Any] | None = None) -> str:
    tables = suggested([left, right], at=0.0)
    (row,) = rows_of(tables["suggestions"])
    pair = Pair(row, rows_of(tables["suggestion_reasons"]), {"note": NASTY, **left}, {"note": NASTY, **right}, judged)
    return page([pair], About(NASTY, "the case", 0.95, 3, "0")).decode()


def test_whatever_the_records_say_the_page_only_shows_it() -> None:
    said = dict.fromkeys(("full_name", "email", "phone", "country", "reference"), NASTY)
    text = page_of({**ANNA, **said}, {**BEFORE, **said})
    root = ET.fromstring(re.sub(r"<!DOCTYPE html>|<meta [^>]*>", "", text))
    known = {"html", "head", "body", "title", "style", "h1", "h2", "p", "div", "section", "table", "tbody", "tr", "th",
             "td", "svg", "line", "rect", "code"}  # fmt: skip
    assert {element.tag for element in root.iter()} <= known
    assert "default-src 'none'" in text
    assert not {"\u202e", "\x00"} & set(text)


def test_a_card_shows_both_records_what_each_comparison_adds_and_how_to_judge() -> None:
    text = page_of(ANNA, {**BEFORE, "full_name": "Ksenia Sokolova"})
    for words in ("Anna Sokolova", "Ksenia Sokolova", "2014-1", "twins are born so", "=positive --why TEXT",
                  "casewright link 'the case' --judge link", "3 further pairs are not on this page"):  # fmt: skip
        assert words in text, words
    assert text.count("<rect") == 7, "the start, five comparisons, and what they come to"


def test_a_card_that_was_judged_says_by_whom_and_how_to_take_it_back() -> None:
    text = page_of(ANNA, BEFORE, {"verdict": "positive", "examiner": "R. Example", "why": "one passport"})
    assert "Judged positive by R. Example: one passport" in text
    assert "=withdrawn --why TEXT" in text
    assert "=positive" not in text


def pending(case: Path) -> dict[str, Any]:
    with Reader(case / "tables") as reader:
        (row,) = reader.rows(PENDING)
    return row


def test_from_two_files_to_a_judgement_and_back(tmp_path: Path) -> None:
    """A customer and an earlier subject of the same name in another script; nothing is asked of the chain."""
    case, target = tmp_path / "case", tmp_path / "pairs.html"
    (tmp_path / "returns.csv").write_text(RETURNS, "utf-8")
    (tmp_path / "prior.csv").write_text(PRIOR, "utf-8")
    assert in_process("new", str(case), "--title", "T", "--agency", "A", "--examiner", "E") == 0
    files = ("--returns", str(tmp_path / "returns.csv"), "--prior", str(tmp_path / "prior.csv"))
    assert in_process("link", str(case), *files, "--suggestions", str(target)) == 0
    row = pending(case)
    assert (row["kind"], row["verdict"], row["probability"] > 0.99) == ("person-prior", "not judged", True)
    assert f"{row['link']}=positive" in target.read_text("utf-8")
    with Reader(case / "tables") as reader:
        exhibits = {place["exhibit"] for place in Explainer(case / "tables", reader).loci(row["link"])}
    assert len(exhibits) == 2, "the walk ends in both files"
    why = ("--why", "one passport")
    assert in_process("link", str(case), "--judge", f"{row['link']}=positive", *why) == 0
    assert pending(case)["verdict"] == "positive"
    assert in_process("link", str(case), "--judge", f"{row['link']}=withdrawn", *why) == 0
    assert pending(case)["verdict"] == "not judged"
    assert in_process("link", str(case), "--suggestions", str(target)) == 2, "the page is there already"
    assert '"form":"suggestions"' in (case / "ledger.jsonl").read_text("utf-8").replace(" ", "")

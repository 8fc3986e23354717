"""Every value of every package leads back to bytes of a sealed exhibit."""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from casewright.engine.query import Reader
from casewright.engine.why import Explainer
from casewright.model.errors import Missing
from casewright.vault.store import Store
from tests.command import casewright

CHECKER = Path(__file__).parents[2] / "tools" / "check_proof.py"


@pytest.fixture(scope="module")
def figures(demo: Path) -> dict[str, dict[str, Any]]:
    with Reader(demo / "tables") as reader:
        return {row["figure"]: row for row in reader.rows("SELECT * FROM figures")}


def test_every_figure_reaches_exhibit_path_and_span_or_row(demo: Path, figures: dict[str, dict[str, Any]]) -> None:
    with Reader(demo / "tables") as reader:
        explainer = Explainer(demo / "tables", reader)
        exhibits = {row["exhibit"]: row for row in reader.rows("SELECT * FROM exhibits")}
        explainer.gather(figures)
        lost = [f for f in figures.values() if not _well_founded(explainer, f["figure"], exhibits)]
    assert len(figures) > 5_000
    assert not lost, lost[:5]


def _well_founded(explainer: Explainer, figure: str, exhibits: dict[str, Any]) -> bool:
    loci = explainer.loci(figure)
    for locus in loci:
        assert locus["exhibit"] in exhibits, (figure, locus)
        assert locus.get("span_length") is not None or locus.get("row") is not None, (figure, locus)
    unexplained = [s for _, f in explainer.walk(figure) for s in f.rests_on if not explainer.find(s)]
    assert not unexplained, (figure, unexplained)
    return bool(loci)


def test_every_cell_of_the_sheets_is_a_figure(demo: Path, figures: dict[str, dict[str, Any]]) -> None:
    values: dict[tuple[str, str], set[str]] = {}
    for f in figures.values():
        values.setdefault((f["country"], f["section"]), set()).add(f["value"])
    seen = 0
    for bag in sorted((demo / "packages").iterdir()):
        book = openpyxl.load_workbook(bag / "data" / "referral.xlsx")
        for sheet in book.worksheets:
            known = values[bag.name, sheet.title]
            for row in sheet.iter_rows(min_row=2):
                assert row[0].value in figures
                for cell in row[1:]:
                    assert cell.data_type in ("s", "n"), (cell.value, "formulas are never written")
                    if cell.value is not None:
                        seen += 1
                        assert cell.value in known, (bag.name, sheet.title, cell.value)
    assert seen > 3_000


def test_every_value_of_the_csv_files_and_of_the_case_graph_is_a_figure(
    demo: Path, figures: dict[str, dict[str, Any]]
) -> None:
    for bag in sorted((demo / "packages").iterdir()):
        mine = {f["value"] for f in figures.values() if f["country"] == bag.name}
        with (bag / "data" / "figures.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert {r["figure"] for r in rows} == {f["figure"] for f in figures.values() if f["country"] == bag.name}
        graph = json.loads((bag / "data" / "case.jsonld").read_text("utf-8"))
        for literal in _literals(graph["@graph"]):
            same = {literal, literal.lower()}
            assert same & (mine | set(figures)), (bag.name, literal)


def _literals(node: Any) -> list[str]:
    """Every value in the graph that is neither an id, a class, nor the fixed name of a hash method."""
    if isinstance(node, dict):
        return [
            v for k, inner in node.items() if k not in ("@id", "@type", "types:hashMethod") for v in _literals(inner)
        ]
    if isinstance(node, list):
        return [v for inner in node for v in _literals(inner)]
    return [str(node)]


def test_why_says_where_the_bytes_stand_and_which_ledger_line_decided(
    demo: Path, figures: dict[str, dict[str, Any]]
) -> None:
    named = next(f for f in figures.values() if f["label"] == "judgement")
    done = casewright("why", str(demo), named["figure"], "--json")
    steps = json.loads(done.stdout)["steps"]
    tables = {s["table"] for s in steps}
    assert {"figures", "judgements", "links", "payments", "outputs", "transactions", "returns", "exhibits"} <= tables
    (judged,) = [s for s in steps if s["table"] == "judgements"]
    line = (demo / "ledger.jsonl").read_text().splitlines()[judged["ledger"]["line"] - 1]
    assert judged["row"]["why"] in line


def test_the_bytes_at_a_locus_are_the_value(demo: Path) -> None:
    """A locus is no decoration: the row of the dump holds the user name, the line of the log the address."""
    store = Store(demo / "store")
    with Reader(demo / "tables") as reader:
        for row in reader.rows(
            "SELECT a.*, i.sha256 FROM accounts a JOIN items i USING (item) WHERE a.native IN ('5', '25')"
        ):
            with store.open(row["sha256"]) as file:
                file.seek(row["span_start"])
                raw = file.read(row["span_length"])
            assert (raw[:1], raw[-1:]) == (b"(", b")")
            assert row["username"].encode() in raw
        rows = reader.rows("SELECT l.*, i.sha256 FROM logins l JOIN items i USING (item) WHERE l.kind = 'log' LIMIT 20")
        for row in rows:
            with store.open(row["sha256"]) as file:
                file.seek(row["span_start"])
                assert row["ip"].encode() in file.read(row["span_length"])


def test_an_id_that_nobody_knows_is_an_error_with_advice(demo: Path) -> None:
    with Reader(demo / "tables") as reader, pytest.raises(Missing, match="nothing in this case has the id"):
        list(Explainer(demo / "tables", reader).walk("fig-nope"))
    assert casewright("why", str(demo), "fig-nope").returncode == 4


def test_an_id_may_have_spaces(demo: Path) -> None:
    """What is counted and what is measured is named in words."""
    told = casewright("why", str(demo), "measured/co-spend/pairs of own addresses joined", "--json")
    assert json.loads(told.stdout)["steps"][0]["table"] == "heuristics_measured"


def test_two_addresses_of_a_cluster_are_joined_by_transactions_that_a_stranger_can_check(
    demo: Path, tmp_path: Path
) -> None:
    largest = "SELECT cluster FROM clusters GROUP BY cluster ORDER BY count(*) DESC, cluster LIMIT 1"
    sql = f"SELECT list(address ORDER BY depth) AS some FROM clusters WHERE cluster = ({largest})"
    with Reader(demo / "tables") as reader:
        one, *_, other = reader.rows(sql)[0]["some"]
    said = casewright("why", str(demo), one, other)
    assert "were spent together in" in said.stdout
    proof = tmp_path / "proof.json"
    proof.write_text(casewright("why", str(demo), f"{one} {other}", "--json").stdout)
    blocks = [str(p) for p in sorted((demo / "seizure" / "bitcoin" / "blocks").glob("blk*.dat"))]
    checked = subprocess.run(
        [sys.executable, "-I", str(CHECKER), str(proof), *blocks], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.endswith("every step holds\n")
    assert casewright("why", str(demo), one, other, one).returncode == 2

"""The matrix of faults names a test in each cell, and each test that it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEST = re.compile(r"\btest_\w+")


def test_each_cell_of_the_matrix_of_faults_names_tests_that_exist() -> None:
    text = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    there = {
        name for path in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", path.read_text())
    }
    cells = [cell for line in text.splitlines() if line.startswith("| ") for cell in line.strip("|").split("|")[1:]]
    named = [TEST.findall(cell) for cell in cells[4:]]
    assert len(named) == 9 * 4
    assert all(named)
    assert {name for names in named for name in names} <= there

"""A checker that has nothing of Casewright in it finds what Casewright finds."""

import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_tampering import broken, flip

CHECKER = Path(__file__).parents[2] / "tools" / "verify_seals.py"


def check(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(CHECKER), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def key_of(case: Path) -> str:
    line = next(line for line in (case / "case.toml").read_text().splitlines() if line.startswith("public_key"))
    return line.split('"')[1]


def test_the_checker_is_short_and_knows_nothing_of_casewright() -> None:
    text = CHECKER.read_text()
    assert len(text.splitlines()) <= 300
    assert "import casewright" not in text
    assert "from casewright" not in text


def test_an_untouched_case_and_its_packages_hold(demo: Path) -> None:
    code, said = check(demo)
    assert (code, said.splitlines()[-1]) == (0, "all of it holds")
    code, said = check(demo / "packages" / "NL", "--key", key_of(demo))
    assert (code, said.splitlines()[-1]) == (0, "all of it holds")
    assert check(demo / "packages" / "NL")[1].startswith("NOTE")


def test_a_package_is_not_held_against_the_key_of_somebody_else(demo: Path, home: Path) -> None:
    other = key_of(demo)
    other = other[:20] + ("A" if other[20] != "A" else "B") + other[21:]
    code, said = check(demo / "packages" / "NL", "--key", other)
    assert code == 5
    assert "signature: does not hold" in said


def test_what_one_checker_names_the_other_names_too(copy: Path) -> None:
    dice = random.Random(5)
    everything = [p for p in sorted(copy.rglob("*")) if p.is_file() and p.stat().st_size and not _working(copy, p)]
    for path in dice.sample(everything, 12):
        at = path.stat().st_size - 1 - dice.randrange(min(100, path.stat().st_size))
        flip(path, at)
        code, said = check(copy)
        assert (code, bool(broken(copy))) == (5, True), (path, at, said)
        flip(path, at)
    assert check(copy)[0] == 0


def _working(case: Path, path: Path) -> bool:
    """What is no part of a case: what it was made from, stages' units, settings that any editor changes."""
    top = path.relative_to(case).parts
    hidden = top[0] == "tables" and top[1].startswith(".")
    return hidden or top[0] not in ("store", "tables", "packages", "ledger.jsonl", "ledger.head")


@pytest.mark.parametrize(
    ("what", "said"),
    [("cut ledger", "ledger.head: says"), ("older table", "tables/payments: is not what the ledger announced"),
     ("lost exhibit", "exhibit"), ("added file", "more.txt: is in no manifest"), ("lost store", "store: is gone")],
)  # fmt: skip
def test_what_was_done_to_a_case_is_named(copy: Path, what: str, said: str) -> None:
    if what == "cut ledger":
        lines = (copy / "ledger.jsonl").read_bytes().splitlines(keepends=True)
        (copy / "ledger.jsonl").write_bytes(b"".join(lines[:-1]))
    elif what == "older table":
        shutil.rmtree(copy / "tables" / "payments")
        shutil.copytree(copy / "tables" / "uploads", copy / "tables" / "payments")
    elif what == "lost exhibit":
        largest = max((p for p in (copy / "store").glob("??/*")), key=lambda p: p.stat().st_size)
        largest.unlink()
    elif what == "added file":
        (copy / "packages" / "NL" / "data" / "more.txt").write_text("x")
    else:
        shutil.rmtree(copy / "store")
    code, told = check(copy)
    assert code == 5
    assert said in told

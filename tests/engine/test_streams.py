"""A streaming stage loses no work when killed, passes over what kills it, and keeps what others add nothing to."""

import hashlib
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casewright.engine import parent
from casewright.engine.runner import Runner
from casewright.engine.tables import TableFolder
from casewright.engine.units import Engine, Inline, Processes
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.settings import LimitSettings
from casewright.vault.case import Case, SourceFile
from tests.engine.streams import LINES, break_at_once
from tests.world import rows_of

parent.PRELOAD.append("tests.engine.streams")
QUICK = replace(LimitSettings(), child_wall_seconds=3, child_cpu_seconds=3)


def seal(case: Case, folder: Path, name: str, *lines: bytes) -> None:
    path = folder / name
    path.write_bytes(b"\n".join(lines))
    with case.writing():
        case.seal_source([SourceFile(path, b"")], "seizure", name)


def run(case: Case, engine: Engine | None = None, limits: LimitSettings = QUICK) -> None:
    settings = replace(case.settings, limits=limits)
    with case.writing():
        tables = TableFolder(case.tables)
        Runner(tables, case.store, case.ledger, settings, (*SEALED, LINES), engine or Inline()).run(["lines"])


def table(case: Case, name: str = "selectors") -> list[dict[str, Any]]:
    return rows_of(TableFolder(case.tables).load(name))


def digests(case: Case) -> dict[str, bytes]:
    return {str(p.relative_to(case.tables)): p.read_bytes() for p in sorted(case.tables.glob("s*/*"))}


def killed(case: Case, enough: str) -> None:
    """A run that dies once its journal answers a query with 1."""
    command = [sys.executable, "-m", "tests.engine.streams", str(case.root), enough]
    assert subprocess.run(command, check=False, capture_output=True).returncode == -signal.SIGKILL


@pytest.mark.parametrize("engine", [Inline(), Processes(2)], ids=["inline", "processes"])
def test_every_line_is_kept_in_outputs_of_its_own(case: Case, tmp_path: Path, engine: Engine) -> None:
    seal(case, tmp_path, "words", *b"one two three four five six seven".split())
    run(case, engine)
    assert [row["value"] for row in table(case)] == ["one", "two", "three", "four", "five", "six", "seven"]
    assert len(TableFolder(case.tables).parts("selectors")) == 3
    for row in table(case):
        with case.store.open(row["item"]) as file:
            assert file.read().decode() == row["value"]


@pytest.mark.parametrize(("word", "detail"), [
    (b"segfault", "SIGSEGV"), (b"hang", "no result after 3 s"), (b"memory", "memory"), (b"raise", "did not expect"),
])  # fmt: skip
def test_what_kills_a_child_costs_one_step(case: Case, tmp_path: Path, word: bytes, detail: str) -> None:
    seal(case, tmp_path, "words", b"one", b"two", word, b"four", word, b"six")
    run(case)
    assert [row["value"] for row in table(case)] == ["one", "two", "four", "six"]
    aside = table(case, "set_aside")
    assert [row["row"] for row in aside] == [2, 4]
    assert all(detail in row["detail"] for row in aside)


def test_a_child_that_says_that_its_disk_failed_costs_its_exhibit_and_no_other(case: Case, tmp_path: Path) -> None:
    for number, words in enumerate([(b"one", b"disk", b"three"), (b"four", b"five")]):
        (tmp_path / str(number)).mkdir()
        seal(case, tmp_path / str(number), f"words {number}", *words)
    run(case)
    assert [row["value"] for row in table(case)] == ["four", "five"]
    (aside,) = table(case, "set_aside")
    assert aside["reason"] == "said that the disk failed"


def test_a_child_that_dies_before_its_first_step_costs_every_row_of_its_unit_and_no_row_is_lost(
    case: Case, tmp_path: Path
) -> None:
    for name in ("one", "two", "three"):
        seal(case, tmp_path, name, name.encode())
    several = replace(LINES, work=break_at_once, batch=8, beside={})
    with case.writing():
        Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, (*SEALED, several), Inline()).run(
            ["lines"]
        )
    assert len({row["subject"] for row in table(case, "set_aside")}) == 3
    assert [t["received"] for t in table(case, "tallies") if t["noun"] == "lines"] == [3]


def test_a_killed_run_goes_on_where_it_was_and_ends_with_the_same_bytes(case: Case, tmp_path: Path) -> None:
    lines = [b"slow %d" % i for i in range(60)]
    seal(case, tmp_path, "words", *lines)
    killed(case, "SELECT count(*) >= 5 FROM kept")
    (journal,) = (case.tables / ".units" / "lines").glob("*.steps/journal.sqlite")
    with sqlite3.connect(journal) as base:
        assert 5 <= base.execute("SELECT count(*) FROM kept").fetchone()[0] < 60
    run(case)
    resumed = digests(case)
    fresh = Case.create(tmp_path / "fresh", case.settings.case)
    seal(fresh, tmp_path, "words", *lines)
    run(fresh)
    assert resumed == digests(fresh)


def test_a_large_file_is_taken_up_in_its_middle(case: Case, tmp_path: Path) -> None:
    seal(case, tmp_path, "words", b"one", b"large %d" % (1 << 30), b"three")
    killed(case, "SELECT max(size) >= 64 << 20 FROM partial")
    (journal,) = (case.tables / ".units" / "lines").glob("*.steps/journal.sqlite")
    with sqlite3.connect(journal) as base:
        ((size,),) = base.execute("SELECT size FROM partial").fetchall()
    assert size >= 64 << 20
    run(case)
    zeros = hashlib.sha256()
    for _ in range(1 << 10):
        zeros.update(bytes(1 << 20))
    assert table(case)[1]["item"] == zeros.hexdigest()


def test_another_exhibit_does_not_make_the_first_one_be_read_again(case: Case, tmp_path: Path) -> None:
    seal(case, tmp_path, "first", b"one", b"two")
    run(case)
    (folder,) = (case.tables / ".units" / "lines").iterdir()
    before = {p.name: p.stat().st_ino for p in folder.iterdir()}
    seal(case, tmp_path, "second", b"three")
    run(case)
    assert sorted(row["value"] for row in table(case)) == ["one", "three", "two"]
    assert {p.name: p.stat().st_ino for p in folder.iterdir()} == before


def test_a_kept_unit_whose_bytes_were_changed_is_made_anew(case: Case, tmp_path: Path) -> None:
    seal(case, tmp_path, "first", b"one", b"two")
    run(case)
    (part,) = (case.tables / ".units" / "lines").glob("*/selectors-*.parquet")
    raw = part.read_bytes()
    part.unlink()
    part.write_bytes(raw[:-1] + b"?")
    seal(case, tmp_path, "second", b"three")
    run(case)
    assert sorted(row["value"] for row in table(case)) == ["one", "three", "two"]

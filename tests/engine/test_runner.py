"""The engine loses nothing, repeats nothing, and gives the same bytes however it is run."""

import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.engine import parent, tables, units
from casewright.engine.child import Job
from casewright.engine.parent import DISK_FAILED, Died, Take, run_in_child
from casewright.engine.runner import Runner
from casewright.engine.stage import Stage
from casewright.engine.tables import RUN_FILE, TableFolder, run_bytes, shared_run
from casewright.engine.units import Engine, Inline, Processes, UnbalancedStageError
from casewright.engine.verify import verify_case
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.errors import BrokenSeal, Missing
from casewright.model.settings import LimitSettings
from casewright.vault.case import Case, SourceFile
from casewright.vault.store import Store
from tests.engine.toys import BY_WORD, COUNT, LIES, LYING, WORDS, lose_words
from tests.world import digests_of

parent.PRELOAD.append("tests.engine.toys")


def fill(case: Case, tmp_path: Path, *words: bytes) -> None:
    files = []
    for i, word in enumerate(words):
        path = tmp_path / f"{i}.txt"
        path.write_bytes(word)
        files.append(SourceFile(path, path.name.encode()))
    with case.writing():
        case.seal_source(files, "seizure", "words")


def runner(
    case: Case, engine: Engine, stages: Sequence[Stage] = (WORDS, COUNT), limits: LimitSettings | None = None
) -> Runner:
    settings = replace(case.settings, limits=limits or LimitSettings())
    return Runner(TableFolder(case.tables), case.store, case.ledger, settings, (*SEALED, *stages), engine)


def tree(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def rows(case: Case, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = TableFolder(case.tables).load(name).to_pylist()
    return found


def lies_in(column: pa.ChunkedArray) -> str:
    """What the system says of the memory in which the column's bytes stand."""
    address = column.chunk(0).buffers()[-1].address
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(number, 16) for number in line.split()[0].split("-"))
        if start <= address < end:
            return "file without a name" if line.endswith("(deleted)") else "memory"
    raise LookupError(address)


def run_all(case: Case, engine: Engine, limits: LimitSettings | None = None) -> None:
    with case.writing():
        runner(case, engine, limits=limits).run(["count"])


def test_what_is_current_is_not_run_again_and_what_rests_on_a_change_is(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, b"amphora", b"krater")
    with case.writing():
        assert [r.skipped for r in runner(case, Inline()).run(["count"])] == [False, False, False]
        assert [r.skipped for r in runner(case, Inline()).run(["count"])] == [True, True, True]
        assert runner(case, Inline()).stale() == []
    fill(case, tmp_path, b"amphora", b"krater", b"kylix")
    with case.writing():
        assert runner(case, Inline()).stale() == ["exhibits", "words", "count"]


def test_a_changed_setting_runs_only_the_stages_that_use_it(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, b"amphora")
    run_all(case, Inline())
    path = case.root / "case.toml"
    path.write_text(path.read_text().replace("Glasshouse", "Glasshouse II"))
    again = Case(case.root)
    assert runner(again, Inline()).stale() == ["count"]


@pytest.mark.parametrize("engine", [Inline(), Processes(1), Processes(3)], ids=["inline", "one", "three"])
def test_every_engine_gives_the_same_bytes(case: Case, tmp_path: Path, engine: Engine) -> None:
    fill(case, tmp_path, *(b"word %d" % i for i in range(7)))
    run_all(case, Inline())
    expected = tree(case.tables)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    run_all(case, engine)
    assert tree(case.tables) == expected


@pytest.mark.parametrize(
    ("word", "reason", "detail"),
    [
        (b"segfault", "died", "SIGSEGV"),
        (b"memory", "out of memory", "memory limit"),
        (b"hang", "took too long", "after 2 s"),
        (b"raise", "parser failed", "did not expect"),
        (b"write", "parser failed", "PermissionError"),
        (b"disk", "said that the disk failed", "all that it was given can be read"),
        (b"elsewhere", "broke the rules", "is no SHA-256"),
        (b"unknown", "broke the rules", "of which nobody told it"),
    ],
)
def test_a_parser_that_dies_costs_one_row(case: Case, tmp_path: Path, word: bytes, reason: str, detail: str) -> None:
    fill(case, tmp_path, b"amphora", word, b"krater", b"kylix")
    run_all(case, Processes(2), LimitSettings(child_wall_seconds=2))
    assert [r["value"] for r in rows(case, "selectors")] == ["amphora", "krater", "kylix"]
    (aside,) = rows(case, "set_aside")
    assert aside["reason"] == reason
    assert detail in aside["detail"]
    assert not Path("/tmp/casewright-escaped").exists()
    tally = next(t for t in rows(case, "tallies") if t["noun"] == "words")
    assert (tally["received"], tally["done"], tally["set_aside"]) == (4, 3, 1)


@pytest.mark.parametrize(
    "stage", [replace(LYING, batch=99), replace(LYING, streams=True, batch=1)], ids=["rows", "a stream"]
)
def test_what_a_parser_gives_that_does_not_add_up_costs_its_row_and_no_other(
    case: Case, tmp_path: Path, stage: Stage
) -> None:
    fill(case, tmp_path, b"amphora", *(lie.encode() for lie in LIES), b"silent", b"broken", b"krater")
    with case.writing():
        runner(case, Processes(2), (stage,)).run(["words"])
    assert [r["value"] for r in rows(case, "selectors")] == ["amphora", "krater"]
    *lies, broken = rows(case, "set_aside")
    assert {aside["reason"] for aside in lies} == {"broke the rules"}
    said = [*(what for _, what in LIES.values()), "ended without a word"]
    assert [aside["detail"] for aside in lies if said.pop(0) not in aside["detail"]] == []
    assert said == []
    assert broken["detail"] == "says it is broken \\ud83d"
    assert states(case)["tables/tallies"] == "holds"
    tally = next(t for t in rows(case, "tallies") if t["noun"] == "words")
    assert (tally["received"], tally["done"], tally["set_aside"]) == (13, 2, 11)


def test_what_a_parser_gave_before_it_died_is_given_once(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, b"amphora", b"krater", b"segfault", b"kylix")
    with case.writing():
        runner(case, Inline(), (BY_WORD,)).run(["words"])
    assert [r["value"] for r in rows(case, "selectors")] == ["amphora", "krater", "kylix"]
    assert [r["reason"] for r in rows(case, "set_aside")] == ["died"]
    assert len(list((case.tables / "selectors").glob("*.parquet"))) == 4  # one a row, none of the batch before


def test_a_disk_that_stumbled_once_costs_nothing(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [Died(DISK_FAILED, "it stumbled")]

    def stumbling(job: Job, store: Store, take: Take, *more: Any) -> tuple[Died | None, list[str]]:
        died, protections = run_in_child(job, store, take, *more)
        return (told.pop() if told else died), protections

    monkeypatch.setattr(units, "run_in_child", stumbling)
    fill(case, tmp_path, b"amphora", b"krater")
    run_all(case, Processes(1))
    assert [r["value"] for r in rows(case, "selectors")] == ["amphora", "krater"]
    assert (told, rows(case, "set_aside")) == ([], [])


def test_sealed_bytes_that_are_gone_stop_the_run(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, b"amphora", b"krater")
    with case.writing():
        runner(case, Inline()).run(["exhibits"])
    case.store.path_of(digests_of(b"krater").sha256).unlink()
    with pytest.raises(Missing):
        run_all(case, Processes(1))


def test_a_part_that_came_before_its_manifest_is_an_interrupted_run_and_any_other_stray_is_not(
    case: Case, tmp_path: Path
) -> None:
    fill(case, tmp_path, b"amphora")
    run_all(case, Inline())
    folder, parts = case.tables / "tallies", TableFolder(case.tables).parts("tallies")
    before = [part for part in parts if part.stage != "words"]
    (folder / RUN_FILE).write_bytes(run_bytes(shared_run("tallies", before)))
    assert states(case)["tables/tallies"] == "interrupted"
    (folder / "part-words.parquet").write_bytes(b"changed")
    assert states(case)["tables/tallies"] == "broken"
    run_all(case, Inline())
    assert states(case)["tables/tallies"] == "holds"


def states(case: Case) -> dict[str, str]:
    return {check.what: check.state for check in verify_case(case)}


def test_output_that_does_not_add_up_is_refused(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, b"amphora", b"krater")
    lossy = Stage(
        "words", 1, ("exhibit_files",), ("selectors",), lose_words, over="exhibit_files", noun="words", key="exhibit"
    )
    with case.writing(), pytest.raises(UnbalancedStageError, match="lost words: received 3, done 0"):
        runner(case, Inline(), (lossy,)).run(["words"])
    assert not (case.tables / "selectors").exists()


def test_finished_units_of_a_killed_run_are_taken_up_again(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *(b"word %d" % i for i in range(6)), b"broken")
    run_all(case, Inline())
    expected = tree(case.tables)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    killed = subprocess.run([sys.executable, "-m", "tests.engine.toys", str(case.root)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len(list((case.tables / ".work" / "words").rglob("unit-*.json"))) == 2
    run_all(case, Inline())
    assert {k: v for k, v in tree(case.tables).items() if not k.startswith(".work")} == expected


def test_a_changed_byte_of_a_table_stops_what_reads_it(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, b"amphora")
    run_all(case, Inline())
    part = case.tables / "selectors" / "part-000000.parquet"
    raw = bytearray(part.read_bytes())
    raw[len(raw) // 2] ^= 1
    part.unlink()
    part.write_bytes(raw)
    path = case.root / "case.toml"
    path.write_text(path.read_text().replace("Glasshouse", "Glasshouse II"))
    again = Case(case.root)
    with again.writing(), pytest.raises(BrokenSeal, match=r"selectors/part-000000\.parquet: bytes were changed"):
        runner(again, Inline()).run(["count"])


def test_a_table_too_large_to_be_held_is_mapped_and_says_the_same(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(case, tmp_path, *(b"word %d" % i for i in range(7)))
    run_all(case, Inline())
    expected, folder = tree(case.tables), TableFolder(case.tables)
    held = [folder.load("selectors"), folder.load("selectors", columns=["value"])]
    monkeypatch.setattr(tables, "HELD_ROWS", 3)
    mapped = [folder.load("selectors"), folder.load("selectors", columns=["value"])]
    assert mapped == held
    assert [lies_in(table.column("value")) for table in mapped] == ["file without a name"] * 2
    assert tree(case.tables) == expected  # and the file has no name
    shutil.rmtree(case.tables / "worklist")
    run_all(case, Inline())
    assert tree(case.tables) == expected

"""A stage that works in pieces loses one to a kill, makes only what changed, and leaves behind only what it keeps."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from casewright.engine import parent
from casewright.engine.stage import Context, Output, Stage
from casewright.engine.tables import TableFolder
from casewright.engine.units import Engine, Inline, Processes, UnbalancedStageError
from casewright.engine.verify import verify_case
from casewright.model.errors import BrokenSeal
from casewright.model.tables import TABLES
from casewright.vault.case import Case
from tests.engine.pieces import LETTERS, MADE
from tests.engine.test_runner import fill, rows, runner, tree
from tests.engine.toys import WORDS

parent.PRELOAD.append("tests.engine.toys")
TEXTS = [b"word %d" % n for n in range(7)]


def run(case: Case, engine: Engine | None = None, stage: Stage = LETTERS) -> list[str]:
    """Runs the stage; returns what it had to make."""
    MADE.clear()
    with case.writing():
        runner(case, engine or Inline(), (WORDS, stage)).run(["letters"])
    return list(MADE)


def kept(case: Case) -> list[str]:
    return sorted(p.name for p in (case.tables / ".units" / "letters").iterdir())


def test_each_part_of_a_lazy_table_is_read_by_itself_and_the_pieces_are_the_table(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *TEXTS)
    assert len(run(case)) == 8
    assert [(r["item"], r["rank"]) for r in rows(case, "worklist")] == [
        ("part 0", 12), ("part 1", 24), ("part 2", 36), ("part 3", 42)
    ]  # fmt: skip
    assert [p.file for p in TableFolder(case.tables).parts("worklist")] == [f"part-{n:06d}.parquet" for n in range(4)]
    assert all(check.state == "holds" for check in verify_case(case))


@pytest.mark.parametrize("engine", [Inline(), Processes(2)], ids=["inline", "two"])
def test_every_engine_gives_the_same_bytes(case: Case, tmp_path: Path, engine: Engine) -> None:
    fill(case, tmp_path, *TEXTS)
    run(case)
    expected = tree(case.tables)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    run(case, engine)
    assert tree(case.tables) == expected


def test_scratch_is_gone_afterwards_and_what_no_piece_rests_on_too(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *TEXTS)
    run(case)
    assert len(kept(case)) == 9
    assert not list((case.tables / ".units").rglob("*.tmp"))
    before = kept(case)
    fill(case, tmp_path, *TEXTS[:-1])
    run(case)
    assert all(check.state == "holds" for check in verify_case(case))
    assert before != kept(case)


def test_only_pieces_whose_key_changed_are_made(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *TEXTS)
    run(case)
    shutil.rmtree(case.tables / "worklist")
    assert run(case) == []
    damaged = next((case.tables / ".units" / "letters").glob("*/letters.npy"))
    raw = bytearray(damaged.read_bytes())
    raw[-8] ^= 1
    damaged.write_bytes(raw)
    assert any(check.what.endswith(".npy") for check in verify_case(case) if check.state == "broken")
    shutil.rmtree(case.tables / "worklist")
    assert [made.split()[0] for made in run(case)] == ["letters"]
    assert all(check.state == "holds" for check in verify_case(case))


@pytest.mark.parametrize(("note", "done"), [("part 0", 0), ("part 2", 2), ("", 3)])
def test_a_kill_costs_one_piece(case: Case, tmp_path: Path, note: str, done: int) -> None:
    fill(case, tmp_path, *TEXTS)
    run(case)
    expected = tree(case.tables)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    killed = subprocess.run([sys.executable, "-m", "tests.engine.pieces", str(case.root), note, str(done)], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert len([made for made in run(case) if made.startswith("rows")]) == 4 - done
    assert tree(case.tables) == expected


def test_a_changed_byte_of_a_lazy_table_stops_what_reads_it(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *TEXTS)
    run(case)
    part = case.tables / "selectors" / "part-000001.parquet"
    raw = bytearray(part.read_bytes())
    raw[len(raw) // 2] ^= 1
    part.unlink()
    part.write_bytes(raw)
    for folder in ("worklist", ".units"):
        shutil.rmtree(case.tables / folder)
    with pytest.raises(BrokenSeal, match=r"selectors/part-000001\.parquet: bytes were changed"):
        run(case)


def test_a_plain_stage_may_ask_for_parts_too_in_any_engine(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *TEXTS)
    stage = Stage("letters", 1, ("exhibit_files", "selectors"), ("worklist",), rows_of_parts, over="exhibit_files",
                  order="position", batch=4, lazy=("selectors",), key="exhibit")  # fmt: skip
    run(case, Inline(), stage)
    expected = rows(case, "worklist")
    assert [r["rank"] for r in expected] == [7, 7]
    shutil.rmtree(case.tables / "worklist")
    run(case, Processes(2), stage)
    assert rows(case, "worklist") == expected


def rows_of_parts(batch: pa.Table, context: Context) -> Output:
    count = sum(len(part.read(["value"])) for part in context.parts("selectors"))
    assert count == len(context.table("selectors"))
    row = {"rank": count, "item": "all", "state": "new", "reason": ""}
    return Output({"worklist": TABLES["worklist"].rows([row])})


def test_a_piece_of_a_table_that_was_not_declared_is_refused(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *TEXTS)
    stage = Stage("letters", 1, ("selectors",), ("rows",), LETTERS.work, lazy=("selectors",), pieces=True)
    with pytest.raises(UnbalancedStageError, match="other tables than it declared"):
        run(case, Inline(), stage)

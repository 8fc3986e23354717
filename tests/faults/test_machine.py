"""A machine that fails under the program: its disk, its locks, its clock, its memory. strace makes calls fail."""

import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from casewright.cli.pipeline import PIPELINE
from casewright.cli.verbs.verify import checks_of
from casewright.engine.runner import Runner
from casewright.vault import ledger
from casewright.vault.case import Case
from tests.cli.test_demo import digests, made
from tests.command import casewright, in_process
from tests.faults.recording import why_not

watched = pytest.mark.skipif(bool(why_not()), reason=why_not())


def failing(calls: str, error: str, which: str, *arguments: str, on: Path | None = None) -> tuple[int, str]:
    """The exit code and the words of a command in which these calls (on this file) fail: the which-th, or `3+`."""
    fault = ["-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={which}"]
    watch = ["strace", "-f", "--seccomp-bpf", "-o", "/dev/null", *(["-P", str(on)] if on else []), *fault]
    command = [*watch, sys.executable, "-m", "casewright", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stderr.splitlines()[-1] if done.stderr else ""


def intact(root: Path) -> bool:
    return not [c for c in checks_of(root) if c.state == "broken"]


def lines(case: Case) -> int:
    return len(Case(case.root).ledger.events())


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "exhibit.bin"
    path.write_bytes(bytes(range(256)) * (3 << 12))
    return path


@watched
def test_a_source_that_cannot_be_read_to_its_end_is_not_sealed(case: Case, source: Path) -> None:
    before = lines(case)
    code, said = failing("read", "EIO", "3", "intake", str(case.root), str(source), on=source)
    assert code == 4
    assert f"{source} cannot be read: Input/output error. Nothing was sealed." in said
    assert (lines(case), intact(case.root)) == (before, True)


@watched
def test_a_file_system_that_gives_no_locks_is_refused(case: Case, source: Path) -> None:
    before = lines(case)
    code, said = failing("flock", "ENOLCK", "1+", "intake", str(case.root), str(source))
    assert code == 4
    assert "gives no locks (No locks available)" in said
    assert (lines(case), intact(case.root)) == (before, True)


def without(case: Path, *names: str) -> None:
    """These stages have to be done again."""
    for stage in (stage for stage in PIPELINE if stage.name in names):
        for folder in (*stage.writes, f".units/{stage.name}"):
            shutil.rmtree(case / "tables" / folder, ignore_errors=True)


@watched
@pytest.mark.slow
def test_a_sync_that_fails_at_any_time_stops_the_command_and_leaves_the_case(demo: Path, copy: Path) -> None:
    for which, error in ((1, "EIO"), (5, "ENOSPC"), (17, "EIO"), (60, "EIO"), (60, "ENOSPC"), (170, "ENOSPC")):
        without(copy, "tags", "payments", "requests", "ladder", "receipts")
        code, said = failing("fsync", error, str(which), "run", str(copy))
        assert code == 4, (which, error, said)
        assert "Nothing that was finished is lost" in said or "Nothing can be written there" in said
        assert intact(copy), (which, error)
    assert casewright("run", str(copy)).returncode == 3
    assert made(copy) == made(demo)


@watched
@pytest.mark.slow
def test_sealed_bytes_that_cannot_be_read_stop_the_run_and_are_not_told_as_damage_of_the_evidence(
    demo: Path, copy: Path
) -> None:
    image = max((copy / "store").glob("??/*"), key=lambda path: path.stat().st_size)
    without(copy, "items")
    for which in ("2+", "4+", "30", "30+"):
        code, said = failing("read,pread64", "EIO", which, "run", str(copy), on=image)
        assert code == 4, said
        assert "Input/output error" in said or "sealed bytes could not be read" in said
        assert not [c for c in checks_of(copy) if c.state == "broken" and not c.what.startswith("package")]
    assert casewright("run", str(copy)).returncode == 3
    assert digests(copy / "tables", copy / "packages") == digests(demo / "tables", demo / "packages")


def test_a_clock_that_was_set_back_is_told_and_changes_nothing_else(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Earlier(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Earlier":
            earlier = datetime.now(UTC) - timedelta(hours=2)
            return cls.fromtimestamp(earlier.timestamp(), UTC)

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "datetime", Earlier)
        with case.writing():
            case.ledger.append(("note", {"about": "x", "text": "y", "examiner": "R. Example"}))
    checks = {check.what: (check.state, check.detail) for check in checks_of(case.root)}
    assert checks["ledger.jsonl"] == ("holds", "3 lines")
    assert checks["clock"][0] == "holds"
    assert checks["clock"][1].startswith("was set back by 7200 s")
    assert checks["clock"][1].endswith("before line 3 of the ledger")


def test_memory_that_runs_out_is_told_in_a_sentence(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], source: Path
) -> None:
    assert in_process("intake", str(case.root), str(source)) == 0
    capsys.readouterr()

    def starve(self: Runner, stage: object) -> None:
        bytearray(1 << 62)

    with monkeypatch.context() as patch:
        patch.setattr(Runner, "_run_stage", starve)
        assert in_process("run", str(case.root)) == 4
    assert capsys.readouterr().err.splitlines()[-1].startswith("casewright: There is not enough memory.")
    assert intact(case.root)


@pytest.mark.slow
def test_two_processes_on_one_case_do_the_work_once_and_the_other_says_so(demo: Path, copy: Path) -> None:
    without(copy, "items", "media", "accounts", "log_events", "figures")
    command = [sys.executable, "-m", "casewright", "run", str(copy)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) for _ in range(2)]
    ended = sorted((one.communicate(timeout=600)[1].splitlines()[-1], one.returncode) for one in both)
    assert {code for _, code in ended} == {3, 4}
    assert any("is in use by another casewright" in said for said, _ in ended)
    assert digests(copy / "tables", copy / "packages") == digests(demo / "tables", demo / "packages")


def test_a_case_whose_making_was_ended_is_made_again(tmp_path: Path) -> None:
    root = tmp_path / "case"
    about = ["new", str(root), "--title", "T", "--agency", "A", "--examiner", "E"]
    assert in_process(*about) == 0
    (root / "ledger.head").unlink()
    assert in_process(*about) == 0
    assert intact(root)
    assert in_process(*about) == 2

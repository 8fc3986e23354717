"""An intake that is killed goes on where it was: seconds are lost, the tables are the same, nothing is done twice."""

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.command import casewright
from tests.evidence.builders import ext_image, needs_mke2fs

INTAKE = [sys.executable, "-m", "casewright", "intake", "--on", "inline"]
pytestmark = needs_mke2fs


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk with many small files, an archive of many members, and one large file."""
    folder, some = tmp_path_factory.mktemp("disk"), random.Random(12)
    files = {b"many/%d/%d" % (n % 40, n): b"number %d" % n for n in range(4_000)}
    files |= {b"large.bin": some.randbytes(1 << 20) * 150, b"notes.txt": b"plates\n" * 10_000}
    path = folder / "server.dd"
    path.write_bytes(ext_image(folder, files, "ext4", "220M"))
    return path


def new_case(root: Path) -> Path:
    assert casewright("new", str(root), "--title", "t", "--agency", "a", "--examiner", "e").returncode == 0
    return root


def table_bytes(case: Path) -> dict[str, str]:
    found = [p for name in ("items", "volumes", "set_aside", "tallies") for p in (case / "tables" / name).iterdir()]
    return {str(p.relative_to(case)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(found)}


def killed_intake(case: Path, source: Path, dice: random.Random) -> tuple[int, float]:
    """Kills until one comes through; returns how often, and how many seconds of work the last run did."""
    kills = 0
    while True:
        started = time.monotonic()
        process = subprocess.Popen([*INTAKE, str(case), str(source)], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            process.wait(timeout=dice.uniform(1.0, 5.0) if kills < 3 else None)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
            continue
        assert process.returncode in (0, 3)
        return kills, time.monotonic() - started


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, disk: Path) -> Path:
    """A case that took the disk in without being killed."""
    root = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEWRIGHT_HOME", str(root))
        return taken_in(new_case(root / "case"), disk)


def taken_in(case: Path, source: Path) -> Path:
    done = subprocess.run([*INTAKE, str(case), str(source)], capture_output=True, check=False)
    assert done.returncode in (0, 3), done.stderr
    return case


def test_a_killed_intake_ends_with_the_same_tables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, disk: Path, whole: Path
) -> None:
    monkeypatch.setenv("CASEWRIGHT_HOME", str(whole.parent))
    broken = new_case(tmp_path / "broken")
    kills, _ = killed_intake(broken, disk, random.Random(3))
    assert kills >= 1
    assert table_bytes(broken) == table_bytes(whole)
    assert casewright("verify", str(broken)).returncode == 0


def test_a_second_intake_of_the_same_exhibit_adds_nothing(
    monkeypatch: pytest.MonkeyPatch, disk: Path, whole: Path
) -> None:
    monkeypatch.setenv("CASEWRIGHT_HOME", str(whole.parent))
    before, ledger = table_bytes(whole), (whole / "ledger.jsonl").read_bytes()
    taken_in(whole, disk)
    assert (table_bytes(whole), (whole / "ledger.jsonl").read_bytes()) == (before, ledger)


def test_sealing_goes_on_in_the_middle_of_a_large_source(tmp_path: Path) -> None:
    """Killed while it is sealed, the source is not hashed from its first byte again."""
    case, source = new_case(tmp_path / "case"), tmp_path / "large.dd"
    source.write_bytes(random.Random(1).randbytes(1 << 20) * 700)
    process = subprocess.Popen([*INTAKE, str(case), str(source)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    journal = case / "store" / "tmp" / "sealing" / "journal.sqlite"
    size = _wait_for_a_checkpoint(journal, process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert size >= 64 << 20
    taken_in(case, source)
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    assert (case / "store" / digest[:2] / digest[2:]).stat().st_size == source.stat().st_size
    assert casewright("verify", str(case)).returncode == 0
    shutil.rmtree(case)


def _wait_for_a_checkpoint(journal: Path, process: subprocess.Popen[bytes]) -> int:
    for _ in range(2000):
        assert process.poll() is None, "it was sealed before a checkpoint was seen"
        if journal.exists():
            with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as base:
                try:
                    rows = base.execute("SELECT size FROM partial").fetchall()
                except sqlite3.OperationalError:
                    rows = []
            if rows:
                return int(rows[0][0])
        time.sleep(0.01)
    raise AssertionError("no checkpoint in 20 s")

"""Killed at any moment, a run loses nothing: resumed, it ends with the same bytes."""

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.cli.verbs.verify import checks_of
from tests.cli.test_demo import digests, made
from tests.command import casewright

RUN = [sys.executable, "-m", "casewright", "run"]


def kill_and_resume(copy: Path, expected: dict[str, str], kills: int, seed: int, stop: int = signal.SIGKILL) -> int:
    """Start from nothing, kill at random moments, go on until done; begin again until `kills` were made."""
    dice, made = random.Random(seed), 0
    while made < kills:
        for name in ("tables", "packages"):
            shutil.rmtree(copy / name)
            (copy / name).mkdir()
        while True:
            process = subprocess.Popen([*RUN, str(copy)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=dice.uniform(0.3, 3.5) if made < kills else None)
            except subprocess.TimeoutExpired:
                os.kill(process.pid, stop)
                process.wait()
                made += 1
                broken = [c for c in checks_of(copy) if c.state == "broken" and not c.what.startswith("package")]
                assert not [b for b in broken if "does not end" not in b.detail], broken
                continue
            assert process.returncode == 3
            break
        assert digests(copy / "tables", copy / "packages") == expected
    return made


def test_a_run_killed_a_few_times_ends_with_the_same_bytes(demo: Path, copy: Path) -> None:
    assert kill_and_resume(copy, digests(demo / "tables", demo / "packages"), kills=5, seed=5) >= 5
    assert casewright("verify", str(copy)).returncode == 0


@pytest.mark.slow
def test_a_run_killed_two_hundred_times_ends_with_the_same_bytes(demo: Path, copy: Path) -> None:
    assert kill_and_resume(copy, digests(demo / "tables", demo / "packages"), kills=200, seed=6) >= 200
    assert casewright("verify", str(copy)).returncode == 0


def test_ctrl_c_loses_nothing_and_says_so(demo: Path, copy: Path) -> None:
    for name in ("selectors", "payments", "referrals"):
        shutil.rmtree(copy / "tables" / name)
    # a shell has Ctrl-C ignored by what it runs in the background, and by all that this starts, tests included
    command = ["env", "--default-signal=INT", *RUN, str(copy)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    assert process.stderr.readline()  # work has begun
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130, words
    assert "Nothing is lost" in words
    assert "Traceback" not in words
    assert casewright("run", str(copy)).returncode == 3
    assert made(copy) == made(demo)

"""The demo, built once and copied for tests that change it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from casewright.cli.app import run_app

KEPT = ("ledger.torn", ".lock")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo case. Nobody changes it; take `copy` for that."""
    folder = tmp_path_factory.mktemp("demo") / "case"
    done = casewright("demo", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    (folder.parent / "demo.json").write_text(done.stdout)
    return folder


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy of the demo"
    shutil.copytree(demo, target)
    return target


def casewright(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a user runs it, in a process of its own."""
    import os

    command = [sys.executable, "-c", "from casewright.cli.app import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})


def in_process(*arguments: str) -> int:
    """The exit code of a command run inside this process."""
    return run_app(list(arguments))

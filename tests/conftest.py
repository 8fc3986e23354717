"""What all tests share: a home of their own for the seal key, and small cases."""

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from casewright.model.settings import CaseSettings
from casewright.vault.case import Case
from tests.command import casewright

settings.register_profile("casewright", deadline=None)
settings.load_profile("casewright")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the seal key of whoever runs it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CASEWRIGHT_HOME", str(folder))
    return folder


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case.create(tmp_path / "case", CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished demo case, made once for all processes that test. Nobody changes it; take `copy` for that."""
    root = tmp_path_factory.getbasetemp()
    made = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "demo"
    made.mkdir(exist_ok=True)
    with (made / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made / "demo.json").exists():
            done = casewright("demo", str(made / "case"), "--json")
            assert done.returncode == 0, done.stderr
            (made / "demo.json").write_text(done.stdout)
    return made / "case"


@pytest.fixture
def copy(demo: Path, tmp_path: Path) -> Path:
    target = tmp_path / "copy of the demo"
    shutil.copytree(demo, target)
    return target

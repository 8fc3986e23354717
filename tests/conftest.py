"""What all tests share: a home of their own for the seal key, and small cases."""

from pathlib import Path

import pytest

from casewright.model.settings import CaseSettings
from casewright.vault.case import Case


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the seal key of whoever runs it."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("CASEWRIGHT_HOME", str(folder))
    return folder


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case.create(tmp_path / "case", CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"))

"""One server for all tests that only look; those that decide have a copy of the case, and a server, of their own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.review.room import Browser, reviewing


@pytest.fixture(scope="session")
def looking(demo: Path) -> Iterator[Browser]:
    with reviewing(demo) as (link, _):
        yield Browser(link).enter()


@pytest.fixture(scope="session")
def decided(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the case in which tests decide, each about things of its own."""
    target = tmp_path_factory.mktemp("decided") / "case"
    shutil.copytree(demo, target)
    return target


@pytest.fixture(scope="session")
def deciding(decided: Path) -> Iterator[Browser]:
    with reviewing(decided) as (link, _):
        yield Browser(link).enter()

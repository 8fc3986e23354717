"""Full packages of the small case, word for word."""

from pathlib import Path

import pytest

from tests.refer.golden import COUNTRIES, FOLDER, told
from tests.refer.world import packages


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    bags = packages(tmp_path_factory.mktemp("golden") / "case", *COUNTRIES)
    return {bag.name: bag for bag in bags}


@pytest.mark.parametrize("country", COUNTRIES)
def test_a_package_says_what_it_said(sealed: dict[str, Path], country: str) -> None:
    """When it should say something else now: `just golden`, and look at what changed."""
    assert told(sealed[country]).splitlines() == (FOLDER / f"{country}.txt").read_text("utf-8").splitlines()

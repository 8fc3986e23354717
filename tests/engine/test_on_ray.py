"""A cluster of Ray gives the same bytes, brings evidence by its digest, and loses nothing when a node dies."""

import shutil
from importlib.util import find_spec
from pathlib import Path

import pytest

from casewright.engine.on_ray import OnRay
from casewright.engine.units import Inline
from casewright.vault.case import Case
from tests.engine.test_runner import fill, run_all, tree

pytestmark = [
    pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: uv sync --extra ray"),
    pytest.mark.filterwarnings("default"),  # Ray's own
]


def test_a_cluster_gives_the_same_bytes(case: Case, tmp_path: Path) -> None:
    fill(case, tmp_path, *(b"word %d" % i for i in range(7)), b"segfault", b"broken")
    run_all(case, Inline())
    expected = tree(case.tables)
    shutil.rmtree(case.tables)
    case.tables.mkdir()
    with OnRay("ray:2") as engine:
        run_all(case, engine)
        assert engine.done.total() >= 6
    assert tree(case.tables) == expected

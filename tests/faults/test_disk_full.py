"""A disk that runs full, at each stage and in each verb that writes: a clear message, an intact case, the same end."""

import json
from pathlib import Path
from typing import Any

import pytest

from casewright.cli.pipeline import PIPELINE
from tests.faults.full_disk import VERBS
from tests.faults.small_disk import on_a_small_disk, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())
A_FEW = ["payments", "link --flag"]


def outcomes(demo: Path, folder: Path, names: list[str]) -> dict[str, dict[str, Any]]:
    done = on_a_small_disk(folder, 250, "tests.faults.full_disk", str(demo), *names)
    assert done.returncode == 0, done.stderr
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


def holds(found: dict[str, Any]) -> None:
    assert found["code"] == 4, found
    assert "No space left" in found["said"], found
    assert "run the same command again" in found["said"]
    assert found["broken"] == [], found
    assert found["again"] in (0, 3), found
    assert found["same"], found
    assert found["left"] == [], found


def test_a_disk_that_runs_full_leaves_the_case_as_it_was_and_room_is_all_it_needs(demo: Path, tmp_path: Path) -> None:
    found = outcomes(demo, tmp_path, A_FEW)
    assert list(found) == A_FEW
    for one in found.values():
        holds(one)


@pytest.mark.slow
def test_a_disk_may_run_full_in_any_verb_that_writes(demo: Path, tmp_path: Path) -> None:
    found = outcomes(demo, tmp_path, list(VERBS))
    assert list(found) == list(VERBS)
    for one in found.values():
        holds(one)


@pytest.mark.slow
def test_a_disk_may_run_full_in_any_stage_there_is(demo: Path, tmp_path: Path) -> None:
    names = [stage.name for stage in PIPELINE]
    found = outcomes(demo, tmp_path, names)
    assert list(found) == names
    for one in found.values():
        holds(one)

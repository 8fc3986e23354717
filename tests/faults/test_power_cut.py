"""Power is cut at any moment: whatever the disk then holds, the case opens, has all that was told, and goes on."""

import hashlib
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casewright.cli.verbs.verify import checks_of
from casewright.vault.case import Case
from tests.cli.test_demo import digests
from tests.faults.lost_power import WAYS, after_the_cut, lay_out
from tests.faults.recording import SAID, Done, record, why_not
from tests.faults.working import LOTS, go_on, make

PARTS = 2
"""Of the moments, one after the other: disks that were there before are left out."""
pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Done]]:
    folder = tmp_path_factory.mktemp("watched") / "case and sources"
    folder.mkdir()
    return folder, record(folder, "tests.faults.working", str(folder))


def states(recorded: tuple[Path, list[Done]], moments: Iterator[int], folder: Path) -> Iterator[tuple[str, Path, int]]:
    """Disks after a power cut at these moments, each way; with how many lines of the ledger had been told. One that was
    there before, with as much told, is left out."""
    root, done = recorded
    seen = set[bytes]()
    for moment in moments:
        said = [one.data for one in done[:moment] if one.call == SAID and one.data.startswith(b"told ")]
        told = int(said[-1].split()[1]) if said else 0
        for way in WAYS:
            left = after_the_cut(str(root), done[:moment], way, moment)
            state = hashlib.sha256(repr((told, sorted(left.items()))).encode()).digest()
            if state in seen:
                continue
            seen.add(state)
            target = folder / "after"
            shutil.rmtree(target, ignore_errors=True)
            lay_out(left, str(root), target)
            yield f"{way}, after operation {moment} ({done[moment - 1]})", target, told


def goes_on(where: str, folder: Path, told: int, expected: Callable[[], dict[str, str]] | None) -> None:
    """The case is whole so far as anybody was told; and, with `expected`, ends as if power had never been cut."""
    if not told:
        make_again(folder)
    case = Case(folder / "case")
    assert len(case.ledger.events()) >= told, where
    broken = [c for c in checks_of(case.root) if c.state == "broken" and not c.what.endswith(": contents")]
    assert not broken, (where, broken)
    if expected:
        for lot in range(len(LOTS)):
            go_on(case, lot)
        assert _shown(digests(case.tables, case.packages)) == _shown(expected()), where
        left = [c for c in checks_of(case.root) if c.state != "holds" and not c.what.endswith(": contents")]
        assert not left, (where, left)


def _shown(found: dict[str, str]) -> dict[str, str]:
    """Without what is on its way, which the next run that needs the room removes."""
    return {name: sha256 for name, sha256 in found.items() if "/." not in name}


def make_again(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    if not (folder / "case" / "ledger.head").exists():
        make(folder)


def ends_as(recorded: tuple[Path, list[Done]]) -> Callable[[], dict[str, str]]:
    case = recorded[0] / "case"
    return lambda: digests(case / "tables", case / "packages")


def test_the_recording_ends_with_the_files_that_are_there(recorded: tuple[Path, list[Done]]) -> None:
    root, done = recorded
    found = after_the_cut(str(root), done, "all of it", 0)
    files = {path: content for path, (content, _) in found.items() if content is not None}
    assert files == {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert sum(one.call == "fsync" for one in done) > 50


def test_power_may_be_cut_at_any_moment(recorded: tuple[Path, list[Done]], tmp_path: Path) -> None:
    dice, last = random.Random(9), len(recorded[1])
    moments = iter(sorted(dice.sample(range(1, last), 3)))
    for where, folder, told in states(recorded, moments, tmp_path):
        goes_on(where, folder, told, ends_as(recorded) if dice.random() < 0.15 else None)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_power_may_be_cut_at_every_moment(
    recorded: tuple[Path, list[Done]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    for call in ("fsync", "fdatasync"):  # what is looked at is the disk as the cut left it: no second cut follows
        monkeypatch.setattr(os, call, lambda handle: None)
    monkeypatch.setattr(os, "sync", lambda: None)
    last = len(recorded[1])
    moments = iter(range(1 + last * part // PARTS, 1 + last * (part + 1) // PARTS))
    for number, (where, folder, told) in enumerate(states(recorded, moments, tmp_path)):
        goes_on(where, folder, told, ends_as(recorded) if number % 10 == 0 else None)

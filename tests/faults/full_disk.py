"""A program for tests: on a small disk, lets it run full just when a stage begins, or a verb, and says what came of it.

python -m tests.faults.full_disk DISK DEMO NAME...
"""

import contextlib
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from casewright.cli import work
from casewright.cli.pipeline import PIPELINE
from casewright.cli.verbs import run as run_verb
from casewright.cli.verbs.verify import checks_of
from casewright.engine.query import Reader
from casewright.engine.runner import Ran, Runner
from casewright.engine.stage import Stage
from tests.cli.test_demo import digests
from tests.command import in_process
from tests.faults.small_disk import empty, fill

STAGES = {stage.name: stage for stage in PIPELINE}


def main(disk: Path, demo: Path, *names: str) -> None:
    shutil.copytree(demo, disk / "case")
    for name in names:
        found = in_stage(disk, STAGES[name]) if name in STAGES else VERBS[name](disk)
        sys.stdout.write(json.dumps({"name": name, **found}) + "\n")


def in_stage(disk: Path, stage: Stage) -> dict[str, Any]:
    """The stage's tables are gone, and it has no room to make them again; then it has."""
    case = disk / "case"
    before = digests(case / "tables", case / "packages")
    for folder in (*(case / "tables" / name for name in stage.writes), case / "tables" / ".units" / stage.name):
        shutil.rmtree(folder, ignore_errors=True)
    with _only(stage, lambda: fill(disk)):
        code, said = _told("run", str(case))
        broken = _broken(case)
    empty(disk)
    with _only(stage, lambda: None):
        again, _ = _told("run", str(case))
    same = {k: v for k, v in digests(case / "tables", case / "packages").items() if "/.units/" not in k} == {
        k: v for k, v in before.items() if "/.units/" not in k
    }
    return {"code": code, "said": said, "broken": broken, "again": again, "same": same, "left": _broken(case)}


@contextlib.contextmanager
def _only(stage: Stage, begin: Callable[[], None]) -> Iterator[None]:
    """`run` brings this stage alone up to date, with what it rests on, and `begin` is called when it begins."""

    class Filling(Runner):
        def run(self, wanted: Sequence[str]) -> list[Ran]:
            return super().run([stage.name])

        def _run_stage(self, one: Stage) -> Ran:
            if one.name == stage.name:
                begin()
            return super()._run_stage(one)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "Runner", Filling)
        patch.setattr(run_verb, "write_packages", lambda case, voice: [])
        yield


def in_verb(disk: Path, arguments: Sequence[str], leave: int = 0) -> dict[str, Any]:
    """The disk is full before the verb begins; then it is not."""
    case = disk / "case"
    lines = (case / "ledger.jsonl").read_bytes()
    fill(disk, leave)
    code, said = _told(*arguments)
    broken, kept = _broken(case), (case / "ledger.jsonl").read_bytes().startswith(lines)
    empty(disk)
    again, _ = _told(*arguments)
    return {"code": code, "said": said, "broken": broken, "again": again, "same": kept, "left": _broken(case)}


def _new(disk: Path) -> dict[str, Any]:
    about = ("--title", "T", "--agency", "A", "--examiner", "E")
    fill(disk)
    code, said = _told("new", str(disk / "other"), *about)
    empty(disk)
    again, _ = _told("new", str(disk / "other"), *about)
    return {"code": code, "said": said, "broken": [], "again": again, "same": True, "left": _broken(disk / "other")}


def _intake(disk: Path) -> dict[str, Any]:
    """An exhibit for which there is too little room; half of it is there when the disk is full."""
    source = disk / "source"
    source.write_bytes(os.urandom(6 << 20))
    return in_verb(disk, ["intake", str(disk / "case"), str(source)], leave=3 << 20)


def _judgement(disk: Path) -> dict[str, Any]:
    line = ["link", str(disk / "case"), "--flag", f"{_account(disk)}=access", "--why", "x" * 5000]
    return in_verb(disk, line)


def _account(disk: Path) -> str:
    with Reader(disk / "case" / "tables") as reader:
        return str(reader.rows("SELECT account FROM accounts ORDER BY account LIMIT 1")[0]["account"])


VERBS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "new": _new,
    "intake": _intake,
    "link --flag": _judgement,
    "refer": lambda disk: in_verb(disk, ["refer", str(disk / "case"), "--country", "NL"], leave=64 << 10),
}


def _told(*arguments: str) -> tuple[int, str]:
    """The exit code of a command, and the last line that it said to whoever reads its errors."""
    words = io.StringIO()
    with contextlib.redirect_stderr(words), contextlib.redirect_stdout(io.StringIO()):
        code = in_process(*arguments)
    return code, (words.getvalue().splitlines() or [""])[-1]


def _broken(case: Path) -> list[str]:
    return [f"{c.what}: {c.detail}" for c in checks_of(case) if c.state == "broken"]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])

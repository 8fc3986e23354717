"""A streaming stage for the engine's tests: one exhibit of lines, each a step, some of them deadly."""

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow as pa

from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Progress, SetAside, Stage, Tally
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.tables import TABLES
from casewright.vault.case import Case
from tests.engine.toys import misbehave

EVERY = 3
"""Lines in one output."""


def keep_lines(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Each line of the exhibit's file is kept; what it says happens while it is read."""
    (row,) = batch.to_pylist()
    (file,) = context.table("exhibit_files").to_pylist()
    with context.open(file["sha256"]) as source:
        lines = source.read().split(b"\n")
    for start in range(0, len(lines), EVERY):
        rows, aside = [], []
        for number, line in enumerate(lines[start : start + EVERY], start=start):
            if reason := context.steps.begin():
                aside.append(SetAside("lines", row["exhibit"], "died", reason, row=number))
                continue
            bound = int(line.removeprefix(b"large ")) if line.startswith(b"large ") else 0
            kept = context.steps.keep(partial(_read, line), line.decode, bound=bound)
            rows.append({"selector": f"{number}", "kind": "line", "value": kept.note, "item": kept.digests.sha256})
        tally = Tally("lines", min(EVERY, len(lines) - start), len(rows))
        yield Output({"selectors": TABLES["selectors"].rows(rows)}, aside, [tally])


def _read(line: bytes, at: int) -> Iterator[bytes]:
    misbehave(line)
    if line.startswith(b"slow"):
        time.sleep(0.05)
    size = int(line.removeprefix(b"large ")) if line.startswith(b"large ") else 0
    for start in range(at, size, 1 << 20):
        yield bytes(min(1 << 20, size - start))
    if not size:
        yield line[at:]


def break_at_once(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Dies before its first step."""
    yield from map(misbehave, [b"raise"])


LINES = Stage("lines", 1, ("exhibits", "exhibit_files"), ("selectors",), keep_lines, over="exhibits",
              where="role = 'seizure'", order="exhibit", batch=1, hostile=True, keeps_bytes=True, streams=True,
              beside={"exhibit_files": "exhibit = $key"}, noun="lines", key="exhibit")  # fmt: skip


def main(case: Path, enough: str) -> None:
    """Run the stage on a case, and die by SIGKILL as soon as the journal answers a query with 1."""
    opened = Case(case)

    def watch(progress: Progress) -> None:
        for journal in (opened.tables / ".units" / "lines").glob("*.steps/journal.sqlite"):
            with sqlite3.connect(journal) as base:
                if base.execute(enough).fetchone() == (1,):
                    os.kill(os.getpid(), signal.SIGKILL)

    with opened.writing():
        tables = TableFolder(opened.tables)
        work = Runner(tables, opened.store, opened.ledger, opened.settings, (*SEALED, LINES), Inline(), watch)
        work.run(["lines"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])

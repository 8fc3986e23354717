"""A stage that works in pieces, for the engine's tests: how long the words are, counted from the first one on."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from casewright.engine.room import Arrays
from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Piece, Progress, Stage, Tally
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.tables import TABLES
from casewright.vault.case import Case
from tests.engine.toys import WORDS

MADE: list[str] = []
"""What was made and not taken from an earlier run, for the tests to look at."""


def count_letters(batch: pa.Table, context: Context) -> Iterator[Piece]:
    """One piece for each part of the words, with the sum of letters so far; and one that counts them."""
    parts = context.parts("selectors")
    sums, so_far = context.room.scratch("sums", np.int64, len(parts)), ""
    for number, part in enumerate(parts):
        so_far += part.digest
        context.room.tell(f"part {number}")

        def letters(part=part, number=number) -> Arrays:  # type: ignore[no-untyped-def]
            MADE.append(f"letters {number}")
            return {"letters": np.array([len(word) for word in part.read(["value"])["value"].to_pylist()])}

        own = context.room.keep(so_far, letters)["letters"].sum()
        sums[number] = own + (sums[number - 1] if number else 0)
        yield Piece(f"rows {so_far}", lambda n=number: _rows(n, int(sums[n])), len(parts) + 1)  # type: ignore[misc]
    yield Piece(f"count {so_far}", lambda: _count(len(parts)), len(parts) + 1)


def _rows(number: int, letters: int) -> Output:
    MADE.append(f"rows {number}")
    row = {"rank": letters, "item": f"part {number}", "state": "new", "reason": ""}
    return Output({"worklist": TABLES["worklist"].rows([row])})


def _count(parts: int) -> Output:
    return Output({}, [], [Tally("parts", parts, parts)])


LETTERS = Stage("letters", 1, ("selectors",), ("worklist",), count_letters, lazy=("selectors",), pieces=True)


def main(case: Path, note: str, done: int) -> None:
    """Run the stage on a case, and die by SIGKILL when it says so and so many pieces are done."""
    opened = Case(case)

    def watch(progress: Progress) -> None:
        if (progress.stage, progress.note, progress.done) == ("letters", note, done):
            os.kill(os.getpid(), signal.SIGKILL)

    with opened.writing():
        folder, pipeline = TableFolder(opened.tables), (*SEALED, WORDS, LETTERS)
        Runner(folder, opened.store, opened.ledger, opened.settings, pipeline, Inline(), watch).run(["letters"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

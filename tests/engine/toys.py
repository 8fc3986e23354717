"""Small stages for the engine's tests, in a module of their own so that a child imports little."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from casewright.engine.child import SealedFile
from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Progress, SetAside, Stage, Tally
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.tables import TABLES
from casewright.vault.case import Case

SECRET = "/etc/hostname"
"""A file of the machine, which is none of evidence's business."""


def split_words(batch: pa.Table, context: Context) -> Output:
    """A small parser with the manners of real ones: some files crash it, hang it, or eat all memory."""
    rows, aside = [], []
    for row in batch.to_pylist():
        with context.open(row["sha256"]) as file:
            text = file.read()
        misbehave(text)
        ask_for(text, context)
        if text == b"broken":
            aside.append(SetAside("words", row["exhibit"], "undecodable", "says it is broken \ud83d"))
            continue
        rows.append(
            {"selector": f"sel-{row['position']}", "kind": "word", "value": text.decode(), "item": row["exhibit"]}
        )
    done = Tally("words", received=batch.num_rows, done=len(rows))
    return Output({"selectors": TABLES["selectors"].rows(rows)}, aside, [done])


def word_by_word(batch: pa.Table, context: Context) -> Iterator[Output]:
    """The same, each word as soon as it is read."""
    for number in range(batch.num_rows):
        yield split_words(batch.slice(number, 1), context)


def tell_lies(batch: pa.Table, context: Context) -> Iterator[Output]:
    """What a parser may give that evidence took over: some words are answered by another tale each."""
    for number in range(batch.num_rows):
        made = split_words(batch.slice(number, 1), context)
        word = (made.tables["selectors"].column("value").to_pylist() or [""])[0]
        if word != "silent":
            yield LIES[word][0](made) if word in LIES else made


def _packed(output: Output) -> Output:
    packed = output.tables["selectors"]
    place = packed.schema.get_field_index("value")
    return replace(output, tables={"selectors": packed.set_column(place, "value", packed["value"].dictionary_encode())})


LIES: dict[str, tuple[Callable[[Output], Output], str]] = {
    "lost": (lambda o: replace(o, tallies=[Tally("words", received=2, done=1)]), "does not add up: words (+1)"),
    "made up": (lambda o: replace(o, set_aside=[SetAside("words", "x", "cut", "", count=5)]), "add up: words (-5)"),
    "below nothing": (lambda o: replace(o, tallies=[Tally("words", 1, -1, 2)]), "-1 is no count"),
    "too many": (lambda o: replace(o, tallies=[Tally("words", 1 << 70, 1 << 70)]), f"{1 << 70} is no count"),
    "true": (lambda o: replace(o, tallies=[Tally("words", True, True)]), "Tally.received is True"),
    "other table": (lambda o: replace(o, tables={**o.tables, "media": TABLES["media"].empty()}), "other tables"),
    "no table": (lambda o: replace(o, tables={}), "other tables than words writes: ['selectors']"),
    "other columns": (lambda o: replace(o, tables={"selectors": pa.table({"value": ["x"]})}), "other columns"),
    "packed": (_packed, "selectors with other columns"),
}
"""What is given instead, and what is said of it."""


def ask_for(text: bytes, context: Context) -> None:
    """What a parser may do that evidence took over: ask for what it was not told of."""
    if text == b"elsewhere":
        context.open("..//" + "/" * (60 - len(SECRET)) + SECRET).read()
    if text == b"unknown":
        context.open("ab" * 32)


def misbehave(text: bytes) -> None:
    if text == b"segfault":
        ctypes.string_at(0)
    if text == b"memory":
        bytearray(8 << 30)
    if text == b"hang":
        time.sleep(600)
    if text == b"raise":
        raise ValueError("a parser met what it did not expect")
    if text == b"disk":
        SealedFile.failed = "[Errno 5] Input/output error"
    if text == b"write":
        Path("/tmp/casewright-escaped").write_text("x")


def count_words(batch: pa.Table, context: Context) -> Output:
    words = context.sql("SELECT value, count(*) AS n FROM selectors GROUP BY value ORDER BY value").to_pylist()
    rows = [{"rank": w["n"], "item": w["value"], "state": "new", "reason": str(context.params["why"])} for w in words]
    return Output({"worklist": TABLES["worklist"].rows(rows)}, [], [Tally("kinds", len(rows), len(rows))])


def lose_words(batch: pa.Table, context: Context) -> Output:
    return Output({"selectors": TABLES["selectors"].empty()}, [], [Tally("words", received=batch.num_rows, done=0)])


WORDS = Stage("words", 1, ("exhibit_files",), ("selectors",), split_words, over="exhibit_files",
              where="role = 'seizure'", order="position", batch=2, hostile=True,
              noun="words", key="exhibit")  # fmt: skip
BY_WORD = replace(WORDS, work=word_by_word, batch=4)
LYING = replace(WORDS, work=tell_lies)
COUNT = Stage("count", 1, ("selectors",), ("worklist",), count_words, params=lambda s: {"why": s.case.title})


def main(case: Path) -> None:
    """Run the toy stages on a case, and die by SIGKILL after two units: for the test of resumption."""
    opened = Case(case)

    def watch(progress: Progress) -> None:
        if (progress.stage, progress.done) == ("words", 2):
            os.kill(os.getpid(), signal.SIGKILL)

    with opened.writing():
        pipeline = (*SEALED, WORDS, COUNT)
        tables = TableFolder(opened.tables)
        Runner(tables, opened.store, opened.ledger, opened.settings, pipeline, Inline(), watch).run(["count"])


if __name__ == "__main__":
    main(Path(sys.argv[1]))

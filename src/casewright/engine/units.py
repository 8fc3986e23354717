"""Units of work: one batch of one stage, from its rows to finished Parquet files that a later run finds again.

A unit's folder appears when all of it is done, or not at all. A hostile unit runs in a child; when that dies, a plain
stage's rows get a child each, and the one that kills it is set aside; a streaming stage goes on behind the step that
killed it (`steps.py`).
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa

from casewright.engine.child import Job
from casewright.engine.given import Given
from casewright.engine.keeper import Keeper
from casewright.engine.parent import (
    BROKE_THE_RULES,
    DISK_FAILED,
    Died,
    Note,
    allow_children,
    run_in_child,
    stop_children,
)
from casewright.engine.room import Memory, Room
from casewright.engine.seals import fresh_beside, seal
from casewright.engine.stage import Context, Output, Piece, SetAside, Stage, Tally
from casewright.engine.steps import Digests, Journal
from casewright.engine.tables import parquet_bytes
from casewright.model.errors import CasewrightError
from casewright.model.tables import TABLES
from casewright.vault.store import Store

DEATHS = 100
"""So many steps of one unit may kill their child; then everything that follows is passed over."""


class UnbalancedStageError(CasewrightError):
    """A stage did not account for everything it was given: a defect of ours, and its output is refused."""


@dataclass(frozen=True)
class Unit:
    """A batch to be worked on, and the folder that will hold what comes of it. `room`: for work in this process."""

    job: Job
    folder: Path
    room: Room = field(default_factory=Memory)


class Engine(Protocol):
    """Finishes units of one stage, and says so one by one in their order, whatever the order in which they end."""

    def run(self, stage: Stage, units: Iterable[Unit], store: Store, note: Note) -> Iterator[None]: ...


class Inline:
    """One after the other; only hostile stages get a child process."""

    def run(self, stage: Stage, units: Iterable[Unit], store: Store, note: Note) -> Iterator[None]:
        allow_children()
        for unit in units:
            finish_unit(stage, unit, store, note, in_child=unit.job.hostile)
            yield


class Processes:
    """Several child processes at once; each is watched by a thread of this process."""

    def __init__(self, workers: int) -> None:
        self.workers = max(1, workers)

    def run(self, stage: Stage, units: Iterable[Unit], store: Store, note: Note) -> Iterator[None]:
        if stage.over is None and not stage.hostile:
            yield from Inline().run(stage, units, store, note)
            return
        allow_children()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="casewright") as pool:
            pending = [pool.submit(finish_unit, stage, unit, store, note, in_child=True) for unit in units]
            try:
                for future in pending:
                    yield future.result()
            except BaseException:
                for future in pending:
                    future.cancel()
                stop_children()
                raise


def finish_unit(stage: Stage, unit: Unit, store: Store, note: Note, in_child: bool) -> None:
    """Do the unit's work and leave its folder."""
    parts = _Parts(stage, unit.folder)
    if stage.streams:
        protections = _stream(stage, unit, store, parts, note)
    elif in_child:
        protections = _in_children(stage, unit.job, store, parts)
    else:
        protections = []
        job = unit.job
        made = job.work(job.batch, Context(job.params, job.tables, StoreBlobs(store), lazy=job.lazy, room=unit.room))
        _take_all([made] if isinstance(made, Output) else made, parts)
    parts.finish(protections)


def _take_all(outputs: Iterable[Output], parts: "_Parts") -> None:
    """One output is written while the next one is made: no more than two are held."""
    with ThreadPoolExecutor(1) as writer:
        under_way = None
        for output in outputs:
            if under_way:
                under_way.result()
            under_way = writer.submit(parts.take, output)
        if under_way:
            under_way.result()


def finish_piece(stage: Stage, folder: Path, piece: Piece) -> None:
    """Leave the folder of a piece."""
    parts = _Parts(stage, folder)
    parts.take(piece.make(), some=True)
    parts.finish([])


def heads_of(folder: Path) -> list[dict[str, Any]]:
    """What a finished unit's outputs were: tables with their digests and rows, set-aside rows, tallies."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("head-*.json"))]


def part_file(folder: Path, table: str, number: int) -> Path:
    return folder / f"{table}-{number:06d}.parquet"


class _Parts:
    """The outputs of one unit on their way to the disk."""

    def __init__(self, stage: Stage, folder: Path) -> None:
        self._stage, self._folder = stage, folder
        self.restart()

    def restart(self) -> None:
        self._fresh, self.count = fresh_beside(self._folder), 0

    def back_to(self, count: int) -> None:
        """Take back all outputs but the first `count`."""
        for number in range(count, self.count):
            for path in self._fresh.glob(f"*-{number:06d}.*"):
                path.unlink()
        self.count = count

    def take(self, output: Output, some: bool = False) -> None:
        """`some`: it need not have all of the stage's tables."""
        written, declared = set(output.tables), set(self._stage.writes)
        if missing := written - declared if some else written ^ declared:
            raise UnbalancedStageError(
                f"stage {self._stage.name} wrote other tables than it declared: {sorted(missing)}."
            )
        head: dict[str, Any] = {"tables": {}, "set_aside": [asdict(s) for s in output.set_aside],
                                "tallies": [asdict(t) for t in output.tallies]}  # fmt: skip
        for name in sorted(written):
            rows = output.tables[name].cast(TABLES[name].schema).combine_chunks()
            raw = parquet_bytes(rows)
            part_file(self._fresh, name, self.count).write_bytes(raw)
            head["tables"][name] = {"sha256": hashlib.sha256(raw).hexdigest(), "rows": rows.num_rows}
        (self._fresh / f"head-{self.count:06d}.json").write_text(json.dumps(head, sort_keys=True), "utf-8")
        self.count += 1

    def finish(self, protections: list[str]) -> None:
        seal(self._fresh, self._folder, protections)


def _stream(stage: Stage, unit: Unit, store: Store, parts: _Parts, note: Note) -> list[str]:
    """A streaming unit, child after child, until one comes to the end or nothing more can be passed over."""
    steps = unit.folder.with_suffix(".steps")
    protections = _through(stage, unit, store, parts, note, steps)
    shutil.rmtree(steps)
    return protections


def _through(stage: Stage, unit: Unit, store: Store, parts: _Parts, note: Note, steps: Path) -> list[str]:
    with closing(Journal(steps)) as journal:
        died_once, all_from, doubted = -1, None, False
        while True:
            passed = journal.passed_over()
            job = replace(unit.job, resumed=journal.begun, passed_over=passed, all_from=all_from)
            died, protections = _by_a_child(stage, job, store, parts, journal, note)
            if died is None:
                return protections
            parts.restart()
            if died.reason == DISK_FAILED and not doubted:
                doubted = True
                continue
            if died.step == 0 or died.step in passed or all_from is not None or died.reason == DISK_FAILED:
                parts.take(_died(stage, job.batch, died))
                return protections
            if died.reason == "died" and died.step != died_once:
                died_once = died.step  # once more: somebody else may have ended it, as the kernel does out of memory
            elif len(passed) >= DEATHS:
                all_from = died.step
            else:
                journal.pass_over(died.step, f"{died.reason}: {died.detail}")


def _in_children(stage: Stage, job: Job, store: Store, parts: _Parts) -> list[str]:
    """The batch in a child. When it dies, each row gets a child of its own; the one that kills it is set aside."""
    died, protections = _in_child(stage, job, store, parts)
    if died is None:
        return protections
    if not job.hostile:
        raise UnbalancedStageError(
            f"stage {stage.name} failed: {died.reason}: {died.detail}. This is a defect of ours."
        )
    if job.batch.num_rows <= 1:
        parts.take(_died(stage, job.batch, died))
        return protections
    for row in range(job.batch.num_rows):
        protections = _in_children(stage, replace(job, batch=job.batch.slice(row, 1)), store, parts)
    return protections


def _in_child(stage: Stage, job: Job, store: Store, parts: _Parts) -> tuple[Died | None, list[str]]:
    """What a child that died gave is taken back. One that alone saw its disk fail is asked once more: disks stumble."""
    before = parts.count
    for _ in range(2):
        died, protections = _by_a_child(stage, job, store, parts)
        if died is None:
            break
        parts.back_to(before)
        if died.reason != DISK_FAILED:
            break
    return died, protections


def _by_a_child(
    stage: Stage, job: Job, store: Store, parts: _Parts, journal: Journal | None = None, note: Note = lambda text: None
) -> tuple[Died | None, list[str]]:
    """What a child of evidence gives is looked at before it counts; one whose word does not add up died of it."""
    if not job.hostile:
        return run_in_child(job, store, parts.take, journal, note)
    given = Given(stage, job.batch.num_rows)
    died, protections = run_in_child(job, store, lambda output: parts.take(given.look_at(output)), journal, note)
    if died is None and (wrong := given.wrong()):
        died = Died(BROKE_THE_RULES, wrong)
    return died, protections


def _died(stage: Stage, batch: pa.Table, how: Died) -> Output:
    """Every row of the batch set aside."""
    subjects = [str(key) for key in batch.column(stage.key).to_pylist()] if batch.num_rows else [stage.name]
    return Output(
        {name: TABLES[name].empty() for name in stage.writes},
        [SetAside(stage.noun, subject, how.reason, how.detail) for subject in subjects],
        [Tally(stage.noun, received=len(subjects), done=0)],
    )


class StoreBlobs:
    """The store itself as a stage sees it, for stages that need no sandbox and run in this process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def open(self, sha256: str) -> BinaryIO:
        return self._store.open(sha256)

    def put(self, chunks: Iterable[bytes]) -> Digests:
        keeper = Keeper(self._store)
        for chunk in chunks:
            keeper.write(chunk)
        return keeper.keep()()

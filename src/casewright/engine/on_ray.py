"""The third runner: units of work on a cluster of Ray, by the same contract as `Inline` and `Processes`.

The case stays where it is. A unit goes to a worker with its rows; that asks for sealed bytes and parts of tables by
their digest, checks them, does the unit as it would be done here, and sends back the finished folder, whose files hold
each other's digests. What a worker has not finished when its node dies is done again by another. Stages that keep
bytes, work in pieces, or are one long unit run here, and the run says so.
"""

import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from casewright.engine import parent
from casewright.engine.parent import Note, allow_children
from casewright.engine.parts import StoredPart
from casewright.engine.ray_cluster import Cluster
from casewright.engine.ray_messages import CHUNK, Bytes, Finished, Parcel, Question, Sent, Wrong, made_by, packed
from casewright.engine.seals import fresh_beside, is_whole
from casewright.engine.stage import Stage
from casewright.engine.units import Processes, Unit, finish_unit
from casewright.model.errors import BrokenSeal, CasewrightError, Missing
from casewright.vault.store import Store
from casewright.vault.twin import Twin

AHEAD = 2
"""Units for each worker that are on their way or being worked on."""
CLIENT = "ray://"


def stays(stage: Stage, units: int) -> str:
    """Why a stage runs where the case lies; empty when it can go to a cluster."""
    if stage.pieces:
        return "it works in pieces on the case's disk"
    if stage.shared:
        return "it maps arrays that stages share on the case's disk"
    if stage.keeps_bytes:
        return "it puts what it unpacks into the case's store"
    if stage.streams and units == 1:
        return "it is one long unit, which goes on where a killed run left it"
    return ""


def is_ray(name: str) -> bool:
    """Whether an engine's name is one of this kind."""
    kind, colon, rest = name.partition(":")
    host, _, port = rest.removeprefix("//").rpartition(":")
    return kind == "ray" and (not colon or rest.isdigit() or bool(host and port.isdigit()))


class OnRay(Processes):
    """Processes of this machine for what stays here, a cluster for the rest. It is started with the first unit for it.

    `name`: `ray` for this machine alone, `ray:N` with so many workers, `ray:HOST:PORT` where this machine is a node of
    the cluster, or `ray://HOST:PORT`.
    """

    def __init__(self, name: str) -> None:
        super().__init__(os.cpu_count() or 1)
        rest = name.partition(":")[2]
        self._address = name if name.startswith(CLIENT) else rest if ":" in rest else ""
        self._wanted = int(rest) if rest.isdigit() else self.workers
        self._cluster: Cluster | None = None
        self.stayed: dict[str, str] = {}
        self.done: Counter[str] = Counter()
        self.done_here: Counter[str] = Counter()

    def __enter__(self) -> "OnRay":
        return self

    def __exit__(self, *_: object) -> None:
        cluster, self._cluster = self._cluster, None
        if cluster:
            cluster.close()

    def run(self, stage: Stage, units: Iterable[Unit], store: Store, note: Note) -> Iterator[None]:
        todo = list(units)
        if why := stays(stage, len(todo)):
            if todo:
                self.stayed[stage.name] = why
            yield from super().run(stage, todo, store, note)
            return
        if todo:
            allow_children()
            self._cluster = self._cluster or Cluster(self._address, self._wanted)
            yield from _Errand(self, self._cluster, stage, todo, store, note).run()

    def saw(self, stages: Iterable[Stage]) -> None:
        """These stages ran, some of which no engine is asked about."""
        self.stayed.update({stage.name: stays(stage, 1) for stage in stages if stage.pieces})

    def account(self) -> list[str]:
        """What was done where, a line each."""
        lines = [f"{self.done.total()} units on a cluster: " + ", ".join(f"{n} on {w}" for w, n in self.done.items())]
        lines += [f"{stage}: ran where the case lies, because {why}" for stage, why in self.stayed.items()]
        lines += [f"{stage}: {n} units were done here after workers were lost" for stage, n in self.done_here.items()]
        return lines


class _Errand:
    """One stage's units on their way to workers and back."""

    def __init__(
        self, engine: OnRay, cluster: Cluster, stage: Stage, units: Sequence[Unit], store: Store, note: Note
    ) -> None:
        self._engine, self._cluster, self._ray, self._stage = engine, cluster, cluster.ray, stage
        self._units, self._store, self._note = units, store, note
        self._waiting = deque(range(len(units)))
        self._flying: dict[Any, int] = {}
        self._done: set[int] = set()
        self._parts: dict[str, Path] = {}
        self._sent: dict[int, tuple[pa.Table, Sent]] = {}

    def run(self) -> Iterator[None]:
        """Every unit's folder is there when it is said to be done; they are said in their order."""
        try:
            for number in range(len(self._units)):
                while number not in self._done:
                    self._go_on()
                yield
        finally:
            for flying in self._flying:
                with suppress(self._ray.exceptions.RayError):
                    self._ray.cancel(flying, force=True)

    def _go_on(self) -> None:
        while self._waiting and len(self._flying) < AHEAD * self._cluster.places:
            self._send(self._waiting.popleft())
        remote = self._cluster.remote
        (ready,), _ = self._ray.wait([remote.questions, *self._flying], num_returns=1)
        if ready == remote.questions:
            for number, question in self._asked():
                remote.desk.answer.remote(number, [self._ray.put(self._answer(question))])
        else:
            self._take(self._flying.pop(ready), ready)

    def _asked(self) -> Sequence[tuple[int, Question]]:
        try:
            found: Sequence[tuple[int, Question]] = self._ray.get(self._cluster.remote.questions)
        except self._ray.exceptions.RayError as error:
            raise self._lost(error) from error
        self._cluster.remote.listen()
        return found

    def _send(self, number: int) -> None:
        job = self._units[number].job
        parts = {name: self._noted(found) for name, found in job.lazy.items()}
        bare = replace(job, batch=pa.table({}), tables={}, lazy={})
        tables = {name: self._table(table) for name, table in job.tables.items()}
        batch = Sent(*self._put(job.batch))
        twin = self._store.elsewhere.url if isinstance(self._store.elsewhere, Twin) else ""
        parcel = Parcel(
            self._cluster.run, self._stage, bare, batch, tables, parts, tuple(parent.PRELOAD), made_by(), twin
        )
        self._flying[self._cluster.remote.work_on.remote(parcel, self._cluster.remote.desk)] = number

    def _table(self, table: pa.Table) -> Sent:
        """A table that many units look at is put into the cluster once."""
        if id(table) not in self._sent:
            if self._stage.beside:  # each unit has its own
                self._sent = dict(list(self._sent.items())[-len(self._stage.reads) :])
            self._sent[id(table)] = table, Sent(*self._put(table))
        return self._sent[id(table)][1]

    def _put(self, table: pa.Table) -> tuple[str, Any]:
        sha256, raw = packed(table)
        return sha256, self._ray.put(raw)

    def _noted(self, parts: Iterable[Any]) -> list[Any]:
        """The parts of a table that is read in parts, and where they lie here when a worker asks."""
        found = [part for part in parts if isinstance(part, StoredPart)]
        self._parts.update({part.part.sha256: part.path for part in found})
        return [part.part for part in found]

    def _answer(self, question: Question) -> "list[Bytes] | Wrong":
        if len(question.wanted) == 1:
            try:
                with self._open(question.wanted[0]) as file:
                    return [_stretch(file, question.wanted[0], question.at)]
            except CasewrightError as error:
                return Wrong(type(error).__name__, str(error))
            except OSError as error:
                return Wrong("Missing", f"sealed bytes {question.wanted[0]} cannot be read: {error.strerror or error}.")
        found, room = [], CHUNK
        for sha256 in question.wanted:
            with suppress(CasewrightError, OSError), self._open(sha256) as file:  # asked for alone, it will tell
                if (size := os.fstat(file.fileno()).st_size) <= room:
                    found.append(Bytes(sha256, size, file.read(size)))
                    room -= size
        return found

    def _open(self, sha256: str) -> BinaryIO:
        return self._parts[sha256].open("rb") if sha256 in self._parts else self._store.open(sha256)

    def _take(self, number: int, back: Any) -> None:
        errors = self._ray.exceptions
        try:
            result = self._ray.get(back)
        except (errors.WorkerCrashedError, errors.NodeDiedError, errors.OutOfMemoryError, errors.ObjectLostError):
            self._here(number)
            return
        except errors.RayTaskError as error:
            if isinstance(error.cause, errors.RayError):
                raise self._lost(error.cause) from error
            raise
        except errors.RayError as error:
            raise self._lost(error) from error
        if isinstance(result, Wrong):
            raise result.error()
        self._keep(number, result)

    def _keep(self, number: int, finished: Finished) -> None:
        folder = self._units[number].folder
        fresh = fresh_beside(folder)
        for name, data in finished.files.items():
            if Path(name).name != name:
                raise BrokenSeal(f"the worker {finished.worker} sent a file of the name {name!r}, which no unit has.")
            (fresh / name).write_bytes(data)
        fresh.rename(folder)
        if not is_whole(folder):
            raise BrokenSeal(
                f"unit {number} of {self._stage.name} did not come whole from the worker {finished.worker}. Run again."
            )
        self._engine.done[finished.worker] += 1
        self._done.add(number)

    def _here(self, number: int) -> None:
        """Several workers were lost with this unit; it may be the unit. Here it can cost no more than its own rows."""
        finish_unit(self._stage, self._units[number], self._store, self._note, in_child=True)
        self._engine.done_here[self._stage.name] += 1
        self._done.add(number)

    def _lost(self, error: BaseException) -> Missing:
        first = str(error).strip().partition("\n")[0]
        return Missing(f"{self._cluster.name} failed: {first} What was finished is kept: run again, on it or here.")


def _stretch(file: BinaryIO, sha256: str, at: int) -> Bytes:
    file.seek(at)
    return Bytes(sha256, os.fstat(file.fileno()).st_size, file.read(CHUNK))

"""A worker's side of a run on a cluster: it does a unit as the machine with the case would, from its own cache.

Hostile stages run in the same sandboxed child as everywhere (`child.py`); this process only opens what the child asks
for, and brings it first when it is not here.
"""

import os
import shutil
import socket
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from casewright.engine import parent
from casewright.engine.parts import StoredPart
from casewright.engine.ray_cache import Cache, hold, own_folder
from casewright.engine.ray_messages import (
    ERRORS,
    Bytes,
    Finished,
    Parcel,
    Question,
    Sent,
    Wrong,
    differences,
    made_by,
    unpacked,
)
from casewright.engine.units import Unit, finish_unit
from casewright.model.errors import CasewrightError, Missing
from casewright.vault.twin import Twin

TABLES_KEPT = 1 << 28
"""Bytes of tables that a worker keeps for the next unit."""


class Worker:
    """What a worker's process keeps between units of one run."""

    def __init__(self, run: str, desk: Any, twin: str = "") -> None:
        self.run, self._desk, self._twin = run, desk, Twin(twin) if twin else None
        folder = own_folder() / run
        self._lock = hold(folder)
        self.cache = Cache(folder, self._fetch)
        self._tables: OrderedDict[str, tuple[int, pa.Table]] = OrderedDict()
        parent.allow_children()

    def work_on(self, parcel: Parcel) -> Finished:
        parent.preload(parcel.preload)
        job = replace(
            parcel.job,
            batch=self._table(parcel.batch),
            tables={name: self._table(sent) for name, sent in parcel.tables.items()},
            lazy={
                name: [FetchedPart(self.cache.path_of(p.sha256), p, cache=self.cache) for p in parts]
                for name, parts in parcel.parts.items()
            },
        )
        self._bring_ahead(job.batch)
        folder = self.cache.root / f"unit-{os.getpid()}"
        try:
            finish_unit(parcel.stage, Unit(job, folder), self.cache, lambda text: None, in_child=job.hostile)
            return Finished({p.name: p.read_bytes() for p in sorted(folder.iterdir())}, _name())
        finally:
            for left in (folder, folder.with_suffix(".tmp"), folder.with_suffix(".steps")):
                shutil.rmtree(left, ignore_errors=True)

    def _table(self, sent: Sent) -> pa.Table:
        if sent.sha256 not in self._tables:
            raw = _get(sent.where)
            self._tables[sent.sha256] = (raw.size, unpacked(sent.sha256, raw))
            while len(self._tables) > 1 and sum(size for size, _ in self._tables.values()) > TABLES_KEPT:
                self._tables.popitem(last=False)
        self._tables.move_to_end(sent.sha256)
        return self._tables[sent.sha256][1]

    def _bring_ahead(self, batch: pa.Table) -> None:
        """Small files that the batch names, with one question: asking for each would take longer than they do."""
        named = batch.column("sha256").to_pylist() if "sha256" in batch.schema.names else []
        lacking = [sha256 for sha256 in dict.fromkeys(named) if sha256 and not self.cache.has(sha256)]
        if len(lacking) > 1:
            for found in self._ask(Question(lacking)):
                self.cache.take(found.sha256, [found.data], f"reached the worker {socket.gethostname()}")

    def _fetch(self, sha256: str) -> tuple[str, Iterator[bytes]]:
        """From the case's twin, where it has one that this machine can reach; else from the case."""
        with suppress(Missing):
            if self._twin and self._twin.has(sha256):
                return self._twin.place(sha256), self._twin.chunks(sha256)
        return "the case", self._from_case(sha256)

    def _from_case(self, sha256: str) -> Iterator[bytes]:
        at, size = 0, 1
        while at < size:
            (found,) = self._ask(Question([sha256], at))
            size = found.size
            if not found.data:
                return  # it became shorter: its digest will tell
            at += len(found.data)
            yield found.data

    def _ask(self, question: Question) -> Sequence[Bytes]:
        answer = _get(_get(self._desk.ask.remote(question))[0])
        if isinstance(answer, Wrong):
            raise answer.error()
        found: Sequence[Bytes] = answer
        return found


@dataclass
class FetchedPart(StoredPart):
    """A part of a table that comes into the cache when it is read for the first time."""

    cache: Cache | None = None

    def _check(self) -> None:
        assert self.cache
        self.path = self.cache.locate(self.part.sha256)
        super()._check()


_WORKING: dict[str, Worker] = {}


def work_on(parcel: Parcel, desk: Any) -> Finished | Wrong:
    """A unit's files, or what a person must read. What is nobody's mistake but ours is raised."""
    if wrong := differences(parcel.made_by, made_by()):
        return Wrong("Missing", f"the worker {socket.gethostname()} has {'; '.join(wrong)}. Its results could be other "
                     "bytes. Install there what is installed here.")  # fmt: skip
    try:
        if parcel.run not in _WORKING:
            _WORKING.clear()
            _WORKING[parcel.run] = Worker(parcel.run, desk, parcel.twin)
        return _WORKING[parcel.run].work_on(parcel)
    except CasewrightError as error:
        kind = next((name for name, one in ERRORS.items() if isinstance(error, one)), "CasewrightError")
        return Wrong(kind, str(error))


def forget(run: str) -> None:
    """Remove what this machine holds of a run."""
    with suppress(CasewrightError):
        shutil.rmtree(own_folder() / run, ignore_errors=True)


def _name() -> str:
    import ray  # noqa: PLC0415  an extra

    return f"{socket.gethostname()} ({ray.util.get_node_ip_address()})"


def _get(where: Any) -> Any:
    import ray  # noqa: PLC0415  an extra

    return ray.get(where)

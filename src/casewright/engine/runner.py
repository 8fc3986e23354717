"""The engine: runs stages in order, skips what is current, resumes what was killed, checks that nothing is lost.

A stage is current when every table it writes carries the fingerprint of what would make it now: the stage's name and
version, its settings, Casewright's version, and the digests of all it reads. Units of work that a killed run finished
stay under `tables/.work/` and are taken up again; a stage's tables appear only when all its units are done.
"""

import ctypes
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from casewright import __version__
from casewright.engine.child import Job
from casewright.engine.parent import preload, run_in_child
from casewright.engine.parts import StoredPart
from casewright.engine.room import Disk, Memory, Room
from casewright.engine.seals import is_whole, protections_of
from casewright.engine.stage import Context, Output, Progress, Stage
from casewright.engine.tables import SHARED, Part, TableFolder, digest_of, parquet_bytes, run_bytes
from casewright.engine.units import (
    Engine,
    StoreBlobs,
    UnbalancedStageError,
    Unit,
    finish_piece,
    heads_of,
    part_file,
)
from casewright.model.errors import CasewrightError, Refused
from casewright.model.ids import make_id
from casewright.model.settings import Settings
from casewright.model.tables import TABLES
from casewright.vault.disk import sync_file
from casewright.vault.ledger import Ledger, canonical
from casewright.vault.store import Store

Watcher = Callable[[Progress], None]


@dataclass(frozen=True)
class Ran:
    """What happened to one stage: `skipped` when its tables were current."""

    stage: str
    skipped: bool
    rows: Mapping[str, int]
    tallies: Sequence[Mapping[str, Any]]


@dataclass
class Runner:
    """Runs stages on one case. `pipeline` is every stage there is, in order; the caller holds the case's lock."""

    tables: TableFolder
    store: Store
    ledger: Ledger
    settings: Settings
    pipeline: Sequence[Stage]
    engine: Engine
    watch: Watcher = lambda progress: None

    def run(self, wanted: Sequence[str]) -> list[Ran]:
        """Bring the wanted stages up to date, and before them all that they rest on."""
        self.tables.clean()
        needed = self.closure(wanted)
        hostile = [stage for stage in self.pipeline if stage.hostile]
        preload(stage.work.__module__ for stage in hostile)
        preload(name for stage in hostile if stage.name in needed for name in stage.imports)
        return [self._run_stage(stage) for stage in self.pipeline if stage.name in needed]

    def once(self, stage: Stage) -> Output:
        """The output of a stage that stands outside the pipeline, over all its rows at once; nothing is kept of it."""
        tables = {name: self.tables.load(name) for name in stage.reads}
        (batch,) = _batches(replace(stage, batch=1 << 62), tables)
        outputs: list[Output] = []
        died, _ = run_in_child(self._job(stage, batch, _beside(stage, tables)), self.store, outputs.append)
        if died:
            raise Refused(f"{stage.name} failed: {died.reason}: {died.detail}")
        if len(outputs) != 1:
            raise Refused(f"{stage.name} failed: its parser gave {len(outputs)} outputs, where one was asked for")
        return outputs[0]

    def closure(self, wanted: Sequence[str]) -> set[str]:
        """Names of the wanted stages and of every stage whose tables they read, directly or not."""
        needed: set[str] = set()
        for stage in reversed(self.pipeline):
            readers = {r for s in self.pipeline if s.name in needed for r in s.reads}
            if stage.name in wanted or readers & set(stage.writes):
                needed.add(stage.name)
        return needed

    def stale(self) -> list[str]:
        """Stages whose tables are missing or rest on something older; once one is, all that follow from it are."""
        names: list[str] = []
        dirty: set[str] = set()
        for stage in self.pipeline:
            if dirty & set(stage.reads) or not self._current(stage, self.fingerprint(stage)):
                names.append(stage.name)
                dirty |= set(stage.writes)
        return names

    def fingerprint(self, stage: Stage) -> str:
        return hashlib.sha256(_loose(self._made_from(stage))).hexdigest()

    def _made_from(self, stage: Stage) -> dict[str, Any]:
        """All that decides what a stage's tables hold."""
        reads = {name: self._input_digest(name, stage) for name in sorted(stage.reads)}
        return {"stage": stage.name, "version": stage.version, "casewright": __version__,
                "params": dict(stage.params(self.settings)), "reads": reads}  # fmt: skip

    def _job(self, stage: Stage, batch: pa.Table, beside: Mapping[str, pa.Table]) -> Job:
        params = stage.params(self.settings)
        limits = self.settings.limits
        return Job(stage.work, batch, beside, params, stage.hostile, stage.keeps_bytes, limits, stage.streams,
                   imports=stage.imports, lazy=self._lazy(stage))  # fmt: skip

    def _input_digest(self, name: str, stage: Stage) -> str:
        if name.startswith("ledger/"):
            return digest_of(self._ledger_rows(name))
        return self.tables.digest(name, self._before(stage))

    def _ledger_rows(self, name: str) -> list[str]:
        """The ledger's events of one kind without time, host or place in the ledger, which change no result."""
        events = self.ledger.events(name.removeprefix("ledger/"))
        return [canonical({"kind": e.kind, "data": e.data}).decode("utf-8") for e in events]

    def _before(self, stage: Stage) -> frozenset[str]:
        names = [s.name for s in self.pipeline]
        return frozenset(names[: names.index(stage.name)])

    def _current(self, stage: Stage, fingerprint: str) -> bool:
        runs = {name: self.tables.run_of(name) for name in stage.writes}
        fits = all(
            run and run.get("fingerprint") == fingerprint and self.tables.complete(name) for name, run in runs.items()
        )
        return fits and all(any(p.stage == stage.name for p in self.tables.parts(name)) for name in SHARED)

    def _run_stage(self, stage: Stage) -> Ran:
        fingerprint = self.fingerprint(stage)
        if self._current(stage, fingerprint):
            self._forget_work(stage)  # a run that failed behind its last table left it
            return self._report(stage, skipped=True)
        if stage.pieces:
            folders, kept = self._finish_pieces(stage)
        else:
            folders, kept = self._finish_batches(stage, fingerprint)
        self._commit(stage, fingerprint, folders)
        self._forget(stage, kept)
        give_back()
        return self._report(stage, skipped=False)

    def _report(self, stage: Stage, skipped: bool) -> Ran:
        rows = {name: sum(p.rows for p in self.tables.parts(name)) for name in stage.writes}
        run = self.tables.run_of(stage.writes[0]) or {}
        return Ran(stage.name, skipped, rows, run.get("tallies", []))

    def _shared(self, stage: Stage) -> Disk | Memory:
        """Where the stage's arrays are kept, if it shares them with others."""

        def tell(text: str) -> None:
            self.watch(Progress(stage.name, 0, 1, text))

        if not stage.shared:
            return Memory()
        return Disk(self.tables.root / ".units" / stage.shared, stage.shared.encode(), tell)

    def _units(self, stage: Stage, fingerprint: str, room: Room) -> list[Unit]:
        """The stage's units, in order. What a killed run finished of them is found in their folders."""
        tables = self._inputs(stage)
        beside = _beside(stage, tables)
        jobs = [self._job(stage, batch, _picked(stage, batch, beside)) for batch in _batches(stage, tables)]
        if stage.streams:  # a folder is named by all that decides what is in it, so that later runs find it too
            root = self.tables.root / ".units" / stage.name
            return [Unit(job, root / self._unit_key(stage, job)) for job in jobs]
        work = self.tables.root / ".work" / stage.name
        mine = work / fingerprint[:16]
        for other in work.iterdir() if work.exists() else ():
            if other != mine:
                shutil.rmtree(other)
        return [Unit(job, mine / f"{i:06d}", room) for i, job in enumerate(jobs)]

    def _finish_batches(self, stage: Stage, fingerprint: str) -> tuple[list[Path], set[Path]]:
        """The folders of the stage's units, in order; and all folders that a later run may take up."""
        room = self._shared(stage)
        with closing(room):
            units = self._units(stage, fingerprint, room)
            self._finish_units(stage, units)
        folders = [unit.folder for unit in units]
        return folders, {*folders, *room.used}

    def _finish_pieces(self, stage: Stage) -> tuple[list[Path], set[Path]]:
        """The folders of the stage's pieces, in order; and all folders that a later run may take up."""
        done: list[Path] = []
        params, lazy, total = stage.params(self.settings), self._lazy(stage), 0

        def tell(text: str = "") -> None:
            self.watch(Progress(stage.name, len(done), total, text))

        room = Disk(self.tables.root / ".units" / stage.name, _decided(stage, params), tell)
        context = Context(params, self._inputs(stage), StoreBlobs(self.store), lazy=lazy, room=room)
        with closing(room):
            for piece in stage.work(pa.table({}), context):
                folder = room.folder(piece.key)
                if not is_whole(folder):
                    finish_piece(stage, folder, piece)
                done.append(folder)
                total = piece.of
                tell()
        return done, room.used

    def _unit_key(self, stage: Stage, job: Job) -> str:
        digest = hashlib.sha256(_decided(stage, job.params))
        for name, table in sorted({"": job.batch, **job.tables}.items()):
            digest.update(name.encode() + b"\0" + parquet_bytes(table.combine_chunks()))
        return digest.hexdigest()[:32]

    def _finish_units(self, stage: Stage, units: Sequence[Unit]) -> None:
        """Leaves every unit's folder; those that are there and whole are taken as they are."""
        for unit in units:
            unit.folder.parent.mkdir(parents=True, exist_ok=True)
        todo = [unit for unit in units if not is_whole(unit.folder)]
        done, total = [unit for unit in units if unit.folder not in {t.folder for t in todo}], len(units)
        self.watch(Progress(stage.name, len(done), total))
        finished = self.engine.run(
            stage, todo, self.store, lambda text: self.watch(Progress(stage.name, len(done), total, text))
        )
        for unit, _ in zip(todo, finished, strict=True):
            done.append(unit)
            self.watch(Progress(stage.name, len(done), total))

    def _forget(self, stage: Stage, kept: Collection[Path]) -> None:
        """Remove units that no table rests on any more; of a plain stage all, since its tables hold them."""
        self._forget_work(stage)
        units = self.tables.root / ".units" / (stage.shared or stage.name)
        for path in units.iterdir() if units.exists() else ():
            if path not in kept:
                shutil.rmtree(path)

    def _forget_work(self, stage: Stage) -> None:
        shutil.rmtree(self.tables.root / ".work" / stage.name, ignore_errors=True)

    def _inputs(self, stage: Stage) -> dict[str, pa.Table]:
        event = pa.schema([("event", pa.string())])
        before = self._before(stage)
        return {
            name: pa.table({"event": self._ledger_rows(name)}, schema=event)
            if name.startswith("ledger/")
            else self.tables.load(name, before, stage.columns.get(name))
            for name in stage.reads
            if name not in stage.lazy
        }

    def _lazy(self, stage: Stage) -> dict[str, list[StoredPart]]:
        return {
            name: [
                StoredPart(self.tables.root / name / part.file, part)
                for part in self.tables.parts(name, self._before(stage))
            ]
            for name in stage.lazy
        }

    def _commit(self, stage: Stage, fingerprint: str, units: list[Path]) -> None:
        made = [(unit, number, head) for unit in units for number, head in enumerate(heads_of(unit))]
        heads = [head for _, _, head in made]
        aside = [row for head in heads for row in head["set_aside"]]
        tallies = _add_tallies(stage, [t for head in heads for t in head["tallies"]], aside)
        head = {"format": 1, "fingerprint": fingerprint, "tallies": tallies, **self._made_from(stage)}
        if stage.keeps_bytes:
            os.sync()  # one sync for all unpacked items, before any table says that they are there
        runs, files = {}, {}
        for name in stage.writes:
            mine = [(unit, k, head["tables"][name]) for unit, k, head in made if name in head["tables"]]
            parts = [_part(stage, i, entry) for i, (_, _, entry) in enumerate(mine)]
            runs[name] = {"table": name, **head, "parts": [p.record() for p in parts]}
            files[name] = [(p.file, part_file(unit, name, k)) for p, (unit, k, _) in zip(parts, mine, strict=True)]
        shared = {
            "set_aside": parquet_bytes(_set_aside_rows(stage, aside)),
            "tallies": parquet_bytes(TABLES["tallies"].rows(tallies)),
        }
        protections = sorted({p for unit in units for p in protections_of(unit)})
        for _, source in (pair for pairs in files.values() for pair in pairs):
            sync_file(source)  # before the ledger says what they are
        self._announce(stage, fingerprint, runs, shared, protections)
        for name, raw in shared.items():
            self.tables.replace_part(name, stage.name, raw)
        for name in stage.writes:  # last: by their fingerprints a later run knows that all of it is in place
            self.tables.replace(name, runs[name], files[name])

    def _announce(
        self,
        stage: Stage,
        fingerprint: str,
        runs: Mapping[str, Any],
        shared: Mapping[str, bytes],
        protections: Sequence[str],
    ) -> None:
        """Say in the ledger what the tables are about to be: a run killed in between then leaves tables that the ledger
        knows, the new ones or those before, and `verify` can tell an interrupted run from changed bytes."""
        digests = {name: hashlib.sha256(run_bytes(run)).hexdigest() for name, run in runs.items()}
        parts = {name: hashlib.sha256(raw).hexdigest() for name, raw in shared.items()}
        done: dict[str, Any] = {"stage": stage.name, "version": stage.version, "fingerprint": fingerprint}
        if stage.hostile:
            done["protections"] = list(protections)
        self.ledger.append(("stage done", {**done, "runs": digests, "parts": parts}))


def _part(stage: Stage, number: int, entry: Mapping[str, Any]) -> Part:
    return Part(f"part-{number:06d}.parquet", entry["sha256"], entry["rows"], stage.name)


def _beside(stage: Stage, tables: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The tables that every unit may look at besides its own rows."""
    return {name: table for name, table in tables.items() if name != stage.over or stage.sees_all}


def _picked(stage: Stage, batch: pa.Table, beside: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """Of the tables beside a batch, the rows that the stage says it may look at."""
    if not stage.beside:
        return dict(beside)
    key = {"key": batch.column(stage.key)[0].as_py()} if batch.num_rows else {"key": None}
    picked = dict(beside)
    for name, rule in stage.beside.items():
        context = Context({}, {name: beside[name]}, _NO_BLOBS)
        sql = f"SELECT * FROM {name} WHERE {rule}"  # noqa: S608  ours
        picked[name] = context.sql(sql, key if "$key" in sql else None).cast(beside[name].schema)
    return picked


def _batches(stage: Stage, tables: Mapping[str, pa.Table]) -> Iterator[pa.Table]:
    if stage.over is None:
        yield pa.table({})
        return
    context = Context({}, {name: tables[name] for name in stage.reads if name not in stage.lazy}, _NO_BLOBS)
    rows = context.sql(f"SELECT * FROM {stage.over} WHERE {stage.where} ORDER BY {stage.order}")  # noqa: S608  ours
    rows = rows.cast(TABLES[stage.over].schema)
    for start in range(0, max(rows.num_rows, 1), stage.batch):
        yield rows.slice(start, stage.batch)


def _add_tallies(stage: Stage, tallies: list[dict[str, Any]], aside: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sums by noun, with what was set aside. Raises UnbalancedStageError when anything is unaccounted for."""
    nouns = sorted({t["noun"] for t in tallies} | {a["noun"] for a in aside})
    sums = []
    for noun in nouns:
        mine = [t for t in tallies if t["noun"] == noun]
        total = {key: sum(t[key] for t in mine) for key in ("received", "done", "nothing")}
        away = sum(a["count"] for a in aside if a["noun"] == noun)
        if total["received"] != total["done"] + total["nothing"] + away:
            raise UnbalancedStageError(
                f"stage {stage.name} lost {noun}: received {total['received']}, done {total['done']}, "
                f"nothing {total['nothing']}, set aside {away}. This is a defect of ours; its output is refused."
            )
        sums.append({"stage": stage.name, "noun": noun, **total, "set_aside": away})
    return sums


def _set_aside_rows(stage: Stage, aside: list[dict[str, Any]]) -> pa.Table:
    rows = []
    for number, row in enumerate(aside):
        place = (row["subject"], row["reason"], row["span_start"], row["row"], number)
        rows.append({"id": make_id("aside", stage.name, *map(str, place)), "stage": stage.name, **row})
    return TABLES["set_aside"].rows(rows)


def _decided(stage: Stage, params: Mapping[str, Any]) -> bytes:
    """All that decides what a stage's kept units hold, but for the rows that they are made of."""
    made = {"stage": stage.name, "version": stage.version, "casewright": __version__, "params": dict(params)}
    return _loose(made)


def _loose(value: Any) -> bytes:
    """Canonical JSON that also takes floats, for settings; never for the ledger."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("utf-8")


def give_back() -> None:
    """Memory that is free goes back to the system: what one stage needed is not on top of what the next one needs."""
    pa.default_memory_pool().release_unused()
    ctypes.CDLL(None).malloc_trim(0)


class _NoBlobs:
    def open(self, sha256: str) -> Any:
        raise CasewrightError(f"nothing to open here: {sha256}")

    def put(self, chunks: Any) -> Any:
        raise CasewrightError("nothing to keep here")


_NO_BLOBS = _NoBlobs()

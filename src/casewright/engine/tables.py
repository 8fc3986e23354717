"""Tables on disk: `tables/NAME/part-*.parquet` and `run.json`, which says what made them and what they hash to.

`set_aside` and `tallies` have one part a stage; every other table is written by exactly one stage.
Nothing here depends on the clock, the host or the folder: the same rows give the same bytes.
"""

import hashlib
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from casewright.engine.laid_out import laid_out
from casewright.model.errors import BrokenSeal
from casewright.model.tables import TABLES
from casewright.vault.disk import sync_folder, write_atomically
from casewright.vault.ledger import canonical

RUN_FILE = "run.json"
HELD_ROWS = 1 << 19
"""A table with more rows is mapped from the disk while a stage looks at it."""
SHARED = ("set_aside", "tallies")
"""Tables to which every stage adds its own part."""


def parquet_bytes(table: pa.Table) -> bytes:
    """The Parquet file for these rows; the same rows give the same bytes with the same pyarrow."""
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd", version="2.6", write_statistics=True, row_group_size=1 << 17)
    return sink.getvalue()


def digest_of(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


@dataclass(frozen=True)
class Part:
    """One Parquet file of a table; `stage` wrote it."""

    file: str
    sha256: str
    rows: int
    stage: str

    def record(self) -> dict[str, Any]:
        return asdict(self)


class TableFolder:
    """The `tables/` folder of a case."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run_of(self, name: str) -> Mapping[str, Any] | None:
        """The run.json of a table, or None when the table is not there."""
        try:
            raw = (self.root / name / RUN_FILE).read_bytes()
        except FileNotFoundError:
            return None
        try:
            run: dict[str, Any] = json.loads(raw)
            [Part(**p) for p in run["parts"]]
        except (ValueError, KeyError, TypeError) as error:
            raise BrokenSeal(f"{self.root / name / RUN_FILE}: is not a run manifest ({error}).") from error
        return run

    def parts(self, name: str, stages: frozenset[str] | None = None) -> list[Part]:
        """Parts of a table, in order; of a shared table only those of the given stages."""
        run = self.run_of(name)
        found = [Part(**p) for p in run["parts"]] if run else []
        return [p for p in found if name not in SHARED or stages is None or p.stage in stages]

    def digest(self, name: str, stages: frozenset[str] | None = None) -> str:
        """What a stage that reads this table depends on: the digests of its parts."""
        return digest_of([p.sha256 for p in self.parts(name, stages)])

    def load(self, name: str, stages: frozenset[str] | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """All rows, or some columns of them, after checking every part's digest. Raises BrokenSeal naming the file."""
        nothing = TABLES[name].empty()
        nothing = nothing.select(list(columns)) if columns else nothing
        parts = self.parts(name, stages)
        tables = (
            pq.read_table(io.BytesIO(self.checked(name, part)), columns=nothing.column_names).cast(nothing.schema)
            for part in parts
        )
        if sum(part.rows for part in parts) > HELD_ROWS:
            return laid_out(tables, nothing.schema, self.root)
        return pa.concat_tables([nothing, *tables])

    def checked(self, name: str, part: Part) -> bytes:
        path = self.root / name / part.file
        try:
            raw = path.read_bytes()
        except FileNotFoundError as error:
            raise BrokenSeal(f"{path} is gone. Delete {path.parent} and run: casewright run") from error
        if hashlib.sha256(raw).hexdigest() != part.sha256:
            raise BrokenSeal(f"{path}: bytes were changed since they were sealed. Delete {path.parent} and run again.")
        return raw

    def complete(self, name: str) -> bool:
        """Whether every part is there (their bytes are checked when they are read)."""
        return all((self.root / name / p.file).is_file() for p in self.parts(name))

    def replace(self, name: str, run: Mapping[str, Any], files: Iterable[tuple[str, Path]]) -> None:
        """Put a new version of a table in place of the old one, in one rename."""
        fresh, old = self._fresh(name), self.root / ".old" / name
        shutil.rmtree(old, ignore_errors=True)
        old.parent.mkdir(parents=True, exist_ok=True)
        for file, source in files:
            (fresh / file).hardlink_to(source)
        write_atomically(fresh / RUN_FILE, run_bytes(run))
        target = self.root / name
        if target.exists():
            target.rename(old)
        fresh.rename(target)
        sync_folder(self.root)
        shutil.rmtree(old, ignore_errors=True)

    def clean(self) -> None:
        """Remove what a killed run left on its way into place or out of it."""
        for name in (".new", ".old"):
            shutil.rmtree(self.root / name, ignore_errors=True)

    def _fresh(self, name: str) -> Path:
        """An empty folder in which a table is made."""
        fresh = self.root / ".new" / name
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        return fresh

    def replace_part(self, name: str, stage: str, raw: bytes) -> None:
        """Put a stage's part (Parquet bytes) of a shared table in place."""
        rows = pq.ParquetFile(io.BytesIO(raw)).metadata.num_rows
        part = Part(f"part-{stage}.parquet", hashlib.sha256(raw).hexdigest(), rows, stage)
        others = [p for p in self.parts(name) if p.stage != stage]
        parts = sorted([*others, part], key=lambda p: p.stage)
        target = self.root / name
        folder = target if target.exists() else self._fresh(name)
        write_atomically(folder / part.file, raw)
        write_atomically(folder / RUN_FILE, run_bytes(shared_run(name, parts)))
        if folder != target:
            folder.rename(target)
            sync_folder(self.root)


def shared_run(name: str, parts: list[Part]) -> dict[str, Any]:
    return {"table": name, "format": 1, "parts": [p.record() for p in parts]}


def run_bytes(run: Mapping[str, Any]) -> bytes:
    """A run manifest as it is written: canonical JSON (settings in it may be floats) and a newline."""
    return json.dumps(run, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8") + b"\n"

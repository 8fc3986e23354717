"""A stage of the pipeline over one file that may be anything, in this process: what the engine's child would do."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO, ClassVar

import duckdb
import pyarrow as pa

from casewright.cli.pipeline import PIPELINE
from casewright.engine.stage import Context, Output
from casewright.engine.steps import Digests
from casewright.model.settings import CaseSettings, ChainSettings, Settings
from casewright.model.tables import TABLES

STAGES = {stage.name: stage for stage in PIPELINE}
SETTINGS = Settings(case=CaseSettings("T", "A", "E"), chain=ChainSettings(network="regtest"))


class Lost(Exception):  # noqa: N818
    """A stage did not account for what it was given."""


TRIED = "ab" * 32
"""The digest under which the bytes that are tried are asked for: always the same, so that tables are made once."""


class Held:
    """Sealed bytes in memory."""

    def __init__(self, contents: Mapping[str, bytes]) -> None:
        self._held = dict(contents)

    def open(self, sha256: str) -> BinaryIO:
        return io.BytesIO(self._held[sha256])

    def put(self, chunks: Iterable[bytes]) -> Digests:
        raw = b"".join(chunks)
        sha256 = hashlib.sha256(raw).hexdigest()
        self._held[sha256] = raw
        return Digests(sha256, "0" * 40, "0" * 32, len(raw))


@dataclass(frozen=True)
class File:
    """A file of an exhibit in this role; or, with a media type, an item."""

    role: str = ""
    path: bytes = b""
    mime: str = ""
    content: bytes | None = None
    """None: the bytes that are tried."""

    @property
    def sha256(self) -> str:
        return TRIED if self.content is None else hashlib.sha256(self.content).hexdigest()


Rows = Mapping[str, Sequence[Mapping[str, Any]]]


class Quick(Context):
    """One connection, and one answer to each question about tables that never change: DuckDB takes longer to begin than
    a parser takes for a small file."""

    asked: ClassVar[dict[tuple[int, str, str], pa.Table]] = {}

    def sql(self, query: str, bind: Mapping[str, Any] | None = None, **more: pa.Table) -> pa.Table:
        key = (id(self.tables), query, repr(bind))
        if more or key not in self.asked:
            found = self._answer(query, bind, {**self.tables, **more})
            if more:
                return found
            self.asked[key] = found
        return self.asked[key]

    def _answer(self, query: str, bind: Mapping[str, Any] | None, tables: Mapping[str, pa.Table]) -> pa.Table:
        used = [name for name in tables if name in query]
        for name in used:
            _base().register(name, tables[name])
        try:
            return _base().sql(query, params=bind or {}).to_arrow_table()
        finally:
            for name in used:
                _base().unregister(name)


@cache
def _base() -> Any:
    base = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": "false"})
    base.execute("SET TimeZone = 'UTC'")
    return base


class Through:
    """A stage over these files. Raises Lost when its rows do not add up, and whatever the stage raises."""

    def __init__(self, name: str, files: Sequence[File], more: Rows | None = None) -> None:
        self._stage = STAGES[name]
        self._contents = {file.sha256: file.content for file in files if file.content is not None}
        rows: dict[str, list[Mapping[str, Any]]] = {table: list(given) for table, given in (more or {}).items()}
        for number, file in enumerate(files):
            for table, row in _rows(number, file):
                rows.setdefault(table, []).append(row)
        self._tables = {table: _made(table, rows.get(table, [])) for table in self._stage.reads}

    def __call__(self, raw: bytes) -> None:
        held = Held({**self._contents, TRIED: raw})
        context = Quick(self._stage.params(SETTINGS), self._tables, held)
        outputs: list[Output] = []
        for batch in self._batches(context):
            made = self._stage.work(batch, context)
            outputs += [made] if isinstance(made, Output) else list(made)
        balance(outputs)

    def _batches(self, context: Context) -> Iterable[pa.Table]:
        stage = self._stage
        if not stage.over:
            return [pa.table({})]
        found = context.sql(f"SELECT * FROM {stage.over} WHERE {stage.where} ORDER BY {stage.order}")
        found = found.cast(TABLES[stage.over].schema)
        return [found.slice(at, 1) for at in range(len(found))]


def _made(name: str, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    if name in TABLES:
        return TABLES[name].rows(rows)
    return pa.Table.from_pylist(list(rows), schema=pa.schema([("event", pa.string())]))  # lines of the ledger


def _rows(number: int, file: File) -> Iterator[tuple[str, Mapping[str, Any]]]:
    size = len(file.content or bytes(1 << 16))
    about = {"path": file.path, "name": file.path.decode(), "size": size, "sha256": file.sha256}
    if file.mime:
        item = {"item": f"item-{number}", "exhibit": "0" * 64, "mime": file.mime, "deleted": False, "origin": "live"}
        yield "items", item | about
        return
    exhibit = {"exhibit": file.sha256, "role": file.role}
    yield "exhibit_files", exhibit | about | {"position": 0}
    yield "exhibits", exhibit | {"name": "x", "form": "file", "size": size, "files": 1}


def balance(outputs: Sequence[Output]) -> None:
    """Received = done + nothing to find + set aside, for each noun; every table is one that the contract knows."""
    tallies = [tally for output in outputs for tally in output.tallies]
    aside = [row for output in outputs for row in output.set_aside]
    for noun in {tally.noun for tally in tallies} | {row.noun for row in aside}:
        received = sum(t.received for t in tallies if t.noun == noun)
        found = sum(t.done + t.nothing for t in tallies if t.noun == noun)
        away = sum(row.count for row in aside if row.noun == noun)
        if received != found + away:
            raise Lost(f"{noun}: received {received}, done or nothing {found}, set aside {away}")
    for output in outputs:
        for name, table in output.tables.items():
            table.cast(TABLES[name].schema)

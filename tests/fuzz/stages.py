"""A stage of the pipeline over one file that may be anything, in this process: what the engine's child would do."""

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from casewright.cli.pipeline import PIPELINE
from casewright.engine.stage import Context, Output, Stage
from casewright.engine.steps import Digests
from casewright.model.settings import CaseSettings, ChainSettings, Settings
from casewright.model.tables import TABLES

STAGES = {stage.name: stage for stage in PIPELINE}
SETTINGS = Settings(case=CaseSettings("T", "A", "E"), chain=ChainSettings(network="regtest"))


class Lost(Exception):  # noqa: N818
    """A stage did not account for what it was given."""


class Held:
    """Sealed bytes in memory."""

    def __init__(self, contents: Iterable[bytes]) -> None:
        self._held = {hashlib.sha256(content).hexdigest(): content for content in contents}

    def open(self, sha256: str) -> BinaryIO:
        return io.BytesIO(self._held[sha256])

    def put(self, chunks: Iterable[bytes]) -> Digests:
        raw = b"".join(chunks)
        return Digests(hashlib.sha256(raw).hexdigest(), "0" * 40, "0" * 32, len(raw))


@dataclass(frozen=True)
class File:
    """A file of an exhibit in this role; or, with a media type, an item."""

    role: str = ""
    path: bytes = b""
    mime: str = ""
    content: bytes | None = None
    """None: the bytes that are tried."""


class Quick(Context):
    """One connection for all inputs: to open one takes longer than to read a small file."""

    def sql(self, query: str, bind: Mapping[str, Any] | None = None, **more: pa.Table) -> pa.Table:
        tables = {name: table for name, table in {**self.tables, **more}.items() if name in query}
        for name, table in tables.items():
            _base().register(name, table)
        try:
            return _base().sql(query, params=bind or {}).to_arrow_table()
        finally:
            for name in tables:
                _base().unregister(name)


@cache
def _base() -> Any:
    base = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": "false"})
    base.execute("SET TimeZone = 'UTC'")
    return base


Rows = Mapping[str, Sequence[Mapping[str, Any]]]


def through(stage: Stage, files: Sequence[File], raw: bytes, more: Rows | None = None) -> None:
    """Run the stage; raises Lost when its rows do not add up, and whatever the stage raises."""
    contents = [raw if file.content is None else file.content for file in files]
    rows: dict[str, list[Mapping[str, Any]]] = {name: list(given) for name, given in (more or {}).items()}
    for number, (file, content) in enumerate(zip(files, contents, strict=True)):
        sha256 = hashlib.sha256(content).hexdigest()
        about = {"path": file.path, "name": file.path.decode(), "size": len(content), "sha256": sha256}
        if file.mime:
            row = {"item": f"item-{number}", "exhibit": "0" * 64, "mime": file.mime, "deleted": False, "origin": "live"}
            rows.setdefault("items", []).append(row | about)
        else:
            row = {"exhibit": sha256, "role": file.role}
            rows.setdefault("exhibit_files", []).append(row | about | {"position": 0})
            rows.setdefault("exhibits", []).append(
                row | {"name": "x", "form": "file", "size": len(content), "files": 1}
            )
    tables = {name: TABLES[name].rows(rows.get(name, [])) for name in stage.reads if name in TABLES}
    context = Quick(stage.params(SETTINGS), tables, Held(contents))
    outputs = []
    for batch in _batches(stage, tables, context):
        made = stage.work(batch, context)
        outputs += [made] if isinstance(made, Output) else list(made)
    balance(outputs)


def _batches(stage: Stage, tables: Mapping[str, pa.Table], context: Context) -> Iterable[pa.Table]:
    if not stage.over:
        return [pa.table({})]
    found = context.sql(f"SELECT * FROM {stage.over} WHERE {stage.where} ORDER BY {stage.order}")
    found = found.cast(TABLES[stage.over].schema)
    return [found.slice(at, 1) for at in range(len(found))]


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

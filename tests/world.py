"""Small built worlds for tests: a stage's context from plain rows and bytes."""

import hashlib
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pytest

from casewright.engine.stage import Context, Output
from casewright.engine.steps import Digests
from casewright.model.tables import TABLES

SHARED = Path(__file__).parents[2] / "shared" / "data"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the real files of ../shared/data are not here")


class MemoryBlobs:
    """Sealed bytes held in memory."""

    def __init__(self, *contents: bytes) -> None:
        self.held: dict[str, bytes] = {}
        for content in contents:
            self.put([content])

    def open(self, sha256: str) -> BinaryIO:
        return io.BytesIO(self.held[sha256])

    def put(self, chunks: Iterable[bytes]) -> Digests:
        raw = b"".join(chunks)
        digests = digests_of(raw)
        self.held[digests.sha256] = raw
        return digests


def digests_of(raw: bytes) -> Digests:
    return Digests(
        hashlib.sha256(raw).hexdigest(),
        hashlib.sha1(raw, usedforsecurity=False).hexdigest(),
        hashlib.md5(raw, usedforsecurity=False).hexdigest(),
        len(raw),
    )


def context(
    tables: Mapping[str, list[dict[str, Any]]] | None = None,
    contents: Iterable[bytes] = (),
    params: Mapping[str, Any] | None = None,
) -> Context:
    """A context over the given rows (by table name) and sealed bytes; tables of the contract not given are empty."""
    arrow: dict[str, pa.Table] = {name: table.empty() for name, table in TABLES.items()}
    for name, rows in (tables or {}).items():
        arrow[name] = TABLES[name].rows(list(rows))
    return Context(params or {}, arrow, MemoryBlobs(*contents))


def rows_of(table: pa.Table) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = table.to_pylist()
    return result


def outputs_of(made: Output | Iterable[Output]) -> list[Output]:
    """All that a stage's work gave."""
    return [made] if isinstance(made, Output) else list(made)

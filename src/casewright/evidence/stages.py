"""The stage of the evidence room: exhibits to items, volumes and stored hashes."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Stage
from casewright.evidence.listing import NOUN, WROTE, Listing
from casewright.evidence.reader import Segment
from casewright.evidence.walk import Walk

KEY_BYTES = 8 << 20
"""cryptsetup reads no more of a key file either."""


def items(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Every file in the exhibits of the batch, live, deleted, carved and archived."""
    for row in batch.to_pylist():
        walk = Walk(context.steps, context.params, _secrets(context))
        yield from Listing(row["exhibit"], context, walk).list_exhibit(_segments(row["exhibit"], context))


def _segments(exhibit: str, context: Context) -> list[Segment]:
    sql = "SELECT * FROM exhibit_files WHERE exhibit = $exhibit AND role = 'seizure' ORDER BY position"
    return [_segment(row, context) for row in context.sql(sql, {"exhibit": exhibit}).to_pylist()]


def _segment(row: dict[str, Any], context: Context) -> Segment:
    path = row["path"] or row["name"].encode("utf-8", "surrogateescape")
    return Segment(path, row["size"], lambda: context.open(row["sha256"]), row["sha256"])


def _secrets(context: Context) -> list[bytes]:
    """Passphrases and key files that the examiner gave to the case."""
    sql = "SELECT sha256 FROM exhibit_files WHERE role = 'key' ORDER BY exhibit, position"
    secrets = []
    for row in context.sql(sql).to_pylist():
        with context.open(row["sha256"]) as file:
            secrets.append(file.read(KEY_BYTES))
    return secrets


STAGES = (
    Stage(
        name="items",
        version=4,
        reads=("exhibits", "exhibit_files"),
        writes=WROTE,
        work=items,
        over="exhibits",
        where="role = 'seizure'",
        order="exhibit",
        batch=1,
        hostile=True,
        keeps_bytes=True,
        streams=True,
        beside={"exhibit_files": "(exhibit = $key AND role = 'seizure') OR role = 'key'"},
        params=lambda settings: asdict(settings.limits),
        noun=NOUN,
        imports=("casewright.kernels.anchors", "casewright.kernels.pagesums"),
        key="exhibit",
    ),
)

"""The stage that looks for selectors in every item."""

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

import pyarrow as pa

from casewright.engine.gathered import IN_ONE_PART, Gathered
from casewright.engine.stage import Context, Output, Stage, Tally
from casewright.extract.formats import quoted
from casewright.extract.selector_kinds import KINDS
from casewright.extract.selector_times import moment_of
from casewright.extract.selectors import Hit, Stream, find_selectors
from casewright.model.ids import IdMaker
from casewright.model.settings import Settings
from casewright.model.tables import TABLES

AT_ONCE = 1 << 14
"""Hits that are turned into rows together."""


def selectors(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Addresses of coins and machines, emails, URLs, keys, telephone numbers and onion services in every item whose
    bytes are not those of other items. Logs of a large site hold tens of millions: they are given as they are found."""
    rows, found = Gathered("selectors"), 0
    for item in batch.to_pylist():
        hits = list[Hit]()
        number = 0
        with context.open(item["sha256"]) as file:
            for start, part in _parts(item, file):
                for hit in find_selectors(part):
                    hits.append(hit._replace(span_start=start + hit.span_start) if start else hit)
                    number += 1
                    if len(hits) == AT_ONCE:
                        rows.add_table(_rows(item["item"], hits, context.params))
                        hits = []
                        if rows.num_rows >= IN_ONE_PART:
                            yield Output({"selectors": rows.taken()})
        if hits:
            rows.add_table(_rows(item["item"], hits, context.params))
        found += bool(number)
    tally = Tally("items", batch.num_rows, found, batch.num_rows - found)
    yield Output({"selectors": rows.taken()}, [], [tally])


def _parts(item: Mapping[str, Any], file: BinaryIO) -> Iterator[tuple[int, Stream]]:
    """(first byte, stream) of what is searched by itself: a file as a whole, and of free space each stretch, for what
    stands before and behind it on the volume is not what stands there in the item."""
    spans = item["spans"] or []
    if item["origin"] not in FREE or len(spans) <= 2:
        yield 0, file
        return
    at = 0
    for length in spans[1::2]:
        file.seek(at)
        yield at, _Part(file, length)
        at += length


FREE = ("unallocated", "slack")


class _Part:
    """So many bytes of a stream, from where it stands."""

    def __init__(self, file: BinaryIO, length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int, /) -> bytes:
        raw = self._file.read(min(size, self._left))
        self._left -= len(raw)
        return raw


def _rows(item: str, hits: list[Hit], params: Mapping[str, Any]) -> pa.Table:
    made = {kind: IdMaker("sel", item, kind) for kind in KINDS}
    moments = [moment_of(hit.stamp, params["assumed_zone"], params["clock_offset_seconds"]) for hit in hits]
    starts, kinds, values, canonicals, ports, lengths, _ = zip(*hits, strict=True)
    columns = {
        "selector": [made[hit.kind](hit.span_start) for hit in hits], "kind": kinds, "value": values,
        "canonical": canonicals, "port": ports, "time": [moment.time for moment in moments],
        "zone": [moment.rule for moment in moments], "item": [item] * len(hits), "span_start": starts,
        "span_length": lengths, "row": [None] * len(hits),
    }  # fmt: skip
    return pa.table(columns, schema=TABLES["selectors"].schema)


def _params(settings: Settings) -> Mapping[str, Any]:
    extract = settings.extract
    return {"assumed_zone": extract.assumed_zone, "clock_offset_seconds": extract.clock_offset_seconds}


OPENED = (
    "application/zip", "application/gzip", "application/x-tar", "application/x-bzip2", "application/x-xz",
    "application/zstd", "application/x-lzma", "application/x-7z-compressed", "application/x-cpio",
    "application/x-archive", "application/x-ewf", "application/x-qemu-disk", "application/x-vmdk-disk",
    "application/x-vhd-disk",
)  # fmt: skip
"""Archives and images: what they hold are items too, and searched as these."""
SEARCHED = f"mime NOT IN ({quoted(OPENED)})"
SELECTORS = Stage("selectors", 5, ("items",), ("selectors",), selectors, over="items", where=SEARCHED, order="item",
                  batch=64, hostile=True, params=_params,
                  imports=("casewright.kernels.anchors", "casewright.extract.phone_plans"))  # fmt: skip

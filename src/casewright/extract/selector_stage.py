"""The stage that looks for selectors in every item."""

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import lru_cache
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, Stage, Tally
from casewright.extract.logs import TIME, utc
from casewright.extract.records import Gathered
from casewright.extract.selector_kinds import KINDS
from casewright.extract.selectors import find_selectors
from casewright.extract.values import Moment, time_of
from casewright.model.ids import id_maker
from casewright.model.settings import Settings

WRITTEN_TIME = re.compile(
    rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![0-9A-Za-z]))?"
)


def selectors(batch: pa.Table, context: Context) -> Output:
    """Addresses of coins and machines, emails, URLs, keys, telephone numbers and onion services in every item that is
    neither media nor archive."""
    rows, found = Gathered("selectors"), 0
    zone, offset = context.params["assumed_zone"], context.params["clock_offset_seconds"]
    for item in batch.to_pylist():
        made = {kind: id_maker("sel", item["item"], kind) for kind in KINDS}
        hits = 0
        with context.open(item["sha256"]) as file:
            for hit in find_selectors(file):
                hits += 1
                near = time_near(hit.line, zone, offset) if hit.line else Moment(None, None)
                rows.add({"selector": made[hit.kind](hit.span_start), "kind": hit.kind, "value": hit.value,
                          "canonical": hit.canonical, "port": hit.port, "time": near.time, "zone": near.rule,
                          "item": item["item"], "span_start": hit.span_start,
                          "span_length": hit.span_length})  # fmt: skip
        found += bool(hits)
    tally = Tally("items", batch.num_rows, found, batch.num_rows - found)
    return Output({"selectors": rows.table()}, [], [tally])


@lru_cache(256)
def time_near(line: bytes, zone: str, offset: int) -> Moment:
    """The first time on a line: as web servers' logs write it, or as ISO 8601. `offset` seconds correct the clock."""
    if (stamp := TIME.search(line)) and (moment := utc(stamp)):
        own = f"log, its own {(stamp[7] + stamp[8]).decode()}:{stamp[9].decode()}"
        return Moment(moment + timedelta(seconds=offset), own + (f"; clock {offset:+d} s" if offset else ""))
    written = WRITTEN_TIME.search(line)
    found = time_of(written[0], zone, offset) if written else Moment(None, None)
    return Moment(found.time, found.rule.replace("database", "text", 1)) if found.time and found.rule else Moment(None, None)


def _params(settings: Settings) -> Mapping[str, Any]:
    return {"assumed_zone": settings.extract.assumed_zone, "clock_offset_seconds": settings.extract.clock_offset_seconds}


NOT_SEARCHED = """mime NOT LIKE 'image/%' AND mime NOT LIKE 'video/%' AND mime NOT LIKE 'audio/%' AND mime NOT IN
('application/zip', 'application/gzip', 'application/x-tar', 'application/x-bzip2', 'application/x-xz')"""
SELECTORS = Stage("selectors", 3, ("items",), ("selectors",), selectors, over="items", where=NOT_SEARCHED, order="item",
                  batch=64, hostile=True, params=_params, imports=("casewright.kernels.anchors",))  # fmt: skip

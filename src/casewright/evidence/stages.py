"""The stage of the evidence room: exhibits to items."""

from dataclasses import asdict
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Stage, Tally
from casewright.evidence.listing import DAMAGE, NOUN, Listing
from casewright.evidence.reader import Segment, Unreadable
from casewright.evidence.readers import open_exhibit
from casewright.model.tables import TABLES


def items(batch: pa.Table, context: Context) -> Output:
    """Every file in the exhibits of the batch, live, deleted and archived."""
    listings = [_list(row["exhibit"], context) for row in batch.to_pylist()]
    rows = [row for one in listings for row in one.items]
    rows.sort(key=lambda r: (r["exhibit"], -1 if r["volume"] is None else r["volume"], r["path"], r["item"]))
    aside = [s for one in listings for s in one.aside]
    damaged = sum(s.noun == DAMAGE for s in aside)
    tallies = [
        Tally(NOUN, sum(one.received for one in listings), len(rows), sum(one.empty for one in listings)),
        Tally(DAMAGE, received=damaged, done=0),
    ]
    return Output({"items": TABLES["items"].rows(rows)}, aside, tallies)


def _list(exhibit: str, context: Context) -> Listing:
    listing = Listing(exhibit, context, context.params)
    try:
        reader = open_exhibit(_segments(exhibit, context))
        listing.add_all(reader.entries(), b"", None, 0, None)
    except Unreadable as error:
        listing.received += 1
        listing.aside.append(SetAside(NOUN, exhibit, error.reason, str(error)))
    return listing


def _segments(exhibit: str, context: Context) -> list[Segment]:
    sql = "SELECT * FROM exhibit_files WHERE exhibit = $exhibit AND role = 'seizure' ORDER BY position"
    return [_segment(row, context) for row in context.sql(sql, {"exhibit": exhibit}).to_pylist()]


def _segment(row: dict[str, Any], context: Context) -> Segment:
    path = row["path"] or row["name"].encode("utf-8", "surrogateescape")
    return Segment(path, row["size"], lambda: context.open(row["sha256"]))


STAGES = (
    Stage(
        name="items",
        version=1,
        reads=("exhibits", "exhibit_files"),
        writes=("items",),
        work=items,
        over="exhibits",
        where="role = 'seizure'",
        order="exhibit",
        batch=1,
        hostile=True,
        keeps_bytes=True,
        params=lambda settings: asdict(settings.limits),
        noun=NOUN,
        key="exhibit",
    ),
)

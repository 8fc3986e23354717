"""Which media agree with which list entries.

Lists may have millions of entries: they stay in Arrow's columns, hashes become numbers, and only what matched becomes
rows. The case's media are not read again: their hashes are in the tables.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.engine.stage import Context, Output, Tally
from casewright.media.columns import packed_column
from casewright.media.second_look import second_look
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

ENTRY_COLUMNS = ("entry", "list", "category", "sha256", "sha1", "md5", "pdq")
AT_ONCE = 4096
"""Queries whose results are held at once."""

EXACT = """
WITH held AS (SELECT item, i.sha256, i.sha1, i.md5 FROM media JOIN items i USING (item)),
hits AS (
    SELECT item, entry, 1 AS strength FROM held h JOIN list_entries e ON e.sha256 = h.sha256
    UNION ALL SELECT item, entry, 2 FROM held h JOIN list_entries e ON e.sha1 = h.sha1
    UNION ALL SELECT item, entry, 3 FROM held h JOIN list_entries e ON e.md5 = h.md5
)
SELECT item, entry, ['sha256', 'sha1', 'md5'][min(strength)] AS method, 0 AS distance FROM hits GROUP BY item, entry
"""
PICTURES = """
SELECT m.item, n.entry, 'pdq' AS method, n.distance
FROM near n JOIN media m ON m.pdq = n.pdq WHERE m.pdq_quality >= $least
"""
VIDEOS = """
WITH frames AS (SELECT f.item, f.pdq FROM media_frames f JOIN media USING (item) WHERE f.pdq_quality >= $least),
sizes AS (SELECT item, count(*) AS size FROM frames GROUP BY item)
SELECT f.item, n.entry, 'frames' AS method, max(n.distance) AS distance
FROM near n JOIN frames f USING (pdq) JOIN sizes USING (item)
GROUP BY f.item, n.entry, size HAVING count(*) >= $share * size
"""
ALL = """
SELECT f.item, e.list, f.entry, f.method, f.distance, e.category FROM found f JOIN list_entries e USING (entry)
ORDER BY f.item, f.method, f.distance, f.entry
"""


def matches(batch: pa.Table, context: Context) -> Output:
    """Exact hashes, by the strongest one that both have; pictures within the PDQ threshold; videos whose share of
    frames found in a listed video reaches `frame_share`, with the largest of those frames' distances. Pictures that
    are on no list so are looked at a second time."""
    least = context.params["pdq_quality"]
    shape = pa.schema(
        [("item", pa.string()), ("entry", pa.string()), ("method", pa.string()), ("distance", pa.int64())]
    )
    found = [context.sql(EXACT)]
    for kind, single, query, bind in (
        ("media", True, PICTURES, {"least": least}),
        ("media_frames", False, VIDEOS, {"least": least, "share": context.params["frame_share"]}),
    ):
        near = _near(_asked(context, kind, least), *_listed(context, single), context.params["pdq_distance"])
        found.append(context.sql(query, bind, near=near))
    if context.params["second_look"]:
        first = pa.concat_tables([f.select(["item"]) for f in found])
        found.append(second_look(context, first, *_listed(context, single=True)))
    rows = context.sql(ALL, found=pa.concat_tables([f.cast(shape) for f in found]))
    made = _with_ids(rows)
    media = context.table("media").num_rows
    matched = len(pc.unique(made.column("item")))
    return Output({"media_matches": made}, [], [Tally("media", media, matched, media - matched)])


def _asked(context: Context, kind: str, least: int) -> Any:
    """The distinct PDQ hashes of the case that are good enough to decide anything."""
    sql = f"SELECT DISTINCT pdq FROM {kind} WHERE pdq IS NOT NULL AND pdq_quality >= $least ORDER BY pdq"  # noqa: S608
    return context.sql(sql, {"least": least}).column("pdq")


def _listed(context: Context, single: bool) -> tuple[Any, NDArray[np.uint64], NDArray[np.int64]]:
    """Ids of the entries that are pictures (one hash) or videos (several), their hashes, and of which each is."""
    entries = context.table("list_entries")
    sizes = pc.fill_null(pc.list_value_length(entries.column("pdq")), 0)
    chosen = entries.select(["entry", "pdq"]).filter(pc.equal(sizes, 1) if single else pc.greater(sizes, 1))
    counts = pc.list_value_length(chosen.column("pdq")).to_numpy()
    owners = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    return chosen.column("entry"), packed_column(pc.list_flatten(chosen.column("pdq"))), owners


def _near(asked: Any, entries: Any, hashes: NDArray[np.uint64], owners: NDArray[np.int64], radius: int) -> pa.Table:
    """Each asked hash with each entry that has a hash within the radius, and how far the nearest of them is."""
    from casewright.kernels.hamming_index import HammingIndex  # noqa: PLC0415  slow to import

    index, queries = HammingIndex.build(hashes), packed_column(asked)
    pieces: list[list[NDArray[Any]]] = []
    for start in range(0, len(queries), AT_ONCE):
        which, numbers, bits = index.within_many(queries[start : start + AT_ONCE], radius)
        pieces.append(_nearest(which + start, owners[numbers], bits))
    asks, owner, distance = (np.concatenate([np.empty(0, np.int64), *(p[i] for p in pieces)]) for i in range(3))
    return pa.table({"pdq": asked.take(asks), "entry": entries.take(owner), "distance": distance})


def _nearest(which: NDArray[np.int64], owner: NDArray[np.int64], bits: NDArray[np.int32]) -> list[NDArray[Any]]:
    """Of the hits of one query in one entry, the nearest."""
    order = np.lexsort((bits, owner, which))
    which, owner, bits = which[order], owner[order], bits[order]
    first = np.ones(len(which), bool)
    first[1:] = (which[1:] != which[:-1]) | (owner[1:] != owner[:-1])
    return [which[first], owner[first], bits[first]]


def _with_ids(rows: pa.Table) -> pa.Table:
    columns = {name: rows.column(name) for name in rows.column_names}
    ids, sources = [], []
    for item, entry, method in zip(*(columns[n].to_pylist() for n in ("item", "entry", "method")), strict=True):
        ids.append(make_id("match", item, entry, method))
        sources.append(["media/" + item, entry])
    schema = TABLES["media_matches"].schema
    made = {**columns, "match_id": pa.array(ids, pa.string()), "sources": pa.array(sources, pa.list_(pa.string()))}
    return pa.table([made[name] for name in schema.names], names=schema.names).cast(schema)

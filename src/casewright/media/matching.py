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
from casewright.media.containment import Rules
from casewright.media.films import Films
from casewright.media.second_look import second_look
from casewright.media.video_matching import SHAPE, video_matches
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
FRAMES = """
WITH sampled AS (
    SELECT *, true AS is_whole FROM media_frames
    UNION ALL SELECT *, false FROM media_between
    UNION ALL SELECT *, true FROM media_keyframes WHERE item NOT IN (SELECT item FROM media_frames)
),
chosen AS (SELECT min(item) AS item FROM items WHERE item IN (SELECT item FROM sampled) GROUP BY sha256)
SELECT s.* FROM sampled s JOIN chosen USING (item) ORDER BY s.item, s.second
"""
KEYFRAMES = """
WITH chosen AS (SELECT min(item) AS item FROM items WHERE item IN (SELECT item FROM media_keyframes) GROUP BY sha256)
SELECT k.*, true AS is_whole FROM media_keyframes k JOIN chosen USING (item) ORDER BY k.item, k.second
"""
COPIES = """
SELECT c.item, f.* EXCLUDE (item) FROM films f JOIN items i USING (item) JOIN items c ON c.sha256 = i.sha256
WHERE c.item IN (SELECT item FROM media)
"""
ALL = """
SELECT f.item, e.list, f.entry, f.method, f.distance, e.category, item_from, item_to, entry_from, entry_to, item_share,
       entry_share
FROM found f JOIN list_entries e USING (entry)
ORDER BY f.item, f.method, f.distance, f.entry
"""


def matches(batch: pa.Table, context: Context) -> Output:
    """Exact hashes, by the strongest one that both have; pictures within the PDQ threshold; videos that share stretches
    of time with listed ones (`containment.py`), by a frame a second, or by keyframes where there is no more. Pictures
    that are on no list so are looked at a second time."""
    least, listed = context.params["pdq_quality"], _listed(context)
    near = _near(_asked(context, least), *listed, context.params["pdq_distance"])
    found = [context.sql(EXACT), context.sql(PICTURES, {"least": least}, near=near)]
    if context.params["second_look"]:
        found.append(second_look(context, pa.concat_tables([f.select(["item"]) for f in found]), *listed))
    found.append(_films(context, FRAMES))
    return _output(context, "media_matches", found, "media", context.table("media").num_rows)


def first_matches(batch: pa.Table, context: Context) -> Output:
    """What exact hashes and keyframes say of videos, before all of each is read. `matches` judges them anew."""
    videos = context.table("media").filter(pc.equal(context.table("media").column("kind"), "video"))
    found = [context.sql(EXACT, media=videos), _films(context, KEYFRAMES)]
    return _output(context, "first_matches", found, "videos", videos.num_rows)


def _output(context: Context, table: str, found: list[pa.Table], noun: str, received: int) -> Output:
    rows = context.sql(ALL, found=pa.concat_tables([_shaped(f) for f in found]))
    matched = len(pc.unique(rows.column("item")))
    return Output({table: _with_ids(rows, table)}, [], [Tally(noun, received, matched, received - matched)])


def _films(context: Context, query: str) -> pa.Table:
    """Matches of the videos whose frames the query gives: once for each content, and then for its copies."""
    params = context.params
    rules = Rules(params["pdq_distance"], params["frame_share"], params["excerpt_seconds"], params["common_films"],
                  params["common_seconds"])  # fmt: skip
    case = Films.of_case(context.sql(query), params["pdq_quality"])
    found = video_matches(case, Films.of_lists(context.table("list_entries")), rules)
    return context.sql(COPIES, films=found)


def _shaped(rows: pa.Table) -> pa.Table:
    """The columns of a match; those that only videos have are empty elsewhere."""
    held = {name: rows.column(name) for name in rows.column_names}
    columns = [held[f.name].cast(f.type) if f.name in held else pa.nulls(rows.num_rows, f.type) for f in SHAPE]
    return pa.table(columns, schema=SHAPE)


def _asked(context: Context, least: int) -> Any:
    """The distinct PDQ hashes of the case's pictures that are good enough to decide anything."""
    sql = "SELECT DISTINCT pdq FROM media WHERE pdq IS NOT NULL AND pdq_quality >= $least ORDER BY pdq"
    return context.sql(sql, {"least": least}).column("pdq")


def _listed(context: Context) -> tuple[Any, NDArray[np.uint64]]:
    """Ids of the entries that are pictures (one hash), and their hashes."""
    entries = context.table("list_entries")
    sizes = pc.fill_null(pc.list_value_length(entries.column("pdq")), 0)
    chosen = entries.select(["entry", "pdq"]).filter(pc.equal(sizes, 1))
    return chosen.column("entry"), packed_column(pc.list_flatten(chosen.column("pdq")))


def _near(asked: Any, entries: Any, hashes: NDArray[np.uint64], radius: int) -> pa.Table:
    """Each asked hash with each entry whose hash is within the radius, and how far it is."""
    from casewright.kernels.hamming_index import HammingIndex  # noqa: PLC0415  slow to import

    index, queries = HammingIndex.build(hashes), packed_column(asked)
    pieces: list[tuple[NDArray[Any], ...]] = []
    for start in range(0, len(queries), AT_ONCE):
        which, numbers, bits = index.within_many(queries[start : start + AT_ONCE], radius)
        pieces.append((which + start, numbers.astype(np.int64), bits))
    asks, number, distance = (np.concatenate([np.empty(0, np.int64), *(p[i] for p in pieces)]) for i in range(3))
    return pa.table({"pdq": asked.take(asks), "entry": entries.take(number), "distance": distance})


def _with_ids(rows: pa.Table, table: str) -> pa.Table:
    kind = "match" if table == "media_matches" else "first match"
    columns = {name: rows.column(name) for name in rows.column_names}
    ids, sources = [], []
    for item, entry, method in zip(*(columns[n].to_pylist() for n in ("item", "entry", "method")), strict=True):
        ids.append(make_id(kind, item, entry, method))
        sources.append(["media/" + item, entry])
    schema = TABLES[table].schema
    made = {**columns, "match_id": pa.array(ids, pa.string()), "sources": pa.array(sources, pa.list_(pa.string()))}
    return pa.table([made[name] for name in schema.names], names=schema.names).cast(schema)

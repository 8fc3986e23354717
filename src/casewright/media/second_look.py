"""Which pictures that the first look found on no list have a view that is near to a listed picture."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.engine.stage import Context
from casewright.kernels.hamming import WORDS
from casewright.media.views import CUT, VIEWS
from casewright.model.errors import Refused

HASH = 8 * WORDS
"""Bytes of a hash."""
ASKED = """
SELECT v.item, v.view, v.pdq FROM media_views v JOIN items i USING (item)
WHERE i.sha256 NOT IN (SELECT sha256 FROM found JOIN items USING (item)) ORDER BY v.item, v.view
"""
NEAREST = """
WITH one AS (
    SELECT v.item, n.entry, min_by(v.view, (n.distance, list_position($views, v.view))) AS view,
           min(n.distance) AS distance
    FROM pairs n JOIN asked v USING (number)
    WHERE n.distance <= CASE WHEN v.view IN $cut THEN $cut_distance ELSE $distance END GROUP BY v.item, n.entry
)
SELECT same.item, one.entry, one.view AS method, one.distance
FROM one JOIN items i USING (item) JOIN items same USING (sha256) JOIN media m ON m.item = same.item
"""


def second_look(context: Context, found: pa.Table, entries: Any, hashes: NDArray[np.uint64]) -> pa.Table:
    """Item, entry, method (the view) and distance. `found`: what the first look found, by `item`; the listed pictures:
    their ids, and the hash of each."""
    from casewright.kernels.hamming_join import FURTHEST, near_pairs  # noqa: PLC0415  slow to import

    if context.params["cut_distance"] > FURTHEST:
        raise Refused(f"case.toml: media.cut_distance is more than {FURTHEST}. Make it smaller and run again.")
    asked = context.sql(ASKED, found=found)
    queries, rows = _unpacked(asked.column("pdq"))
    limits = {"distance": context.params["pdq_distance"], "cut_distance": context.params["cut_distance"]}
    which, numbers, bits = near_pairs(queries, hashes, max(limits.values()))
    pairs = pa.table({"number": rows[which], "entry": entries.take(pa.array(numbers)), "distance": bits})
    asked = asked.drop_columns("pdq").append_column("number", pa.array(np.arange(len(asked))))
    return context.sql(NEAREST, {"views": list(VIEWS), "cut": list(CUT), **limits}, pairs=pairs, asked=asked)


def _unpacked(column: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """All hashes of the rows, uint64 [n, 4], and the row of each. No object is made of any."""
    raw, sizes = [np.empty(0, np.uint8)], [np.empty(0, np.int64)]
    for chunk in column.chunks:
        if len(chunk):
            offsets = np.frombuffer(chunk.buffers()[1], np.int32, len(chunk) + 1, chunk.offset * 4)
            raw.append(np.frombuffer(chunk.buffers()[2], np.uint8)[offsets[0] : offsets[-1]])
            sizes.append(np.diff(offsets).astype(np.int64) // HASH)
    hashes = np.concatenate(raw).view(">u8").astype(np.uint64).reshape(-1, WORDS)
    return hashes, np.repeat(np.arange(len(column)), np.concatenate(sizes))

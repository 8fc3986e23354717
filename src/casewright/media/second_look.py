"""Which pictures that the first look found on no list have a view that is near to a listed picture."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.engine.stage import Context
from casewright.kernels.hamming import WORDS
from casewright.media.views import VIEWS

ASKED = """
SELECT v.item, v.view, v.pdq FROM media_views v JOIN items i USING (item)
WHERE i.sha256 NOT IN (SELECT sha256 FROM found JOIN items USING (item)) ORDER BY v.item, v.view
"""
NEAREST = """
WITH one AS (
    SELECT v.item, n.entry, min_by(v.view, (n.distance, list_position($views, v.view))) AS view,
           min(n.distance) AS distance
    FROM pairs n JOIN asked v USING (number) GROUP BY v.item, n.entry
)
SELECT same.item, one.entry, one.view AS method, one.distance
FROM one JOIN items i USING (item) JOIN items same USING (sha256) JOIN media m ON m.item = same.item
"""


def second_look(context: Context, found: pa.Table, entries: Any, hashes: NDArray[np.uint64]) -> pa.Table:
    """Item, entry, method (the view) and distance. `found`: what the first look found, by `item`; the listed pictures:
    their ids, and the hash of each."""
    from casewright.kernels.hamming_join import near_pairs  # noqa: PLC0415  slow to import

    asked = context.sql(ASKED, found=found)
    queries, rows = _unpacked(asked.column("pdq"))
    which, numbers, bits = near_pairs(queries, hashes, context.params["second_look_distance"])
    pairs = pa.table({"number": rows[which], "entry": entries.take(pa.array(numbers)), "distance": bits})
    asked = asked.drop_columns("pdq").append_column("number", pa.array(np.arange(len(asked))))
    return context.sql(NEAREST, {"views": list(VIEWS)}, pairs=pairs, asked=asked)


def _unpacked(column: pa.ChunkedArray) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """All hashes of the rows, uint64 [n, 4], and the row of each."""
    held: Sequence[bytes] = column.to_pylist()
    raw = np.frombuffer(b"".join(held), ">u8").astype(np.uint64).reshape(-1, WORDS)
    return raw, np.repeat(np.arange(len(held)), [len(h) // (8 * WORDS) for h in held])

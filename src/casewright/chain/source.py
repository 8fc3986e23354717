"""What every source of a chain gives: the rows of `read_files`, `read_blocks` and `read_damage` of one content.

Block files are read by `reading.py`; `sources/` has one other form a file.
"""

from typing import Any

import numpy as np
import pyarrow as pa

from casewright.engine.stage import Output, Tally
from casewright.model.tables import TABLES

WRITES = ("read_files", "read_blocks", "read_damage")


def output(**tables: pa.Table) -> Output:
    """Some of the three tables; the content is counted with the row that says what it is."""
    made = {name: tables.get(name, TABLES[name].empty()) for name in WRITES}
    return Output(made, [], [Tally("contents", 1, 1)] if "read_files" in tables else [])


def blobs(rows: Any, at: Any) -> pa.Array:
    """Rows of numbers cut into byte strings; `at` says at which row each begins, and where the last one ends."""
    raw = np.ascontiguousarray(rows)
    width = raw.nbytes // max(1, len(raw)) if len(raw) else 1
    offsets = (np.asarray(at) * width).astype(np.int32)
    return pa.BinaryArray.from_buffers(pa.binary(), len(offsets) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(raw)])

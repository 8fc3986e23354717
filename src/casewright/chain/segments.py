"""The chain cut into segments: blocks that follow each other, read from the parts of `read_blocks` when they are used.

A segment's key names its blocks and all before it, so that what was made of it holds as long as the chain only grows,
or up to the block where another branch went ahead.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.assembly import Numbers, is_sound, sizes_of
from casewright.engine.parts import TablePart
from casewright.kernels.runs import starts

SEGMENT = 1 << 18
"""Transactions in a segment, or a block more: what a kill costs, and what is held at once."""
HEAD = ("content", "hash", "prev", "time", "bits", "height", "span_start", "span_length", "transactions")


@dataclass(frozen=True)
class Survey:
    """All blocks that were read, without what is in them. `sound`: their arrays fit together. `first_row`: in an
    export, that of their first transaction. `outputs` and `script_bytes`: how many there are of each."""

    parts: Sequence[TablePart]
    rows: pa.Table
    sound: NDArray[np.bool_]
    first_row: Numbers
    outputs: Numbers
    script_bytes: Numbers

    def place(self, rows: Numbers) -> tuple[Numbers, Numbers]:
        """The part in which each row stands, and its row there."""
        first = starts(np.array([part.rows for part in self.parts]))
        part = np.searchsorted(first, rows, "right") - 1
        return part, rows - first[part]

    def read(self, rows: Numbers, columns: Sequence[str]) -> pa.Table:
        """Some rows of `read_blocks`, in the order in which they are asked for; each part is read once."""
        (part_of, row), taken, places = self.place(rows), [], []
        for part in np.unique(part_of).tolist():
            mine = np.flatnonzero(part_of == part)
            held = _large(self.parts[part].read(columns))
            taken.append(held.take(pa.array(row[mine])))
            places.append(mine)
        found, order = pa.concat_tables(taken), np.concatenate(places)
        return found if (np.diff(order) > 0).all() else found.take(pa.array(np.argsort(order)))


@dataclass(frozen=True)
class Segment:
    """`rows`: the blocks' rows of `read_blocks`. `first`: the place of the first one among all that are not stale."""

    key: str
    rows: Numbers
    first: int


def survey(parts: Sequence[TablePart]) -> Survey:
    """Goes through all parts, one after the other."""
    heads, columns = [], []
    for part in parts:
        rows = part.read()
        heads.append(rows.select(list(HEAD)).combine_chunks())
        begin = pc.binary_slice(rows["shapes"], 0, 4).to_pylist()
        first_row = np.fromiter((int.from_bytes(raw, "little") for raw in begin), np.int64, len(rows))
        columns.append((is_sound(rows), first_row, sizes_of(rows["kinds"]), sizes_of(rows["scripts"])))
    sound, first_row, outputs, script_bytes = map(np.concatenate, zip(*columns, strict=True))
    return Survey(parts, pa.concat_tables(heads), sound, first_row, outputs, script_bytes)


def segments_of(read: Survey, rows: Numbers) -> list[Segment]:
    """The chain's blocks, by their rows in its order, cut into segments."""
    before = starts(read.rows["transactions"].to_numpy()[rows])[:-1]
    cuts = [*np.flatnonzero(np.diff(before // SEGMENT, prepend=-1)).tolist(), len(rows)]
    part_of, row = read.place(rows)
    key, found = hashlib.sha256(), []
    for start, end in pairwise(cuts):
        for block in range(start, end):
            key.update(f"{read.parts[part_of[block]].digest} {row[block]}\n".encode())
        found.append(Segment(key.hexdigest(), rows[start:end], start))
    return found


def _large(rows: pa.Table) -> pa.Table:
    """Bytes of many blocks together are more than 32 bits can count."""
    fields = [f.with_type(pa.large_binary()) if f.type == pa.binary() else f for f in rows.schema]
    return rows.cast(pa.schema(fields))


def of_kept(values: NDArray[Any], counts: NDArray[Any], kept: NDArray[np.bool_]) -> NDArray[Any]:
    """The rows of the transactions that are kept, each of which has so many."""
    return values if kept.all() else values[np.repeat(kept, counts)]

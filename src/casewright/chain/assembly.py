"""The blocks of all files put together: which of them are blocks, and which stands where.

What came from children that parse evidence is looked over first: a block whose arrays do not fit together is none.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.heights import Place, places
from casewright.kernels.joining import SPEND
from casewright.kernels.packing import KEPT
from casewright.kernels.runs import starts
from casewright.kernels.scripts import KINDS

Numbers = NDArray[np.int64]
BLOBS = ("hash", "prev", "txids", "shapes", "stamps", "spends", "sats", "kinds", "script_sizes", "scripts")
LAST = 1 << 62


class Head(NamedTuple):
    """What decides a block's place; `row` is that in `read_blocks`."""

    hash: bytes
    prev: bytes
    time: int
    bits: int
    height: int | None
    row: int


def is_sound(rows: pa.Table) -> NDArray[np.bool_]:
    """Of each row of `read_blocks` whether its arrays fit together."""
    sound = _whole_rows(rows)
    sound[sound] = _sums_fit(rows.filter(pa.array(sound)))
    return sound


def _whole_rows(rows: pa.Table) -> NDArray[Any]:
    """Whether each array has whole rows, of as many transactions as the block says."""
    size, count = {name: sizes_of(rows[name]) for name in BLOBS}, rows["transactions"].to_numpy()
    fits = (size["hash"] == 32) & (size["prev"] == 32) & (size["txids"] == 32 * count) & (size["shapes"] == 12 * count)
    fits &= (size["stamps"] == 8 * count) | (size["stamps"] == 0)
    fits &= (size["kinds"] == size["script_sizes"]) & (size["sats"] == 8 * size["kinds"]) & (count > 0)
    return cast(NDArray[Any], fits & (size["spends"] % SPEND == 0))


def _sums_fit(rows: pa.Table) -> NDArray[Any]:
    """Whether the transactions have together what the other arrays hold, and no number is one that cannot be."""
    shapes, counts = flat(rows["shapes"], "<u4").reshape(-1, 3), rows["transactions"].to_numpy()
    scripts, kinds, outputs = flat(rows["script_sizes"]), flat(rows["kinds"]), sizes_of(rows["kinds"])
    fits = (_sums(shapes[:, 1], counts) * SPEND == sizes_of(rows["spends"])) & (_sums(shapes[:, 2], counts) == outputs)
    fits &= (_sums(scripts, outputs) == sizes_of(rows["scripts"])) & (_sums(scripts > KEPT, outputs) == 0)
    return cast(NDArray[Any], fits & (_sums(kinds >= len(KINDS), outputs) == 0))


def heads_of(rows: pa.Table, chosen: Sequence[int]) -> list[Head]:
    """The heads of some rows, in the order in which they are asked for."""
    hashes, prevs, times = (rows[name].to_pylist() for name in ("hash", "prev", "time"))
    bits, heights = (rows[name].to_pylist() for name in ("bits", "height"))
    return [Head(hashes[row], prevs[row], times[row], bits[row], heights[row], row) for row in chosen]


def in_order(heads: Sequence[Head], genesis: bytes) -> list[tuple[Head, Place]]:
    """Each block once, where it stands first, in the order of the chain. What an export says of a block counts where
    the block itself is not there."""
    once: dict[bytes, Head] = {}
    for head in sorted(heads, key=lambda head: head.height is not None):
        once.setdefault(head.hash, head)
    placed = places((head for head in once.values() if head.height is None), genesis)
    told = [(h, placed.get(h.hash) or Place("exported", h.height)) for h in once.values()]
    return sorted(told, key=_order)


def _order(block: tuple[Head, Place]) -> tuple[int, str, int, bytes]:
    head, place = block
    return (LAST if place.height is None else place.height, place.state, head.time, head.hash[::-1])


def flat(column: pa.ChunkedArray, kind: str = "u1") -> NDArray[Any]:
    """The bytes of all rows one after the other, as numbers."""
    pieces = [_bytes(chunk) for chunk in column.chunks]
    whole = pieces[0] if len(pieces) == 1 else np.concatenate([np.empty(0, np.uint8), *pieces])
    return whole.view(kind)


def _bytes(chunk: pa.Array) -> NDArray[np.uint8]:
    _, _, data = chunk.buffers()
    offsets = _offsets(chunk)
    if data is None:
        return np.empty(0, np.uint8)
    return np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def _offsets(chunk: pa.Array) -> Numbers:
    kind = np.int64 if pa.types.is_large_binary(chunk.type) else np.int32
    if not len(chunk):
        return np.zeros(1, np.int64)
    return np.frombuffer(chunk.buffers()[1], kind)[chunk.offset : chunk.offset + len(chunk) + 1].astype(np.int64)


def sizes_of(column: pa.ChunkedArray) -> Numbers:
    """How many bytes each row has."""
    return np.concatenate([np.empty(0, np.int64), *(np.diff(_offsets(chunk)) for chunk in column.chunks)])


def _sums(values: NDArray[Any], counts: Numbers) -> Numbers:
    """Sum of each run of so many values."""
    return np.diff(starts(values)[starts(counts)])

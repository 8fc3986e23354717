"""The chain put together from the blocks of all files: which block stands where, and numbers for everything.

What came from children that parse evidence is looked over first: a block whose arrays do not fit together is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.heights import Place, places
from casewright.kernels.joining import SPEND, first_of_equal, first_spenders, holders_of, spent_outputs
from casewright.kernels.packing import KEPT, starts
from casewright.kernels.scripts import KINDS

Numbers = NDArray[np.int64]
BLOBS = ("hash", "prev", "txids", "shapes", "spends", "sats", "kinds", "script_sizes", "scripts")
LAST = 1 << 62


class Head(NamedTuple):
    """What decides a block's place; `row` is that in `read_blocks`."""

    hash: bytes
    prev: bytes
    time: int
    bits: int
    height: int | None
    row: int


@dataclass(frozen=True)
class Assembled:
    """T transactions of B blocks that are not stale, I inputs and O outputs, numbered in the order of the chain.

    `block` [T] is the place of a transaction's block among these blocks, `start` [T] its first byte in the content and
    `length` [T] its bytes (in an export: its row).
    Hashes stand as they are hashed. `spends` [I], `spender` [O] and `holder` [O] are as in `columns.Chain`;
    `scripts` and `script_at` [H + 1] are those of the holders.
    """

    block: Numbers
    position: Numbers
    start: Numbers
    length: Numbers
    txid: NDArray[np.uint8]
    first_input: Numbers
    first_output: Numbers
    spend: NDArray[np.uint8]
    spends: Numbers
    sats: Numbers
    kind: NDArray[np.uint8]
    holder: Numbers
    spender: Numbers
    scripts: NDArray[np.uint8]
    script_at: Numbers


def is_sound(rows: pa.Table) -> NDArray[np.bool_]:
    """Of each row of `read_blocks` whether its arrays fit together."""
    sound = _whole_rows(rows)
    sound[sound] = _sums_fit(rows.filter(pa.array(sound)))
    return sound


def _whole_rows(rows: pa.Table) -> NDArray[Any]:
    """Whether each array has whole rows, of as many transactions as the block says."""
    size, count = {name: _sizes(rows[name]) for name in BLOBS}, rows["transactions"].to_numpy()
    fits = (size["hash"] == 32) & (size["prev"] == 32) & (size["txids"] == 32 * count) & (size["shapes"] == 12 * count)
    fits &= (size["kinds"] == size["script_sizes"]) & (size["sats"] == 8 * size["kinds"]) & (count > 0)
    return cast(NDArray[Any], fits & (size["spends"] % SPEND == 0))


def _sums_fit(rows: pa.Table) -> NDArray[Any]:
    """Whether the transactions have together what the other arrays hold, and no number is one that cannot be."""
    shapes, counts = flat(rows["shapes"], "<u4").reshape(-1, 3), rows["transactions"].to_numpy()
    scripts, kinds, outputs = flat(rows["script_sizes"]), flat(rows["kinds"]), _sizes(rows["kinds"])
    fits = (_sums(shapes[:, 1], counts) * SPEND == _sizes(rows["spends"])) & (_sums(shapes[:, 2], counts) == outputs)
    fits &= (_sums(scripts, outputs) == _sizes(rows["scripts"])) & (_sums(scripts > KEPT, outputs) == 0)
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


class Numbered(NamedTuple):
    """What the joins say of T transactions, I inputs, O outputs and H holders; as in `Assembled`. `shown` [H]: the
    output at which each holder appears first."""

    first_input: Numbers
    first_output: Numbers
    spends: Numbers
    holder: Numbers
    shown: Numbers
    spender: Numbers


def numbered(
    spends: Numbers,
    first_input: Numbers,
    first_output: Numbers,
    scripts: NDArray[np.uint8],
    script_at: Numbers,
) -> Numbered:
    """Joins a chain in its order; what it is given may be mapped from disk. `spends` comes from `spent`."""
    holder, shown = holders_of(scripts, script_at)
    spender = first_spenders(spends, first_input, int(first_output[-1]))
    return Numbered(first_input, first_output, spends, holder, shown, spender)


def spent(txid: NDArray[np.uint8], spend: NDArray[np.uint8], first_output: Numbers) -> Numbers:
    """The output that each input takes. The table by which it is found is given up at once: it is large."""
    _, slots = first_of_equal(txid)
    return spent_outputs(spend, txid, slots, first_output)


def assemble(rows: pa.Table) -> Assembled:
    """Numbers for the rows of `read_blocks`, which are sound and stand in the order of the chain."""
    shapes, counts = flat(rows["shapes"], "<u4").reshape(-1, 3), rows["transactions"].to_numpy()
    txid, spend = flat(rows["txids"]).reshape(-1, 32), flat(rows["spends"])
    sats, kind, script_at = flat(rows["sats"], "<i8"), flat(rows["kinds"]), starts(flat(rows["script_sizes"]))
    block, scripts = np.repeat(np.arange(len(rows)), counts), flat(rows["scripts"])
    position = np.arange(len(txid)) - np.repeat(starts(counts)[:-1], counts)
    start = _places(rows, shapes[:, 0], counts)
    if (again := first_of_equal(txid)[0] != np.arange(len(txid))).any():
        # two coinbases of 2010 repeat older ones (BIP 30), and unconnected blocks may repeat what the chain has
        new = ~again
        inputs, outputs = np.repeat(new, shapes[:, 1]), np.repeat(new, shapes[:, 2])
        scripts, script_at = _kept_scripts(scripts, script_at, outputs)
        spend, sats, kind = spend.reshape(-1, SPEND)[inputs].ravel(), sats[outputs], kind[outputs]
        txid, block, position, start, shapes = txid[new], block[new], position[new], start[new], shapes[new]
    first_input, first_output = starts(shapes[:, 1]), starts(shapes[:, 2])
    made = numbered(spent(txid, spend, first_output), first_input, first_output, scripts, script_at)
    own, own_at = _picked_scripts(scripts, script_at, made.shown)
    return Assembled(block, position, start, shapes[:, 0].astype(np.int64), txid, made.first_input, made.first_output,
                     spend, made.spends, sats, kind, made.holder, made.spender, own, own_at)  # fmt: skip


def _places(rows: pa.Table, length: NDArray[Any], counts: Numbers) -> Numbers:
    """First byte of each transaction: they stand without gaps at their block's end. Without meaning in exports."""
    ends = np.cumsum(length, dtype=np.int64)
    end_of_block = np.repeat(ends[np.cumsum(counts) - 1], counts) if len(counts) else ends
    span_start, span_length = (rows[name].fill_null(0).to_numpy() for name in ("span_start", "span_length"))
    ends_at: Numbers = np.repeat(span_start + span_length, counts)
    return cast(Numbers, ends_at - (end_of_block - ends) - length)


def _kept_scripts(scripts: Any, at: Numbers, kept: NDArray[np.bool_]) -> tuple[NDArray[np.uint8], Numbers]:
    sizes = np.diff(at)
    return scripts[np.repeat(kept, sizes)], starts(sizes[kept])


def _picked_scripts(scripts: Any, at: Numbers, rows: Numbers) -> tuple[NDArray[np.uint8], Numbers]:
    kept = np.zeros(len(at) - 1, np.bool_)
    kept[rows] = True  # holders are numbered as they first appear, so their scripts stand in their order
    return _kept_scripts(scripts, at, kept)


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


def _sizes(column: pa.ChunkedArray) -> Numbers:
    return np.concatenate([np.empty(0, np.int64), *(np.diff(_offsets(chunk)) for chunk in column.chunks)])


def _sums(values: NDArray[Any], counts: Numbers) -> Numbers:
    """Sum of each run of so many values."""
    return np.diff(starts(values)[starts(counts)])

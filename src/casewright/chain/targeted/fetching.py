"""One content read again, as much of it as a round of targeted mode asks for: some blocks of it, or all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.reading import EASIEST, plain
from casewright.chain.targeted.finds import found_in, heights_of, rows_of
from casewright.engine.stage import Context
from casewright.kernels.blockcolumns import as_bytes
from casewright.kernels.blockfiles import Plain, unmask
from casewright.kernels.blockscan import count_blocks
from casewright.kernels.runs import starts
from casewright.kernels.targeted import Places, Sought, search
from casewright.kernels.undo_pairs import Undone, known_undo, no_undo

FINDS = "followed_finds"
PACKED = ".bz2"
Span = tuple[int, int]


@dataclass(frozen=True)
class Head:
    """A block of a content: where it stands there, and its undo data in the file beside it (-1: none)."""

    hash: bytes
    span: Span
    undo: Span


@dataclass(frozen=True)
class Reading:
    """What is to be read of one content: blocks in which outputs may be spent, or that may have ids."""

    row: Mapping[str, Any]
    heads: Sequence[Head]
    sought: Sought


class Unreadable(Exception):  # noqa: N818  reads as what it says
    """A block that held when it was searched and does not now: its witness data was not looked at then."""


def read_some(reading: Reading, context: Context) -> pa.Table:
    """Rows of `followed_finds`. Raises Unreadable."""
    row, easiest = reading.row, EASIEST[context.params["network"]]
    sealed = Bytes(context, row["sha256"], row["key"], row["name"].lower().endswith(PACKED))
    clear, begin = sealed.of([head.span for head in reading.heads])
    size = np.array([head.span[1] for head in reading.heads], np.int64)
    counts = np.zeros((len(begin), 3), np.int64)
    if count_blocks(as_bytes(clear), begin, size, counts) < len(begin):
        raise Unreadable("a block is not where it was")
    places = Places(begin, size, counts)
    file = Plain(clear, clear)
    found = search(file, places, no_undo(len(begin)), b"", reading.sought, easiest, check=False)
    if found.bad:
        bad = reading.heads[found.bad[0]].span
        raise Unreadable(f"the block of {bad[1]} bytes from byte {bad[0]} does not hold: its witness data is damaged")
    chosen, block = np.unique(found.hits.block, return_inverse=True)
    columns = found_in(file, places, found)
    heights = heights_of(columns, block, found.hits.position, _undo(reading, chosen, context))
    return rows_of(columns, found.hits, heights, row["content"], clear, FINDS)


def _undo(reading: Reading, chosen: NDArray[Any], context: Context) -> Undone:
    """The undo data of the chosen blocks alone."""
    spans = [reading.heads[block].undo for block in chosen]
    there = [span for span in spans if span[0] >= 0]
    if not there or not reading.row["undo"]:
        return no_undo(len(spans))
    clear, begin = Bytes(context, reading.row["undo"], reading.row["key"]).of(there)
    at = iter(begin.tolist())
    return known_undo(Plain(clear, clear), [(next(at), length) if start >= 0 else (-1, -1) for start, length in spans])


class Bytes:
    """A sealed file in the clear, of which stretches are asked for."""

    def __init__(self, context: Context, sha256: str, key: bytes, packed: bool = False) -> None:
        self._context, self._sha256, self._key, self._packed = context, sha256, key, packed

    def of(self, spans: Sequence[Span]) -> tuple[bytes, NDArray[np.int64]]:
        """The stretches end to end, or the whole file when that is less work; and where each begins."""
        with self._context.open(self._sha256) as stream:
            magic, size = stream.read(3), stream.seek(0, 2)
            if self._packed or magic == b"BZh" or 2 * sum(length for _, length in spans) > size:
                whole, _, _ = plain(self._context, self._sha256, self._key, self._packed)
                return whole.clear, np.array([start for start, _ in spans], np.int64)
            parts = [self._stretch(stream, *span) for span in spans]
        return b"".join(parts), starts(np.array([len(part) for part in parts], np.int64))[:-1]

    def _stretch(self, stream: Any, start: int, length: int) -> bytes:
        stream.seek(start)
        turned = start % max(1, len(self._key))
        return unmask(stream.read(length), self._key[turned:] + self._key[:turned]).clear

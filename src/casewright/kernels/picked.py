"""Single transactions out of the blocks of a file, as columns: what a search found, without reading the rest again.

They were walked through, and their blocks checked, before. `blockcolumns.read_blocks` is the definition: of the same
blocks, with the other transactions left out, it gives the same columns (a test compares them).
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.blockcolumns import Columns, empty
from casewright.kernels.blocks import MOST
from casewright.kernels.blockscan import BITS, HEADER, TIME, fill_transaction, number
from casewright.kernels.memory import get8
from casewright.kernels.sha256 import scratch

Numbers = NDArray[np.int64]


def picked(data: NDArray[np.uint8], begin: Numbers, size: Numbers, digest: NDArray[Any], counts: Numbers,
           start: Numbers) -> Columns:  # fmt: skip
    """Columns of the transactions that begin at these places. Their blocks: where they begin, how long they are, their
    hashes, and how many of the transactions are of each."""
    shapes = np.empty((len(start), 2), np.int64)
    _count(data, start, shapes)
    columns = empty(len(begin), len(start), *shapes.sum(axis=0).tolist())
    columns.hash[:], columns.transactions[:] = digest, counts
    columns.block_start[:], columns.block_size[:] = begin, size
    for name, told in header_fields(data, begin).items():
        getattr(columns, name)[:] = told
    _pick(data, start, columns, np.empty(MOST, np.uint8), scratch())
    return columns


def header_fields(data: NDArray[np.uint8], begin: Numbers) -> dict[str, NDArray[Any]]:
    """`prev` [B, 32], `time` and `bits` of the headers that begin at these places."""
    raw = data[begin[:, None] + np.arange(HEADER)]
    numbers = {name: raw[:, at : at + 4].copy().view("<u4").ravel().astype(np.int64)
               for name, at in (("time", TIME), ("bits", BITS))}  # fmt: skip
    return {"prev": raw[:, 4:36], **numbers}


@njit(cache=True, nogil=True)
def _count(data, start, shapes):  # type: ignore[no-untyped-def]
    for row in range(len(start)):
        at = data.ctypes.data + start[row]
        inputs, at = number(at + (6 if get8(at + 4) == 0 and get8(at + 5) == 1 else 4))
        for _ in range(inputs):
            size, at = number(at + 36)
            at += size + 4
        shapes[row, 0], (shapes[row, 1], _) = inputs, number(at)


@njit(cache=True, nogil=True)
def _pick(data, start, columns, scrap, used):  # type: ignore[no-untyped-def]
    i = o = 0
    for t in range(len(start)):
        begin = data.ctypes.data + start[t]
        i, o, _, _ = fill_transaction(data, begin, t, i, o, columns, scrap.ctypes.data, used.ctypes.data)


def _compile() -> None:
    """Compiles all of it when this module is imported: a child may not write what it compiled."""
    none = np.empty(0, np.int64)
    picked(np.zeros(1, np.uint8), none, none, np.empty((0, 32), np.uint8), none, none)


_compile()

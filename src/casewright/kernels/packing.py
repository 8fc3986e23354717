"""Columns of blocks on their way to a table: what belongs to which block, and scripts short enough to be kept.

A script stands for whoever can spend: two outputs with the same one have the same holder. Those that have an address
are 42 bytes at most; of a longer one its SHA-256 is kept behind 11 zeros, and so much is never kept of a short one.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.blockcolumns import Columns, as_bytes
from casewright.kernels.memory import copy, put64
from casewright.kernels.runs import starts
from casewright.kernels.sha256 import scratch, sha256_at

LONGEST, KEPT = 42, 43


class Spans(NamedTuple):
    """Where each block's rows begin, and the end of the last one's. Inputs that create coins are not among them.

    `inputs`: how many each transaction has; `spending`: which rows of the columns' inputs they are.
    """

    transactions_at: NDArray[Any]
    inputs_at: NDArray[Any]
    outputs_at: NDArray[Any]
    inputs: NDArray[Any]
    spending: NDArray[Any]


def spans_of(columns: Columns) -> Spans:
    transactions_at = starts(columns.transactions)
    first = starts(columns.inputs)[:-1]
    creates = (columns.inputs == 1) & (columns.prev_vout[first] == 0xFFFFFFFF) & ~columns.prev_txid[first].any(axis=1)
    inputs = np.where(creates, 0, columns.inputs)
    spending = np.ones(len(columns.prev_vout), np.bool_)
    spending[first[creates]] = False
    inputs_at, outputs_at = starts(inputs)[transactions_at], starts(columns.outputs)[transactions_at]
    return Spans(transactions_at, inputs_at, outputs_at, inputs, spending)


def script_keys(clear: bytes, places: NDArray[Any], sizes: NDArray[Any]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Of each script how many bytes are kept, and these one after the other."""
    kept = np.where(sizes > LONGEST, KEPT, sizes).astype(np.uint8)
    out = np.empty(int(kept.sum(dtype=np.int64)) + 8, np.uint8)
    _keep(as_bytes(clear), places, sizes, out, scratch())
    return kept, out[: len(out) - 8]


@njit(cache=True, nogil=True)
def _keep(data, places, sizes, out, used):  # type: ignore[no-untyped-def]
    to = out.ctypes.data
    for row in range(len(places)):
        at, size = data.ctypes.data + places[row], sizes[row]
        if size <= LONGEST:
            copy(to, at, size)
            to += size
        else:
            put64(to, np.uint64(0))
            put64(to + 3, np.uint64(0))
            sha256_at(at, size, to + 11, used.ctypes.data)
            to += KEPT


script_keys(bytes(50), np.array([0, 2]), np.array([2, 45]))  # compiled now: a child may not write what it compiled

"""Hashes in Arrow's columns as numbers, without an object for each."""

from binascii import unhexlify
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.kernels.hamming import WORDS

DIGITS = 64


def packed_column(column: Any) -> NDArray[np.uint64]:
    """PDQ hashes of 64 lower-case hex digits, none missing, as uint64 [n, 4]: what `hamming.packed` makes of them."""
    result = np.empty((len(column), WORDS), np.uint64)
    at = 0
    for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
        if not len(chunk):
            continue
        offsets = np.frombuffer(chunk.buffers()[1], np.int32, len(chunk) + 1, chunk.offset * 4)
        if (np.diff(offsets) != DIGITS).any():
            raise ValueError("a PDQ hash that has not 64 digits")
        raw = unhexlify(_letters(chunk, offsets))
        result[at : at + len(chunk)] = np.frombuffer(raw, ">u8").reshape(-1, WORDS)
        at += len(chunk)
    return result


def hex_column(column: Any, digits: int) -> Any:
    """An array of texts in lower case, empty ones as NULL, when all others are of `digits` hex digits; else None."""
    if not len(column):
        return column
    offsets = np.frombuffer(column.buffers()[1], np.int32, len(column) + 1, column.offset * 4)
    there = np.diff(offsets) == digits
    if offsets[-1] - offsets[0] != np.count_nonzero(there) * digits:
        return None
    letters = _letters(column, offsets)
    try:
        unhexlify(letters)
    except ValueError:
        return None
    valid = pa.py_buffer(np.packbits(there, bitorder="little"))
    edges, lower = pa.py_buffer(offsets - offsets[0]), pa.py_buffer(letters.lower())
    return pa.StringArray.from_buffers(len(column), edges, lower, valid)


def _letters(column: Any, offsets: NDArray[np.int32]) -> bytes:
    first, last = int(offsets[0]), int(offsets[-1])
    letters = column.buffers()[2]
    return letters.slice(first, last - first).to_pybytes() if last > first else b""

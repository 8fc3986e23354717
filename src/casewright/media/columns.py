"""Hashes in Arrow's columns as numbers, without an object for each."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.kernels.hamming import WORDS

DIGITS = 64
_VALUE = np.zeros(256, np.uint8)
_VALUE[list(b"0123456789abcdef")] = range(16)


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
        digits = _VALUE[np.frombuffer(chunk.buffers()[2], np.uint8, len(chunk) * DIGITS, int(offsets[0]))]
        raw = (digits[0::2] << 4) | digits[1::2]
        result[at : at + len(chunk)] = raw.view(">u8").reshape(-1, WORDS)
        at += len(chunk)
    return result

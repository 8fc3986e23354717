"""Columns of text as bytes and numbers: hashes and scripts in hex, whole numbers in digits. Compiled when imported: a
child may not write what it compiled.

`data` holds the texts one after the other, `starts` [n + 1] where each begins and the last one ends.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

HASH, DIGITS = 64, 18
"""Digits of a hash in hex, and the most of a number that is sure to fit."""
NO_DIGIT = 255
_VALUE = np.full(256, NO_DIGIT, np.uint8)
_VALUE[list(b"0123456789")] = range(10)
_VALUE[list(b"abcdef")] = _VALUE[list(b"ABCDEF")] = range(10, 16)
Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


def hashes_of(data: Bytes, starts: NDArray[Any]) -> tuple[Bytes, Flags]:
    """Hashes [n, 32] of texts that show them in reverse, as explorers do, and which of the texts do so."""
    raw, known = np.zeros((len(starts) - 1, HASH // 2), np.uint8), np.zeros(len(starts) - 1, np.bool_)
    _hashes(data, starts, raw, known)
    return raw, known


def whole_numbers(data: Bytes, starts: NDArray[Any]) -> tuple[NDArray[np.int64], Flags]:
    """Numbers of texts that are nothing but some digits, with a minus before them or not, and which are so."""
    numbers, known = np.zeros(len(starts) - 1, np.int64), np.zeros(len(starts) - 1, np.bool_)
    _numbers(data, starts, numbers, known)
    return numbers, known


def unhexed(data: Bytes, starts: NDArray[Any]) -> tuple[Bytes, NDArray[np.int64], Flags]:
    """The bytes that texts of any length say in hex, end to end, where those of each begin, and which say some: of
    others there are none."""
    out = np.empty((int(starts[-1]) - int(starts[0])) // 2, np.uint8)
    at, known = np.zeros(len(starts), np.int64), np.zeros(len(starts) - 1, np.bool_)
    _unhex(data, starts, out, at, known)
    return out[: at[-1]], at, known


@njit(cache=True, nogil=True)
def _hashes(data, starts, raw, known):  # type: ignore[no-untyped-def]
    for row in range(len(known)):
        start = starts[row]
        if starts[row + 1] - start != HASH:
            continue
        all_digits = True
        for place in range(HASH // 2):
            high, low = _VALUE[data[start + 2 * place]], _VALUE[data[start + 2 * place + 1]]
            all_digits &= (high | low) < 16
            raw[row, HASH // 2 - 1 - place] = high << 4 | low
        known[row] = all_digits
        if not all_digits:
            raw[row] = 0


@njit(cache=True, nogil=True)
def _numbers(data, starts, numbers, known):  # type: ignore[no-untyped-def]
    for row in range(len(known)):
        start, end = np.int64(starts[row]), np.int64(starts[row + 1])
        below = end > start and data[start] == 45
        start += below
        if not 0 < end - start <= DIGITS:
            continue
        value, all_digits = np.int64(0), True
        for place in range(start, end):
            digit = _VALUE[data[place]]
            all_digits &= digit < 10
            value = value * 10 + np.int64(digit)
        if all_digits:
            numbers[row], known[row] = -value if below else value, True


@njit(cache=True, nogil=True)
def _unhex(data, starts, out, at, known):  # type: ignore[no-untyped-def]
    to = np.int64(0)
    for row in range(len(known)):
        start, size = np.int64(starts[row]), np.int64(starts[row + 1]) - np.int64(starts[row])
        all_digits = size % 2 == 0
        for place in range(size // 2 if all_digits else 0):
            high, low = _VALUE[data[start + 2 * place]], _VALUE[data[start + 2 * place + 1]]
            all_digits &= (high | low) < 16
            out[to + place] = high << 4 | low
        known[row] = all_digits
        to += size // 2 if all_digits else 0
        at[row + 1] = to


for _kind in (np.int32, np.int64):
    for _data in (np.zeros(2, np.uint8), np.frombuffer(b"00", np.uint8)):
        for _some in (hashes_of, whole_numbers, unhexed):
            _some(_data, np.array([0, 2], _kind))

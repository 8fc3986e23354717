"""Many things to be found by their bytes: scripts, outputs, transaction ids. One look-up costs the same for ten
thousand and for a million of them.

An open-addressing table (`joining.py`), and before it some bits, small enough to stay near the processor, that tell at
once that most of what is asked for is not there: each key sets two bits of one word (a blocked filter after Bloom).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.blockcolumns import as_bytes
from casewright.kernels.joining import MIX, entry, equal, hashed, slots_for
from casewright.kernels.memory import get64
from casewright.kernels.runs import starts

LEAST_BITS, MOST_BITS, FOR_EACH, LAST = 12, 23, 16, 10
"""Bits of the filter, as powers of two: so many a key, and no more in all."""
ONE = np.uint64(1)


class Keys:
    """Things to be found, each at most once."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        sizes = np.fromiter(map(len, keys), np.int64, len(keys))
        self.set(as_bytes(b"".join(keys)), starts(sizes))

    def set(self, raw: NDArray[Any], at: NDArray[Any]) -> None:
        self.raw, self.at = np.array(raw, np.uint8), np.array(at, np.int64)
        count = len(at) - 1
        self.slots = slots_for(count)
        power = min(MOST_BITS, max(LEAST_BITS, (FOR_EACH * count).bit_length()))
        self.bits = np.zeros(1 << power - 6, np.uint64)
        _enter(self.raw, self.at, self.slots, self.bits)

    def __len__(self) -> int:
        return len(self.at) - 1

    @property
    def arrays(self) -> tuple[Any, Any, Any, Any]:
        return self.raw, self.at, self.slots, self.bits


def matched(scripts: NDArray[Any], at: NDArray[Any], keys: Keys) -> NDArray[np.int64]:
    """Of each script the number of the key that it is; -1 when it is none."""
    found = np.empty(len(at) - 1, np.int64)
    _match(scripts, at, *keys.arrays, found)
    return found


@njit(cache=True, nogil=True)
def told_by(key, size):  # type: ignore[no-untyped-def]
    """What says which bits of the filter a key has: eight of its last ten bytes, which are parts of a hash in all
    scripts that have an address."""
    return get64(key + size - LAST) if size >= LAST else hashed(key, size)


@njit(cache=True, nogil=True)
def _place(told, last):  # type: ignore[no-untyped-def]
    """The word of the filter and the bits of it; `last`: the filter's last word."""
    mixed = told * MIX
    bits = ONE << (mixed >> np.uint64(52) & np.uint64(63)) | ONE << (mixed >> np.uint64(58))
    return mixed >> np.uint64(24) & np.uint64(last), bits


@njit(cache=True, nogil=True)
def may_be(told, bits, last):  # type: ignore[no-untyped-def]
    """Whether a key could be known, by what `told_by` says of it; `bits`: the address of the filter, `last` its last
    word."""
    word, own = _place(told, last)
    return get64(bits + 8 * np.int64(word)) & own == own


@njit(cache=True, nogil=True)
def _enter(raw, at, slots, bits):  # type: ignore[no-untyped-def]
    mask, last = np.uint64(len(slots) - 1), len(bits) - 1
    for row in range(len(at) - 1):
        key, size = raw.ctypes.data + at[row], at[row + 1] - at[row]
        word, (place, own) = hashed(key, size), _place(told_by(key, size), last)
        bits[place] |= own
        slot = word >> np.uint64(7) & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = entry(word, row)


@njit(cache=True, nogil=True)
def known(key, size, raw, at, slots):  # type: ignore[no-untyped-def]
    """Number of the key that stands at an address; -1 when it is none of them."""
    word, mask = hashed(key, size), np.uint64(len(slots) - 1)
    slot = word >> np.uint64(7) & mask
    while slots[slot]:
        row = np.int64(slots[slot] & np.uint64(0xFFFFFFFF)) - 1
        if slots[slot] >> np.uint64(32) == word >> np.uint64(32) and at[row + 1] - at[row] == size:
            if equal(raw.ctypes.data + at[row], key, size):
                return row
        slot = (slot + np.uint64(1)) & mask
    return -1


@njit(cache=True, nogil=True)
def _match(scripts, begins, raw, at, slots, bits, found):  # type: ignore[no-untyped-def]
    for row in range(len(found)):
        key, size = scripts.ctypes.data + begins[row], begins[row + 1] - begins[row]
        likely = may_be(told_by(key, size), bits.ctypes.data, len(bits) - 1)
        found[row] = known(key, size, raw, at, slots) if likely else -1

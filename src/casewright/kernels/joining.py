"""Joins over a whole chain, without text: equal txids, what an input spends, equal scripts.

Each is one open-addressing table of uint64: the upper 32 bits are bits of the key's hash, the lower 32 its number from
1. What the bits find is always compared whole. Numbers are given in order of first appearance.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.memory import get8, get32, get64, same_hash

UNKNOWN = -1
SPEND = 36
Numbers = NDArray[np.int64]
MIX, MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


def slots_for(count: int) -> NDArray[np.uint64]:
    """An empty table for so many keys, at most half full."""
    if count >= 1 << 31:
        raise ValueError(f"{count} keys are more than one table holds")
    return np.zeros(1 << max(4, int(2 * count).bit_length()), np.uint64)


def first_of_equal(txids: NDArray[np.uint8]) -> tuple[Numbers, NDArray[np.uint64]]:
    """Of each txid [n, 32] the number of the first that equals it; and the table in which spends are looked up."""
    slots, first = slots_for(len(txids)), np.empty(len(txids), np.int64)
    _enter(txids, slots, first)
    return first, slots


def spent_outputs(
    spends: NDArray[np.uint8], txids: NDArray[np.uint8], slots: NDArray[np.uint64], first_output: Numbers
) -> Numbers:
    """Number of the output that each spend (36 bytes: txid and vout) takes; UNKNOWN where it is not there."""
    found = np.empty(len(spends) // SPEND, np.int64)
    _look_up(spends, txids, slots, first_output, found)
    return found


def first_spenders(spends: Numbers, first_input: Numbers, outputs: int) -> Numbers:
    """The transaction that spends each output: the first in the order of the chain; UNKNOWN while unspent."""
    spender = np.full(outputs, UNKNOWN, np.int64)
    _spend(spends, first_input, spender)
    return spender


def holders_of(scripts: NDArray[np.uint8], starts: Numbers) -> tuple[Numbers, Numbers]:
    """Number of the holder of each output, by its script; and of each holder the output where it first appears."""
    count = len(starts) - 1
    slots, holder, first = slots_for(count), np.empty(count, np.int64), np.empty(count, np.uint32)
    known = _give_numbers(scripts, starts, slots, holder, first)
    return holder, first[:known].astype(np.int64)


@njit(cache=True, nogil=True)
def entry(word, number):  # type: ignore[no-untyped-def]
    return word & np.uint64(0xFFFFFFFF00000000) | np.uint64(number + 1)


@njit(cache=True, nogil=True)
def _find(txids, key, slots):  # type: ignore[no-untyped-def]
    """The slot where the txid at an address stands, or the empty one where it would, and its number or UNKNOWN."""
    mask, word = np.uint64(len(slots) - 1), get64(key)
    slot = get64(key + 8) & mask
    while slots[slot]:
        number = np.int64(slots[slot] & np.uint64(0xFFFFFFFF)) - 1
        if slots[slot] >> np.uint64(32) == word >> np.uint64(32) and same_hash(txids + 32 * number, key):
            return slot, number
        slot = (slot + np.uint64(1)) & mask
    return slot, UNKNOWN


@njit(cache=True, nogil=True)
def _enter(txids, slots, first):  # type: ignore[no-untyped-def]
    base = txids.ctypes.data
    for row in range(len(txids)):
        slot, number = _find(base, base + 32 * row, slots)
        first[row] = row if number == UNKNOWN else number
        if number == UNKNOWN:
            slots[slot] = entry(get64(base + 32 * row), row)


@njit(cache=True, nogil=True)
def _look_up(spends, txids, slots, first_output, found):  # type: ignore[no-untyped-def]
    base, at = txids.ctypes.data, spends.ctypes.data
    for row in range(len(found)):
        _, number = _find(base, at + SPEND * row, slots)
        vout = np.int64(get32(at + SPEND * row + 32))
        there = number != UNKNOWN and vout < first_output[number + 1] - first_output[number]
        found[row] = first_output[number] + vout if there else UNKNOWN


@njit(cache=True, nogil=True)
def _spend(spends, first_input, spender):  # type: ignore[no-untyped-def]
    for transaction in range(len(first_input) - 1):
        for row in range(first_input[transaction], first_input[transaction + 1]):
            if spends[row] != UNKNOWN and spender[spends[row]] == UNKNOWN:
                spender[spends[row]] = transaction


@njit(cache=True, nogil=True)
def hashed(at, size):  # type: ignore[no-untyped-def]
    word = np.uint64(size) * MIX
    for place in range(0, size - 7, 8):
        word = (word ^ get64(at + place)) * MIX
        word ^= word >> np.uint64(29)
    for place in range(size & ~7, size):
        word = (word ^ np.uint64(get8(at + place))) * MIX_2
    word ^= word >> np.uint64(32)
    return word * MIX_2


@njit(cache=True, nogil=True)
def equal(a, b, size):  # type: ignore[no-untyped-def]
    for place in range(0, size - 7, 8):
        if get64(a + place) != get64(b + place):
            return False
    for place in range(size & ~7, size):
        if get8(a + place) != get8(b + place):
            return False
    return True


@njit(cache=True, nogil=True)
def _give_numbers(scripts, starts, slots, holder, first):  # type: ignore[no-untyped-def]
    mask, known, base = np.uint64(len(slots) - 1), 0, scripts.ctypes.data
    for row in range(len(holder)):
        at, size = base + starts[row], starts[row + 1] - starts[row]
        word = hashed(at, size)
        slot = word >> np.uint64(7) & mask
        while True:
            if slots[slot] == 0:
                slots[slot] = entry(word, known)
                first[known], holder[row] = row, known
                known += 1
                break
            number = np.int64(slots[slot] & np.uint64(0xFFFFFFFF)) - 1
            other = np.int64(first[number])
            if slots[slot] >> np.uint64(32) == word >> np.uint64(32) and starts[other + 1] - starts[other] == size:
                if equal(base + starts[other], at, size):
                    holder[row] = number
                    break
            slot = (slot + np.uint64(1)) & mask
    return known

"""Joins over a whole chain, without text: equal txids, what an input spends, equal scripts.

The chain comes piece by piece, in its order. Each join is one open-addressing table of uint64: the upper 32 bits are
bits of the key's hash, the lower 32 its number from 1. What the bits find is always compared whole. Numbers are given
in order of first appearance.
"""

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from casewright.kernels.memory import copy, get8, get32, get64, same_hash

UNKNOWN = -1
SPEND = 36
Numbers = NDArray[np.int64]
MIX, MIX_2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD6E8FEB86659FD93)


def slots_for(count: int) -> NDArray[np.uint64]:
    """An empty table for so many keys, at most half full."""
    if count >= 1 << 31:
        raise ValueError(f"{count} keys are more than one table holds")
    return np.zeros(1 << max(4, int(2 * count).bit_length()), np.uint64)


class Ids:
    """Transactions by id, in the order of the chain; more can be added while others are looked up.

    `txids` (flat) and `first_output` are where they stand: room for as many as there can be, one more of the second.
    The table by which they are found is made when something is first looked for.
    """

    def __init__(self, txids: NDArray[np.uint8], first_output: Numbers) -> None:
        self.txids, self.first_output, self.count = txids, first_output, 0
        self._slots: NDArray[np.uint64] | None = None

    def add(self, txids: NDArray[np.uint8], outputs: NDArray[Any]) -> None:
        """Transactions of which none repeats another one."""
        after = self.count + len(txids)
        self.txids[32 * self.count : 32 * after] = txids.ravel()
        self._count(outputs)
        if self._slots is not None:
            _fill(self.txids, self.count, after, self._slots)
        self.count = after

    def enter(self, txids: NDArray[np.uint8], outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Adds those that repeat none before them, and says which they are."""
        new = np.zeros(len(txids), np.bool_)
        after = _enter(txids, self.txids, self.count, self.slots, new)
        self._count(outputs[new])
        self.count = after
        return new

    def spent(self, spends: NDArray[np.uint8]) -> Numbers:
        """Number of the output that each spend (36 bytes: txid and vout) takes; UNKNOWN where it is not there."""
        found = np.empty(spends.size // SPEND, np.int64)
        _look_up(spends, self.txids, self.slots, self.first_output, found)
        return found

    @property
    def slots(self) -> NDArray[np.uint64]:
        if self._slots is None:
            self._slots = slots_for(len(self.first_output) - 1)
            _fill(self.txids, 0, self.count, self._slots)
        return self._slots

    def forget(self) -> None:
        """Give up the table: it is large."""
        self._slots = None

    def _count(self, outputs: NDArray[Any]) -> None:
        first, here = self.first_output[self.count], slice(self.count + 1, self.count + 1 + len(outputs))
        self.first_output[here] = first + np.cumsum(outputs, dtype=np.int64)


class Holders:
    """Whoever can spend, by script, numbered in the order of first appearance.

    `scripts` and `at` are where their scripts stand: room for as many as there can be. The table grows with them.
    """

    def __init__(self, scripts: NDArray[np.uint8], at: Numbers) -> None:
        self.scripts, self.at, self.count = scripts, at, 0
        self._slots = slots_for(0)

    def add(self, scripts: NDArray[np.uint8], sizes: NDArray[Any]) -> None:
        """Holders of whom none is here yet."""
        start, after = self.at[self.count], self.count + len(sizes)
        self.at[self.count + 1 : after + 1] = start + np.cumsum(sizes, dtype=np.int64)
        self.scripts[start : start + len(scripts)] = scripts
        self._slots, self.count = slots_for(0), after

    def number(self, scripts: NDArray[np.uint8], starts: Numbers) -> Numbers:
        """The holder of each script; those that are not here yet are added."""
        most = self.count + len(starts) - 1
        if 2 * most > len(self._slots):
            self._slots = slots_for(most)
            _place_holders(self.scripts, self.at, self.count, self._slots)
        holder = np.empty(len(starts) - 1, np.int64)
        self.count = _give_numbers(scripts, starts, self.scripts, self.at, self.count, self._slots, holder)
        return holder


def mark_spenders(spends: NDArray[Any], first_input: Numbers, before: int, spender: NDArray[np.int32]) -> None:
    """Note which transaction spends each output: the first in the order of the chain. `before`: transactions before
    these; `spender` is 0 while unspent, and else the transaction's number from 1."""
    _spend(spends, first_input, before, spender)


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
def _fill(txids, start, end, slots):  # type: ignore[no-untyped-def]
    base = txids.ctypes.data
    for row in range(start, end):
        slot, _ = _find(base, base + 32 * row, slots)
        slots[slot] = entry(get64(base + 32 * row), row)


@njit(cache=True, nogil=True)
def _enter(incoming, txids, count, slots, new):  # type: ignore[no-untyped-def]
    base, source = txids.ctypes.data, incoming.ctypes.data
    for row in range(len(new)):
        slot, number = _find(base, source + 32 * row, slots)
        if number == UNKNOWN:
            copy(base + 32 * count, source + 32 * row, 32)
            slots[slot] = entry(get64(source + 32 * row), count)
            new[row] = True
            count += 1
    return count


@njit(cache=True, nogil=True)
def _look_up(spends, txids, slots, first_output, found):  # type: ignore[no-untyped-def]
    base, at = txids.ctypes.data, spends.ctypes.data
    for row in range(len(found)):
        _, number = _find(base, at + SPEND * row, slots)
        vout = np.int64(get32(at + SPEND * row + 32))
        there = number != UNKNOWN and vout < first_output[number + 1] - first_output[number]
        found[row] = first_output[number] + vout if there else UNKNOWN


@njit(cache=True, nogil=True)
def _spend(spends, first_input, before, spender):  # type: ignore[no-untyped-def]
    for transaction in range(len(first_input) - 1):
        for row in range(first_input[transaction], first_input[transaction + 1]):
            if spends[row] != UNKNOWN and spender[spends[row]] == 0:
                spender[spends[row]] = before + transaction + 1


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
def _place_holders(own, own_at, known, slots):  # type: ignore[no-untyped-def]
    mask = np.uint64(len(slots) - 1)
    for number in range(known):
        word = hashed(own.ctypes.data + own_at[number], own_at[number + 1] - own_at[number])
        slot = word >> np.uint64(7) & mask
        while slots[slot]:
            slot = (slot + np.uint64(1)) & mask
        slots[slot] = entry(word, number)


@njit(cache=True, nogil=True)
def _give_numbers(scripts, starts, own, own_at, known, slots, holder):  # type: ignore[no-untyped-def]
    mask, base, kept = np.uint64(len(slots) - 1), scripts.ctypes.data, own.ctypes.data
    for row in range(len(holder)):
        at, size = base + starts[row], starts[row + 1] - starts[row]
        word = hashed(at, size)
        slot = word >> np.uint64(7) & mask
        while True:
            if slots[slot] == 0:
                slots[slot] = entry(word, known)
                copy(kept + own_at[known], at, size)
                holder[row], own_at[known + 1] = known, own_at[known] + size
                known += 1
                break
            number = np.int64(slots[slot] & np.uint64(0xFFFFFFFF)) - 1
            if slots[slot] >> np.uint64(32) == word >> np.uint64(32):
                if own_at[number + 1] - own_at[number] == size and equal(kept + own_at[number], at, size):
                    holder[row] = number
                    break
            slot = (slot + np.uint64(1)) & mask
    return known

"""All near pairs of two lots of hashes, up to 47 bits apart: for many queries at once, and radii that the index lacks.

General pigeonhole, as in `hamming_index`: 16 slots of 16 bits, each looked at within a radius r of 0, 1 or 2, so that
the sum of r + 1 is the wanted radius + 1. One slot is worked on at a time, with both lots sorted by its key: then
the hashes of a bucket lie side by side and are compared with all queries of a key while the processor holds them.
At 47 bits a thirtieth of all pairs is compared, in a tenth of the time that fetching them singly takes.
`hamming.within_slow` of each query is the definition.
"""

from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.hamming import WORDS
from casewright.kernels.hamming_slots import _HASHES, _PLAIN, _SLOTS, distance_to, fill, was_met

SLOTS, BITS, FURTHEST = 16, 16, 47
AT_ONCE = 1 << 20
"""Queries that are held sorted at once."""
_STARTS = nb.uint32[::1]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def near_pairs(queries: NDArray[np.uint64], hashes: NDArray[np.uint64], radius: int, room: int = 1 << 16) -> Pairs:
    """Number of the query, of the hash, and distance of every pair at most `radius` bits apart, by the first two.
    Both are uint64 [n, 4]. Begins with memory for `room` pairs and takes more as it needs."""
    if not 0 <= radius <= FURTHEST:
        raise ValueError(f"radius {radius}: pairs are found from 0 to {FURTHEST}")
    hashes = np.ascontiguousarray(hashes, np.uint64).reshape(-1, WORDS)
    queries = np.ascontiguousarray(queries, np.uint64).reshape(-1, WORDS)
    slots, pieces = _dealt(radius), [np.empty((0, 3), np.int64)]
    for slot in range(SLOTS):
        if slots[slot, 2] < 0:
            continue
        listed = _by_key(hashes, slot)
        for first in range(0, len(queries), AT_ONCE):
            for piece in _of_slot(_by_key(queries[first : first + AT_ONCE], slot), listed, slots, slot, radius, room):
                piece[:, 0] += first
                pieces.append(piece)
    found = np.concatenate(pieces)
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    return found[:, 0], found[:, 1], found[:, 2]


def _dealt(radius: int) -> NDArray[np.int64]:
    """The slots: first bit, bits, radius looked at (-1: none), and a column that only an index uses."""
    each, more = divmod(radius + 1, SLOTS)
    return np.array([(slot * BITS, BITS, each - 1 + (slot < more), 0) for slot in range(SLOTS)], np.int64)


Sorted = tuple[NDArray[np.uint64], NDArray[np.uint32], NDArray[np.uint32]]


def _by_key(hashes: NDArray[np.uint64], slot: int) -> Sorted:
    """The hashes by their key in this slot, which number each has, and where each key begins."""
    starts, members = np.zeros((1 << BITS) + 1, np.uint32), np.empty(len(hashes), np.uint32)
    fill(hashes, slot * BITS, BITS, starts, members)
    return hashes[members], members, starts


def _of_slot(asked: Sorted, listed: Sorted, slots: NDArray[np.int64], slot: int, radius: int, room: int) -> Any:
    """The pairs that this slot leads to and no earlier one."""
    key = 0
    while key < 1 << BITS:
        found = np.empty((room, 3), np.int64)
        upto, count = _pairs(*asked, *listed, slots, slot, radius, key, found)
        yield found[:count].copy()
        room = room * 2 if upto == key else room
        key = upto


@nb.njit(
    nb.types.UniTuple(nb.int64, 2)(
        _HASHES, _PLAIN, _STARTS, _HASHES, _PLAIN, _STARTS, _SLOTS, nb.int64, nb.int64, nb.int64, nb.int64[:, ::1]
    ),
    cache=True,
)
def _pairs(queries, asks, begins, hashes, members, starts, slots, slot, radius, key, found):  # type: ignore[no-untyped-def]
    """Pairs of the queries from this key on, until there is no room for those of one key. Returns that key, or the one
    behind the last, and how many pairs were written."""
    count = 0
    while key + 1 < begins.size:
        before = count
        if begins[key] < begins[key + 1]:
            for one in range(-1, BITS if slots[slot, 2] > 0 else 0):
                for two in range(-1, max(one, 0) if slots[slot, 2] > 1 else 0):
                    near = key ^ (0 if one < 0 else 1 << one) ^ (0 if two < 0 else 1 << two)
                    for at in range(starts[near], starts[near + 1]):
                        for ask in range(begins[key], begins[key + 1]):
                            apart = distance_to(queries[ask], hashes, at)
                            if apart <= radius and not was_met(queries[ask], hashes, at, slots, slot):
                                if count < found.shape[0]:
                                    found[count, 0], found[count, 1] = asks[ask], members[at]
                                    found[count, 2] = apart
                                count += 1
        if count > found.shape[0]:
            return key, before
        key += 1
    return key, count

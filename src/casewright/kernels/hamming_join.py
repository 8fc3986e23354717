"""All near pairs of two lots of hashes, up to 47 bits apart: for many queries at once, and radii that the index lacks.

16 slots of 16 bits in a ring; each has a share of the wanted radius + 1, at most 3. A pair within the radius has a
slot from which on it stays within the shares: in this slot, in this and the next, in these and one more and so on,
fewer bits differ than the shares add up to (otherwise all slots together would not be fewer either). Source: Qin and
Xiao, "Pigeonring: A Principle for Faster Thresholded Similarity Search", 2018.

So for each slot the keys at most 2 bits from the query's are looked up, and of the hashes there the 32 bits of the next
two slots are compared, sixteen hashes at once: they lie side by side by key. Of a million pairs 33,000 are compared so,
and 13 whole. Work goes by the upper half of the key, so that what many queries meet stays near the processor.
`hamming.within_slow` of each query is the definition.
"""

from collections.abc import Iterator

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.hamming import WORDS
from casewright.kernels.hamming_slots import _HASHES, _PLAIN, _QUERY, distance_to, key_of, ones
from casewright.kernels.lanes import LANES, lowest, near_lanes

SLOTS, BITS, FURTHEST = 16, 16, 47
AT_ONCE = 1 << 20
"""Queries that are held sorted at once."""
HALF = 1 << BITS // 2
STEPS = np.array([n for bits in range(3) for n in range(HALF) if n.bit_count() == bits], np.int64)
"""What to change in half a key to come to all at most 2 bits off. FAR: how many bits; UPTO: how many within 0, 1, 2."""
FAR, UPTO = np.bitwise_count(STEPS).astype(np.int64), np.array([1, 9, 37])
TASKS = HALF * len(STEPS)
_SHARES, _PAIRS = nb.int64[::1], nb.int64[:, ::1]
Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def near_pairs(queries: NDArray[np.uint64], hashes: NDArray[np.uint64], radius: int, room: int = 1 << 16) -> Pairs:
    """Number of the query, of the hash, and distance of every pair at most `radius` bits apart, by the first two.
    Both are uint64 [n, 4]. Begins with memory for `room` pairs and takes more as it needs."""
    if not 0 <= radius <= FURTHEST:
        raise ValueError(f"radius {radius}: pairs are found from 0 to {FURTHEST}")
    hashes = np.ascontiguousarray(hashes, np.uint64).reshape(-1, WORDS)
    queries = np.ascontiguousarray(queries, np.uint64).reshape(-1, WORDS)
    shares, pieces = _shares(radius), [np.empty((0, 3), np.int64)]
    for slot in np.flatnonzero(shares).tolist():
        listed = _by_key(hashes, slot)
        for first in range(0, len(queries), AT_ONCE):
            for piece in _of_slot(queries[first : first + AT_ONCE], hashes, listed, shares, slot, radius, room):
                piece[:, 0] += first
                pieces.append(piece)
    found = np.concatenate(pieces)
    found = found[np.lexsort((found[:, 1], found[:, 0]))]
    return found[:, 0], found[:, 1], found[:, 2]


def _shares(radius: int) -> NDArray[np.int64]:
    """The radius + 1, dealt out to the slots."""
    each, more = divmod(radius + 1, SLOTS)
    return np.array([each + (slot < more) for slot in range(SLOTS)], np.int64)


ByKey = tuple[NDArray[np.uint32], NDArray[np.uint32], NDArray[np.uint32]]


def _by_key(hashes: NDArray[np.uint64], slot: int) -> ByKey:
    """Where each key of this slot begins, the hashes' numbers by it, and the bits of the next two slots of each."""
    starts, members = np.zeros((1 << BITS) + 1, np.uint32), np.empty(len(hashes), np.uint32)
    following = np.zeros(len(hashes) + LANES, np.uint32)
    _deal(hashes, slot, starts, members, following)
    return starts, members, following


def _of_slot(
    queries: NDArray[np.uint64], hashes: NDArray[np.uint64], listed: ByKey, shares: NDArray[np.int64], slot: int,
    radius: int, room: int,
) -> Iterator[NDArray[np.int64]]:  # fmt: skip
    """The pairs that this slot leads to and no earlier one."""
    starts, members, following = listed
    begins, asks, bits = _by_key(queries, slot)
    keys = np.repeat(np.arange(1 << BITS), begins[1:] - begins[:-1])
    edges = begins[::HALF].astype(np.int64)
    task, ask, found = 0, 0, np.empty((room, 3), np.int64)
    while task < TASKS:
        before = task, ask
        task, ask, count = _maybe(keys, edges, bits, starts, following, shares, slot, task, ask, found)
        if (task, ask) == before:
            found = np.empty((2 * len(found), 3), np.int64)
        yield found[: _near(queries, asks, hashes, members, shares, slot, radius, found[:count])].copy()


@nb.njit(nb.void(_HASHES, nb.int64, _PLAIN, _PLAIN, _PLAIN), cache=True)
def _deal(hashes, slot, starts, members, following):  # type: ignore[no-untyped-def]
    """Sort the hashes' numbers, and the bits that follow the slot, by their key, by counting."""
    first, second, third = slot * BITS, (slot + 1) % SLOTS * BITS, (slot + 2) % SLOTS * BITS
    for at in range(hashes.shape[0]):
        starts[key_of(hashes[at], first, BITS) + 1] += np.uint32(1)
    for key in range(1, starts.size):
        starts[key] += starts[key - 1]
    for at in range(hashes.shape[0]):
        key = key_of(hashes[at], first, BITS)
        place = starts[key]
        members[place] = at
        following[place] = key_of(hashes[at], second, BITS) << BITS | key_of(hashes[at], third, BITS)
        starts[key] += np.uint32(1)
    for key in range(starts.size - 1, 0, -1):
        starts[key] = starts[key - 1]
    starts[0] = 0


@nb.njit(
    nb.types.UniTuple(nb.int64, 3)(
        nb.int64[::1], nb.int64[::1], _PLAIN, _PLAIN, _PLAIN, _SHARES, nb.int64, nb.int64, nb.int64, _PAIRS
    ),
    cache=True,
)  # fmt: skip
def _maybe(keys, edges, bits, starts, following, shares, slot, task, ask, found):  # type: ignore[no-untyped-def]
    """Places of pairs that agree well in three slots, from this task and query on, until there is no room for those of
    one query. A task is an upper half of the key with one step from it. Returns where to go on, and how many."""
    count, most = 0, shares[slot] + shares[(slot + 1) % SLOTS] + shares[(slot + 2) % SLOTS] - 1
    while task < TASKS:
        high, step = divmod(task, STEPS.size)
        left = shares[slot] - 1 - FAR[step]
        ask = max(ask, edges[high])
        while left >= 0 and ask < edges[high + 1]:
            before, key = count, keys[ask] ^ STEPS[step] << 8
            for inner in range(UPTO[left]):
                near = key ^ STEPS[inner]
                at, end, apart = np.int64(starts[near]), np.int64(starts[near + 1]), FAR[step] + FAR[inner]
                while at < end:
                    lanes = near_lanes(following, at, bits[ask], np.uint32(most - apart))
                    if lanes != 0:
                        if end - at < LANES:
                            lanes &= (np.uint64(1) << np.uint64(end - at)) - np.uint64(1)
                        while lanes != 0:
                            if count < found.shape[0]:
                                found[count, 0], found[count, 1] = ask, at + lowest(lanes)
                            count += 1
                            lanes &= lanes - np.uint64(1)
                    at += LANES
            if count > found.shape[0]:
                return task, ask, before
            ask += 1
        task, ask = task + 1, 0
    return task, ask, count


@nb.njit(nb.boolean(_QUERY, _QUERY, _SHARES, nb.int64), cache=True)
def _was_met(query, other, shares, slot):  # type: ignore[no-untyped-def]
    """Whether an earlier slot led to this pair."""
    for earlier in range(slot):
        apart, most = 0, -1
        for place in range(earlier, earlier + 3):
            first = place % SLOTS * BITS
            apart += ones(np.uint64(key_of(query, first, BITS) ^ key_of(other, first, BITS)))
            most += shares[place % SLOTS]
            if place == earlier and apart > most:
                break
        if apart <= most:
            return True
    return False


@nb.njit(nb.int64(_HASHES, _PLAIN, _HASHES, _PLAIN, _SHARES, nb.int64, nb.int64, _PAIRS), cache=True)
def _near(queries, asks, hashes, members, shares, slot, radius, found):  # type: ignore[no-untyped-def]
    """Keep the pairs that are near and that no earlier slot led to, with their distance. Returns how many."""
    kept = 0
    for at in range(found.shape[0]):
        query, number = asks[found[at, 0]], members[found[at, 1]]
        apart = distance_to(queries[query], hashes, number)
        if apart <= radius and not _was_met(queries[query], hashes[number], shares, slot):
            found[kept, 0], found[kept, 1], found[kept, 2] = query, number, apart
            kept += 1
    return kept

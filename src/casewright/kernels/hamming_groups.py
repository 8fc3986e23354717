"""Hashes in groups round a leader: in order, one that has no leader within the radius becomes one; then each of the
others joins the nearest. Nothing is tied to a group but by its leader: strangers are not chained together.

The same slots as in `hamming_index`, of 16 bits at radius 1, but grown while it is asked: only leaders are in it.
Leaders lie further than the radius from each other, so that no number of near-identical hashes makes its buckets long;
where they are long all the same, comparing all leaders costs less, and is done instead.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.hamming import packed, within
from casewright.kernels.hamming_index import MOST
from casewright.kernels.hamming_slots import DEAR, distance_to, key_of

SLOTS, WIDTH = 16, 16
"""32 bits of difference are two in every slot, or none in one of them: so one less are found at radius 1."""


def joined_slow(hashes: list[str], radius: int) -> list[tuple[int, int]]:
    """For each hash, in order: the number of its leader and the distance to it; its own number when it leads. Of
    leaders equally near the first counts. The definition."""
    leaders: list[int] = []
    for number, one in enumerate(hashes):
        if not _near(one, leaders, hashes, radius):
            leaders.append(number)
    found = (min(_near(one, leaders, hashes, radius), key=lambda near: (near[1], near[0])) for one in hashes)
    return [(leaders[index], bits) for index, bits in found]


def _near(one: str, leaders: list[int], hashes: list[str], radius: int) -> list[tuple[int, int]]:
    return within(packed([one])[0], packed([hashes[leader] for leader in leaders]), radius)


def joined(hashes: NDArray[np.uint64], radius: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The same over packed hashes, uint64 [n, 4]: leaders and distances."""
    if not 0 <= radius <= MOST:
        raise ValueError(f"radius {radius}: groups are made from 0 to {MOST}")
    hashes = np.ascontiguousarray(hashes, np.uint64)
    leaders, bits = np.empty(len(hashes), np.int64), np.empty(len(hashes), np.int64)
    _join(hashes, radius, *empty_slots(len(hashes)), np.empty(len(hashes), np.int64), leaders, bits)
    return leaders, bits


Slots = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def empty_slots(size: int) -> Slots:
    """Slots that grow: of each key of each slot the latest hash and how many there are; of each hash the one before."""
    heads, counts = np.full((SLOTS, 1 << WIDTH), -1, np.int64), np.zeros((SLOTS, 1 << WIDTH), np.int64)
    return heads, counts, np.empty((SLOTS, size), np.int64)


_HASHES = nb.types.Array(nb.uint64, 2, "C", readonly=True)
_TABLE, _LONG = nb.int64[:, ::1], nb.int64[::1]


@nb.njit(nb.void(_HASHES, nb.int64, _TABLE, _TABLE, _TABLE), cache=True)
def add(hashes, number, heads, counts, following):  # type: ignore[no-untyped-def]
    for slot in range(SLOTS):
        key = key_of(hashes[number], slot * WIDTH, WIDTH)
        following[slot, number] = heads[slot, key]
        heads[slot, key] = number
        counts[slot, key] += 1


@nb.njit(nb.boolean(_HASHES, nb.int64, _TABLE, nb.int64), cache=True)
def is_crowded(hashes, number, counts, size):  # type: ignore[no-untyped-def]
    """Whether to read the buckets near a hash would cost more than to compare it with all that are in the slots."""
    total = 0
    for slot in range(SLOTS):
        key = key_of(hashes[number], slot * WIDTH, WIDTH)
        total += counts[slot, key]
        for flip in range(WIDTH):
            total += counts[slot, key ^ (1 << flip)]
    return total * DEAR >= size


@nb.njit(
    nb.types.UniTuple(nb.int64, 2)(_HASHES, nb.int64, nb.int64, _TABLE, _TABLE, _TABLE, _LONG, nb.int64), cache=True
)
def _nearest(hashes, number, radius, heads, counts, following, led, size):  # type: ignore[no-untyped-def]
    """The nearest of the leaders, the first of several, and its distance; radius + 1 when there is none."""
    best, nearest = number, radius + 1
    if is_crowded(hashes, number, counts, size):
        for which in range(size):
            apart = distance_to(hashes[number], hashes, led[which])
            if apart < nearest:
                best, nearest = led[which], apart
        return best, nearest
    for slot in range(SLOTS):
        key = key_of(hashes[number], slot * WIDTH, WIDTH)
        for flip in range(WIDTH + 1):
            leader = heads[slot, key if flip == WIDTH else key ^ (1 << flip)]
            while leader >= 0:
                apart = distance_to(hashes[number], hashes, leader)
                if apart < nearest or (apart == nearest and leader < best and nearest <= radius):
                    best, nearest = leader, apart
                leader = following[slot, leader]
    return best, nearest


@nb.njit(nb.void(_HASHES, nb.int64, _TABLE, _TABLE, _TABLE, _LONG, _LONG, _LONG), cache=True)
def _join(hashes, radius, heads, counts, following, led, leaders, bits):  # type: ignore[no-untyped-def]
    """`led` holds the leaders in their order."""
    size = 0
    for number in range(hashes.shape[0]):
        leaders[number], bits[number] = _nearest(hashes, number, radius, heads, counts, following, led, size)
        if bits[number] > radius:
            bits[number] = 0
            add(hashes, number, heads, counts, following)
            led[size] = number
            size += 1
    for number in range(hashes.shape[0]):  # a leader that came later may be nearer
        if leaders[number] != number:
            leaders[number], bits[number] = _nearest(hashes, number, radius, heads, counts, following, led, size)

"""Compiled parts of the search for near hashes: keys of slots, buckets, and looking through them.

A slot is a row of four numbers: its first bit, its number of bits, the radius round the query's key (-1: it is not
looked at), and where its part of `starts` begins. What the arrays are is told in `hamming_index`. All is compiled when
this module is imported, and kept beside it.
"""

from typing import Any

import numba as nb
import numpy as np
from llvmlite import ir
from numba.core.types import int64, uint64
from numba.extending import intrinsic

DEAR = 12
"""Comparing a hash from a bucket costs so many times one from a row of hashes."""
_HASHES = nb.types.Array(nb.uint64, 2, "C", readonly=True)
_NUMBERS = nb.types.Array(nb.uint32, 1, "C", readonly=True)
_MEMBERS = nb.types.Array(nb.uint32, 2, "C", readonly=True)
_SLOTS = nb.types.Array(nb.int64, 2, "C", readonly=True)
_QUERY, _PLAIN = nb.types.Array(nb.uint64, 1, "C", readonly=True), nb.uint32[::1]


@intrinsic  # type: ignore[untyped-decorator]
def ones(typing: Any, word: Any) -> Any:
    """Number of ones in a uint64: the processor's own instruction."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> ir.Value:
        return builder.ctpop(values[0])

    return int64(uint64), generate


@nb.njit(nb.int64(_QUERY, _HASHES, nb.int64), cache=True, inline="always")
def distance_to(query, hashes, at):  # type: ignore[no-untyped-def]
    return (
        ones(query[0] ^ hashes[at, 0])
        + ones(query[1] ^ hashes[at, 1])
        + ones(query[2] ^ hashes[at, 2])
        + ones(query[3] ^ hashes[at, 3])
    )


@nb.njit(nb.int64(_QUERY, nb.int64, nb.int64), cache=True, inline="always")
def key_of(words, first, bits):  # type: ignore[no-untyped-def]
    """The `bits` bits of a hash from bit `first` on, as a number."""
    word, left = first >> 6, 64 - (first & 63)
    if bits <= left:
        return np.int64((words[word] >> np.uint64(left - bits)) & np.uint64((1 << bits) - 1))
    high = words[word] & np.uint64((1 << left) - 1)
    low = words[word + 1] >> np.uint64(64 - (bits - left))
    return np.int64((high << np.uint64(bits - left)) | low)


@nb.njit(nb.void(_HASHES, nb.int64, nb.int64, _PLAIN, _PLAIN), cache=True)
def fill(hashes, first, bits, starts, members):  # type: ignore[no-untyped-def]
    """Sort the hashes' numbers by their key in one slot, by counting."""
    for at in range(hashes.shape[0]):
        starts[key_of(hashes[at], first, bits) + 1] += np.uint32(1)
    for key in range(1, starts.size):
        starts[key] += starts[key - 1]
    for at in range(hashes.shape[0]):
        key = key_of(hashes[at], first, bits)
        members[starts[key]] = at
        starts[key] += np.uint32(1)
    for key in range(starts.size - 1, 0, -1):
        starts[key] = starts[key - 1]
    starts[0] = 0


@nb.njit(nb.boolean(_QUERY, _HASHES, nb.int64, _SLOTS, nb.int64), cache=True)
def was_met(query, hashes, at, slots, slot):  # type: ignore[no-untyped-def]
    """Whether an earlier slot led to this hash already."""
    for earlier in range(slot):
        first, bits, radius = slots[earlier, 0], slots[earlier, 1], slots[earlier, 2]
        apart = np.uint64(key_of(query, first, bits) ^ key_of(hashes[at], first, bits))
        if ones(apart) <= radius:
            return True
    return False


@nb.njit(nb.int64(nb.int64, nb.int64, _NUMBERS, nb.int64, nb.int64[:, ::1], nb.int64), cache=True, inline="always")
def _bucket(key, base, starts, slot, buckets, count):  # type: ignore[no-untyped-def]
    low, high = starts[base + key], starts[base + key + 1]
    if high > low:
        buckets[count, 0], buckets[count, 1], buckets[count, 2] = slot, low, high
        count += 1
    return count


@nb.njit(nb.int64(_QUERY, _SLOTS, _NUMBERS, nb.int64[:, ::1]), cache=True)
def _buckets(query, slots, starts, buckets):  # type: ignore[no-untyped-def]
    """Every bucket that may hold a near hash: slot, first and last + 1 in `members`. Returns how many there are."""
    count = 0
    for slot in range(slots.shape[0]):
        first, bits, radius, base = slots[slot, 0], slots[slot, 1], slots[slot, 2], slots[slot, 3]
        if radius < 0:
            continue
        key = key_of(query, first, bits)
        count = _bucket(key, base, starts, slot, buckets, count)
        if radius == 0:
            continue
        for one in range(bits):
            near = key ^ (1 << one)
            count = _bucket(near, base, starts, slot, buckets, count)
            if radius == 2:
                for two in range(one):
                    count = _bucket(near ^ (1 << two), base, starts, slot, buckets, count)
    return count


@nb.njit(
    nb.int64(_QUERY, _HASHES, _SLOTS, _NUMBERS, _MEMBERS, nb.int64, nb.int64[:, ::1], _PLAIN, nb.int32[::1], nb.int64),
    cache=True,
)
def _search(query, hashes, slots, starts, members, radius, buckets, numbers, bits, at):  # type: ignore[no-untyped-def]
    """Write what is near to one query from place `at` on, in no order. Returns the place behind it, and writes no more
    than there is room for."""
    size = hashes.shape[0]
    count = _buckets(query, slots, starts, buckets)
    total = 0
    for which in range(count):
        total += buckets[which, 2] - buckets[which, 1]
    if total * DEAR >= size:
        for number in range(size):
            apart = distance_to(query, hashes, number)
            if apart <= radius:
                if at < numbers.size:
                    numbers[at], bits[at] = number, apart
                at += 1
        return at
    for which in range(count):
        slot = buckets[which, 0]
        for place in range(buckets[which, 1], buckets[which, 2]):
            member = np.int64(members[slot, place])
            apart = distance_to(query, hashes, member)
            if apart <= radius and not was_met(query, hashes, member, slots, slot):
                if at < numbers.size:
                    numbers[at], bits[at] = member, apart
                at += 1
    return at


@nb.njit(
    nb.int64(
        _HASHES, nb.int64, _HASHES, _SLOTS, _NUMBERS, _MEMBERS, nb.int64, nb.int64[:, ::1], _PLAIN, nb.int32[::1],
        nb.int64[::1],
    ),
    cache=True,
)  # fmt: skip
def search_many(queries, first, hashes, slots, starts, members, radius, buckets, numbers, bits, ends):  # type: ignore[no-untyped-def]
    """Queries from `first` on, until there is no room for one's results. Returns the number of the first query not
    done; its `ends` says the room that it alone needs."""
    at = 0
    for query in range(first, queries.shape[0]):
        end = _search(queries[query], hashes, slots, starts, members, radius, buckets, numbers, bits, at)
        if end > numbers.size:
            ends[query] = end - at
            return query
        ends[query] = end
        at = end
    return queries.shape[0]


@nb.njit(nb.boolean(_SLOTS, _NUMBERS, _MEMBERS), cache=True)
def is_sound(slots, starts, members):  # type: ignore[no-untyped-def]
    """Whether every bucket lies in `members` and every member is a hash: then no search reads beside the arrays."""
    size = members.shape[1]
    for slot in range(slots.shape[0]):
        base, keys = slots[slot, 3], 1 << slots[slot, 1]
        if starts[base] != 0 or starts[base + keys] != size:
            return False
        for key in range(base, base + keys):
            if starts[key] > starts[key + 1]:
                return False
        for place in range(size):
            if members[slot, place] >= size:
                return False
    return True

"""Two films laid side by side at an offset: which seconds agree. Compiled.

A film is its frames' hashes, uint64 [n, 4], in order. A frame of one agrees with the other film when a frame there, at
most a second off, is near; where films are sampled a second apart, the same moment may lie half a second off in each.
Compiled when this module is imported, and kept beside it.
"""

import numba as nb
import numpy as np

from casewright.kernels.hamming_slots import distance_to

_HASHES = nb.types.Array(nb.uint64, 2, "C", readonly=True)
_TRUE = nb.types.Array(nb.boolean, 1, "C", readonly=True)
_REAL = nb.types.Array(nb.float64, 1, "C", readonly=True)
_RUNS = nb.types.Array(nb.int32, 1, "C", readonly=True)
FAR, AROUND = 257, 1.01
"""More bits than there are; and seconds round a moment in which it is looked for."""


@nb.njit(nb.int32[::1](_HASHES, nb.types.Array(nb.int64, 1, "C", readonly=True), nb.int64), cache=True)
def moments(hashes, starts, still):  # type: ignore[no-untyped-def]
    """Numbers of moments: frames of one film that follow each other within `still` bits of the first are one."""
    result = np.zeros(len(hashes), np.int32)
    for film in range(len(starts) - 1):
        first, number = starts[film], 0
        for at in range(starts[film], starts[film + 1]):
            if distance_to(hashes[at], hashes, first) > still:
                first, number = at, number + 1
            result[at] = number
    return result


@nb.njit(
    nb.types.UniTuple(nb.int64, 3)(_HASHES, nb.int64, _REAL, _HASHES, _TRUE, nb.int64, nb.float64, nb.float64),
    cache=True,
)
def _nearest(hashes, at, seconds, others, counts, begin, moment, around):  # type: ignore[no-untyped-def]
    """Bits to the nearest frame that counts at most `around` seconds from `moment`, which it is (-1: none), and from
    where on to look for the next one."""
    bits, which = FAR, -1
    while begin < len(others) and seconds[begin] < moment - around:
        begin += 1
    other = begin
    while other < len(others) and seconds[other] <= moment + around:
        if counts[other]:
            found = distance_to(hashes[at], others, other)
            if found < bits:
                bits, which = found, other
        other += 1
    return bits, which, begin


@nb.njit(
    nb.int64[:, ::1](
        _REAL, _HASHES, _TRUE, _RUNS, _REAL, _HASHES, _TRUE, _RUNS, nb.float64, nb.int64, nb.int64, nb.int64
    ),
    cache=True,
)
def stretches(seconds, hashes, counts, runs, others_at, others, other_counts, other_runs, offset, near, grow, misses):  # type: ignore[no-untyped-def]
    """Stretches in which the films agree when the other begins `offset` seconds after the first: rows of first and last
    frame, first and last frame of the other, moments within `near` bits, the most bits of these,
    moments that agree, and by how many bits all frames that agree fall short of `grow`.

    A stretch begins and ends with frames within `grow` bits, has at least one within `near`, and between them at most
    `misses` frames in a row that do not agree. Frames that do not count neither hold nor break it.
    """
    rows = np.empty((len(hashes) + 1, 8), np.int64)
    found, begin, missed, is_open = 0, 0, 0, False
    run, other_run, near_run = -1, -1, -1
    for at in range(len(hashes)):
        moment = seconds[at] - offset
        if not counts[at] or moment < others_at[0] - AROUND or moment > others_at[-1] + AROUND:
            continue
        bits, which, begin = _nearest(hashes, at, others_at, others, other_counts, begin, moment, AROUND)
        if which < 0:
            continue
        if bits > grow:
            missed += 1
            if is_open and missed > misses:
                found, is_open = found + (rows[found, 4] > 0), False
            continue
        if not is_open:
            rows[found, 0], rows[found, 2], rows[found, 3] = at, which, which
            rows[found, 4:] = 0
            is_open, run, other_run, near_run = True, -1, -1, -1
        missed = 0
        rows[found, 1] = at
        rows[found, 7] += grow - bits
        rows[found, 2], rows[found, 3] = min(rows[found, 2], which), max(rows[found, 3], which)
        if runs[at] != run and other_runs[which] != other_run:
            rows[found, 6] += 1
            run, other_run = runs[at], other_runs[which]
        if bits <= near:
            rows[found, 4] += run != near_run
            rows[found, 5], near_run = max(rows[found, 5], bits), run
    if is_open and rows[found, 4] > 0:
        found += 1
    return rows[:found].copy()


@nb.njit(
    nb.int64[:, ::1](_REAL, _HASHES, _TRUE, _REAL, _HASHES, _TRUE, nb.float64, nb.float64, nb.int64),
    cache=True,
)
def meetings(seconds, hashes, counts, others_at, others, other_counts, offset, around, grow):  # type: ignore[no-untyped-def]
    """Which frames agree within `grow` bits with which of the other film, that begins `offset` seconds later, at most
    `around` seconds off."""
    rows, count, begin = np.empty((len(hashes), 2), np.int64), 0, 0
    for at in range(len(hashes)):
        if counts[at]:
            moment = seconds[at] - offset
            bits, which, begin = _nearest(hashes, at, others_at, others, other_counts, begin, moment, around)
            if bits <= grow:
                rows[count, 0], rows[count, 1] = at, which
                count += 1
    return rows[:count].copy()


@nb.njit(
    nb.types.UniTuple(nb.int64, 2)(
        _REAL, _HASHES, _TRUE, _REAL, _HASHES, _TRUE, nb.float64, nb.float64, nb.float64, nb.int64
    ),
    cache=True,
)
def agreement(seconds, hashes, counts, other_seconds, others, other_counts, offset, low, high, grow):  # type: ignore[no-untyped-def]
    """How many frames outside the seconds from `low` to `high` meet a frame of the other film that begins `offset`
    seconds later, and how many of them agree with it within `grow` bits."""
    met, agreed, begin = 0, 0, 0
    for at in range(len(hashes)):
        if counts[at] and not low <= seconds[at] <= high:
            bits, which, begin = _nearest(
                hashes, at, other_seconds, others, other_counts, begin, seconds[at] - offset, AROUND
            )
            met += which >= 0
            agreed += bits <= grow
    return met, agreed

"""Films in groups round a leader, by the frames that they share.

Two films are versions of one when of each of them a share of the frames is near a frame of the other: a film inside a
longer one is a part of it, not a version. In order, a film that is no version of a leader becomes one; then each of the
others joins the leader with which it shares most. Only leaders' frames are looked through, in the slots of
`hamming_groups`, and no pair of frames is kept: memory grows with the frames, however many of them are nearly the same.
"""

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.hamming import packed, within
from casewright.kernels.hamming_groups import SLOTS, WIDTH, add, empty_slots, is_crowded
from casewright.kernels.hamming_index import MOST
from casewright.kernels.hamming_slots import distance_to, key_of

Joined = tuple[int, float, int]
"""Number of the leader; the lesser of the two shares; most bits between a shared frame and the nearest to it. A leader
has its own number, 1 and 0."""


def films_joined_slow(films: list[list[str]], radius: int, share: float) -> list[Joined]:
    """For each film, which is its frames' hashes in order. One without frames leads itself. The definition."""
    leaders: list[int] = []
    for number in range(len(films)):
        if not any(_shared(films[number], films[leader], radius)[0] >= share for leader in leaders):
            leaders.append(number)
    found = []
    for number in range(len(films)):
        common = [(leader, *_shared(films[number], films[leader], radius)) for leader in leaders if leader != number]
        best = max(common, key=lambda c: (c[1], -c[2], -c[0]), default=(0, 0.0, 0))
        found.append((number, 1.0, 0) if number in leaders else best)
    return found


def _shared(film: list[str], other: list[str], radius: int) -> tuple[float, int]:
    """The lesser of the shares of each film's frames that are near one of the other's, and the most bits."""
    if not film or not other:
        return 0.0, 0
    nearest = [min((b for _, b in within(packed([f])[0], packed(other), radius)), default=None) for f in film]
    bits = [b for b in nearest if b is not None]
    back = sum(bool(within(packed([f])[0], packed(film), radius)) for f in other)
    return min(len(bits) / len(film), back / len(other)), max(bits, default=0)


def films_joined(
    hashes: NDArray[np.uint64], starts: NDArray[np.int64], radius: int, share: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """The same: packed hashes of all frames, film after film, and where each film begins (one more at the end)."""
    if not 0 <= radius <= MOST:
        raise ValueError(f"radius {radius}: groups are made from 0 to {MOST}")
    hashes = np.ascontiguousarray(hashes, np.uint64)
    films, frames = len(starts) - 1, len(hashes)
    leaders, shares, bits = np.empty(films, np.int64), np.empty(films, np.float64), np.empty(films, np.int64)
    owners, marks = np.repeat(np.arange(films), np.diff(starts)), np.full(frames, -1, np.int64)
    common, held = np.full((5, films), -1, np.int64), np.empty(frames, np.int64)
    _join(hashes, starts, owners, radius, share, *empty_slots(frames), held, marks, common, leaders, shares, bits)
    return leaders, shares, bits


_HASHES = nb.types.Array(nb.uint64, 2, "C", readonly=True)
_TABLE, _LONG, _REAL = nb.int64[:, ::1], nb.int64[::1], nb.float64[::1]
NEAREST, FOUND, BACK, WORST, MET = 0, 1, 2, 3, 4
"""Rows of `common`, a column for each film: bits to the frame at hand; frames found, both ways; the most bits; and,
from the first column on, the leaders that the film at hand has met."""


@nb.njit(nb.int64(nb.int64, nb.int64, nb.int64, nb.int64, _LONG, _LONG, _TABLE, nb.int64), cache=True, inline="always")
def _meet(other, apart, film, radius, owners, marks, common, met):  # type: ignore[no-untyped-def]
    """Count a leader's frame that is near. Returns how many leaders the film has met."""
    owner = owners[other]
    if common[FOUND, owner] < 0:
        common[MET, met] = owner
        met += 1
        common[NEAREST, owner] = radius + 1
        common[FOUND, owner] = common[BACK, owner] = common[WORST, owner] = 0
    common[NEAREST, owner] = min(common[NEAREST, owner], apart)
    if marks[other] != film:
        marks[other] = film
        common[BACK, owner] += 1
    return met


@nb.njit(
    nb.int64(
        _HASHES, nb.int64, nb.int64, nb.int64, _LONG, _TABLE, _TABLE, _TABLE, _LONG, nb.int64, _LONG, _TABLE, nb.int64
    ),
    cache=True,
)
def _look(hashes, frame, film, radius, owners, heads, counts, following, held, size, marks, common, met):  # type: ignore[no-untyped-def]
    """What of the leaders' frames is near to one frame. Returns how many leaders the film has met."""
    if is_crowded(hashes, frame, counts, size):
        for which in range(size):
            apart = distance_to(hashes[frame], hashes, held[which])
            if apart <= radius:
                met = _meet(held[which], apart, film, radius, owners, marks, common, met)
        return met
    for slot in range(SLOTS):
        key = key_of(hashes[frame], slot * WIDTH, WIDTH)
        for flip in range(WIDTH + 1):
            other = heads[slot, key if flip == WIDTH else key ^ (1 << flip)]
            while other >= 0:
                apart = distance_to(hashes[frame], hashes, other)
                if apart <= radius:
                    met = _meet(other, apart, film, radius, owners, marks, common, met)
                other = following[slot, other]
    return met


@nb.njit(
    nb.types.Tuple((nb.int64, nb.float64, nb.int64))(
        _HASHES, _LONG, _LONG, nb.int64, nb.float64, _TABLE, _TABLE, _TABLE, _LONG, nb.int64, _LONG, _TABLE, nb.int64
    ),
    cache=True,
)
def _best(hashes, starts, owners, radius, share, heads, counts, following, held, size, marks, common, film):  # type: ignore[no-untyped-def]
    """The leader with which a film shares most, when it is enough; else the film itself."""
    met = 0
    for frame in range(starts[film], starts[film + 1]):
        for which in range(met):
            common[NEAREST, common[MET, which]] = radius + 1
        met = _look(hashes, frame, film, radius, owners, heads, counts, following, held, size, marks, common, met)
        for which in range(met):
            owner = common[MET, which]
            if common[NEAREST, owner] <= radius:
                common[FOUND, owner] += 1
                common[WORST, owner] = max(common[WORST, owner], common[NEAREST, owner])
    best, most, bits, frames = film, 1.0, 0, starts[film + 1] - starts[film]
    for which in range(met):
        owner = common[MET, which]
        part = min(common[FOUND, owner] / frames, common[BACK, owner] / (starts[owner + 1] - starts[owner]))
        worst = common[WORST, owner]
        better = best == film or part > most or (part == most and (worst < bits or (worst == bits and owner < best)))
        if part >= share and better:
            best, most, bits = owner, part, worst
        common[FOUND, owner] = -1
    return best, most, bits


@nb.njit(
    nb.void(
        _HASHES, _LONG, _LONG, nb.int64, nb.float64, _TABLE, _TABLE, _TABLE, _LONG, _LONG, _TABLE, _LONG, _REAL, _LONG
    ),
    cache=True,
)
def _join(hashes, starts, owners, radius, share, heads, counts, following, held, marks, common, leaders, shares, bits):  # type: ignore[no-untyped-def]
    """As `hamming_groups._join`; `held` lists the leaders' frames in the slots."""
    size = 0
    for film in range(starts.size - 1):
        leaders[film], shares[film], bits[film] = _best(
            hashes, starts, owners, radius, share, heads, counts, following, held, size, marks, common, film
        )
        if leaders[film] == film:
            for frame in range(starts[film], starts[film + 1]):
                add(hashes, frame, heads, counts, following)
                held[size] = frame
                size += 1
    marks[:] = -1
    for film in range(starts.size - 1):  # a leader that came later may share more
        if leaders[film] != film:
            leaders[film], shares[film], bits[film] = _best(
                hashes, starts, owners, radius, share, heads, counts, following, held, size, marks, common, film
            )

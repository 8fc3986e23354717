"""Whether a film contains another, is part of it, or both: where, and how much of each.

Frames that are near (found by the exact search) vote for the offset at which one film lies in the other. At that offset
all seconds are compared, and stretches of agreement grow from near frames over less near ones: between two films that
are sampled once a second, the same moment may lie half a second off.

What counts for nothing: frames of poor quality (black, flat); all but one frame of a picture that stands still; and
short stretches that several different films share, on the list or in the case: intros, logos, credits.

A listed film is known by a frame a second. Of a film of the case there are frames between the seconds too, where the
picture moves: so the seconds of the listed one find their moment, wherever in the other one it lies.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

STILL = 8
"""Bits up to which frames that follow each other are one moment."""
GROW = 70
"""Bits up to which a second agrees beside near ones. Frames of different films are rarely closer than 90."""
MISSES = 3
"""Seconds in a row that may disagree inside a stretch."""
ENOUGH, NEAR = 3, 2
"""Moments that must agree, and how many of them must be near, unless a film has fewer frames."""
OFFSETS = 8
"""Different offsets that are looked at for two films, those with most votes first."""
SHIFTS = np.array([0, -0.5, 0.5, -1, 1, -1.5, 1.5, -2, 2])
"""Seconds round an offset at which the best one is looked for: pictures that stand still vote for many."""
UNSURE = 0.5
"""Seconds by which the moment of a frame may be off."""
FILMS = 32
"""Different films among which it is counted who shares a stretch."""
KIN = 4
"""Two films are one when a quarter of what else they have agrees: seconds may lie half a second off in each."""
WHOLE = 0.95
"""Share of a listed film from which on it is found whole: then what it shares with others counts."""
Numbers = NDArray[Any]


@dataclass(frozen=True)
class Film:
    """Seconds, hashes uint64 [n, 4], which frames count, the moments that they belong to, which of them stand for whole
    seconds, and which show something, be it too little to count."""

    seconds: Numbers
    hashes: Numbers
    counts: Numbers
    runs: Numbers
    whole: Numbers
    shows: Numbers

    def without(self, common: Numbers) -> "Film":
        return replace(self, counts=self.counts & ~common)

    @property
    def moments(self) -> int:
        """How many moments count."""
        return _distinct(self.runs[self.counts & self.whole])


@dataclass(frozen=True)
class Rules:
    """The settings that judge: `near` bits, `share` of a film, seconds of an `excerpt`, and from how many `films` on,
    up to how many seconds, a stretch is `common`."""

    near: int
    share: float
    excerpt: float
    films: int
    common: float


@dataclass(frozen=True)
class Stretch:
    """Where a film and a listed one agree: first and last frame of the listed one, the seconds from and to in the film,
    near moments, the most bits among these, and at which second of the film the listed one begins, or would."""

    first: int
    last: int
    begin: float
    end: float
    near: int
    bits: int
    offset: float


@dataclass(frozen=True)
class Found:
    """What a film and a listed one have in common, the longest stretch first; `share` of the film's moments that count,
    and `listed_share` of the other's."""

    stretches: Sequence[Stretch]
    share: float
    listed_share: float

    @property
    def longest(self) -> Stretch:
        return self.stretches[0]


def offsets_of(seconds: Numbers, others: Numbers, runs: Numbers, least: int) -> Iterator[float]:
    """Offsets for which at least `least` moments vote, the best first. A vote is a near pair of frames: `seconds` of
    the film, `others` of the listed one, and the moment of the latter."""
    votes = seconds - others
    for _ in range(OFFSETS):
        if _distinct(np.sort(runs)) < least:
            return
        low = _fullest(votes, runs)
        chosen = (votes >= low) & (votes < low + 2)
        if _distinct(np.sort(runs[chosen])) < least:
            return
        yield float(np.median(votes[chosen]))
        votes, runs = votes[~chosen], runs[~chosen]


def _fullest(votes: Numbers, runs: Numbers) -> float:
    """The first of two neighbouring whole offsets for which most moments vote. One that stands still votes for many."""
    cells = np.floor(votes).astype(np.int64)
    pairs = np.unique(np.column_stack([np.concatenate([cells, cells - 1]), np.concatenate([runs, runs])]), axis=0)
    lows, counts = np.unique(pairs[:, 0], return_counts=True)
    counts[~np.isin(lows, cells)] = 0
    return float(lows[np.argmax(counts)])


def compared(film: Film, listed: Film, offsets: Sequence[float], near: int) -> Found | None:
    """What the films share at these offsets; each frame of the first counts for the first offset at which it agrees."""
    least, free = enough(film, listed), film.counts.copy()
    covered, listed_covered = np.zeros(len(film.counts), bool), np.zeros(len(listed.counts), bool)
    found: list[Stretch] = []
    for about in offsets:
        offset, rows = _best(film, listed, free, about, near, least)
        for first, last, begins, ends, moments, bits, *_ in rows.tolist():
            begin, end = float(film.seconds[begins]), float(film.seconds[ends]) + 1
            within = (film.seconds > begin - 1) & (film.seconds < end)
            covered |= within
            free &= ~within
            listed_covered[first : last + 1] = True
            low = min(last, max(first, math.ceil(begin - offset - UNSURE)))
            high = max(low, min(last, math.floor(end - 1 - offset + UNSURE)))
            found.append(Stretch(low, high, begin, end, moments, bits, offset))
    if not found:
        return None
    found.sort(key=lambda s: (s.first - s.last, s.begin))
    seen = listed_covered | ~_facing_nothing(film, listed, found[0].offset)
    return Found(found, _share(film.runs, film.counts & film.whole, covered),
                 _share(listed.runs, listed.counts & seen, listed_covered))  # fmt: skip


def _best(film: Film, listed: Film, free: Numbers, about: float, near: int, least: int) -> tuple[float, Numbers]:
    """The offset round `about` at which the films agree best, and the stretches there that are enough."""
    from casewright.kernels.alignment import stretches  # noqa: PLC0415  slow to import

    there, here = (listed.seconds, listed.hashes, listed.counts, listed.runs), (film.seconds, film.hashes, free)

    def at(offset: float) -> tuple[float, Numbers]:
        rows = stretches(*there, *here, film.runs, -offset, near, GROW, MISSES)
        return offset, rows[(rows[:, 6] >= least) & (rows[:, 4] >= min(NEAR, least))]

    best = max((at(offset) for offset in (about + SHIFTS).tolist()), key=lambda one: int(one[1][:, 7].sum()))
    if not len(best[1]):
        return best
    settled = at(_settled(film, listed, free, *best))
    return settled if settled[1][:, 6].sum() >= best[1][:, 6].sum() else best


def _settled(film: Film, listed: Film, free: Numbers, about: float, rows: Numbers) -> float:
    """The offset on which most moments agree, more finely: a picture that moves says it by its own second, one that
    stands still only that the shorter one lies in the longer."""
    from casewright.kernels.alignment import AROUND, meetings  # noqa: PLC0415  slow to import

    held = np.zeros(len(listed.counts), bool)
    for first, last in rows[:, :2].tolist():
        held[first : last + 1] = True
    met = meetings(listed.seconds, listed.hashes, listed.counts & held, film.seconds, film.hashes, free, -about,
                   AROUND, GROW)  # fmt: skip
    runs = np.unique(np.column_stack([film.runs[met[:, 1]], listed.runs[met[:, 0]]]), axis=0)
    differences = [a - b for a, b in zip(_ends(film, runs[:, 0]), _ends(listed, runs[:, 1]), strict=True)]
    lows, highs = np.minimum(*differences) - UNSURE, np.maximum(*differences) + UNSURE
    edges = np.concatenate([lows, highs])
    order = np.argsort(edges, kind="stable")
    votes, edges = np.cumsum(np.where(order < len(lows), 1, -1)), edges[order]
    fullest = np.flatnonzero(votes == votes.max())
    middles = (edges[fullest] + edges[fullest + 1]) / 2
    return float(middles[np.argmin(np.abs(middles - about))])


def _ends(film: Film, runs: Numbers) -> tuple[Numbers, Numbers]:
    """The first and the last second of these moments."""
    first, behind = (np.searchsorted(film.runs, runs, side) for side in ("left", "right"))
    return film.seconds[first], film.seconds[behind - 1]


def _facing_nothing(film: Film, listed: Film, offset: float) -> Numbers:
    """Frames of the listed film that meet only what does not count: over there may stand the same black."""
    met = np.rint(film.seconds[film.whole & ~film.counts] - offset).astype(np.int64)
    nothing = np.zeros(len(listed.counts), bool)
    nothing[met[(met >= 0) & (met < len(nothing))]] = True
    return nothing


def enough(film: Film, listed: Film) -> int:
    """Moments without which two films share nothing: three, or all that one of them has."""
    return max(1, min(ENOUGH, film.moments, listed.moments))


def _share(runs: Numbers, counts: Numbers, covered: Numbers) -> float:
    whole = _distinct(runs[counts])
    return _distinct(runs[counts & covered]) / whole if whole else 0.0


def _distinct(numbers: Numbers) -> int:
    """Of numbers that ascend."""
    return int(np.count_nonzero(np.diff(numbers)) + 1) if len(numbers) else 0


def method_of(found: Found, rules: Rules) -> str | None:
    """frames: both films, nearly whole; contains: the listed one in this; part: this one in the listed; excerpt: a
    longer stretch; None: nothing that counts."""
    if found.listed_share >= rules.share:
        return "frames" if found.share >= rules.share else "contains"
    if found.share >= rules.share:
        return "part"
    longest = found.longest
    return "excerpt" if longest.end - longest.begin >= rules.excerpt and longest.near >= ENOUGH else None


@dataclass(frozen=True)
class Sharing:
    """A film that shares stretches with another: at which second of the other it begins, and those stretches there."""

    film: Film
    begin: float
    spans: Sequence[tuple[float, float]]

    @property
    def around(self) -> tuple[float, float]:
        return min(low for low, _ in self.spans) - 1, max(high for _, high in self.spans) + 1


def common_seconds(films: Sequence[Sharing], seconds: Numbers, rules: Rules) -> Numbers:
    """Which of a film's `seconds` at least `rules.films` different films share, in stretches of at most `rules.common`
    seconds."""
    leaders: list[Sharing] = []
    shared = np.zeros((FILMS, len(seconds)), bool)
    for one in films:
        kin = next((n for n, leader in enumerate(leaders) if _same(one, leader)), len(leaders))
        if kin == len(leaders):
            if kin == FILMS:
                continue
            leaders.append(one)
        for low, high in one.spans:
            shared[kin] |= (seconds >= low - 1) & (seconds <= high + 1)
    common: Numbers = shared.sum(axis=0) >= rules.films
    edges = np.flatnonzero(np.diff(np.concatenate([[False], common, [False]]).astype(np.int8)))
    for begin, end in edges.reshape(-1, 2).tolist():
        if seconds[end - 1] - seconds[begin] + 1 > rules.common:
            common[begin:end] = False
    return common


def _same(one: Sharing, other: Sharing) -> bool:
    """Whether two films that share a stretch are one and the same elsewhere too, or have no elsewhere."""
    from casewright.kernels.alignment import agreement  # noqa: PLC0415  slow to import

    film, second = one.film, other.film
    low, high = (f(pair) for f, pair in zip((max, min), zip(one.around, other.around, strict=True), strict=True))
    met, agreed = agreement(film.seconds, film.hashes, film.counts, second.seconds, second.hashes, second.counts,
                            other.begin - one.begin, low - one.begin, high - one.begin, GROW)  # fmt: skip
    return bool(met < ENOUGH or KIN * agreed >= met)

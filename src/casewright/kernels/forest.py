"""The proof of groups as rooted trees, so that the way between two things is a walk up from both.

The merges of a union-find are a forest: one way leads from any member of a group to any other. Each tree is rooted at
the least of its group, and breadth first, so that ways are short.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.unionfind_fast import NOBODY, Groups, Merge, Portion, Small, merges_slow, root_of

TOP = -1


@dataclass(frozen=True)
class Forest:
    """Of each thing: the next one on the way to the root (-1 at the root), the merge that joins the two (its place in
    the proof), and the number of merges up to the root."""

    up: Small
    by: Small
    depth: Small

    @classmethod
    def of(cls, groups: Groups) -> Self:
        a, b, _ = groups.proof()
        size = len(groups.parent)
        up, by, depth = (np.full(size, TOP, np.int32) for _ in range(3))
        starts = np.zeros(size + 1, np.int64)
        _count(a, b, starts)
        _grow(groups.least(), a, b, starts, np.empty(2 * len(a), np.int32), np.empty(size, np.int32), up, by, depth)
        return cls(up, by, depth)

    def way(self, start: int, end: int) -> Small | None:
        """Merges on the way from one thing to another, in order; None when nothing joins them."""
        found = self._met(start, end)
        return None if found is None else self.by[np.concatenate((found[0], found[2]))]

    def passed(self, start: int, end: int) -> Small | None:
        """The things on the way, both ends among them; None when nothing joins them."""
        found = self._met(start, end)
        return None if found is None else np.concatenate(found)

    def _met(self, start: int, end: int) -> tuple[Small, Small, Small] | None:
        """Things below the one at which both walks up meet, that one, and those below it on the other side."""
        before, after = np.empty(self.depth[start], np.int32), np.empty(self.depth[end], np.int32)
        left, right, top = _walk(self.up, self.depth, start, end, before, after)
        return None if top < 0 else (before[:left], np.array([top], np.int32), after[:right][::-1])

    def within(self, thing: int, under: int) -> bool:
        """Whether `thing` stands at or below `under`: on its side of the merge above it."""
        return bool(_ancestor(self.up, thing, self.depth[thing] - self.depth[under]) == under)


def tops(up: Small) -> Small:
    """Of each thing the one at the root above it."""
    parent = np.where(up == TOP, np.arange(len(up), dtype=np.int32), up)
    _climb(parent)
    return parent


_STARTS, _NUMBERS = nb.types.Array(nb.int64, 1, "C", readonly=True), nb.types.Array(nb.int32, 1, "C", readonly=True)
_PLAIN = nb.int32[::1]


@nb.njit(nb.void(_PLAIN), cache=True)
def _climb(parent):  # type: ignore[no-untyped-def]
    for thing in range(parent.shape[0]):
        parent[thing] = root_of(parent, np.int32(thing))


@nb.njit(nb.void(_NUMBERS, _NUMBERS, nb.int64[::1]), cache=True)
def _count(side_a, side_b, starts):  # type: ignore[no-untyped-def]
    """Where the merges of each thing begin, one place further on: filling moves them back."""
    for merge in range(side_a.shape[0]):
        starts[side_a[merge]] += 1
        starts[side_b[merge]] += 1
    total = 0
    for thing in range(starts.shape[0]):
        total += starts[thing]
        starts[thing] = total


@nb.njit(nb.void(_NUMBERS, _NUMBERS, _NUMBERS, nb.int64[::1], _PLAIN, _PLAIN, _PLAIN, _PLAIN, _PLAIN), cache=True)
def _grow(least, side_a, side_b, starts, beside, queue, up, by, depth):  # type: ignore[no-untyped-def]
    for back in range(side_a.shape[0]):
        merge = side_a.shape[0] - 1 - back
        for thing in (side_a[merge], side_b[merge]):
            starts[thing] -= 1
            beside[starts[thing]] = merge
    for top in range(least.shape[0]):
        if least[top] != top:
            continue
        depth[top], queue[0], head, tail = 0, top, 0, 1
        while head < tail:
            here = queue[head]
            head += 1
            for at in range(starts[here], starts[here + 1]):
                merge = beside[at]
                there = side_b[merge] if side_a[merge] == here else side_a[merge]
                if there != up[here]:
                    up[there], by[there], depth[there] = here, merge, depth[here] + 1
                    queue[tail] = there
                    tail += 1


@nb.njit(nb.types.UniTuple(nb.int64, 3)(_NUMBERS, _NUMBERS, nb.int64, nb.int64, _PLAIN, _PLAIN), cache=True)
def _walk(up, depth, start, end, before, after):  # type: ignore[no-untyped-def]
    left = right = 0
    while start != end:
        if depth[start] >= depth[end]:
            if up[start] < 0:
                return 0, 0, -1
            before[left], start = start, up[start]
            left += 1
        else:
            after[right], end = end, up[end]
            right += 1
    return left, right, start


@nb.njit(nb.int64(_NUMBERS, nb.int64, nb.int64), cache=True)
def _ancestor(up, thing, steps):  # type: ignore[no-untyped-def]
    for _ in range(steps):
        thing = up[thing]
    return thing if steps >= 0 else -1


def rests_on_one(forest: Forest, groups: Groups, links: Iterable[Portion]) -> NDArray[np.bool_]:
    """Of each merge, whether it rests on its link alone: no other link has members on both of its sides."""
    alone, jump = np.ones(groups.count, np.bool_), np.arange(len(forest.up), dtype=np.int32)
    for part in links:
        by_link = groups.proof()[2]
        _cover(part.starts, part.members, part.first, by_link, forest.up, forest.by, forest.depth, jump, alone)
    return alone


def rests_on_one_slow(links: list[list[int]], size: int) -> list[bool]:
    """The same by leaving each link's merges out: what is then still joined rested on more. The definition."""
    _, merges = merges_slow(links, size)
    alone = []
    for merge in merges:
        others = [link for number, link in enumerate(links) if number != merge.link]
        sides = merges_slow(_without(merges, merge), size)[0]
        crossing = ({sides[m] for m in link if m != NOBODY} for link in others)
        alone.append(not any({sides[merge.a], sides[merge.b]} <= met for met in crossing))
    return alone


def _without(merges: list[Merge], left_out: Merge) -> list[list[int]]:
    return [[m.a, m.b] for m in merges if m != left_out]


@nb.njit(
    nb.void(_STARTS, _NUMBERS, nb.int64, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, _PLAIN, nb.boolean[::1]),
    cache=True,
)
def _cover(starts, members, first, links, up, by, depth, jump, alone):  # type: ignore[no-untyped-def]
    """Every link supports the merges on the way between its members. `jump` passes over merges that are supported
    already, so that each is met once."""
    for number in range(starts.shape[0] - 1):
        head = np.int32(-1)
        for at in range(starts[number], starts[number + 1]):
            member = members[at]
            if member < 0 or member == head:
                continue
            if head < 0:
                head = member
                continue
            one, other = root_of(jump, head), root_of(jump, member)
            while one != other:
                if depth[one] < depth[other]:
                    one, other = other, one
                if links[by[one]] != first + number:
                    alone[by[one]] = False
                    jump[one] = up[one]
                one = root_of(jump, up[one])

"""The shortest way from one thing to another over links, each of which joins all its members: the fewest links.

Breadth first from both ends at once, a level at a time of whichever side is smaller. The first thing that both sides
have met is on a shortest way: were there a shorter one, a level before would have met it.
"""

from collections import deque
from dataclasses import dataclass
from typing import Self

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.runs import starts

Way = list[tuple[int, int]]
"""Each link passed and the thing to which it leads, in order."""
Numbers = NDArray[np.int64]
NONE, TOO_MUCH = -1, -2


def shortest_slow(links: list[list[int]], start: int, end: int) -> Way | None:
    """By trying every link of every thing met, nearest first; None when nothing joins the two. The definition."""
    ways: dict[int, Way] = {start: []}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for number, members in enumerate(links):
            for there in members if here in members else ():
                if there not in ways:
                    ways[there] = [*ways[here], (number, there)]
                    queue.append(there)
    return ways.get(end)


class TooMuchError(Exception):
    """The search would have to look at more than it may."""


@dataclass(frozen=True)
class Links:
    """Links and things, each with the numbers of the others that belong to it, in ascending order."""

    link_starts: Numbers
    members: NDArray[np.int32]
    thing_starts: Numbers
    of_thing: NDArray[np.int32]

    @classmethod
    def in_order(cls, members: NDArray[np.int32], link_starts: Numbers, size: int) -> Self:
        """Of links whose members (below `size`) stand one link behind the other, in ascending order."""
        thing_starts, of_thing = starts(np.bincount(members, minlength=size)), np.empty(len(members), np.int32)
        _turn(members, link_starts, thing_starts, of_thing)
        return cls(link_starts, members, thing_starts, of_thing)

    def shortest(self, start: int, end: int, most: int) -> Way | None:
        """None when nothing joins the two. Raises TooMuchError when `most` members of links were looked at before."""
        sizes = len(self.thing_starts) - 1, len(self.link_starts) - 1
        by = np.full((2, sizes[0]), NONE, np.int32)
        came = np.full((2, sizes[1]), NONE, np.int32)
        queue = np.empty((2, sizes[0]), np.int32)
        met = _search(self.link_starts, self.members, self.thing_starts, self.of_thing, start, end, most, by, came,
                      queue)  # fmt: skip
        if met == TOO_MUCH:
            raise TooMuchError
        return None if met == NONE else _told(int(met), start, end, by, came)


def _told(met: int, start: int, end: int, by: NDArray[np.int32], came: NDArray[np.int32]) -> Way:
    """The way through a thing that both sides have met."""
    before: Way = []
    here = met
    while here != start:
        link = int(by[0, here])
        before.append((link, here))
        here = int(came[0, link])
    after: Way = []
    here = met
    while here != end:
        link = int(by[1, here])
        here = int(came[1, link])
        after.append((link, here))
    return before[::-1] + after


_PAIR, _FLAT = nb.int32[:, ::1], nb.int32[::1]


@nb.njit(nb.void(_FLAT, nb.int64[::1], nb.int64[::1], _FLAT), cache=True)
def _turn(members, link_starts, thing_starts, of_thing):  # type: ignore[no-untyped-def]
    """The links of each thing, in ascending order."""
    at = thing_starts.copy()
    for link in range(link_starts.shape[0] - 1):
        for place in range(link_starts[link], link_starts[link + 1]):
            of_thing[at[members[place]]] = link
            at[members[place]] += 1


@nb.njit(
    nb.int64(nb.int64[::1], nb.int32[::1], nb.int64[::1], nb.int32[::1], nb.int64, nb.int64, nb.int64, _PAIR, _PAIR,
             _PAIR),
    cache=True,
)  # fmt: skip
def _search(  # type: ignore[no-untyped-def]
    link_starts, members, thing_starts, of_thing, start, end, most, by, came, queue
):
    """`by`: of each side the link by which each thing was met (of its end: its own number of links, which is none);
    `came`: the thing from which each link was taken. Returns the thing at which both sides meet."""
    if start == end:
        return start
    here = link_starts.shape[0] - 1
    by[0, start], by[1, end] = here, here
    queue[0, 0], queue[1, 0] = start, end
    head, tail, looked = np.zeros(2, np.int64), np.ones(2, np.int64), 0
    while head[0] < tail[0] and head[1] < tail[1]:
        side = 0 if tail[0] - head[0] <= tail[1] - head[1] else 1
        level = tail[side]
        while head[side] < level:
            thing = queue[side, head[side]]
            head[side] += 1
            for at in range(thing_starts[thing], thing_starts[thing + 1]):
                link = of_thing[at]
                if came[side, link] >= 0:
                    continue
                came[side, link] = thing
                looked += link_starts[link + 1] - link_starts[link]
                if looked > most:
                    return -2
                for place in range(link_starts[link], link_starts[link + 1]):
                    there = members[place]
                    if by[side, there] >= 0:
                        continue
                    by[side, there] = link
                    if by[1 - side, there] >= 0:
                        return there
                    queue[side, tail[side]] = there
                    tail[side] += 1
    return -1

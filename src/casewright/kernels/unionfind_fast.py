"""Union-find over millions of things, compiled: what `unionfind` says, with the proof as arrays.

A *link* is a list of things that belong together: the inputs of one transaction. It joins its first member to each of
the others, in order. Links are given in portions, one after the other, so that no more than a portion of them is held.
"""

from dataclasses import dataclass
from typing import Self

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.unionfind import UnionFind

Small = NDArray[np.int32]
NOBODY = -1
"""Stands in a link for a member that belongs to no group."""


@dataclass(frozen=True)
class Merge:
    """A link that put two groups together, and the two of its members that it joined."""

    a: int
    b: int
    link: int


def merges_slow(links: list[list[int]], size: int) -> tuple[list[int], list[Merge]]:
    """The least of each thing's group, and the merges in the order of the links. The definition."""
    found = UnionFind(size)
    merges = []
    for number, link in enumerate(links):
        members = [m for m in link if m != NOBODY]
        merges += [Merge(members[0], other, number) for other in members[1:] if found.union(members[0], other)]
    return [found.find(thing) for thing in range(size)], merges


@dataclass(frozen=True)
class Portion:
    """Some links, numbered from `first`: link n of them has `members[starts[n]:starts[n + 1]]`."""

    first: int
    starts: NDArray[np.int64]
    members: Small


@dataclass
class Groups:
    """Groups of the numbers below `size`, and the merges so far: `a[n]` and `b[n]` by `link[n]`, n below `count`."""

    parent: Small
    a: Small
    b: Small
    link: Small
    count: int = 0

    @classmethod
    def of(cls, size: int) -> Self:
        """All apart. The room for merges is reserved, and taken when it is written."""
        a, b, link = (np.empty(max(size - 1, 0), np.int32) for _ in range(3))
        return cls(np.arange(size, dtype=np.int32), a, b, link)

    def join(self, part: Portion, keep: bool = True) -> None:
        """Take links into account. `keep`: the merges, too."""
        self.count = _join(
            part.starts, part.members, part.first, keep, self.parent, self.a, self.b, self.link, self.count
        )

    def least(self) -> Small:
        """The least of each thing's group."""
        _flatten(self.parent)
        return self.parent

    def proof(self) -> tuple[Small, Small, Small]:
        """Of each merge the two things and the link, in the order of the links."""
        return self.a[: self.count], self.b[: self.count], self.link[: self.count]


_STARTS, _MEMBERS = nb.types.Array(nb.int64, 1, "C", readonly=True), nb.types.Array(nb.int32, 1, "C", readonly=True)
_PLAIN = nb.int32[::1]


@nb.njit(nb.int32(_PLAIN, nb.int32), cache=True, inline="always")
def root_of(parent, thing):  # type: ignore[no-untyped-def]
    while parent[thing] != thing:
        parent[thing] = parent[parent[thing]]  # halving keeps paths short
        thing = parent[thing]
    return thing


@nb.njit(nb.int64(_STARTS, _MEMBERS, nb.int64, nb.boolean, _PLAIN, _PLAIN, _PLAIN, _PLAIN, nb.int64), cache=True)
def _join(starts, members, first, keep, parent, side_a, side_b, links, count):  # type: ignore[no-untyped-def]
    for number in range(starts.shape[0] - 1):
        head, head_root = np.int32(-1), np.int32(-1)
        for at in range(starts[number], starts[number + 1]):
            member = members[at]
            if member < 0 or member == head:
                continue
            if head < 0:
                head = member
                continue
            if head_root < 0:  # only now: most transactions have one input, and the look-up costs
                head_root = root_of(parent, head)
            root = root_of(parent, member)
            if root != head_root:
                low, high = min(root, head_root), max(root, head_root)
                parent[high] = low
                head_root = low
                if keep:
                    side_a[count], side_b[count], links[count] = head, member, first + number
                count += 1
    return count


@nb.njit(nb.void(_PLAIN), cache=True)
def _flatten(parent):  # type: ignore[no-untyped-def]
    for thing in range(parent.shape[0]):  # what stands above is less, and flat already
        parent[thing] = parent[parent[thing]]

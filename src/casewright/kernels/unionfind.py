"""Union-find with a proof: which things belong together, and the one link that each merge rests on.

Things are numbers from 0. The least number of a group stands for it, so the result does not depend on the order of
the links; the links that are kept (the first that merges two groups, in the order given) form a forest.
"""

from collections import deque
from collections.abc import Hashable, Iterable
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


class UnionFind:
    """Groups of the numbers below `size`."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, thing: int) -> int:
        """The least number in the group of `thing`."""
        parent = self._parent
        while parent[thing] != thing:
            parent[thing] = parent[parent[thing]]  # halving keeps paths short
            thing = parent[thing]
        return thing

    def union(self, a: int, b: int) -> bool:
        """Put the groups of `a` and `b` together; True when they were apart, so that this link is part of the proof."""
        a, b = self.find(a), self.find(b)
        if a == b:
            return False
        self._parent[max(a, b)] = min(a, b)
        return True


def path_between(links: Iterable[tuple[T, T, str]], start: T, end: T) -> list[str] | None:
    """Names of the links on the way from `start` to `end`, shortest first found; None when nothing joins them.

    In a proof forest there is one way only, and it is the proof that both belong together.
    """
    beside: dict[T, list[tuple[T, str]]] = {}
    for a, b, name in links:
        beside.setdefault(a, []).append((b, name))
        beside.setdefault(b, []).append((a, name))
    came: dict[T, tuple[T, str] | None] = {start: None}
    queue = deque([start])
    while queue and end not in came:
        here = queue.popleft()
        for there, name in beside.get(here, ()):
            if there not in came:
                came[there] = (here, name)
                queue.append(there)
    if end not in came:
        return None
    names, step = [], came[end]
    while step:
        names.append(step[1])
        step = came[step[0]]
    return names[::-1]

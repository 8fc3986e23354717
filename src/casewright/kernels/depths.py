"""How deep each of many things stands, when pairs of them say which must come before which. Compiled when imported: a
child may not write what it compiled."""

import numpy as np
from numba import int64, njit
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
CIRCLE = (1 << 62) - 1
"""The depth of what stands in a circle, or behind one."""


def depths(later: Numbers, earlier: Numbers, count: int) -> Numbers:
    """Of each of `count` things the length of the longest way to it. Each pair is looked at once (Kahn 1962)."""
    at = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(earlier, minlength=count), out=at[1:])
    waits = np.bincount(later, minlength=count)
    return np.asarray(_depths(later[np.argsort(earlier, kind="stable")], at, waits), np.int64)


@njit(int64[::1](int64[::1], int64[::1], int64[::1]), cache=True, nogil=True)
def _depths(later, at, waits):  # type: ignore[no-untyped-def]
    depth, row, end = np.full(len(waits), CIRCLE), np.empty(len(waits), np.int64), 0
    reached = np.zeros(len(waits), np.int64)
    for one in range(len(waits)):
        if waits[one] == 0:
            row[end], end = one, end + 1
    begin = 0
    while begin < end:
        one, begin = row[begin], begin + 1
        depth[one] = reached[one]
        for place in range(at[one], at[one + 1]):
            behind = later[place]
            reached[behind] = max(reached[behind], reached[one] + 1)
            waits[behind] -= 1
            if waits[behind] == 0:
                row[end], end = behind, end + 1
    return depth

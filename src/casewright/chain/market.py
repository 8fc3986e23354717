"""When a cluster is too large to be the market's wallet.

One wrong merge may join the market's addresses to an exchange's, or an exchange that nobody tagged keeps them: then the
cluster is a super-cluster (Meiklejohn et al. 2013; Harrigan, Fretter 2016), and what it spends is not the market's. Of
a wallet the seizure knows more than one address in fifty; of an exchange it does not.
"""

import numpy as np
from numpy.typing import NDArray

from casewright.chain.columns import UNKNOWN, Numbers
from casewright.chain.proven import Proven

GIANT = 1_000
"""Smaller clusters are never too large."""
STRETCH = 1 << 24
"""Holders that are counted at once."""


def in_giants(proven: Proven, own: Numbers, members: int) -> NDArray[np.bool_]:
    """Of each of the market's own addresses whether its cluster has more than so many addresses for each own one (0: it
    never has). Only what is known counts as the market's there."""
    clusters = proven.cluster_of[own]
    if not members:
        return np.zeros(len(own), np.bool_)
    each, which, known = np.unique(clusters, return_inverse=True, return_counts=True)
    size = sizes_of(proven)[each]
    return np.asarray(((each != UNKNOWN) & (size >= GIANT) & (size > members * known))[which], np.bool_)


def sizes_of(proven: Proven) -> Numbers:
    """Addresses of each cluster, and of none (the last one)."""
    sizes = np.zeros(len(proven.names) + 1, np.int64)
    for start in range(0, len(proven.cluster_of), STRETCH):
        sizes += np.bincount(proven.cluster_of[start : start + STRETCH] + 1, minlength=len(sizes))
    return np.roll(sizes, -1)

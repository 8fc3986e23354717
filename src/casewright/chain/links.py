"""What may join addresses, as links over holders' numbers: portions of the chain, so that no more than one is held."""

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from casewright.chain.columns import UNKNOWN, Chain
from casewright.kernels.unionfind_fast import NOBODY, Portion

PORTION = 1 << 20
"""Transactions whose inputs are held at once."""
Flags = NDArray[np.bool_]


def with_address(chain: Chain) -> Flags:
    """Of each holder, whether it is an address: only those are in clusters."""
    return np.asarray(chain.addresses.is_valid())


def spending(chain: Chain, named: Flags) -> Iterator[Portion]:
    """Holders of the coins that each transaction spends, by the transaction's number; -1 for a coin that is not in the
    chain files or has no address."""
    for first in range(0, chain.transactions, PORTION):
        starts = chain.first_input[first : first + PORTION + 1]
        spends = chain.spends[starts[0] : starts[-1]]
        members = np.full(len(spends), NOBODY, np.int32)
        known = np.flatnonzero(spends != UNKNOWN)
        members[known] = chain.holder[spends[known]]
        members[~named[members]] = NOBODY
        yield Portion(first, starts - starts[0], members)


def without(part: Portion, left_out: Collection[int]) -> Portion:
    """The portion with some transactions' members left out."""
    counts = np.diff(part.starts)
    here = np.isin(np.arange(part.first, part.first + len(counts)), np.fromiter(left_out, np.int64, len(left_out)))
    return Portion(part.first, part.starts, np.where(np.repeat(here, counts), NOBODY, part.members).astype(np.int32))


def several(part: Portion) -> Flags:
    """Of each link, whether it has two different members."""
    links, counts = np.zeros(len(part.starts) - 1, bool), np.diff(part.starts)
    if not len(part.members):
        return links
    full, members = np.flatnonzero(counts), part.members
    most = np.maximum.reduceat(members, part.starts[full])
    least = np.minimum.reduceat(np.where(members == NOBODY, np.iinfo(np.int32).max, members), part.starts[full])
    links[full] = (most != NOBODY) & (least < most)
    return links

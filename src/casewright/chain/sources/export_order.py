"""The transactions of an export, each once, in the order of the chain, and which of them a row belongs to.

Rows may come in any order and in several files. All is done by number: an id is looked up in one table of hashes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casewright.chain.sources.export_arrays import Transactions
from casewright.chain.sources.export_columns import NONE
from casewright.kernels.depths import depths
from casewright.kernels.joining import SPEND, UNKNOWN, Ids

STRETCH = 1 << 18
"""Ids that are looked up at once."""
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Once:
    """`rows`: the transactions, each as it stands first by height, block and row; `rank`: of the hash of each one's
    block; `given`: how many rows there were."""

    rows: Transactions
    rank: Numbers
    ids: Ids
    given: int

    @classmethod
    def of(cls, all_rows: Transactions, ranks: Numbers) -> "Once":
        """`ranks`: of each block's number the place of its hash among all."""
        given = len(all_rows.known)
        known = np.flatnonzero(all_rows.known)
        rank = ranks[all_rows.block]
        order = known[np.lexsort((all_rows.row[known], rank[known], all_rows.number[known]))]
        ids = Ids(np.empty(32 * len(order), np.uint8), np.zeros(len(order) + 1, np.int64))
        chosen = order[ids.enter(all_rows.txid[order], np.ones(len(order), np.int64))]
        return cls(all_rows.taken(chosen), rank[chosen], ids, given)

    def owners(self, txid: NDArray[np.uint8], known: NDArray[np.bool_]) -> Numbers:
        """The number of the transaction that has each of these ids; UNKNOWN where none has, or it is not known."""
        found = np.full(len(txid), UNKNOWN, np.int64)
        for start in range(0, len(txid), STRETCH):
            some = np.flatnonzero(known[start : start + STRETCH]) + start
            spends = np.zeros((len(some), SPEND), np.uint8)
            spends[:, :32] = txid[some]
            found[some] = self.ids.spent(spends.ravel())
        return found

    def in_order(self, owner: Numbers) -> Numbers:
        """The transactions in the order of the chain. `owner`: of each input."""
        rows, spending = self.rows, np.zeros(len(self.rank) + 1, np.bool_)
        spending[owner] = True  # the last one: of inputs that belong to none
        return np.lexsort((rows.row, spending[:-1], rows.position, self.rank, rows.number))


def parents_first(order: Numbers, once: Once, child: Numbers, parent: Numbers) -> Numbers:
    """The order where an export does not tell positions: in each block, whatever is spent comes before what spends it.
    `child`, `parent`: of each input the transaction, and what it spends where its position is not told. What is
    said to spend itself comes last."""
    place, block = np.argsort(order), once.rows.block
    inside = (child >= 0) & (parent >= 0)
    inside[inside] = (block[child[inside]] == block[parent[inside]]) & (block[child[inside]] >= 0)
    inside[inside] = once.rows.position[child[inside]] == NONE
    later, earlier = place[child[inside]], place[parent[inside]]
    if not inside.any():
        return order
    depth = depths(later, earlier, len(order))
    code = block[order] + 1
    first = np.full(int(code.max()) + 1, len(code))
    np.minimum.at(first, code, np.arange(len(code)))
    return order[np.lexsort((np.arange(len(code)), depth, first[code]))]

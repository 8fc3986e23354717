"""Which transactions are CoinJoins, over the whole chain: the rules look only at those that could be one."""

import numpy as np
from numpy.typing import NDArray

from casewright.chain.coinjoin import coinjoin_rule
from casewright.chain.columns import KINDS, UNKNOWN, Chain
from casewright.chain.links import PORTION
from casewright.chain.shapes import Shape
from casewright.kernels.repeated import repeated

PEERS, PAIR, STONEWALL = 3, 2, 4
"""Every rule asks for three outputs that do not have an amount of their own, and as many inputs; only a Stonewall has
four outputs with one pair among them."""


def coinjoins(chain: Chain) -> dict[int, str]:
    """The rule that names each CoinJoin, by its transaction's number, in the order of the chain."""
    could = np.flatnonzero(could_be_joint(chain)).tolist()
    return {t: rule for t in could if (rule := coinjoin_rule(shape_of(chain, t)))}


def could_be_joint(chain: Chain) -> NDArray[np.bool_]:
    """A screen that lets every transaction through which a rule may name, and few others."""
    could = [_could_be(chain, first) for first in range(0, chain.transactions, PORTION)]
    return np.concatenate([np.empty(0, np.bool_), *could])


def _could_be(chain: Chain, first: int) -> NDArray[np.bool_]:
    starts = chain.first_output[first : first + PORTION + 1]
    spent, paid = np.diff(chain.first_input[first : first + PORTION + 1]), np.diff(starts)
    same = repeated(starts, chain.sats, (spent >= PAIR) & (paid >= PEERS))
    many: NDArray[np.bool_] = (same >= PEERS) & (spent >= PEERS)
    pairs: NDArray[np.bool_] = (same >= PAIR) & (paid == STONEWALL)
    return many | pairs


def shape_of(chain: Chain, transaction: int) -> Shape:
    """The shape of one transaction, as the rules look at it."""
    spends = chain.spends[chain.first_input[transaction] : chain.first_input[transaction + 1]].tolist()
    paid = slice(*chain.first_output[transaction : transaction + 2].tolist())
    return Shape(
        [None if spent == UNKNOWN else int(chain.sats[spent]) for spent in spends],
        [None if spent == UNKNOWN else chain.address(int(chain.holder[spent])) for spent in spends],
        chain.sats[paid].tolist(),
        [chain.address(holder) for holder in chain.holder[paid].tolist()],
        [KINDS[kind] for kind in chain.kind[paid].tolist()],
    )

"""PayJoins: payments to which the payee adds a coin of its own, so that strangers are spent together on purpose.

Nothing in such a transaction says that it is one: it looks as if one wallet had paid. So no transaction is called a
PayJoin here; merges are told apart that could rest on one. Sources: BIP 78 (Dorier, 2019), BIP 77; Gibson, "PayJoin",
2018; Ghesmati, Fdhila, Weippl, "Unnecessary Input Heuristics and PayJoin Transactions", 2021. That all inputs be of one
kind, as BIP 78 asks, is not asked here: later forms do without.
"""

import numpy as np
import pyarrow as pa

from casewright.chain.columns import KINDS, UNKNOWN, Chain, Numbers, Small
from casewright.chain.links import Flags

POSSIBLE = "could be a PayJoin: two outputs, and no other transaction spends from both sides"
UNNECESSARY = POSSIBLE + "; a coin was spent that neither output needed"
NO_PAYMENT = KINDS.index("op_return")


def payjoin_doubts(chain: Chain, transactions: Numbers, alone: Flags) -> pa.Array:
    """For merges, each by its transaction, what there is to say: NULL where it cannot be a PayJoin. `alone`: the merge
    rests on this transaction only; one that a second transaction supports is hardly a chance meeting of two."""
    asked = np.unique(transactions[alone])
    counts, outputs = _spread(chain.first_output, asked)
    of = np.repeat(np.arange(len(asked)), counts)[chain.kind[outputs] != NO_PAYMENT]
    asked = asked[np.bincount(of, minlength=len(asked)) == 2]
    looks = np.ones(len(asked), np.int8)
    if len(asked):
        looks += _least_paid(chain, asked) >= _least_spent(chain, asked)
    place = np.searchsorted(asked, transactions)
    met = alone & (place < len(asked)) & (np.append(asked, UNKNOWN)[place] == transactions)
    said = np.where(met, np.append(looks, 0)[place], 0)
    return pa.array([None, POSSIBLE, UNNECESSARY]).take(pa.array(said))


def _least_spent(chain: Chain, asked: Numbers) -> Numbers:
    """The smallest coin that is spent and known."""
    counts, spent = _spent(chain, asked)
    sats = np.where(spent == UNKNOWN, np.iinfo(np.int64).max, chain.sats[spent])
    return np.minimum.reduceat(sats, np.cumsum(counts) - counts)


def _least_paid(chain: Chain, asked: Numbers) -> Numbers:
    """The smaller of the two payments. A coin no larger was not needed for either of them: without it the larger could
    have been paid as well."""
    _, outputs = _spread(chain.first_output, asked)
    paid = outputs[chain.kind[outputs] != NO_PAYMENT]
    least: Numbers = chain.sats[paid].reshape(-1, 2).min(axis=1)
    return least


def _spent(chain: Chain, asked: Numbers) -> tuple[Numbers, Small]:
    counts, inputs = _spread(chain.first_input, asked)
    return counts, chain.spends[inputs]


def _spread(starts: Numbers, asked: Numbers) -> tuple[Numbers, Numbers]:
    """How many rows each transaction has, and the places of all of them, one transaction after the other."""
    first, counts = starts[asked], starts[asked + 1] - starts[asked]
    return counts, np.repeat(first - (np.cumsum(counts) - counts), counts) + np.arange(counts.sum())

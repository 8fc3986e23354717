"""A stretch of the chain with all that the rules about change ask of it, so that no more than a stretch is held."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from casewright.chain.columns import KINDS, UNKNOWN, UNTOLD, Chain, Numbers, Small
from casewright.chain.links import PORTION, Flags

NO_PAYMENT = KINDS.index("op_return")
MIXED = len(KINDS)


@dataclass(frozen=True)
class Part:
    """`count` transactions, counted from 0, with their outputs in order. `counts`: outputs that are asked about, which
    are those with an amount, of transactions that spend, pay several such outputs and are no CoinJoins (`is_asked`)."""

    count: int
    first_output: int
    is_asked: Flags
    counts: Flags
    of: Numbers
    """Transaction of each output."""
    sats: Numbers
    holder: Small
    kind: NDArray[np.uint8]
    is_first: Flags
    """Nothing was paid to its holder before."""
    next_fee: Numbers
    """Fee of the transaction that spends the output; -1 where it is not known."""
    next_is_peel: Flags
    spent_in: Numbers
    """Transaction of each input."""
    spender: Numbers
    """Holder of each coin that is spent; -1 where it is not known."""
    fee: Numbers
    """Of each transaction; -1 where not all its coins are known."""
    least_spent: Numbers
    all_known: Flags
    several: Flags
    """It spends two coins or more."""
    one_kind: Flags
    spent_kind: NDArray[np.uint8]
    is_peel: Flags
    style: NDArray[np.uint8]
    """`Chain.style` of each transaction."""
    next_style: NDArray[np.uint8]
    """That of the transaction that spends the output; `UNTOLD` where none does."""

    @cached_property
    def goes_back(self) -> Flags:
        """Of each output, whether its transaction also spends from its holder."""
        known = self.spender != UNKNOWN
        spent = np.sort(_key(self.spent_in[known], self.spender[known]))
        paid = _key(self.of, self.holder)
        found: Flags = np.append(spent, -1)[np.searchsorted(spent, paid)] == paid
        return found


def _key(transaction: Numbers, holder: Small) -> Numbers:
    """One number for a transaction and a holder."""
    return transaction << 40 | holder


def parts(chain: Chain, left_out: Collection[int] = ()) -> Iterator[Part]:
    """The whole chain, stretch by stretch, in order."""
    fees, peels, joint = all_fees(chain), all_peels(chain), np.zeros(chain.transactions, bool)
    joint[np.fromiter(left_out, np.int64, len(left_out))] = True
    highest = -1
    for first in range(0, chain.transactions, PORTION):
        part = _part(chain, first, min(first + PORTION, chain.transactions), fees, peels, joint, highest)
        highest = max(highest, int(part.holder.max(initial=-1)))
        yield part


def _part(chain: Chain, first: int, end: int, fees: Numbers, peels: Flags, joint: Flags, highest: int) -> Part:
    count, low, high = end - first, int(chain.first_output[first]), int(chain.first_output[end])
    of = np.repeat(np.arange(count), np.diff(chain.first_output[first : end + 1]))
    holder, sats, kind = chain.holder[low:high], chain.sats[low:high], chain.kind[low:high]
    known = chain.spender[low:high] != UNKNOWN
    inputs = np.diff(chain.first_input[first : end + 1])
    pays = (kind != NO_PAYMENT) & (sats > 0)
    is_asked = (inputs > 0) & (np.bincount(of[pays], minlength=count) > 1) & ~joint[first:end]
    before = np.maximum.accumulate(np.append(highest, holder))[:-1]
    spends = chain.spends[chain.first_input[first] : chain.first_input[end]]
    spent_in = np.repeat(np.arange(count), inputs)
    least, kinds, all_known = _of_inputs(chain, spends, spent_in, count)
    return Part(
        count=count, first_output=low, is_asked=is_asked, counts=pays & is_asked[of], of=of, sats=sats, holder=holder,
        kind=kind, is_first=holder > before, next_fee=np.where(known, fees[chain.spender[low:high]], UNKNOWN),
        next_is_peel=known & peels[chain.spender[low:high]], spent_in=spent_in,
        spender=np.where(spends == UNKNOWN, UNKNOWN, chain.holder[spends]), fee=fees[first:end], least_spent=least,
        all_known=all_known, several=inputs > 1, one_kind=kinds < MIXED, spent_kind=kinds, is_peel=peels[first:end],
        style=chain.style[first:end], next_style=np.where(known, chain.style[chain.spender[low:high]], UNTOLD),
    )  # fmt: skip


def _of_inputs(chain: Chain, spends: Small, spent_in: Numbers, count: int) -> tuple[Numbers, NDArray[np.uint8], Flags]:
    """Of each transaction the least coin that it spends, their one kind (or MIXED), and whether all are known."""
    least, all_known = np.full(count, np.iinfo(np.int64).max), np.ones(count, bool)
    low, top = np.full(count, MIXED, np.uint8), np.zeros(count, np.uint8)
    known = spends != UNKNOWN
    all_known[spent_in[~known]] = False
    where, coins = spent_in[known], spends[known]
    np.minimum.at(least, where, chain.sats[coins])
    np.minimum.at(low, where, chain.kind[coins])
    np.maximum.at(top, where, chain.kind[coins])
    return least, np.where((low == top) & all_known, low, MIXED).astype(np.uint8), all_known


def all_fees(chain: Chain) -> Numbers:
    """Of each transaction what it spends more than it pays; -1 where not all its coins are known, or none."""
    fees = np.full(chain.transactions, UNKNOWN, np.int64)
    for first in range(0, chain.transactions, PORTION):
        end = min(first + PORTION, chain.transactions)
        spends = chain.spends[chain.first_input[first] : chain.first_input[end]]
        starts, paid = chain.first_input[first : end + 1], chain.first_output[first : end + 1]
        spent = _sums(np.where(spends == UNKNOWN, 0, chain.sats[spends]), starts)
        missing = _sums((spends == UNKNOWN).astype(np.int64), starts)
        fee = spent - _sums(chain.sats[paid[0] : paid[-1]], paid)
        fees[first:end] = np.where((missing == 0) & (np.diff(starts) > 0), fee, UNKNOWN)
    return fees


def all_peels(chain: Chain) -> Flags:
    """Transactions of one input and two outputs."""
    peels: Flags = (np.diff(chain.first_input) == 1) & (np.diff(chain.first_output) == 2)
    return peels


def _sums(values: Numbers, starts: Numbers) -> Numbers:
    """Sum of each stretch of the values, by where it begins; the last start is the end."""
    running = np.concatenate(([0], np.cumsum(values)))
    sums: Numbers = running[starts[1:] - starts[0]] - running[starts[:-1] - starts[0]]
    return sums

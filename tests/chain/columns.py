"""Chains of any shape as columns, without blocks: for laws that must hold over thousands of them."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from casewright.chain.columns import Chain

Spent = Sequence[int]
Paid = Sequence[tuple[int, int]]


def columns(transactions: Sequence[tuple[Spent, Paid]]) -> Chain:
    """Each transaction spends outputs by number (-1: unknown) and pays (holder, satoshis); one block each."""
    count = len(transactions)
    spends = [number for spent, _ in transactions for number in spent]
    paid = [output for _, pays in transactions for output in pays]
    spender = np.full(len(paid), -1)
    for transaction, (spent, _) in enumerate(transactions):
        for number in spent:
            if number >= 0:
                spender[number] = transaction
    holder = np.array([h for h, _ in paid], np.int64)
    return Chain(
        np.arange(count), np.arange(count) * 600,
        np.cumsum([0, *(len(s) for s, _ in transactions)]), np.cumsum([0, *(len(p) for _, p in transactions)]),
        np.array(spends, np.int64), np.array([sats for _, sats in paid], np.int64), holder,
        np.full(len(paid), 2, np.uint8), spender,
        pa.array([t.to_bytes(32, "little") for t in range(count)], pa.binary(32)),
        pa.array([f"holder {h}" for h in range(int(holder.max(initial=-1)) + 1)], pa.string()),
        np.full(count, 4, np.uint8),
    )  # fmt: skip

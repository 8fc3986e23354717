"""Wallets of very unequal size that spend their addresses: inputs for clustering, as many as one likes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.columns import Chain

PORTION = 1 << 20


@dataclass(frozen=True)
class Spent:
    """Transaction n spends from the addresses of one wallet: `many[n]` of them from number `first[n]` on, most of them
    used lately. Half of the transactions have one input."""

    starts: Any
    first: Any
    many: Any
    addresses: int

    @property
    def transactions(self) -> int:
        return len(self.first)

    def members(self, begin: int, end: int) -> Any:
        """Addresses of the inputs of some transactions, one after the other."""
        dice = np.random.default_rng(begin)
        counts = np.diff(self.starts[begin : end + 1])
        many = np.repeat(self.many[begin:end], counts)
        lately = np.repeat((np.arange(begin, end) / self.transactions * self.many[begin:end]).astype(np.int64), counts)
        back = np.minimum(dice.geometric(0.05, len(many)) - 1, 1000)
        return (np.repeat(self.first[begin:end], counts) + (lately + back) % many).astype(np.int32)

    def portions(self) -> Iterator[tuple[int, Any, Any]]:
        """First transaction, starts and members of each portion."""
        for begin in range(0, self.transactions, PORTION):
            end = min(begin + PORTION, self.transactions)
            starts = self.starts[begin : end + 1]
            yield begin, starts - starts[0], self.members(begin, end)


def spent(transactions: int, seed: int = 7) -> Spent:
    """About as many addresses as transactions; the more addresses a wallet has, the more often it pays."""
    dice = np.random.default_rng(seed)
    counts = np.minimum(dice.zipf(2.1, transactions), 200)
    ends = np.cumsum(np.minimum(dice.zipf(1.6, transactions), transactions // 10))
    ends = ends[ends <= transactions]
    holdings = np.diff(ends, prepend=0)
    who = np.searchsorted(ends, dice.integers(0, ends[-1], transactions), "right")
    starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    return Spent(starts, (ends - holdings)[who], holdings[who], int(ends[-1]))


def chain_like(made: Spent, folder: Path) -> Chain:
    """A chain whose transactions spend so, with two outputs each or so, as columns that lie in the folder. The first
    outputs pay each address once, and those are spent."""
    counts = np.full(made.transactions, 2)
    counts[::7], counts[3::50] = 1, 5
    first_output = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)
    outputs = int(first_output[-1])
    files = {name: (folder / name).open("wb") for name in ("spends", "holder", "sats", "kind")}
    for _, _, members in made.portions():
        members.astype(np.int64).tofile(files["spends"])
    for begin in range(0, outputs, PORTION):
        dice, size = np.random.default_rng(begin), min(PORTION, outputs - begin)
        numbers = np.arange(begin, begin + size)
        again = numbers >= made.addresses
        numbers[again] = dice.integers(0, made.addresses, int(again.sum()))
        numbers.astype(np.int64).tofile(files["holder"])
        sats = dice.integers(600, 10**9, size)
        sats[dice.random(size) < 0.1] = 1_000_000
        sats.astype(np.int64).tofile(files["sats"])
        np.full(size, 2, np.uint8).tofile(files["kind"])
    for file in files.values():
        file.close()
    mapped = {n: np.memmap(folder / n, np.uint8 if n == "kind" else np.int64, "r").view(np.ndarray) for n in files}
    nothing = np.zeros(max(outputs, made.transactions), np.int64)
    blank = pa.Array.from_buffers(pa.string(), made.addresses, [
        None, pa.py_buffer(np.zeros(made.addresses + 1, np.int32)), pa.py_buffer(b"")
    ])  # fmt: skip
    return Chain(
        nothing[: made.transactions], nothing[: made.transactions], made.starts, first_output, mapped["spends"],
        mapped["sats"], mapped["holder"], mapped["kind"], nothing[:outputs],
        pa.nulls(made.transactions, pa.binary(32)), blank, np.full(made.transactions, 4, np.uint8),
    )  # fmt: skip

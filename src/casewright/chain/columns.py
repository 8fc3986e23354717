"""The chain as columns: transactions, outputs and holders by number, so that nothing is joined on text.

The tables `transactions` and `outputs` stand in the order of the chain, and a row's place is its number. Whatever goes
through the whole chain (clusters, traces) works on these arrays, and turns numbers into ids only for what it says.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.engine.stage import Context

KINDS = ("p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr", "p2pk", "multisig", "op_return", "other")
"""Kinds of script; `Chain.kind` holds places in this list."""
UNKNOWN = -1
EPOCH_MICROS = 1_000_000
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Chain:
    """T transactions, I inputs, O outputs, H holders. A holder is an address or, where a script has none, the script.

    Transaction t spends `spends[first_input[t]:first_input[t + 1]]` (output numbers; -1: not in the chain files) and
    makes the outputs `first_output[t]` to `first_output[t + 1] - 1`. Arrays may be read-only and mapped from disk.
    """

    height: Numbers
    """Of each transaction's block, T; -1 where it is not known."""
    time: Numbers
    """Of each transaction's block, T; seconds since 1970, UTC."""
    first_input: Numbers
    first_output: Numbers
    spends: Numbers
    sats: Numbers
    holder: Numbers
    kind: NDArray[np.uint8]
    spender: Numbers
    """Transaction that spends each output, O; -1 while unspent."""
    txids: pa.ChunkedArray
    """In hex as explorers write them, T."""
    addresses: pa.Array
    """Of each holder, H; NULL where it is a script without one."""

    @property
    def transactions(self) -> int:
        return len(self.first_output) - 1

    @property
    def made_in(self) -> Numbers:
        """The transaction that made each output, O."""
        return np.repeat(np.arange(self.transactions), np.diff(self.first_output))

    def txid(self, transaction: int) -> str:
        return cast(str, self.txids[transaction].as_py())

    def address(self, holder: int) -> str | None:
        return cast(str | None, self.addresses[holder].as_py())

    def place(self, output: int) -> tuple[int, int]:
        """Transaction and vout of an output."""
        transaction = int(np.searchsorted(self.first_output, output, "right")) - 1
        return transaction, output - int(self.first_output[transaction])

    def coin(self, output: int) -> str:
        """An output as `txid:vout`."""
        transaction, vout = self.place(output)
        return f"{self.txid(transaction)}:{vout}"


def load_chain(context: Context) -> Chain:
    """The chain of a stage that reads `blocks`, `transactions`, `inputs` and `outputs`."""
    return chain_of(*(context.table(name) for name in ("blocks", "transactions", "inputs", "outputs")))


def chain_of(blocks: pa.Table, transactions: pa.Table, inputs: pa.Table, outputs: pa.Table) -> Chain:
    """The chain that four tables hold, their rows in the order of the chain."""
    block = pc.index_in(transactions["block"], blocks["hash"].combine_chunks())
    count = len(transactions)
    holder = numbers(outputs["holder"])
    return Chain(
        height=numbers(blocks["height"].take(block)),
        time=numbers(blocks["time"].cast(pa.int64()).take(block)) // EPOCH_MICROS,
        first_input=_starts(inputs["transaction"], count),
        first_output=_starts(outputs["transaction"], count),
        spends=numbers(inputs["spends"]),
        sats=numbers(outputs["sats"]),
        holder=holder,
        kind=_kinds(outputs["kind"]),
        spender=numbers(outputs["spender"]),
        txids=transactions["txid"],
        addresses=_addresses(holder, outputs["address"]),
    )


def numbers(column: Any) -> Numbers:
    """A column of integers; -1 for NULL."""
    return cast(Numbers, pc.fill_null(column, UNKNOWN).to_numpy().astype(np.int64, copy=False))


def _starts(of: pa.ChunkedArray, count: int) -> Numbers:
    """Where each transaction's rows begin, and the end: of rows in the order of transactions."""
    return np.concatenate(([0], np.cumsum(np.bincount(numbers(of), minlength=count)))).astype(np.int64)


def _kinds(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], pc.index_in(column, pa.array(KINDS)).to_numpy().astype(np.uint8))


def _addresses(holder: Numbers, addresses: pa.ChunkedArray) -> pa.Array:
    """Address of each holder: that of its first output. Holders are numbered as they first appear, so the first of each
    is where the largest number so far grows."""
    if not len(holder):
        return pa.array([], pa.string())
    before = np.concatenate(([-1], np.maximum.accumulate(holder)[:-1]))
    return addresses.take(pa.array(np.flatnonzero(holder > before))).combine_chunks()

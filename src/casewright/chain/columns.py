"""The chain as columns: transactions, outputs and holders by number, so that nothing is joined on text.

The tables `transactions` and `outputs` stand in the order of the chain, and a row's place is its number. Whatever goes
through the whole chain (clusters, traces) works on these arrays, and turns numbers into ids only for what it says.
`loading` makes them.
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.kernels.blocks import display
from casewright.kernels.encoding import hex_of

KINDS = ("p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr", "p2pk", "multisig", "op_return", "other")
"""Kinds of script; `Chain.kind` holds places in this list."""
UNKNOWN = -1
UNTOLD = 255
Numbers = NDArray[np.int64]
Small = NDArray[np.int32] | Numbers
"""Numbers that fit into 32 bits: so they are kept on the disk."""


@dataclass(frozen=True)
class Chain:
    """T transactions, I inputs, O outputs, H holders. A holder is an address or, where a script has none, the script.

    Transaction t spends `spends[first_input[t]:first_input[t + 1]]` (output numbers; -1: not in the chain files) and
    makes the outputs `first_output[t]` to `first_output[t + 1] - 1`. Arrays may be read-only and mapped from disk.
    """

    height: Small
    """Of each transaction's block, T; -1 where it is not known."""
    time: Numbers
    """Of each transaction's block, T; seconds since 1970, UTC."""
    first_input: Numbers
    first_output: Numbers
    spends: Small
    sats: Numbers
    holder: Small
    kind: NDArray[np.uint8]
    spender: Small
    """Transaction that spends each output, O; -1 while unspent."""
    txids: pa.FixedSizeBinaryArray
    """32 bytes each as they stand in blocks, T."""
    addresses: pa.Array
    """Of each holder, H; NULL where it is a script without one."""
    style: NDArray[np.uint8]
    """How a program writes each transaction, T: twice its version and one more where it sets a lock time; `UNTOLD`."""

    @property
    def transactions(self) -> int:
        return len(self.first_output) - 1

    @property
    def made_in(self) -> Numbers:
        """The transaction that made each output, O."""
        return np.repeat(np.arange(self.transactions), np.diff(self.first_output))

    def txid(self, transaction: int) -> str:
        return display(self.txids[transaction].as_py())

    def named(self, transactions: pa.Array) -> pa.Array:
        """The ids of some transactions, NULL for NULL."""
        raw = self.txids.take(transactions)
        text = hex_of(np.frombuffer(raw.buffers()[1], np.uint8)[: 32 * len(raw)]).cast(pa.string())
        return text if not raw.null_count else pc.if_else(raw.is_valid(), text, pa.scalar(None, pa.string()))

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


def numbers(column: Any) -> Numbers:
    """A column of integers; -1 for NULL."""
    return cast(Numbers, pc.fill_null(column, UNKNOWN).to_numpy().astype(np.int64, copy=False))


def as_texts(at: Numbers, texts: NDArray[np.uint8]) -> pa.LargeStringArray:
    """Texts that stand end to end, without a copy of them; NULL where there is nothing."""
    known = np.diff(at) > 0
    bits = pa.py_buffer(np.packbits(known, bitorder="little"))
    nulls = len(known) - int(known.sum())
    return pa.LargeStringArray.from_buffers(len(known), pa.py_buffer(at), pa.py_buffer(texts), bits, nulls)

"""The chain as columns: transactions, outputs and holders by number, so that nothing is joined on text.

The tables `transactions` and `outputs` stand in the order of the chain, and a row's place is its number. Whatever goes
through the whole chain (clusters, traces) works on these arrays, and turns numbers into ids only for what it says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.engine.parts import HeldPart, TablePart
from casewright.engine.stage import Context

KINDS = ("p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr", "p2pk", "multisig", "op_return", "other")
"""Kinds of script; `Chain.kind` holds places in this list."""
UNKNOWN = -1
EPOCH_MICROS = 1_000_000
Numbers = NDArray[np.int64]
Parts = Sequence[TablePart]


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
    """The chain of a stage that reads `blocks`, `transactions`, `inputs` and `outputs`; of the last three it holds the
    numbers only, which are taken part by part."""
    return _chain(context.table("blocks"), *(context.parts(name) for name in ("transactions", "inputs", "outputs")))


def chain_of(blocks: pa.Table, transactions: pa.Table, inputs: pa.Table, outputs: pa.Table) -> Chain:
    """The chain that four tables hold, their rows in the order of the chain."""
    return _chain(blocks, *([HeldPart(table)] for table in (transactions, inputs, outputs)))


def _chain(blocks: pa.Table, transactions: Parts, inputs: Parts, outputs: Parts) -> Chain:
    hashes = blocks["hash"].combine_chunks()
    block = _columns(transactions, {"block": lambda column: numbers(pc.index_in(column, hashes))})["block"]
    spends = _columns(inputs, {"transaction": numbers, "spends": numbers})
    coins = _columns(outputs, {**dict.fromkeys(("transaction", "sats", "holder", "spender"), numbers), "kind": _kinds})
    return Chain(
        height=numbers(blocks["height"].take(pa.array(block))),
        time=numbers(blocks["time"].cast(pa.int64()).take(pa.array(block))) // EPOCH_MICROS,
        first_input=_starts(spends["transaction"], len(block)),
        first_output=_starts(coins["transaction"], len(block)),
        spends=spends["spends"],
        sats=coins["sats"],
        holder=coins["holder"],
        kind=coins["kind"].astype(np.uint8, copy=False),
        spender=coins["spender"],
        txids=_joined([part.read(["txid"])["txid"] for part in transactions]),
        addresses=_addresses(outputs),
    )


def _columns(parts: Parts, turns: Mapping[str, Callable[[Any], NDArray[Any]]]) -> dict[str, NDArray[Any]]:
    """Some columns as arrays, each part turned into numbers before the next one is read."""
    found: dict[str, list[NDArray[Any]]] = {name: [] for name in turns}
    for part in parts:
        rows = part.read(list(turns))
        for name, turn in turns.items():
            found[name].append(turn(rows[name]))
    return {name: np.concatenate(found.pop(name) or [np.empty(0, np.int64)]) for name in turns}


def _joined(columns: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())


def numbers(column: Any) -> Numbers:
    """A column of integers; -1 for NULL."""
    return cast(Numbers, pc.fill_null(column, UNKNOWN).to_numpy().astype(np.int64, copy=False))


def _starts(of: Numbers, count: int) -> Numbers:
    """Where each transaction's rows begin, and the end: of rows in the order of transactions."""
    return np.concatenate(([0], np.cumsum(np.bincount(of, minlength=count)))).astype(np.int64)


def _kinds(column: pa.ChunkedArray) -> NDArray[np.uint8]:
    return cast(NDArray[np.uint8], pc.index_in(column, pa.array(KINDS)).to_numpy().astype(np.uint8))


def _addresses(outputs: Parts) -> pa.Array:
    """Address of each holder: that of its first output. Holders are numbered as they first appear, so the first of each
    is where the largest number so far grows."""
    highest, found = UNKNOWN, []
    for part in outputs:
        rows = part.read(["holder", "address"])
        holder = numbers(rows["holder"])
        before = np.maximum.accumulate(np.concatenate(([highest], holder)))
        found.append(rows["address"].take(pa.array(np.flatnonzero(holder > before[:-1]))))
        highest = before[-1]
    return _joined(found).combine_chunks()

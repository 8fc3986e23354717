"""The chain put together the slow and obvious way, one row after the other: what the stage `blocks` must give."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pyarrow as pa

from casewright.chain.heights import GENESIS, Place, places
from casewright.kernels.blocks import Block, Transaction, display
from casewright.model.bitcoin import address_of_script
from casewright.model.tables import TABLES

Columns = dict[str, list[Any]]
WRITES = ("blocks", "transactions", "inputs", "outputs")
LAST = 1 << 62


class Stored(NamedTuple):
    """A whole block and where it stands."""

    block: Block
    exhibit: str
    path: bytes
    start: int


def tables_of(found: Iterable[Stored], network: str) -> dict[str, pa.Table]:
    """The four tables of the blocks, which come in the order of their files."""
    once: dict[bytes, Stored] = {}
    for stored in found:
        once.setdefault(stored.block.hash, stored)
    placed = places((s.block for s in once.values()), GENESIS[network])
    ordered = sorted(once.values(), key=lambda s: _order(s, placed[s.block.hash]))
    writer = Writer(network, _spenders(ordered, placed))
    for stored in ordered:
        writer.block(stored, placed[stored.block.hash])
    return writer.tables()


def _order(stored: Stored, place: Place) -> tuple[int, str, int, bytes]:
    height = LAST if place.height is None else place.height
    return (height, place.state, stored.block.time, stored.block.hash[::-1])


def _spenders(ordered: list[Stored], placed: Mapping[bytes, Place]) -> dict[tuple[bytes, int], bytes]:
    """The transaction that spends each output: the first in the order of the chain."""
    spenders: dict[tuple[bytes, int], bytes] = {}
    for stored in ordered:
        if placed[stored.block.hash].state != "stale":
            for transaction in stored.block.transactions:
                for spend in transaction.spends:
                    spenders.setdefault(spend, transaction.txid)
    return spenders


@dataclass
class Writer:
    """Collects the four tables column by column."""

    network: str
    spenders: Mapping[tuple[bytes, int], bytes]
    columns: dict[str, Columns] = field(
        default_factory=lambda: {name: {c: [] for c in TABLES[name].schema.names} for name in WRITES}
    )
    numbers: dict[bytes, int] = field(default_factory=dict)
    first_output: list[int] = field(default_factory=list)
    holders: dict[str | bytes, int] = field(default_factory=dict)
    scripts: dict[bytes, tuple[str | None, str]] = field(default_factory=dict)

    def tables(self) -> dict[str, pa.Table]:
        """All four, once the last block was given: only then is every transaction numbered."""
        inputs, outputs = self.columns["inputs"], self.columns["outputs"]
        inputs["spends"] = [
            self._output(*spent) for spent in zip(inputs["prev_txid"], inputs["prev_vout"], strict=True)
        ]
        outputs["spender"] = [None if t is None else self._number(t) for t in outputs["spent_by"]]
        return {name: pa.table(self.columns[name], schema=TABLES[name].schema) for name in WRITES}

    def block(self, stored: Stored, place: Place) -> None:
        block = stored.block
        self._add("blocks", hash=display(block.hash), height=place.height, state=place.state, prev=display(block.prev),
                  time=datetime.fromtimestamp(block.time, UTC).replace(tzinfo=None),
                  transactions=len(block.transactions), exhibit=stored.exhibit, path=stored.path,
                  span_start=stored.start, span_length=block.size, row=None)  # fmt: skip
        for position, transaction in enumerate(block.transactions) if place.state != "stale" else ():
            # two coinbases of 2010 repeat older ones (BIP 30), and unconnected blocks may repeat what the chain has
            if transaction.txid not in self.numbers:
                self.numbers[transaction.txid] = len(self.numbers)
                self.first_output.append(len(self.columns["outputs"]["txid"]))
                self._transaction(stored, position, transaction)

    def _transaction(self, stored: Stored, position: int, transaction: Transaction) -> None:
        txid, number = display(transaction.txid), self.numbers[transaction.txid]
        self._add("transactions", txid=txid, block=display(stored.block.hash), position=position,
                  coinbase=transaction.coinbase, exhibit=stored.exhibit, path=stored.path,
                  span_start=stored.start + transaction.start, span_length=transaction.length, row=None,
                  version=transaction.version, lock_time=transaction.lock_time)  # fmt: skip
        for vin, spend in enumerate(() if transaction.coinbase else transaction.spends):
            self._add("inputs", txid=txid, vin=vin, prev_txid=display(spend.txid), prev_vout=spend.vout,
                      transaction=number)  # fmt: skip
        for vout, coin in enumerate(transaction.coins):
            address, kind = self._script(coin.script)
            spender = self.spenders.get((transaction.txid, vout))
            self._add("outputs", txid=txid, vout=vout, sats=coin.sats, address=address, kind=kind,
                      spent_by=display(spender) if spender else None, transaction=number,
                      holder=self.holders.setdefault(address or coin.script, len(self.holders)))  # fmt: skip

    def _number(self, txid: str) -> int | None:
        return self.numbers.get(bytes.fromhex(txid)[::-1])

    def _output(self, txid: str, vout: int) -> int | None:
        """Number of an output; None when its transaction is not here, or has no such output."""
        number = self._number(txid)
        if number is None:
            return None
        last = number + 1 == len(self.first_output)
        after = len(self.columns["outputs"]["txid"]) if last else self.first_output[number + 1]
        output = self.first_output[number] + vout
        return output if output < after else None

    def _script(self, script: bytes) -> tuple[str | None, str]:
        if script not in self.scripts:
            self.scripts[script] = address_of_script(script, self.network)
        return self.scripts[script]

    def _add(self, table: str, **values: Any) -> None:
        columns = self.columns[table]
        for name, value in values.items():
            columns[name].append(value)

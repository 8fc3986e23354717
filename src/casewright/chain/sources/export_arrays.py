"""The rows of an export as arrays: a quarter of what they take as text, so that a few millions fit into a child.

A value that is missing or cannot be is NONE (-1 for satoshis and places, which are never negative).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from casewright.chain.sources import export_columns as columns
from casewright.chain.sources.export_columns import NONE, Column, Numbers
from casewright.engine.stage import Context
from casewright.kernels.packing import script_keys
from casewright.kernels.runs import starts
from casewright.kernels.scripts import kinds_of
from casewright.model.bitcoin import MAX_SATS, NotAnAddress, script_of_address

MOST_PLACES = 1 << 30
LEAST_STAMP, MOST_STAMP = -1 << 31, (1 << 32) - 1
"""What a number of 32 bits can be; a negative one is what older nodes made of a version above 2,147,483,647."""
ASKED = 1000
"""Outputs with an address, one of which is to say of which network the export is."""
SPENT = "spent_transaction_hash"


class Transactions(NamedTuple):
    """`known`: it has an id; `block`: number of the block's hash among the export's, -1 for none."""

    txid: Column
    known: Column
    block: Column
    number: Column
    time: Column
    position: Column
    version: Column
    lock_time: Column
    row: Column

    def taken(self, rows: Column) -> "Transactions":
        return Transactions(*(column[rows] for column in self))


class Inputs(NamedTuple):
    """`holds`: what it spends is told."""

    txid: Column
    known: Column
    place: Column
    prev_txid: Column
    prev_vout: Column
    holds: Column


class Outputs(NamedTuple):
    """`keys`: scripts as they are kept (`packing.script_keys`); `kinds`: places in KINDS."""

    txid: Column
    known: Column
    place: Column
    sats: Column
    kinds: Column
    keys: Any


Rows = Transactions | Inputs | Outputs
Made = list[tuple[str, Rows]]


@dataclass
class Export:
    """What was read so far."""

    network: str
    context: Context
    blocks: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[Rows]] = field(default_factory=lambda: {"transactions": [], "inputs": [], "outputs": []})
    addresses: list[str] = field(default_factory=list)

    def add(self, kind: str, tables: Iterable[tuple[pa.Table, Numbers]]) -> None:
        """The rows of one file, each table with the rows' numbers in it: all of them or, where reading fails, none."""
        made: Made = []
        for table, rows in tables:
            made += self._made(kind, table, rows)
        for name, some in made:
            self.parts[name].append(some)

    def take(self, kind: str) -> Any:
        """All rows of one kind, which are then no longer kept here."""
        parts, self.parts[kind] = self.parts[kind], []
        if not parts:
            self.add(kind, [(pa.table({}), np.empty(0, np.int64))])
            return self.take(kind)
        joined = [list(column) for column in zip(*parts, strict=True)]
        form = type(parts[0])
        parts.clear()
        return form(*_joined(joined))

    def _made(self, kind: str, table: pa.Table, rows: Numbers) -> Made:
        """Rows of one file; those within transactions count, too. A file of blocks says what transactions say."""
        if kind == "inputs":
            return [(kind, self._inputs(table, columns.hashes(table, "transaction_hash")))]
        if kind == "outputs":
            return [(kind, self._outputs(table, columns.hashes(table, "transaction_hash")))]
        if kind != "transactions":
            return []
        ids = columns.hashes(table, "hash")
        made: Made = [(kind, self._transactions(table, ids, rows))]
        for name, form in (("inputs", self._inputs), ("outputs", self._outputs)):
            if inner := columns.inner(table, name):
                made.append((name, form(inner.rows, (ids[0][inner.owner], ids[1][inner.owner]))))
        return made

    def _transactions(self, table: pa.Table, ids: tuple[Column, Column], rows: Numbers) -> Transactions:
        number, position = (columns.numbers(table, name, self.context) for name in ("block_number", "index"))
        time = columns.times(table, "block_timestamp", self.context)
        version, lock_time = (_stamps(columns.numbers(table, n, self.context)) for n in ("version", "lock_time"))
        return Transactions(*ids, self._blocks(table), number, time, position, version, lock_time, rows)

    def _blocks(self, table: pa.Table) -> Column:
        names, code = columns.each(table, "block_hash")
        _, known = columns.hashes(names, "block_hash")
        told = zip(names["block_hash"].to_pylist(), known, strict=True)
        numbers = [self.blocks.setdefault(_text(name), len(self.blocks)) if there else -1 for name, there in told]
        return np.array([*numbers, -1], np.int32)[code]

    def _inputs(self, table: pa.Table, ids: tuple[Column, Column]) -> Inputs:
        """A row without anything that it spends is a coinbase's."""
        spending = columns.is_there(table, SPENT)
        table, ids = table.filter(pa.array(spending)), (ids[0][spending], ids[1][spending])
        prev, told = columns.hashes(table, SPENT)
        vout = columns.numbers(table, "spent_output_index", self.context)
        holds = told & (vout != NONE)
        return Inputs(*ids, self._places(table), prev, np.where(holds, vout, 0).astype("<u4"), holds)

    def _outputs(self, table: pa.Table, ids: tuple[Column, Column]) -> Outputs:
        if len(self.addresses) < ASKED:
            some = columns.addresses(table.slice(0, 4 * ASKED), self.context).drop_null()
            self.addresses += some.slice(0, ASKED - len(self.addresses)).to_pylist()
        raw, at = self._scripts(table)
        sizes, keys = script_keys(raw, at[:-1], np.diff(at))
        ends = pa.py_buffer(starts(sizes))
        kept = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(sizes), [None, ends, pa.py_buffer(keys)])
        sats = columns.numbers(table, "value", self.context)
        sats = np.where((sats >= 0) & (sats <= MAX_SATS), sats, -1)
        return Outputs(*ids, self._places(table), sats, kinds_of(raw, at), kept)

    def _scripts(self, table: pa.Table) -> tuple[bytes, Numbers]:
        """The scripts as the export has them or, where it names only an address, those that pay it; else empty ones."""
        raw, at, known = columns.scripts(table, "script_hex")
        if known.all():
            return raw.tobytes(), at
        named = columns.addresses(table, self.context).dictionary_encode()
        paying = [*(_paying(address, self.network) for address in named.dictionary.to_pylist()), b""]
        codes = named.indices.fill_null(-1).to_numpy(zero_copy_only=False)
        own = [raw[at[row] : at[row + 1]].tobytes() if known[row] else paying[codes[row]] for row in range(len(table))]
        return b"".join(own), starts(np.fromiter(map(len, own), np.int64, len(own)))

    def _places(self, table: pa.Table) -> Column:
        place = columns.numbers(table, "index", self.context)
        return np.where((place >= 0) & (place < MOST_PLACES), place, -1).astype(np.int32)


def _text(name: str | bytes) -> str:
    return (name.decode("ascii") if isinstance(name, bytes) else name).lower()


def _stamps(told: Numbers) -> Numbers:
    return np.where((told >= LEAST_STAMP) & (told <= MOST_STAMP), told & MOST_STAMP, NONE)


def _joined(parts: list[list[Any]]) -> Iterator[Any]:
    """Each column in one piece; what it was put together from is let go of at once."""
    for column in parts:
        whole = pa.concat_arrays(column) if isinstance(column[0], pa.Array) else np.concatenate(column)
        column.clear()
        yield whole


@lru_cache(1 << 16)
def _paying(address: str | None, network: str) -> bytes:
    try:
        return script_of_address(address, network) if address else b""
    except NotAnAddress:
        return b""

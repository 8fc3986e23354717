"""The rows of an export as arrays: a quarter of what they take as text, so that a few millions fit into a child.

A value that is missing or cannot be is NONE (-1 for satoshis and places, which are never negative).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.assembly import flat, sizes_of
from casewright.chain.sources.export_rows import EMPTY
from casewright.kernels.encoding import raw_of
from casewright.kernels.packing import script_keys
from casewright.kernels.runs import starts
from casewright.kernels.scripts import kinds_of
from casewright.model.bitcoin import NotAnAddress, script_of_address

NONE = (1 << 63) - 1
MOST_PLACES = 1 << 30
ASKED = 1000
"""Outputs with an address, one of which is to say of which network the export is."""
Column = NDArray[Any]


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


@dataclass
class Export:
    """What was read so far."""

    network: str
    blocks: dict[str, int] = field(default_factory=dict)
    parts: dict[str, list[Rows]] = field(default_factory=lambda: {"transactions": [], "inputs": [], "outputs": []})
    addresses: list[str] = field(default_factory=list)

    def add(self, tables: Iterable[dict[str, pa.Table]]) -> None:
        """The rows of one file, as `export_rows.plain` has them: all of them or, where reading fails, none."""
        forms: dict[str, Callable[[pa.Table], Rows]] = {
            "transactions": self._transactions, "inputs": _inputs, "outputs": self._outputs}  # fmt: skip
        made = [(kind, forms[kind](rows)) for some in tables for kind, rows in some.items()]
        for kind, rows in made:
            self.parts[kind].append(rows)

    def take(self, kind: str) -> Any:
        """All rows of one kind, which are then no longer kept here."""
        parts, self.parts[kind] = self.parts[kind], []
        if not parts:
            self.add([{kind: EMPTY[kind].empty_table()}])
            return self.take(kind)
        columns = [list(column) for column in zip(*parts, strict=True)]
        form = type(parts[0])
        parts.clear()
        return form(*_joined(columns))

    def _transactions(self, rows: pa.Table) -> Transactions:
        numbers = (rows[name].fill_null(NONE).to_numpy() for name in Transactions._fields[3:])
        blocks = rows["block"].combine_chunks().dictionary_encode()
        codes = [-1, *(self.blocks.setdefault(name, len(self.blocks)) for name in blocks.dictionary.to_pylist())]
        block = np.array(codes, np.int32)[1 + blocks.indices.fill_null(-1).to_numpy()]
        return Transactions(*_hashes(rows["txid"]), block, *numbers)

    def _outputs(self, rows: pa.Table) -> Outputs:
        if len(self.addresses) < ASKED:
            self.addresses += rows["address"].drop_null().slice(0, ASKED - len(self.addresses)).to_pylist()
        scripts = self._scripts(rows)
        raw, at = flat(scripts).tobytes(), starts(sizes_of(scripts))
        sizes, keys = script_keys(raw, at[:-1], np.diff(at))
        ends = pa.py_buffer(starts(sizes))
        kept = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(sizes), [None, ends, pa.py_buffer(keys)])
        sats = rows["sats"].fill_null(-1).to_numpy()
        return Outputs(*_hashes(rows["txid"]), _places(rows), sats, kinds_of(raw, at), kept)

    def _scripts(self, rows: pa.Table) -> pa.ChunkedArray:
        """The scripts as the export has them or, where it names only an address, those that pay it; else empty ones."""
        script, address = rows["script"], rows["address"]
        if not script.null_count:
            return script
        told = zip(script.to_pylist(), address.to_pylist(), strict=True)
        return pa.chunked_array([[_paying(a, self.network) if s is None else s for s, a in told]], pa.binary())


def _inputs(rows: pa.Table) -> Inputs:
    prev, told = _hashes(rows["prev_txid"])
    vout = rows["prev_vout"]
    holds = told & vout.is_valid().to_numpy()
    return Inputs(*_hashes(rows["txid"]), _places(rows), prev, vout.fill_null(0).to_numpy().astype("<u4"), holds)


def _hashes(column: pa.ChunkedArray) -> tuple[Column, Column]:
    """Hashes [n, 32] of their texts, and which are there."""
    known = column.is_valid().to_numpy()
    hashes = np.zeros((len(known), 32), np.uint8)
    hashes[known] = raw_of(flat(column.drop_null())).reshape(-1, 32)
    return hashes, known


def _places(rows: pa.Table) -> Column:
    place = rows["place"].fill_null(-1).to_numpy()
    return np.where((place >= 0) & (place < MOST_PLACES), place, -1).astype(np.int32)


def _joined(columns: list[list[Any]]) -> Iterator[Any]:
    """Each column in one piece; what it was put together from is let go of at once."""
    for column in columns:
        whole = pa.concat_arrays(column) if isinstance(column[0], pa.Array) else np.concatenate(column)
        column.clear()
        yield whole


@lru_cache(1 << 16)
def _paying(address: str | None, network: str) -> bytes:
    try:
        return script_of_address(address, network) if address else b""
    except NotAnAddress:
        return b""

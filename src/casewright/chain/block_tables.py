"""Rows of `transactions`, `inputs` and `outputs` for one segment of the chain."""

import hashlib
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.chain.assembly import Numbers, flat, sizes_of
from casewright.chain.joins import Joined, of_kept_outputs
from casewright.chain.segments import Survey, of_kept
from casewright.kernels.encoding import addresses_of, hex_of
from casewright.kernels.joining import SPEND, UNKNOWN
from casewright.kernels.runs import starts
from casewright.kernels.scripts import KINDS
from casewright.model.tables import TABLES


@dataclass(frozen=True)
class Told:
    """A segment on its way to the tables. `txids`: of the whole chain, flat; `holder`: of the segment's outputs;
    `spender`: of its outputs, from 1 on; `blocks`: its rows of that table."""

    read: Survey
    joined: Joined
    txids: NDArray[np.uint8]
    holder: NDArray[np.int32]
    spender: NDArray[np.int32]
    blocks: pa.Table

    @property
    def places_key(self) -> str:
        """Names what `transactions` says: the same block may come to stand in another exhibit, too, and first there."""
        exhibits, paths = (self.blocks[name].to_pylist() for name in ("exhibit", "path"))
        places = hashlib.sha256("\n".join(e + p.hex() for e, p in zip(exhibits, paths, strict=True)).encode())
        return f"{self.joined.segment.key} {places.hexdigest()}"

    @property
    def inputs_key(self) -> str:
        """Names what `inputs` says."""
        return f"{self.joined.segment.key} {_digest(self.joined.late, self.joined.spends[self.joined.late])}"

    @property
    def outputs_key(self) -> str:
        """Names what `outputs` says: a spender's number may stay when another transaction takes its place."""
        return f"{self.joined.segment.key} {_digest(self.spender, self._spenders())}"

    def _spenders(self) -> NDArray[np.uint8]:
        spent = self.spender[self.spender > 0]
        return self.txids.reshape(-1, 32)[spent - 1]

    def _names(self) -> pa.Array:
        first, count = self.joined.transactions, len(self.joined.first_input) - 1
        return hex_of(self.txids.reshape(-1, 32)[first : first + count]).cast(pa.string())

    def transactions(self) -> pa.Table:
        rows, kept = (
            self.read.read(self.joined.segment.rows, ("transactions", "shapes", "stamps", "span_start", "span_length")),
            self.joined.kept,
        )
        counts, length = rows["transactions"].to_numpy(), flat(rows["shapes"], "<u4").reshape(-1, 3)[:, 0]
        position = np.arange(len(length)) - np.repeat(starts(counts)[:-1], counts)
        blocks = self.blocks.select(["hash", "exhibit", "path", "span_start"])
        blocks = blocks.take(pa.array(np.repeat(np.arange(len(rows)), counts)[kept]))
        exported = blocks["span_start"].is_null().to_numpy()
        size = length[kept].astype(np.int64)
        columns = {
            "txid": self._names(),
            "block": blocks["hash"],
            "position": position[kept],
            "coinbase": np.diff(self.joined.first_input) == 0,
            "exhibit": blocks["exhibit"],
            "path": blocks["path"],
            "span_start": pa.array(_places(rows, length, counts)[kept], mask=exported),
            "span_length": pa.array(size, mask=exported),
            "row": pa.array(size, mask=~exported),
            **_stamps(rows["stamps"], counts, kept),
        }
        return pa.table(columns, schema=TABLES["transactions"].schema)

    def inputs(self) -> pa.Table:
        rows = self.read.read(self.joined.segment.rows, ("shapes", "spends"))
        inputs = flat(rows["shapes"], "<u4").reshape(-1, 3)[:, 1]
        spend = of_kept(flat(rows["spends"]).reshape(-1, SPEND), inputs, self.joined.kept)
        of, place = _of(self.joined.first_input)
        spends = self.joined.spends
        columns = {
            "txid": self._names().take(pa.array(of)),
            "vin": place,
            "prev_txid": hex_of(spend[:, :32]).cast(pa.string()),
            "prev_vout": np.ascontiguousarray(spend[:, 32:]).view("<u4").ravel().astype(np.int64),
            "transaction": of + self.joined.transactions,
            "spends": pa.array(spends.astype(np.int64), mask=spends == UNKNOWN),
        }
        return pa.table(columns, schema=TABLES["inputs"].schema)

    def outputs(self, network: str) -> pa.Table:
        rows, kept = (
            self.read.read(self.joined.segment.rows, ("shapes", "sats", "kinds", "script_sizes", "scripts")),
            self.joined.kept,
        )
        counts, sizes = flat(rows["shapes"], "<u4").reshape(-1, 3)[:, 2], flat(rows["script_sizes"])
        scripts = of_kept(flat(rows["scripts"]), sizes, of_kept_outputs(counts, kept))
        of, place = _of(self.joined.first_output)
        spent = pa.array(self.spender > 0)
        names = hex_of(self._spenders()).cast(pa.string())
        columns = {
            "txid": self._names().take(pa.array(of)),
            "vout": place,
            "sats": of_kept(flat(rows["sats"], "<i8"), counts, kept),
            "address": _addresses(scripts, starts(of_kept(sizes, counts, kept)), self.holder, network),
            "kind": pa.array(KINDS).take(pa.array(of_kept(flat(rows["kinds"]), counts, kept))),
            "spent_by": names.take(_numbered(spent)),
            "transaction": of + self.joined.transactions,
            "holder": self.holder.astype(np.int64),
            "spender": pa.array(self.spender.astype(np.int64) - 1, mask=self.spender == 0),
        }
        return pa.table(columns, schema=TABLES["outputs"].schema)


def _digest(*arrays: NDArray[Any]) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()


def _numbered(chosen: pa.Array) -> pa.Array:
    """Of each row that is chosen, its place among those; NULL for the others."""
    return pc.if_else(chosen, pc.subtract(pc.cumulative_sum(chosen.cast(pa.int64())), 1), pa.scalar(None, pa.int64()))


def _addresses(scripts: NDArray[np.uint8], at: Numbers, holder: NDArray[np.int32], network: str) -> pa.ChunkedArray:
    """Address of each output; one that comes again is computed once."""
    _, first, which = np.unique(holder, return_index=True, return_inverse=True)
    own = np.zeros(len(holder), np.bool_)
    own[first] = True
    sizes = np.diff(at)
    found = addresses_of(scripts[np.repeat(own, sizes)], starts(sizes[own]), network)
    return found.take(pa.array((np.cumsum(own) - 1)[first][which]))


def _stamps(column: pa.ChunkedArray, counts: Numbers, kept: NDArray[np.bool_]) -> dict[str, pa.Array]:
    """Version and lock time of each transaction that is kept; NULL in blocks of exports that do not tell them."""
    told = np.repeat(sizes_of(column) > 0, counts)
    found = np.zeros((len(told), 2), np.int64)
    found[told] = flat(column, "<u4").reshape(-1, 2)
    return {name: pa.array(found[kept, n], mask=~told[kept]) for n, name in enumerate(("version", "lock_time"))}


def _places(rows: pa.Table, length: NDArray[Any], counts: Numbers) -> Numbers:
    """First byte of each transaction: they stand without gaps at their block's end. Without meaning in exports."""
    ends = np.cumsum(length, dtype=np.int64)
    end_of_block = np.repeat(ends[np.cumsum(counts) - 1], counts) if len(counts) else ends
    span_start, span_length = (rows[name].fill_null(0).to_numpy() for name in ("span_start", "span_length"))
    ends_at: Numbers = np.repeat(span_start + span_length, counts)
    return cast(Numbers, ends_at - (end_of_block - ends) - length)


def _of(first: Numbers) -> tuple[Any, Any]:
    """Of each row its transaction, counted from the segment's first, and its place in it."""
    counts = np.diff(first)
    of = np.repeat(np.arange(len(counts)), counts)
    return of, np.arange(len(of)) - np.repeat(first[:-1], counts)

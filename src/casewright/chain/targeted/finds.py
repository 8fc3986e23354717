"""Transactions that a search found, packed as arrays: out of their file into rows, and out of these again.

A row holds those of one block that one turn of the search found. What came from a child is looked over before it is
taken apart.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.assembly import is_sound
from casewright.chain.reading import packed_blocks
from casewright.chain.source import blobs
from casewright.kernels.blockcolumns import Columns, as_bytes
from casewright.kernels.blockfiles import Plain
from casewright.kernels.joining import SPEND
from casewright.kernels.packing import spans_of
from casewright.kernels.picked import picked
from casewright.kernels.runs import starts
from casewright.kernels.targeted import Hits, Places, Searched
from casewright.kernels.undo_pairs import Undone
from casewright.model.tables import TABLES

Numbers = NDArray[np.int64]
PACKED = ("txids", "shapes", "stamps", "spends", "sats", "kinds", "script_sizes", "scripts")
OWN = {"positions": 4, "starts": 4, "whys": 1}
"""Arrays with one number a transaction, and its bytes."""
UNKNOWN = -1
OP_RETURN = 7


class Found(NamedTuple):
    """A transaction: its id, where it stands in its block, why it matters, and its arrays as `read_blocks` packs them.
    `heights`: of the blocks that made what it spends."""

    txid: bytes
    position: int
    start: int
    why: int
    length: int
    stamp: bytes
    spends: bytes
    heights: bytes
    sats: bytes
    kinds: bytes
    sizes: bytes
    scripts: bytes

    def inputs(self) -> Iterator[tuple[bytes, int, int]]:
        """Transaction, place and height of each coin that it spends."""
        heights = np.frombuffer(self.heights, "<i4").tolist()
        for row, height in enumerate(heights):
            at = SPEND * row
            yield self.spends[at : at + 32], int.from_bytes(self.spends[at + 32 : at + SPEND], "little"), height

    def outputs(self) -> Iterator[tuple[int, int, bytes]]:
        """Satoshis, kind and script of each output."""
        at = 0
        for sats, kind, size in zip(np.frombuffer(self.sats, "<i8").tolist(), self.kinds, self.sizes, strict=True):
            yield sats, kind, self.scripts[at : at + size]
            at += size


def found_in(file: Plain, places: Places, found: Searched) -> Columns:
    """The columns of what a search found, and of nothing else."""
    blocks, counts = np.unique(found.hits.block, return_counts=True)
    begin, size = places.begin[blocks], places.size[blocks]
    return picked(as_bytes(file.clear), begin, size, found.digest[blocks], counts, found.hits.start)


def heights_of(columns: Columns, block: Numbers, position: Numbers, undo: Undone) -> Numbers:
    """Of each input of these transactions the height of what it spends, as far as the undo data of its block says it
    and fits. `block` [T]: the number of each one's block there; `position` [T]: its place in it."""
    row, first = undo.first[block] + position - 1, starts(undo.coins.coins)
    row = np.where((undo.first[block] >= 0) & (position > 0), row, UNKNOWN)
    fits = row >= 0
    fits[fits] = undo.coins.coins[row[fits]] == columns.inputs[fits]
    coin = np.repeat(np.where(fits, first[row], UNKNOWN), columns.inputs)
    within = np.arange(len(coin)) - np.repeat(starts(columns.inputs)[:-1], columns.inputs)
    heights = np.full(len(coin), UNKNOWN, np.int64)
    heights[coin >= 0] = undo.coins.height[(coin + within)[coin >= 0]]
    return heights


def rows_of(columns: Columns, hits: Hits, heights: Numbers, content: str, clear: bytes, table: str) -> pa.Table:
    """Rows of the transactions found. `heights` [I]: of what they spend."""
    start = columns.start - np.repeat(columns.block_start, columns.transactions)
    packed, spans = packed_blocks(columns, content, clear), spans_of(columns)
    told: dict[str, Any] = {name: packed[name] for name in ("content", "hash", *PACKED)}
    told |= {
        "transactions": columns.transactions,
        "positions": blobs(hits.position.astype("<u4"), spans.transactions_at),
        "starts": blobs(start.astype("<u4"), spans.transactions_at),
        "whys": blobs(hits.why.astype(np.uint8), spans.transactions_at),
        "heights": blobs(heights[spans.spending].astype("<i4"), spans.inputs_at),
    }
    return pa.table([told[name] for name in TABLES[table].schema.names], schema=TABLES[table].schema)


def sound_finds(rows: pa.Table) -> pa.Table:
    """The rows whose arrays fit together."""
    count = rows["transactions"].to_numpy()
    fits = np.ones(len(rows), np.bool_)
    for name, size in {**OWN, "hash": 0, "heights": 0}.items():
        lengths = np.array([len(value) for value in rows[name].to_pylist()], np.int64)
        spends = np.array([len(value) for value in rows["spends"].to_pylist()], np.int64)
        fits &= lengths == (32 if name == "hash" else spends // SPEND * 4 if name == "heights" else size * count)
    rows = rows.filter(pa.array(fits))
    return rows.filter(pa.array(is_sound(_as_read(rows))))


def _as_read(rows: pa.Table) -> pa.Table:
    """As rows of `read_blocks`."""
    schema, nothing = TABLES["read_blocks"].schema, {"prev": pa.array([bytes(32)] * len(rows), pa.binary())}
    columns = [
        rows[f.name] if f.name in rows.column_names else nothing.get(f.name, pa.nulls(len(rows), f.type))
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def taken_apart(rows: pa.Table) -> Iterator[tuple[str, bytes, Found]]:
    """Content, block hash and transaction, of sound rows."""
    for row in rows.to_pylist():
        for found in _of_row(row):
            yield row["content"], row["hash"], found


def _of_row(row: Mapping[str, Any]) -> Iterator[Found]:
    shapes = np.frombuffer(row["shapes"], "<u4").reshape(-1, 3).tolist()
    numbers = zip(np.frombuffer(row["positions"], "<u4").tolist(), np.frombuffer(row["starts"], "<u4").tolist(),
                  row["whys"], strict=True)  # fmt: skip
    i = o = s = 0
    for t, ((length, inputs, outputs), (position, start, why)) in enumerate(zip(shapes, numbers, strict=True)):
        sizes = row["script_sizes"][o : o + outputs]
        size = sum(sizes)
        yield Found(
            row["txids"][32 * t : 32 * t + 32], position, start, why, length, row["stamps"][8 * t : 8 * t + 8],
            row["spends"][SPEND * i : SPEND * (i + inputs)], row["heights"][4 * i : 4 * (i + inputs)],
            row["sats"][8 * o : 8 * (o + outputs)], row["kinds"][o : o + outputs], sizes, row["scripts"][s : s + size],
        )  # fmt: skip
        i, o, s = i + inputs, o + outputs, s + size


def put_together(found: Iterable[Found]) -> dict[str, Any]:
    """Arrays of `read_blocks` for transactions of one block."""
    own = list(found)
    shapes = [(f.length, len(f.spends) // SPEND, len(f.kinds)) for f in own]
    return {
        "txids": b"".join(f.txid for f in own),
        "shapes": np.array(shapes, "<u4").tobytes(),
        **{name: b"".join(getattr(f, field) for f in own)
           for name, field in (("stamps", "stamp"), ("spends", "spends"), ("sats", "sats"), ("kinds", "kinds"),
                               ("script_sizes", "sizes"), ("scripts", "scripts"))},
    }  # fmt: skip

"""Exports of a chain as tables: Parquet, CSV, TSV and JSON lines, in the columns of bitcoin-etl and `crypto_bitcoin`.

Columns: https://github.com/blockchain-etl/bitcoin-etl (docs/schema.md) and the public data set of the same makers.
Transactions come with their inputs and outputs in them (Parquet) or beside them, as rows of their own. An export has no
raw bytes: ids, amounts and heights are taken as it says, and the blocks are called `exported` for that.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.chain.assembly import flat, sizes_of
from casewright.chain.source import blobs, output
from casewright.chain.sources.export_arrays import Export, Outputs
from casewright.chain.sources.export_columns import NONE
from casewright.chain.sources.export_order import Once, parents_first
from casewright.chain.sources.export_rows import kind_of, opened
from casewright.engine.stage import Context, Output
from casewright.kernels.runs import starts
from casewright.model.bitcoin import NotAnAddress, script_of_address, valid_address
from casewright.model.tables import TABLES

PIECE, MOST = 512, 1 << 17
"""Blocks that are given at once, and transactions after which there are no more."""
TEXTS = (".csv", ".tsv", ".json", ".jsonl")
ENDINGS = (".parquet", *TEXTS, *(f"{text}.gz" for text in TEXTS))
Numbers = NDArray[np.int64]


def is_export(name: str) -> bool:
    return name.endswith(ENDINGS)


def read_export(row: Mapping[str, Any], context: Context, network: str) -> Iterator[Output]:
    """The rows that every source gives, of all files of one export."""
    export, holder, problem = Export(network, context), None, ""
    for sha256, name in zip(row["sha256s"], row["names"], strict=True):
        try:
            with context.open(sha256) as file:
                schema, tables = opened(name, file)
                kind = kind_of(schema)
                export.add(kind or "", _numbered(tables, context))
        except (ValueError, OSError) as error:
            problem = f"{name} cannot be read: {error}"[:500]
            continue
        if not kind:
            problem = f"{name} has not the columns of an export (bitcoin-etl, crypto_bitcoin): {schema.names}"[:500]
        holder = sha256 if kind == "transactions" else holder
    if not problem and holder is None:
        problem = "the export has no file of transactions (columns hash and block_hash)"
    if other := _other_network(export.addresses, network):
        holder = None
        problem = f"holds addresses of {other}, but case.toml says {network}; correct the setting or leave the file out"
    told = {"content": row["content"], "packed": False, "sha256": holder, "detail": problem,
            "state": "unreadable" if problem else "blocks"}  # fmt: skip
    yield output(read_files=TABLES["read_files"].rows([told]))
    if holder is not None:
        yield from blocks_of(export, row["content"])


def _numbered(tables: Iterator[pa.Table], context: Context) -> Iterator[tuple[pa.Table, Numbers]]:
    first = 1
    for table in tables:
        yield table, np.arange(first, first + len(table))
        first += len(table)
        context.steps.alive()


def _other_network(named: Sequence[str], network: str) -> str | None:
    """The network that the first address is of, where that is not `network`; None where it is, or nothing is known."""
    of, first = next(((of, address) for address in named if (of := valid_address(address))), (None, ""))
    try:
        return None if of is None or script_of_address(first, network) else of
    except NotAnAddress:
        return of


class Held(NamedTuple):
    """Inputs or outputs of the transactions, in their order: rows of them, and where those of each begin."""

    rows: Numbers
    at: Numbers

    @classmethod
    def of(cls, owner: Numbers, place: NDArray[Any], count: int) -> "Held":
        rows = np.flatnonzero(owner >= 0)
        rows = rows[np.lexsort((place[rows], owner[rows]))]
        return cls(rows, starts(np.bincount(owner[rows], minlength=count)))

    def counts(self) -> Numbers:
        return np.diff(self.at)

    def in_order(self, place: NDArray[Any]) -> NDArray[np.bool_]:
        """Of each row whether it stands where it says."""
        within: NDArray[Any] = np.arange(len(self.rows)) - np.repeat(self.at[:-1], self.counts())
        return np.asarray(place[self.rows] == within, np.bool_)

    def of_some(self, first: int, kept: NDArray[np.bool_]) -> Numbers:
        """The rows of those of the transactions from `first` on that are kept."""
        at = self.at[first : first + len(kept) + 1]
        return self.rows[at[0] : at[-1]][np.repeat(kept, np.diff(at))]

    def with_any(self, wrong: NDArray[np.bool_]) -> Numbers:
        """The transactions that have a row of which this is so."""
        return np.repeat(np.arange(len(self.at) - 1), self.counts())[wrong]


def blocks_of(export: Export, content: str) -> Iterator[Output]:
    """`read_blocks` and `read_damage` of all that was read."""
    once = Once.of(export.take("transactions"), _ranks(export.blocks))
    inputs, outputs = export.take("inputs"), export.take("outputs")
    owner = once.owners(inputs.txid, inputs.known), once.owners(outputs.txid, outputs.known)
    order = once.in_order(owner[0])
    late = once.rows.position == NONE
    if late.any():
        order = parents_first(order, once, owner[0], once.owners(inputs.prev_txid, late[owner[0]] & inputs.holds))
    rows, count = once.rows.taken(order), len(order)
    number = np.append(np.argsort(order), -1)  # the last one: of what belongs to none
    ins, outs = Held.of(number[owner[0]], inputs.place, count), Held.of(number[owner[1]], outputs.place, count)
    lost = {"inputs": len(owner[0]) - len(ins.rows), "outputs": len(owner[1]) - len(outs.rows),
            "transactions": once.given - count}  # fmt: skip
    yield output(read_damage=TABLES["read_damage"].rows([
        {"content": content, "reason": "no transaction", "detail": f"{lot} rows of {name} belong to no transaction",
         "row": n}
        for n, (name, lot) in enumerate(lost.items()) if lot
    ]))  # fmt: skip
    wrong = (rows.block < 0) | (rows.number == NONE) | (rows.time == NONE) | (outs.counts() == 0)
    wrong[ins.with_any(~(ins.in_order(inputs.place) & inputs.holds[ins.rows]))] = True
    wrong[outs.with_any(~outs.in_order(outputs.place) | (outputs.sats[outs.rows] < 0))] = True
    yield from _given(Blocks(list(export.blocks), rows, inputs, outputs, ins, outs), wrong, content)


def _ranks(blocks: Mapping[str, int]) -> Numbers:
    """Of each block's number the place of its hash among all; of none the last one."""
    ranks = np.full(len(blocks) + 1, len(blocks), np.int64)
    for rank, name in enumerate(sorted(blocks)):
        ranks[blocks[name]] = rank
    return ranks


class Blocks(NamedTuple):
    """All that was read, in order; `names`: hashes of the blocks by their numbers."""

    names: Sequence[str]
    rows: Any
    inputs: Any
    outputs: Outputs
    ins: Held
    outs: Held

    def packed(self, first: Numbers, after: Numbers, content: str) -> pa.Table:
        """Rows of `read_blocks`, of blocks whose transactions begin and end there, one block behind the other."""
        kept = np.zeros(int(after[-1] - first[0]), np.bool_)
        kept[_within(first - first[0], after - first)] = True
        some = np.flatnonzero(kept) + first[0]
        ins, outs = self.ins.of_some(int(first[0]), kept), self.outs.of_some(int(first[0]), kept)
        in_counts, out_counts = self.ins.counts()[some], self.outs.counts()[some]
        at = starts(after - first)
        ins_at, outs_at = starts(in_counts)[at], starts(out_counts)[at]
        rows, inputs, outputs = self.rows, self.inputs, self.outputs
        hashes = b"".join(bytes.fromhex(self.names[code])[::-1] for code in rows.block[first].tolist())
        spends = np.concatenate([inputs.prev_txid[ins], inputs.prev_vout[ins].view(np.uint8).reshape(-1, 4)], axis=1)
        keys = pa.chunked_array([outputs.keys.take(pa.array(outs))])
        sizes = sizes_of(keys)
        each = np.arange(len(first) + 1)
        arrays = {
            "content": pa.array([content] * len(first), pa.string()),
            "hash": blobs(np.frombuffer(hashes, np.uint8).reshape(-1, 32), each),
            "prev": blobs(np.zeros((len(first), 32), np.uint8), each),
            "time": rows.time[first], "bits": np.zeros(len(first), np.int64), "height": rows.number[first],
            "span_start": pa.nulls(len(first), pa.int64()), "span_length": pa.nulls(len(first), pa.int64()),
            "transactions": after - first,
            "txids": blobs(rows.txid[some], at),
            "shapes": blobs(np.stack([rows.row[some], in_counts, out_counts], axis=1).astype("<u4"), at),
            "stamps": self._stamps(some, at),
            "spends": blobs(spends, ins_at),
            "sats": blobs(outputs.sats[outs].astype("<i8"), outs_at),
            "kinds": blobs(outputs.kinds[outs], outs_at),
            "script_sizes": blobs(sizes.astype(np.uint8), outs_at),
            "scripts": blobs(flat(keys), starts(sizes)[outs_at]),
        }  # fmt: skip
        return pa.table(arrays, schema=TABLES["read_blocks"].schema)

    def _stamps(self, some: Numbers, at: Numbers) -> pa.Array:
        """Versions and lock times; none of a block with a transaction of which they are not told."""
        stamps = np.stack([self.rows.version[some], self.rows.lock_time[some]], axis=1)
        told = ~np.logical_or.reduceat((stamps == NONE).any(axis=1), at[:-1])
        counts = np.diff(at)
        return blobs(stamps[np.repeat(told, counts)].astype("<u4"), starts(np.where(told, counts, 0)))


def _within(first: Numbers, counts: Numbers) -> Numbers:
    """All numbers of several runs of so many."""
    return np.repeat(first - starts(counts)[:-1], counts) + np.arange(int(counts.sum()))


def _given(blocks: Blocks, wrong: NDArray[np.bool_], content: str) -> Iterator[Output]:
    """Block after block: whole, or one row of damage with the first transaction that is wrong."""
    code = blocks.rows.block
    if not len(code):
        return
    first = np.flatnonzero(np.append(True, code[1:] != code[:-1]))
    after = np.append(first[1:], len(code))
    bad = np.logical_or.reduceat(wrong, first)
    yield output(read_damage=TABLES["read_damage"].rows([
        _damage(blocks, begin, begin + int(np.argmax(wrong[begin:end])), content)
        for begin, end in zip(first[bad].tolist(), after[bad].tolist(), strict=True)
    ]))  # fmt: skip
    first, after = first[~bad], after[~bad]
    for some in _stretches(after - first):
        yield output(read_blocks=blocks.packed(first[some], after[some], content))


def _stretches(counts: Numbers) -> Iterator[slice]:
    """Blocks that are given at once, by how many transactions they have."""
    begin, held = 0, 0
    for place, count in enumerate(counts.tolist(), 1):
        held += count
        if place - begin == PIECE or held > MOST or place == len(counts):
            yield slice(begin, place)
            begin, held = place, 0


def _damage(blocks: Blocks, begin: int, place: int, content: str) -> dict[str, Any]:
    code = blocks.rows.block[begin]
    detail = f"block {blocks.names[code] if code >= 0 else '?'}: a value of this transaction is missing or cannot be"
    return {"content": content, "reason": "undecodable", "detail": detail, "row": int(blocks.rows.row[place])}

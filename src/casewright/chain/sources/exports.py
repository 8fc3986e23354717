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
from casewright.chain.source import output
from casewright.chain.sources.export_arrays import NONE, Export, Outputs
from casewright.chain.sources.export_order import Once, parents_first
from casewright.chain.sources.export_rows import kind_of, opened, plain
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
    export, holder, problem = Export(network), None, ""
    for sha256, name in zip(row["sha256s"], row["names"], strict=True):
        try:
            with context.open(sha256) as file:
                schema, tables = opened(name, file)
                kind = kind_of(schema)
                export.add(_plain(kind, tables, context))
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


def _plain(kind: str | None, tables: Iterator[pa.Table], context: Context) -> Iterator[dict[str, pa.Table]]:
    first = 1
    for table in tables:
        if kind:
            yield plain(kind, table, first, context)
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

    def counts_of(self, first: int, after: int) -> Numbers:
        return np.diff(self.at[first : after + 1])

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

    def row(self, first: int, after: int, content: str) -> dict[str, Any]:
        """The row of `read_blocks` of transactions that are a whole block."""
        rows, some = self.rows, slice(first, after)
        ins, outs = (held.rows[held.at[first] : held.at[after]] for held in (self.ins, self.outs))
        keys = pa.chunked_array([self.outputs.keys.take(pa.array(outs))])
        counts = (held.counts_of(first, after) for held in (self.ins, self.outs))
        spends = np.concatenate(
            [self.inputs.prev_txid[ins], self.inputs.prev_vout[ins].view(np.uint8).reshape(-1, 4)], 1
        )
        stamps = np.stack([rows.version[some], rows.lock_time[some]], axis=1)
        return {"content": content, "hash": bytes.fromhex(self.names[rows.block[first]])[::-1], "prev": bytes(32),
                "time": int(rows.time[first]), "bits": 0, "height": int(rows.number[first]),
                "transactions": after - first, "txids": rows.txid[some].tobytes(),
                "shapes": np.stack([rows.row[some], *counts], axis=1).astype("<u4").tobytes(),
                "stamps": b"" if (stamps == NONE).any() else stamps.astype("<u4").tobytes(),
                "spends": spends.tobytes(), "sats": self.outputs.sats[outs].astype("<i8").tobytes(),
                "kinds": self.outputs.kinds[outs].tobytes(),
                "script_sizes": sizes_of(keys).astype(np.uint8).tobytes(),
                "scripts": flat(keys).tobytes()}  # fmt: skip


def _given(blocks: Blocks, wrong: NDArray[np.bool_], content: str) -> Iterator[Output]:
    """Block after block: whole, or one row of damage with the first transaction that is wrong."""
    code = blocks.rows.block
    first = np.flatnonzero(np.concatenate(([len(code) > 0], code[1:] != code[:-1]))) if len(code) else code
    damage, rows, held = [], [], 0
    for begin, after in zip(first.tolist(), [*first[1:].tolist(), len(code)], strict=False):
        if wrong[begin:after].any():
            name = blocks.names[code[begin]] if code[begin] >= 0 else "?"
            detail = f"block {name}: a value of this transaction is missing or cannot be"
            row = int(blocks.rows.row[begin + int(np.flatnonzero(wrong[begin:after])[0])])
            damage.append({"content": content, "reason": "undecodable", "detail": detail, "row": row})
            continue
        rows.append(blocks.row(begin, after, content))
        held += after - begin
        if len(rows) == PIECE or held > MOST:
            yield output(read_blocks=TABLES["read_blocks"].rows(rows))
            rows, held = [], 0
    yield output(read_damage=TABLES["read_damage"].rows(damage), read_blocks=TABLES["read_blocks"].rows(rows))

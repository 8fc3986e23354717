"""Exports of a chain as tables: Parquet, CSV, TSV and JSON lines, in the columns of bitcoin-etl and `crypto_bitcoin`.

Columns: https://github.com/blockchain-etl/bitcoin-etl (docs/schema.md) and the public data set of the same makers.
Transactions come with their inputs and outputs in them (Parquet) or beside them, as rows of their own. An export has no
raw bytes: ids, amounts and heights are taken as it says, and the blocks are called `exported` for that.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.source import output
from casewright.chain.sources.export_rows import EMPTY, kind_of, load, plain
from casewright.engine.stage import Context, Output
from casewright.kernels.packing import script_keys, starts
from casewright.kernels.scripts import KINDS
from casewright.model.bitcoin import NotAnAddress, address_of_script, script_of_address, valid_address
from casewright.model.tables import TABLES

PIECE, DEEPEST, ASKED = 512, 4000, 1000
"""Blocks that are given at once; payments of one block that spend each other in a row and are put in order; outputs
with an address, one of which is to say of which network it is."""
TEXTS = (".csv", ".tsv", ".json", ".jsonl")
ENDINGS = (".parquet", *TEXTS, *(f"{text}.gz" for text in TEXTS))
ORDERED = """
SELECT t.*, row_number() OVER (ORDER BY number NULLS LAST, block, position NULLS LAST, n.txid IS NOT NULL, row) - 1 AS t
FROM transactions t LEFT JOIN (SELECT DISTINCT txid FROM inputs) n USING (txid) WHERE txid IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY txid ORDER BY number NULLS LAST, block, row) = 1 ORDER BY t
"""
WITHIN = """
WITH spends AS MATERIALIZED (
    SELECT c.t, c.block, i.prev_txid FROM inputs i JOIN transactions c USING (txid) WHERE c.position IS NULL
)
SELECT DISTINCT s.t AS child, p.t AS parent
FROM spends s JOIN transactions p ON p.txid = s.prev_txid AND p.block = s.block ORDER BY child, parent
"""
"""Spends are put together first: otherwise each transaction may be held against all others of its block."""
OF_ONE = "SELECT t.t, x.* FROM rows x JOIN transactions t USING (txid) ORDER BY t.t, x.place"
ORPHANS = "SELECT count(*) AS n FROM rows x ANTI JOIN transactions t USING (txid)"


def is_export(name: str) -> bool:
    return name.endswith(ENDINGS)


def read_export(row: Mapping[str, Any], context: Context, network: str) -> Iterator[Output]:
    """The rows that every source gives, of all files of one export."""
    tables = {name: schema.empty_table() for name, schema in EMPTY.items()}
    holder, problem = None, ""
    for sha256, name in zip(row["sha256s"], row["names"], strict=True):
        try:
            with context.open(sha256) as file:
                given = load(name, file.read())
        except (ValueError, OSError) as error:
            problem = f"{name} cannot be read: {error}"[:500]
            continue
        kind = kind_of(given)
        if not kind:
            problem = f"{name} has not the columns of an export (bitcoin-etl, crypto_bitcoin): {given.schema.names}"[
                :500
            ]
        holder = sha256 if kind == "transactions" else holder
        for table, rows in (plain(kind, given, context) if kind else {}).items():
            tables[table] = pa.concat_tables([tables[table], rows])
        context.steps.alive()
    if not problem and holder is None:
        problem = "the export has no file of transactions (columns hash and block_hash)"
    if other := _other_network(tables["outputs"], network):
        holder = None
        problem = f"holds addresses of {other}, but case.toml says {network}; correct the setting or leave the file out"
    told = {"content": row["content"], "packed": False, "sha256": holder, "detail": problem,
            "state": "unreadable" if problem else "blocks"}  # fmt: skip
    yield output(read_files=TABLES["read_files"].rows([told]))
    if holder is not None:
        yield from blocks_of(tables, row["content"], context, network)


def _other_network(outputs: pa.Table, network: str) -> str | None:
    """The network that the first address is of, where that is not `network`; None where it is, or nothing is known."""
    named = outputs["address"].drop_null().slice(0, ASKED).to_pylist()
    of, first = next(((of, address) for address in named if (of := valid_address(address))), (None, ""))
    try:
        return None if of is None or script_of_address(first, network) else of
    except NotAnAddress:
        return of


def blocks_of(tables: Mapping[str, pa.Table], content: str, context: Context, network: str) -> Iterator[Output]:
    """`read_blocks` and `read_damage` of three tables as `export_rows` has them."""
    ordered = _parents_first(context.sql(ORDERED, **tables), tables["inputs"], context)
    parts = {n: context.sql(OF_ONE, transactions=ordered, rows=tables[n]) for n in ("inputs", "outputs")}
    lost = {n: context.sql(ORPHANS, transactions=ordered, rows=tables[n])["n"][0].as_py() for n in parts}
    lost["transactions"] = len(tables["transactions"]) - len(ordered)
    wrong = _wrong(ordered, parts)
    yield output(read_damage=TABLES["read_damage"].rows([
        {"content": content, "reason": "no transaction", "detail": f"{count} rows of {name} belong to no transaction",
         "row": number}
        for number, (name, count) in enumerate(lost.items()) if count
    ]))  # fmt: skip
    yield from _given(ordered, parts, wrong, content, network)


def _parents_first(ordered: pa.Table, inputs: pa.Table, context: Context) -> pa.Table:
    """Where an export does not tell positions: in each block, whatever is spent comes before what spends it."""
    edges = context.sql(WITHIN, transactions=ordered, inputs=inputs)
    child, parent = edges["child"].to_numpy(), edges["parent"].to_numpy()
    depth, rounds = np.zeros(len(ordered), np.int64), 0
    while rounds < DEEPEST and (late := depth[parent] >= depth[child]).any():
        np.maximum.at(depth, child[late], depth[parent[late]] + 1)
        rounds += 1
    if not rounds:
        return ordered
    _, block = np.unique(ordered["block"].fill_null("").to_numpy(zero_copy_only=False), return_inverse=True)
    first = np.full(block.max() + 1, len(block))
    np.minimum.at(first, block, np.arange(len(block)))
    taken = ordered.take(pa.array(np.lexsort((np.arange(len(block)), depth, first[block]))))
    return taken.set_column(taken.schema.get_field_index("t"), "t", pa.array(np.arange(len(taken))))


def _wrong(ordered: pa.Table, parts: Mapping[str, pa.Table]) -> Any:
    """Of each transaction whether a value of it, or of an input or output, is missing or cannot be."""
    wrong = np.zeros(len(ordered), np.bool_)
    for name in ("block", "number", "time"):
        wrong |= ordered[name].is_null().to_numpy()
    for name, needed in (("inputs", ("prev_txid", "prev_vout")), ("outputs", ("sats",))):
        rows, of = parts[name], parts[name]["t"].to_numpy()
        place = np.arange(len(of)) - np.repeat(starts(np.bincount(of, minlength=len(wrong)))[:-1],
                                               np.bincount(of, minlength=len(wrong)))  # fmt: skip
        wrong[of[rows["place"].fill_null(-1).to_numpy() != place]] = True
        for column in needed:
            wrong[of[rows[column].is_null().to_numpy()]] = True
    wrong[np.bincount(parts["outputs"]["t"].to_numpy(), minlength=len(wrong)) == 0] = True
    return wrong


def _given(
    ordered: pa.Table, parts: Mapping[str, pa.Table], wrong: Any, content: str, network: str
) -> Iterator[Output]:
    """Block after block: whole, or one row of damage with the first transaction that is wrong."""
    names = ordered["block"].fill_null("").to_numpy(zero_copy_only=False)
    first = (
        np.flatnonzero(np.concatenate(([len(names) > 0], names[1:] != names[:-1]))) if len(names) else np.zeros(0, int)
    )
    counts = np.diff(np.concatenate((first, [len(names)])))
    of = {name: starts(np.bincount(parts[name]["t"].to_numpy(), minlength=len(names))) for name in parts}
    rows, damage = [], []
    for begin, count in zip(first.tolist(), counts.tolist(), strict=True):
        some = slice(begin, begin + count)
        if wrong[some].any():
            row = ordered["row"][begin + int(np.flatnonzero(wrong[some])[0])].as_py()
            detail = f"block {names[begin] or '?'}: a value of this transaction is missing or cannot be"
            damage.append({"content": content, "reason": "undecodable", "detail": detail, "row": row})
            continue
        rows.append(_block(ordered, parts, of, some, content, network))
    yield output(read_damage=TABLES["read_damage"].rows(damage))
    for start in range(0, len(rows), PIECE):
        yield output(read_blocks=TABLES["read_blocks"].rows(rows[start : start + PIECE]))


def _block(
    ordered: pa.Table, parts: Mapping[str, pa.Table], of: Mapping[str, Any], some: slice, content: str, network: str
) -> dict[str, Any]:
    own, count = ordered.slice(some.start, some.stop - some.start), some.stop - some.start
    edges = {name: at[some.start : some.stop + 1] for name, at in of.items()}
    ins, outs = (parts[n].slice(int(edges[n][0]), int(edges[n][-1] - edges[n][0])) for n in ("inputs", "outputs"))
    scripts = [
        _script(s, a, network) for s, a in zip(outs["script"].to_pylist(), outs["address"].to_pylist(), strict=True)
    ]
    sizes = np.array([len(script) for script in scripts], np.int64)
    kept, keys = script_keys(b"".join(scripts), starts(sizes)[:-1], sizes)
    shapes = np.stack([own["row"].to_numpy(), *(np.diff(edges[name]) for name in ("inputs", "outputs"))], axis=1)
    spends = np.concatenate([_hashes(ins["prev_txid"]), _u32(ins["prev_vout"])], axis=1)
    head = ordered.slice(some.start, 1).to_pylist()[0]
    return {"content": content, "hash": bytes.fromhex(head["block"])[::-1], "prev": bytes(32), "time": head["time"],
            "bits": 0, "height": head["number"], "transactions": count, "txids": _hashes(own["txid"]).tobytes(),
            "shapes": shapes.astype("<u4").tobytes(), "stamps": _stamps(own), "spends": spends.tobytes(),
            "sats": outs["sats"].to_numpy().astype("<i8").tobytes(),
            "kinds": bytes(KINDS.index(address_of_script(script, network)[1]) for script in scripts),
            "script_sizes": kept.tobytes(), "scripts": keys.tobytes()}  # fmt: skip


def _stamps(own: pa.Table) -> bytes:
    """Versions and lock times of a block; nothing where the export does not tell them all."""
    told = [own[name] for name in ("version", "lock_time")]
    if any(column.null_count for column in told):
        return b""
    return np.stack([column.to_numpy() for column in told], axis=1).astype("<u4").tobytes()


def _hashes(column: pa.ChunkedArray) -> Any:
    raw = bytes.fromhex("".join(column.to_pylist()))
    return np.frombuffer(raw, np.uint8).reshape(-1, 32)[:, ::-1]


def _u32(column: pa.ChunkedArray) -> Any:
    return column.to_numpy().astype("<u4").view(np.uint8).reshape(-1, 4)


@lru_cache(1 << 16)
def _script(script: bytes | None, address: str | None, network: str) -> bytes:
    """The script as the export has it or, where it names only an address, the one that pays it; else an empty one."""
    if script is not None or not address:
        return script or b""
    try:
        return script_of_address(address, network)
    except NotAnAddress:
        return b""

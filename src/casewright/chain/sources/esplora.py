"""Transactions as an Esplora server tells them (its API.md), one JSON object a line: what `casewright trace` sealed.

Only some transactions of each block are there, and nothing proves what the server says: its blocks are `exported`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from casewright.chain.source import output
from casewright.chain.sources.export_arrays import Export
from casewright.chain.sources.exports import blocks_of
from casewright.engine.stage import Context, Output
from casewright.model.bitcoin import MAX_SATS
from casewright.model.tables import TABLES

ENDING = ".esplora"
HASH = 64
COLUMNS = {
    "transactions": {"hash": pa.string(), "block_hash": pa.string(), "block_number": pa.int64(),
                     "block_timestamp": pa.int64(), "version": pa.int64(), "lock_time": pa.int64()},
    "inputs": {"transaction_hash": pa.string(), "index": pa.int64(), "spent_transaction_hash": pa.string(),
               "spent_output_index": pa.int64()},
    "outputs": {"transaction_hash": pa.string(), "index": pa.int64(), "value": pa.int64(), "script_hex": pa.string()},
}  # fmt: skip
"""As an export has them; the lines of the transactions are beside."""


def read_esplora(row: Mapping[str, Any], context: Context, network: str) -> Iterator[Output]:
    """The rows that every source gives. A line that is no transaction becomes damage."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in COLUMNS}
    damage, lines = [], []
    with context.open(row["sha256s"][0]) as file:
        for number, line in enumerate(file, 1):
            try:
                for table, own in _rows_of(json.loads(line)).items():
                    rows[table] += own
                lines.append(number)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
                detail = f"line {number} is no transaction of Esplora's: {problem!r}"[:300]
                damage.append({"content": row["content"], "reason": "undecodable", "detail": detail, "row": number})
    told = {"content": row["content"], "packed": False, "state": "blocks", "detail": ""}
    yield output(read_files=TABLES["read_files"].rows([told]), read_damage=TABLES["read_damage"].rows(damage))
    export = Export(network, context)
    for name, own in rows.items():
        export.add(name, [(pa.Table.from_pylist(own, schema=pa.schema(COLUMNS[name])), np.array(lines, np.int64))])
    yield from blocks_of(export, row["content"])


def _rows_of(told: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    status, txid = told["status"], _hash(told["txid"])
    own = {"hash": txid, "block_hash": _hash(status["block_hash"]), "block_number": int(status["block_height"]),
           "block_timestamp": int(status["block_time"]),
           "version": _stamp(told, "version"), "lock_time": _stamp(told, "locktime")}  # fmt: skip
    spends = [spend for spend in told["vin"] if not spend.get("is_coinbase")]
    return {
        "transactions": [own],
        "inputs": [{"transaction_hash": txid, "index": vin, "spent_transaction_hash": _hash(spend["txid"]),
                    "spent_output_index": _small(spend["vout"])} for vin, spend in enumerate(spends)],
        "outputs": [{"transaction_hash": txid, "index": vout, "value": _small(coin["value"], MAX_SATS),
                     "script_hex": bytes.fromhex(coin["scriptpubkey"]).hex()}
                    for vout, coin in enumerate(told["vout"])],
    }  # fmt: skip


def _stamp(told: Mapping[str, Any], name: str) -> int | None:
    """A number of 32 bits, which older servers write with a sign; None where it is not told."""
    number = told.get(name)
    return None if number is None else _small(number + (1 << 32) if -(1 << 31) <= number < 0 else number)


def _hash(text: str) -> str:
    if len(text) != HASH or len(bytes.fromhex(text)) != HASH // 2:
        raise ValueError(f"{text!r:.80} is no hash")
    return text.lower()


def _small(number: int, most: int = 0xFFFFFFFF) -> int:
    if not isinstance(number, int) or not 0 <= number <= most:
        raise ValueError(f"{number!r:.80} cannot be")
    return number

"""Transactions as an Esplora server tells them (its API.md), one JSON object a line: what `casewright trace` sealed.

Only some transactions of each block are there, and nothing proves what the server says: its blocks are `exported`.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from casewright.chain.source import output
from casewright.chain.sources.export_arrays import Export
from casewright.chain.sources.export_rows import EMPTY
from casewright.chain.sources.exports import blocks_of
from casewright.engine.stage import Context, Output
from casewright.model.bitcoin import MAX_SATS
from casewright.model.tables import TABLES

ENDING = ".esplora"
HASH = 64


def read_esplora(row: Mapping[str, Any], context: Context, network: str) -> Iterator[Output]:
    """The rows that every source gives. A line that is no transaction becomes damage."""
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in EMPTY}
    damage = []
    with context.open(row["sha256s"][0]) as file:
        for number, line in enumerate(file, 1):
            try:
                for table, own in _rows_of(json.loads(line), number).items():
                    rows[table] += own
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
                detail = f"line {number} is no transaction of Esplora's: {problem!r}"[:300]
                damage.append({"content": row["content"], "reason": "undecodable", "detail": detail, "row": number})
    told = {"content": row["content"], "packed": False, "state": "blocks", "detail": ""}
    yield output(read_files=TABLES["read_files"].rows([told]), read_damage=TABLES["read_damage"].rows(damage))
    tables = {name: pa.Table.from_pylist(own, schema=EMPTY[name]) for name, own in rows.items()}
    export = Export(network)
    export.add([tables])
    yield from blocks_of(export, row["content"])


def _rows_of(told: Mapping[str, Any], number: int) -> dict[str, list[dict[str, Any]]]:
    status, txid = told["status"], _hash(told["txid"])
    own = {"txid": txid, "block": _hash(status["block_hash"]), "number": int(status["block_height"]),
           "time": int(status["block_time"]), "position": None, "row": number,
           "version": _stamp(told, "version"), "lock_time": _stamp(told, "locktime")}  # fmt: skip
    spends = [spend for spend in told["vin"] if not spend.get("is_coinbase")]
    return {
        "transactions": [own],
        "inputs": [{"txid": txid, "place": vin, "prev_txid": _hash(spend["txid"]), "prev_vout": _small(spend["vout"])}
                   for vin, spend in enumerate(spends)],
        "outputs": [{"txid": txid, "place": vout, "sats": _small(coin["value"], MAX_SATS),
                     "script": bytes.fromhex(coin["scriptpubkey"]), "address": None}
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

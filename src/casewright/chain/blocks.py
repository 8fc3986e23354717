"""The stage that fills blocks, transactions, inputs and outputs."""

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from casewright.chain.reading import Found, Reading, chain_files, heights, hex_id
from casewright.engine.stage import Context, Output, Tally
from casewright.kernels.blocks import Tx
from casewright.model.bitcoin import address_of_script
from casewright.model.tables import TABLES


def blocks(batch: pa.Table, context: Context) -> Output:
    """Everything in the chain files of the case; stale blocks are listed, their transactions are not."""
    network = context.params["network"]
    sql = "SELECT * FROM exhibit_files WHERE role = 'chain' ORDER BY exhibit, position"
    reading, idle = Reading(network), 0
    for row, raw in chain_files(context.sql(sql).to_pylist(), context):
        if raw is None:
            idle += 1
        else:
            reading.add_file(row, raw)
    states = heights(reading.blocks, network)
    ordered = sorted(reading.blocks.values(), key=lambda f: _order(f, states))
    used = [f for f in ordered if states[f.hash][1] != "stale"]
    rows = _rows(used, network)
    rows["blocks"] = [_block_row(f, *states[f.hash]) for f in ordered]
    return Output(
        {name: TABLES[name].rows(found) for name, found in rows.items()},
        reading.aside,
        _tallies(reading, idle, len(ordered), len(used), len(rows["transactions"])),
    )


def _order(found: Found, states: dict[str, tuple[int | None, str]]) -> tuple[int, str]:
    height = states[found.hash][0]
    return (1 << 62 if height is None else height, found.hash)


def _tallies(reading: Reading, idle: int, ordered: int, used: int, transactions: int) -> list[Tally]:
    foreign = sum(s.noun == "files" for s in reading.aside)
    damaged = sum(s.noun == "blocks" for s in reading.aside)
    total = reading.files + idle
    return [
        Tally("files", total, reading.block_files, total - reading.block_files - foreign),
        Tally("blocks", ordered + reading.repeated + damaged, used, ordered - used + reading.repeated),
        Tally("transactions", transactions, transactions),
    ]


def _block_row(found: Found, height: int | None, state: str) -> dict[str, Any]:
    block = found.block
    return {
        "hash": found.hash, "height": height, "state": state, "prev": found.prev,
        "time": datetime.fromtimestamp(block.time, UTC).replace(tzinfo=None),
        "transactions": len(block.transactions), "exhibit": found.exhibit, "path": found.path,
        "span_start": found.start, "span_length": found.size,
    }  # fmt: skip


def _rows(found: list[Found], network: str) -> dict[str, list[dict[str, Any]]]:
    transactions, inputs, outputs = [], [], []
    spent = {(i.prev_txid, i.prev_vout): hex_id(t.txid) for f in found for t in f.block.transactions for i in t.inputs}
    done: set[bytes] = set()
    for one in found:
        for position, tx in enumerate(one.block.transactions):
            transactions.append(_tx_row(one, tx, position))
            if tx.txid in done:
                continue  # two coinbases of 2010 repeat earlier ones (BIP 30): same inputs, same outputs
            done.add(tx.txid)
            name = hex_id(tx.txid)
            if not tx.coinbase:
                inputs += [
                    {"txid": name, "vin": n, "prev_txid": hex_id(i.prev_txid), "prev_vout": i.prev_vout}
                    for n, i in enumerate(tx.inputs)
                ]
            for n, output in enumerate(tx.outputs):
                address, kind = address_of_script(output.script, network)
                outputs.append({"txid": name, "vout": n, "sats": output.sats, "address": address, "kind": kind,
                                "spent_by": spent.get((tx.txid, n))})  # fmt: skip
    return {"transactions": transactions, "inputs": inputs, "outputs": outputs}


def _tx_row(found: Found, tx: Tx, position: int) -> dict[str, Any]:
    return {
        "txid": hex_id(tx.txid), "block": found.hash, "position": position, "coinbase": tx.coinbase,
        "exhibit": found.exhibit, "path": found.path, "span_start": found.start + tx.start, "span_length": tx.size,
    }  # fmt: skip

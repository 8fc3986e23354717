"""What the columns of an export mean, in SQL: slow and obvious. `export_columns` and `export_order` are held to it."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from casewright.engine.stage import Context
from casewright.model.bitcoin import MAX_SATS

SPENT = "spent_transaction_hash"


def plain(kind: str, table: pa.Table, context: Context) -> dict[str, pa.Table]:
    """Rows of one file as `transactions` (txid, block, number, time, position, version, lock_time), `inputs` (txid,
    place, prev_txid, prev_vout) and `outputs` (txid, place, sats, script, address). What cannot be is NULL."""
    if kind != "transactions":
        return {kind: context.sql(_select(kind, table.schema, "given g"), given=table)}
    found = {kind: context.sql(_transactions(table.schema), given=table)}
    for inner in ("inputs", "outputs"):
        if inner in table.schema.names:
            source = f"(SELECT hash AS transaction_hash, unnest({inner}, recursive := false) AS g FROM given)"
            rows = context.sql(f"SELECT transaction_hash, g.* FROM {source}", given=table)
            found[inner] = context.sql(_select(inner, rows.schema, "given g"), given=rows)
    return found


def _hash(name: str) -> str:
    return f"CASE WHEN regexp_full_match(lower({name}::VARCHAR), '[0-9a-f]{{64}}') THEN lower({name}::VARCHAR) END"


def _transactions(schema: pa.Schema) -> str:
    number, position = _number(schema, "block_number"), _number(schema, "index")
    time = _time(schema, "block_timestamp")
    stamps = ", ".join(f"{_u32(schema, name)} AS {name}" for name in ("version", "lock_time"))
    ids = f"{_hash('hash')} AS txid, {_hash('block_hash')} AS block"
    return f"SELECT {ids}, {number} AS number, {time} AS time, {position} AS position, {stamps} FROM given"


def _select(kind: str, schema: pa.Schema, source: str) -> str:
    head = f"SELECT {_hash('transaction_hash')} AS txid, {_number(schema, 'index')} AS place"
    if kind == "inputs":
        spent = f"{_hash(SPENT)} AS prev_txid, {_number(schema, 'spent_output_index')} AS prev_vout"
        return f"{head}, {spent} FROM {source} WHERE {SPENT} IS NOT NULL"
    sats = f"CASE WHEN {_number(schema, 'value')} BETWEEN 0 AND {MAX_SATS} THEN {_number(schema, 'value')} END"
    return f"{head}, {sats} AS sats, {_script(schema)} AS script, {_address(schema)} AS address FROM {source}"


def _number(schema: pa.Schema, name: str) -> str:
    return f'TRY_CAST("{name}" AS BIGINT)' if name in schema.names else "NULL::BIGINT"


def _u32(schema: pa.Schema, name: str) -> str:
    told = _number(schema, name)
    return f"CASE WHEN {told} BETWEEN {-1 << 31} AND {(1 << 32) - 1} THEN {told} & {(1 << 32) - 1} END"


def _time(schema: pa.Schema, name: str) -> str:
    kind: Any = schema.field(name).type if name in schema.names else None
    if kind is None:
        return "NULL::BIGINT"
    if pa.types.is_timestamp(kind):
        return f"epoch({name})::BIGINT"
    if not pa.types.is_string(kind):
        return _number(schema, name)
    moment = f"TRY_CAST(replace({name}, ' UTC', '') AS TIMESTAMP)"
    return f"coalesce(TRY_CAST({name} AS BIGINT), epoch({moment})::BIGINT)"


def _script(schema: pa.Schema) -> str:
    if "script_hex" not in schema.names:
        return "NULL::BLOB"
    fits = "regexp_full_match(script_hex::VARCHAR, '([0-9a-fA-F]{2})*')"
    return f"CASE WHEN {fits} THEN unhex(script_hex::VARCHAR) END"


def _address(schema: pa.Schema) -> str:
    if "addresses" not in schema.names:
        return "NULL::VARCHAR"
    if pa.types.is_list(schema.field("addresses").type):
        return "addresses[1]::VARCHAR"
    return "regexp_extract(addresses::VARCHAR, '[0-9A-Za-z]{14,}')"


def depths(later: NDArray[np.int64], earlier: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """How many payments stand before each in a row, at most: as often through all of them as it takes."""
    depth = np.zeros(count, np.int64)
    while (depth[earlier] >= depth[later]).any():
        np.maximum.at(depth, later, depth[earlier] + 1)
    return depth

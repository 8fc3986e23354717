"""The files of an export as three plain tables: transactions, inputs, outputs. What cannot be is NULL.

`transactions`: txid, block, number, time (seconds), position, version, lock_time (NULL: not told), row. `inputs`: txid,
place, prev_txid, prev_vout. `outputs`: txid, place, sats, script (bytes; NULL: not told), address.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from casewright.engine.stage import Context
from casewright.model.bitcoin import MAX_SATS

LIMIT = 1 << 30
"""Bytes that one packed CSV may unpack to."""
JSON, LONGEST = (".json", ".jsonl"), 1 << 26
"""Endings of JSON lines, and bytes of their longest line."""
PIECE, DEEPEST = 1 << 22, 64
AT_ONCE, BUFFER = 1 << 14, 1 << 20
"""Rows that are taken out of a file at once, and bytes of a column of Parquet."""
OPENING, CLOSING = (np.frombuffer(marks, np.uint8) for marks in (b"[{", b"]}"))
SPENT = "spent_transaction_hash"
COLUMNS = {
    "transactions": ("hash", "block_hash"),
    "inputs": ("transaction_hash", "index", SPENT, "spent_output_index"),
    "outputs": ("transaction_hash", "index", "value"),
    "blocks": ("hash", "number", "timestamp"),
}
"""What tells the tables of an export apart; the first that fits."""
EMPTY = {
    "transactions": pa.schema([("txid", pa.string()), ("block", pa.string()), ("number", pa.int64()),
                               ("time", pa.int64()), ("position", pa.int64()), ("version", pa.int64()),
                               ("lock_time", pa.int64()), ("row", pa.int64())]),
    "inputs": pa.schema([("txid", pa.string()), ("place", pa.int64()), ("prev_txid", pa.string()),
                         ("prev_vout", pa.int64())]),
    "outputs": pa.schema([("txid", pa.string()), ("place", pa.int64()), ("sats", pa.int64()), ("script", pa.binary()),
                          ("address", pa.string())]),
}  # fmt: skip


def opened(name: str, file: IO[bytes]) -> tuple[pa.Schema, Iterator[pa.Table]]:
    """The columns of a file of Parquet, CSV, TSV or JSON lines, and its rows some at a time; of CSV and TSV every
    column is text. Raises ValueError (ArrowInvalid is one) or OSError, as the rows may when they are asked for."""
    with _unsupported():
        schema, tables = _parsed(name, file)
    _check_names(schema)
    return schema, tables


def _check_names(fields: Iterable[pa.Field]) -> None:
    """Raises UnicodeDecodeError, a ValueError, where a name is no text, also within lists and rows."""
    for field in fields:
        _, kind = field.name, field.type
        if pa.types.is_struct(kind):
            _check_names(kind.field(n) for n in range(kind.num_fields))
        elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
            _check_names([kind.value_field])


@contextmanager
def _unsupported() -> Iterator[None]:
    try:
        yield
    except pa.ArrowNotImplementedError as problem:
        raise ValueError(f"it holds what no export has: {problem}") from problem


def _parquet(file: IO[bytes]) -> tuple[pa.Schema, Iterator[pa.Table]]:
    parquet = pq.ParquetFile(file, buffer_size=BUFFER)

    def tables() -> Iterator[pa.Table]:
        with _unsupported():
            for batch in parquet.iter_batches(AT_ONCE, use_threads=False):
                batch.validate(full=True)  # raises ArrowInvalid where a text is no UTF-8
                yield pa.Table.from_batches([batch])

    return parquet.schema_arrow, tables()


def _parsed(name: str, file: IO[bytes]) -> tuple[pa.Schema, Iterator[pa.Table]]:
    if name.endswith(".parquet"):
        return _parquet(file)
    text = io.BytesIO(_unpacked(file.read())) if name.endswith(".gz") else file
    plain_name = name.removesuffix(".gz")
    if plain_name.endswith(JSON):
        table = _json(text.read())
        return table.schema, (table.slice(at, AT_ONCE) for at in range(0, len(table), AT_ONCE))
    form = pa.csv.ParseOptions(delimiter="\t" if plain_name.endswith(".tsv") else ",")
    types = dict.fromkeys(_heading(text.readline(), form.delimiter), pa.string())
    text.seek(0)
    convert = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    reader = pa.csv.open_csv(text, pa.csv.ReadOptions(use_threads=False), form, convert)
    return reader.schema, (pa.Table.from_batches([batch]) for batch in reader)


def _json(text: bytes) -> pa.Table:
    pa.array([text], pa.large_binary()).cast(pa.large_string())  # raises ArrowInvalid where it is no UTF-8
    _check_depth(text)
    return pa.json.read_json(io.BytesIO(text), pa.json.ReadOptions(use_threads=False, block_size=LONGEST))


def _heading(line: bytes, tab: str) -> list[str]:
    try:
        return next(csv.reader([line.partition(b"\n")[0].decode("utf-8", "replace")], delimiter=tab), [])
    except csv.Error as problem:
        raise ValueError(f"its heading is no row of CSV: {problem}") from problem


def _check_depth(text: bytes) -> None:
    """Raises ValueError where lists and objects stand too deep in each other: the parser would run out of stack."""
    depth = 0
    for start in range(0, len(text), PIECE):
        piece = np.frombuffer(text, np.uint8, min(PIECE, len(text) - start), start)
        steps = np.isin(piece, OPENING).astype(np.int32) - np.isin(piece, CLOSING).astype(np.int32)
        running = depth + np.cumsum(steps, dtype=np.int32)
        if running.max() > DEEPEST:
            raise ValueError(f"lists and objects stand more than {DEEPEST} deep in each other")
        depth = int(running[-1])


def _unpacked(raw: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            text = file.read(LIMIT + 1)
    except (EOFError, zlib.error) as problem:
        raise ValueError(f"the gzip stream is cut or damaged: {problem}") from problem
    if len(text) > LIMIT:
        raise ValueError(f"it unpacks to more than {LIMIT} bytes")
    return text


def kind_of(schema: pa.Schema) -> str | None:
    names = set(schema.names)
    return next((kind for kind, needed in COLUMNS.items() if names.issuperset(needed)), None)


def plain(kind: str, table: pa.Table, first: int, context: Context) -> dict[str, pa.Table]:
    """Rows of one file in the three tables; those of a file of blocks stand in the transactions, too. `first`: the
    number of the first of them in the file."""
    if kind == "blocks":
        return {}
    if kind != "transactions":
        return {kind: context.sql(_select(kind, table.schema, "given g"), given=table).cast(EMPTY[kind])}
    table = table.append_column("row", pa.array(range(first, first + len(table)), pa.int64()))
    found = {kind: context.sql(_transactions(table.schema), given=table).cast(EMPTY[kind])}
    for inner in ("inputs", "outputs"):
        if inner in table.schema.names and _holds_structs(table.schema.field(inner).type):
            source = f"(SELECT hash AS transaction_hash, unnest({inner}, recursive := false) AS g FROM given)"  # noqa: S608
            rows = context.sql(f"SELECT transaction_hash, g.* FROM {source}", given=table)  # noqa: S608  ours
            found[inner] = context.sql(_select(inner, rows.schema, "given g"), given=rows).cast(EMPTY[inner])
    return found


def _holds_structs(kind: pa.DataType) -> bool:
    """A column of lists of rows; where all of them are empty, JSON does not tell of what."""
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))


def _hash(name: str) -> str:
    return f"CASE WHEN regexp_full_match(lower({name}::VARCHAR), '[0-9a-f]{{64}}') THEN lower({name}::VARCHAR) END"


def _transactions(schema: pa.Schema) -> str:
    number, position = _number(schema, "block_number"), _number(schema, "index")
    time = _time(schema, "block_timestamp")
    stamps = ", ".join(f"{_u32(schema, name)} AS {name}" for name in ("version", "lock_time"))
    ids = f"{_hash('hash')} AS txid, {_hash('block_hash')} AS block"
    return f"SELECT {ids}, {number} AS number, {time} AS time, {position} AS position, {stamps}, row FROM given"  # noqa: S608  ours


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
    """A number of 32 bits; a negative one is what older nodes made of a version above 2,147,483,647."""
    told = _number(schema, name)
    return f"CASE WHEN {told} BETWEEN {-1 << 31} AND {(1 << 32) - 1} THEN {told} & {(1 << 32) - 1} END"


def _time(schema: pa.Schema, name: str) -> str:
    """Seconds: of a timestamp, of a number, or of text that is either ("2009-01-12 03:30:25 UTC" is BigQuery's)."""
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
    """The first of several; text may be a list that was written out."""
    if "addresses" not in schema.names:
        return "NULL::VARCHAR"
    if pa.types.is_list(schema.field("addresses").type):
        return "addresses[1]::VARCHAR"
    return "regexp_extract(addresses::VARCHAR, '[0-9A-Za-z]{14,}')"

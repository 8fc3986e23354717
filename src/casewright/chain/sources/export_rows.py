"""The files of an export, some rows at a time, in the columns that they have."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import IO, Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from casewright.chain.sources.export_arrays import SPENT

LIMIT = 1 << 36
"""Bytes that one packed text may unpack to; it is unpacked as it is read, and time is what bounds it before."""
JSON, LONGEST = (".json", ".jsonl"), 1 << 26
"""Endings of JSON lines, and bytes of their longest line, and of what is parsed at once."""
PIECE, DEEPEST = 1 << 22, 64
AT_ONCE, BUFFER, TEXT = 1 << 16, 1 << 20, 1 << 22
"""Rows that are taken out of a file at once, bytes of a column of Parquet, and of CSV."""
OPENING, CLOSING = (np.frombuffer(marks, np.uint8) for marks in (b"[{", b"]}"))
COLUMNS = {
    "transactions": ("hash", "block_hash"),
    "inputs": ("transaction_hash", "index", SPENT, "spent_output_index"),
    "outputs": ("transaction_hash", "index", "value"),
    "blocks": ("hash", "number", "timestamp"),
}
"""What tells the tables of an export apart; the first that fits."""
TOLD = {"hash", "block_hash", "block_number", "block_timestamp", "index", "version", "lock_time", "number", "timestamp",
        "transaction_hash", SPENT, "spent_output_index", "value", "script_hex", "addresses"}  # fmt: skip
WITHIN = {"inputs", "outputs"}
"""The columns that are read, alone or within these two; of the others Parquet need not be unpacked."""


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
    wanted = [path for path in (parquet.schema.column(n).path for n in range(len(parquet.schema))) if _is_told(path)]

    def tables() -> Iterator[pa.Table]:
        with _unsupported():
            for batch in parquet.iter_batches(AT_ONCE, columns=wanted, use_threads=False):
                batch.validate(full=True)  # raises ArrowInvalid where a text is no UTF-8
                yield pa.Table.from_batches([batch])

    return parquet.schema_arrow, tables()


def _is_told(path: str) -> bool:
    """Of a column of Parquet ("outputs.list.element.value")."""
    first, *inner = path.split(".")
    return first in TOLD or (first in WITHIN and not TOLD.isdisjoint(inner))


def _parsed(name: str, file: IO[bytes]) -> tuple[pa.Schema, Iterator[pa.Table]]:
    if name.endswith(".parquet"):
        return _parquet(file)
    text = cast(IO[bytes], io.BufferedReader(Unpacked(file), BUFFER)) if name.endswith(".gz") else file
    plain_name = name.removesuffix(".gz")
    if plain_name.endswith(JSON):
        tables = _json(text)
        first = next(tables)
        return first.schema, chain([first], tables)
    form = pa.csv.ParseOptions(delimiter="\t" if plain_name.endswith(".tsv") else ",")
    types = dict.fromkeys(_heading(text.readline(), form.delimiter), pa.string())
    text.seek(0)
    convert = pa.csv.ConvertOptions(column_types=types, strings_can_be_null=True)
    reader = pa.csv.open_csv(text, pa.csv.ReadOptions(use_threads=False, block_size=TEXT), form, convert)
    return reader.schema, (pa.Table.from_batches([batch]) for batch in reader)


def _json(text: IO[bytes]) -> Iterator[pa.Table]:
    """Tables of some lines each. Raises ValueError where there are none."""
    given = False
    for lines in _whole_lines(text):
        pa.array([lines], pa.large_binary()).cast(pa.large_string())  # raises ArrowInvalid where it is no UTF-8
        _check_depth(lines)
        table = pa.json.read_json(io.BytesIO(lines), pa.json.ReadOptions(use_threads=False, block_size=LONGEST))
        for at in range(0, len(table), AT_ONCE):
            yield table.slice(at, AT_ONCE)
            given = True
    if not given:
        raise ValueError("no row stands in it")


def _whole_lines(text: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while more := text.read(LONGEST - len(rest)):
        lines, end, rest = (rest + more).rpartition(b"\n")
        if len(rest) >= LONGEST:
            raise ValueError(f"a line has more than {LONGEST} bytes")
        if lines and not lines.isspace():
            yield lines + end
    if rest and not rest.isspace():
        yield rest


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


class Unpacked(io.RawIOBase):
    """What a file in gzip holds. Raises ValueError where it is cut or damaged, or too much."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, at: int, whence: int = 0) -> int:
        return self._file.seek(at, whence)

    def readinto(self, into: Any) -> int:
        try:
            some = self._file.read(len(into))
        except (EOFError, zlib.error) as problem:
            raise ValueError(f"the gzip stream is cut or damaged: {problem}") from problem
        if self._file.tell() > LIMIT:
            raise ValueError(f"it unpacks to more than {LIMIT} bytes")
        into[: len(some)] = some
        return len(some)


def kind_of(schema: pa.Schema) -> str | None:
    names = set(schema.names)
    return next((kind for kind, needed in COLUMNS.items() if names.issuperset(needed)), None)

"""One column of an export as numbers, hashes or scripts, whatever form it has: kernels read the usual ones, and DuckDB
is asked for what is odd.

A value that is missing or cannot be is NONE, and a hash or script that is none has no known bytes. `table` has any
columns; one that is not there is all missing, and of two with one name the first counts.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.engine.stage import Context
from casewright.kernels.digits import hashes_of, unhexed, whole_numbers

NONE = (1 << 63) - 1
MICROS = 1_000_000
MOMENT = r"^\d{4}-\d\d-\d\d ([01]\d|2[0-3]):[0-5]\d:[0-5]\d$"
Column = NDArray[Any]
Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def column_of(table: pa.Table, name: str) -> pa.Array | None:
    """A column in one piece, texts as texts; None where there is none, or nothing stands in it."""
    found = table.schema.get_all_field_indices(name)
    if not found or pa.types.is_null(table.schema.field(found[0]).type):
        return None
    column = table.column(found[0]).combine_chunks()
    column = column.chunk(0) if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_dictionary(column.type):
        return column.dictionary_decode()
    kind = column.type
    if kind == pa.string_view() or kind == pa.binary_view():
        return column.cast(pa.large_string() if kind == pa.string_view() else pa.large_binary())
    return column


class Inner(NamedTuple):
    """Rows that stand in a column of lists, and of each the row of the table that holds it."""

    rows: pa.Table
    owner: Numbers


def inner(table: pa.Table, name: str) -> Inner | None:
    """None where the column holds no rows; where all its lists are empty, JSON does not tell of what."""
    column = column_of(table, name)
    if column is None or not pa.types.is_list(column.type) or not pa.types.is_struct(column.type.value_type):
        return None
    held = column.flatten()
    names = [held.type.field(place).name for place in range(held.type.num_fields)]
    return Inner(pa.Table.from_arrays(held.flatten(), names), column.value_parent_indices().to_numpy())


def each(table: pa.Table, name: str) -> tuple[pa.Table, Numbers]:
    """The texts of a column, each once, and of each row which one it is; -1 for none."""
    column = column_of(table, name)
    if column is None or not _is_text(column.type):
        return pa.table({name: pa.array([], pa.string())}), np.full(len(table), -1)
    found = column.dictionary_encode()
    return pa.table({name: found.dictionary}), found.indices.fill_null(-1).to_numpy(zero_copy_only=False)


def hashes(table: pa.Table, name: str) -> tuple[Column, Flags]:
    """Hashes [n, 32] as they are hashed, and which are there."""
    column = column_of(table, name)
    if column is None or not _is_text(column.type):
        return np.zeros((len(table), 32), np.uint8), np.zeros(len(table), np.bool_)
    return _there(column, *hashes_of(*_texts(column)))


def is_there(table: pa.Table, name: str) -> Flags:
    """Where a value stands, whatever it is."""
    column = column_of(table, name)
    return np.zeros(len(table), np.bool_) if column is None else column.is_valid().to_numpy(zero_copy_only=False)


def numbers(table: pa.Table, name: str, context: Context) -> Numbers:
    """Whole numbers; DuckDB's TRY_CAST says what else is one: "1e3", 2.5, decimals."""
    column = column_of(table, name)
    if column is None:
        return np.full(len(table), NONE, np.int64)
    if pa.types.is_integer(column.type) and column.type != pa.uint64():
        return _filled(column)
    if _is_text(column.type):
        told, known = whole_numbers(*_texts(column))
        valid = column.is_valid().to_numpy(zero_copy_only=False)
        if not (valid & ~known).any() or not _is_asked(column.type):
            return np.where(valid & known, told, NONE)
    if not _is_asked(column.type):
        return np.full(len(table), NONE, np.int64)
    return _filled(_asked("TRY_CAST(told AS BIGINT)", column, context))


def times(table: pa.Table, name: str, context: Context) -> Numbers:
    """Seconds: of a timestamp, of a number, or of text that is either ("2009-01-12 03:30:25 UTC" is BigQuery's). Many
    transactions have one time, so each text is read once."""
    column = column_of(table, name)
    is_stamp = column is not None and pa.types.is_timestamp(column.type)
    if column is None or not (is_stamp or pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return numbers(table, name, context)
    each = column.dictionary_encode()
    read = _stamps if is_stamp else _moments
    told = np.append(read(each.dictionary, context), NONE)
    return np.asarray(told[each.indices.fill_null(-1).to_numpy()], np.int64)


def scripts(table: pa.Table, name: str) -> tuple[Column, Numbers, Flags]:
    """Scripts out of hex end to end, where each begins, and which are there."""
    column = column_of(table, name)
    if column is None or not _is_text(column.type):
        return np.empty(0, np.uint8), np.zeros(len(table) + 1, np.int64), np.zeros(len(table), np.bool_)
    raw, at, known = unhexed(*_texts(column))
    return raw, at, known & column.is_valid().to_numpy(zero_copy_only=False)


def addresses(table: pa.Table, context: Context) -> pa.Array:
    """The first of several; text may be a list that was written out."""
    column = column_of(table, "addresses")
    if column is None:
        return pa.nulls(len(table), pa.string())
    if pa.types.is_list(column.type):
        return _asked("told[1]::VARCHAR", column, context)
    return _asked("regexp_extract(told::VARCHAR, '[0-9A-Za-z]{14,}')", column, context)


def _moments(texts: pa.Array, context: Context) -> Numbers:
    told, known = whole_numbers(*_texts(texts))
    if known.all():
        return told
    try:
        plain = pc.replace_substring(texts, " UTC", "", max_replacements=1)
        if pc.all(pc.match_substring_regex(plain, MOMENT)).as_py():
            return _filled(plain.cast(pa.timestamp("s")))
    except pa.ArrowInvalid:  # a day that is in no calendar
        pass
    moment = "epoch(TRY_CAST(replace(told, ' UTC', '') AS TIMESTAMP))::BIGINT"
    return _filled(_asked(f"coalesce(TRY_CAST(told AS BIGINT), {moment})", texts, context))


def _stamps(stamps: pa.Array, context: Context) -> Numbers:
    try:
        return _filled(stamps.cast(pa.timestamp("s", stamps.type.tz)))
    except pa.ArrowInvalid:  # fractions of a second
        fine = stamps.cast(pa.timestamp("us", stamps.type.tz), safe=False).cast(pa.int64())
        seconds = np.rint(fine.fill_null(0).to_numpy() / MICROS).astype(np.int64)
        return np.where(fine.is_valid().to_numpy(zero_copy_only=False), seconds, NONE)


def _asked(expression: str, column: pa.Array, context: Context) -> pa.Array:
    """A column as DuckDB makes it of one; the expression is ours."""
    given = pa.table({"told": column, "place": np.arange(len(column))})
    made = context.sql(f"SELECT {expression} AS made FROM given ORDER BY place", given=given)  # noqa: S608  ours
    return made["made"].combine_chunks()


def _filled(column: Any) -> Numbers:
    """As numbers; NONE where there is none."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    told: Callable[..., Any] = whole.cast(pa.int64()).fill_null(NONE).to_numpy
    return np.asarray(told(zero_copy_only=False), np.int64)


def _is_text(kind: pa.DataType) -> bool:
    """Bytes count: some programs do not say that their text is text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind)
                or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))  # fmt: skip


def _is_asked(kind: pa.DataType) -> bool:
    """What else than integers DuckDB may make a number of."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_floating(kind)
                or pa.types.is_decimal(kind) or pa.types.is_boolean(kind) or kind == pa.uint64())  # fmt: skip


def _texts(column: pa.Array) -> tuple[Column, Column]:
    """The bytes of all texts, and where each begins and the last ends."""
    large = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    kind = np.dtype(np.int64 if large else np.int32)
    if not len(column):
        return np.zeros(0, np.uint8), np.zeros(1, kind)
    _, starts, data = column.buffers()
    at = np.frombuffer(starts, kind, len(column) + 1, column.offset * kind.itemsize)
    return np.frombuffer(data or b"", np.uint8), at


def _there(column: pa.Array, raw: Column, known: Flags) -> tuple[Column, Flags]:
    """Without what stands where there is nothing."""
    if column.null_count:
        known = known & column.is_valid().to_numpy(zero_copy_only=False)
        raw[~known] = 0
    return raw, known

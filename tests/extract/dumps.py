"""Dumps as tests read them: by both readers, which must agree."""

import io
from collections.abc import Iterable

from casewright.extract.reader import Rows
from casewright.extract.readers.mysql import FastDumpReader
from casewright.extract.readers.mysql_rows import DumpReader, Piece, Row


def pieces(raw: bytes, chunk: int = 1 << 20) -> list[Piece]:
    """By the slow reader; the fast one must agree, whatever it is given."""
    slow = list(DumpReader(io.BytesIO(raw), chunk).pieces())
    assert slow == _in_rows(FastDumpReader(io.BytesIO(raw), chunk).pieces())
    return slow


def rows(raw: bytes, chunk: int = 1 << 20) -> list[tuple[bytes | None, ...]]:
    return [p.values for p in pieces(raw, chunk) if isinstance(p, Row)]


def _in_rows(found: Iterable[Piece]) -> list[Piece]:
    return [row for piece in found for row in (_each(piece) if isinstance(piece, Rows) else [piece])]


def _each(rows: Rows) -> list[Row]:
    return [Row(rows.table, rows.columns, values, start, length) for values, start, length, _ in rows.each()]

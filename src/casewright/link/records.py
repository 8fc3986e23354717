"""Customer records and earlier subjects, read from CSV as they came."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FIELD_LIMIT = 1 << 20


@dataclass(frozen=True)
class Record:
    """A row by its column names, with its place."""

    fields: Mapping[str, str]
    row: int
    span_start: int
    span_length: int


@dataclass(frozen=True)
class BadRecord:
    reason: str
    row: int
    span_start: int
    span_length: int


def read_records(raw: bytes, needed: tuple[str, ...]) -> Iterator[Record | BadRecord]:
    """Rows under a heading; UTF-8, or else Windows-1252; `,` or `;`. Column names in any case.

    A row with more or fewer fields than the heading is bad, and so is a file without the needed columns.
    """
    encoding = _encoding(raw)
    lines = list(_lines(raw))
    if not lines:
        yield BadRecord("the file is empty", 0, 0, 0)
        return
    first = lines[0][1].decode(encoding, "replace").lstrip("\ufeff")
    comma = ";" if first.count(";") > first.count(",") else ","
    heading = [h.strip().lower() for h in _fields(first, comma)]
    if missing := [n for n in needed if n not in heading]:
        yield BadRecord(f"the heading lacks the column {missing[0]}", 0, 0, len(lines[0][1]))
        return
    for number, (start, line) in enumerate(lines[1:], start=1):
        if not line.strip():
            continue
        fields = _fields(line.decode(encoding, "replace"), comma)
        if len(fields) != len(heading):
            yield BadRecord(f"has {len(fields)} fields, the heading {len(heading)}", number, start, len(line))
        elif any(len(f) > FIELD_LIMIT for f in fields):
            yield BadRecord("has a field of more than a million characters", number, start, len(line))
        else:
            named = {name: value.replace("\0", "\\0").strip() for name, value in zip(heading, fields, strict=True)}
            yield Record(named, number, start, len(line))


def _encoding(raw: bytes) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _lines(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """(start, bytes) of each record: a line, or several where a quoted field holds line ends."""
    start = at = 0
    for line in raw.splitlines(keepends=True):
        at += len(line)
        if raw[start:at].count(b'"') % 2 == 0:
            yield start, raw[start:at]
            start = at
    if start < len(raw):
        yield start, raw[start:]


def _fields(text: str, comma: str) -> list[str]:
    csv.field_size_limit(FIELD_LIMIT * 16)
    try:
        rows: list[Any] = list(csv.reader(io.StringIO(text.replace("\0", "\\0"), newline=""), delimiter=comma))
    except csv.Error:
        return []
    return list(rows[0]) if rows else []

"""Tables that others wrote as CSV, read as they came: customer records, earlier subjects, lists of tags."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

FIELD_LIMIT = 1 << 20
COMMAS = ",;\t|"
"""What may part the fields; the one that the heading has most of."""
LONGEST_RECORD = 1 << 22
"""Bytes of one record at most: a quote that is never closed must not swallow the file."""


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


def read_records(raw: bytes, needed: tuple[str, ...], encoding: str = "") -> Iterator[Record | BadRecord]:
    """Rows under a heading; in `encoding`, by default UTF-8, or else Windows-1252; parted by comma, semicolon, tab or
    bar.

    Column names are in any case. A row with more or fewer fields than the heading is bad, and so is a file without the
    needed columns. Rows are numbered from 1 below the heading. NUL stands as `\\0`, a byte that Windows-1252 lacks as
    `\\xNN`.
    """
    encoding = encoding or _encoding(raw)
    start, first = next(_lines(raw, 0), (0, b""))
    if not first.strip():
        yield BadRecord("the file is empty, or has no heading", 0, 0, len(raw))
        return
    text = first.decode(encoding, "backslashreplace").lstrip("\ufeff")
    comma = max(COMMAS, key=text.count)
    heading = [h.strip().lower() for h in _fields(text, comma)]
    if wrong := _wrong(heading, needed):
        yield BadRecord(wrong, 0, start, len(first))
        return
    number, at = 0, start + len(first)
    while at < len(raw):
        number, at, found = _next(raw, at, number, encoding, comma, heading)
        yield from found


def _wrong(heading: list[str], needed: tuple[str, ...]) -> str | None:
    if missing := [n for n in needed if n not in heading]:
        return f"the heading lacks the column {missing[0]}"
    if twice := [n for n in heading if n and heading.count(n) > 1]:
        return f"the heading has the column {twice[0]!r} twice"
    return None


def _next(
    raw: bytes, at: int, number: int, encoding: str, comma: str, heading: list[str]
) -> tuple[int, int, list[Record | BadRecord]]:
    """Number and end of the record at `at`, and the record, if there is any.

    A record over several lines that fits no heading is taken to be one stray quote: only its first line is bad, and
    reading goes on at the next, so that no good row behind it is lost.
    """
    _, line = next(_lines(raw, at))
    if not line.strip():
        return number, at + len(line), []
    record = _record(line, number + 1, at, encoding, comma, heading)
    single = raw[at : at + len(line)].splitlines(keepends=True)[0]
    if isinstance(record, BadRecord) and len(single) < len(line):
        line = single
        record = BadRecord("has a quote that is never closed", number + 1, at, len(line))
    return number + 1, at + len(line), [record]


def _record(line: bytes, number: int, start: int, encoding: str, comma: str, heading: list[str]) -> Record | BadRecord:
    fields = _fields(line.decode(encoding, "backslashreplace"), comma)
    if len(fields) != len(heading):
        return BadRecord(f"has {len(fields)} fields, the heading {len(heading)}", number, start, len(line))
    if any(len(f) > FIELD_LIMIT for f in fields):
        return BadRecord("has a field of more than a million characters", number, start, len(line))
    named = {name: value.strip() for name, value in zip(heading, fields, strict=True) if name}
    return Record(named, number, start, len(line))


def _encoding(raw: bytes) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _lines(raw: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """(start, bytes) of each record: a line, or several where a quoted field holds line ends."""
    at, quotes = start, 0
    while at < len(raw):
        end = _line_end(raw, at)
        quotes += raw.count(b'"', at, end)
        at = end
        if quotes % 2 == 0 or at - start > LONGEST_RECORD:
            yield start, raw[start:at]
            start, quotes = at, 0
    if start < len(raw):
        yield start, raw[start:]


def _line_end(raw: bytes, at: int) -> int:
    """Where the line at `at` ends: behind CR LF, LF or CR."""
    newline = raw.find(b"\n", at)
    end = len(raw) if newline < 0 else newline + 1
    single = raw.find(b"\r", at, end)
    return single + 1 if 0 <= single < end - 2 or (single >= 0 and newline < 0) else end


def _fields(text: str, comma: str) -> list[str]:
    csv.field_size_limit(LONGEST_RECORD * 2)
    try:
        return next(csv.reader(io.StringIO(text.replace("\0", "\\0"), newline=""), delimiter=comma), [])
    except csv.Error:
        return []

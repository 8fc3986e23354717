"""Hash lists as CSV: a line of names, then an entry a line; `,` or `;` between the fields. ICSE's lists are such:
`MD5;SHA1;PhotoDNA;Image ID;...`. Columns that are not read here stay verbatim in the sealed list.
"""

import csv
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from casewright.media.lists import AT_ONCE, HEX, Alive, Entries
from casewright.model.errors import Refused

NAMES = {"sha256": "sha256", "sha-256": "sha256", "sha1": "sha1", "sha-1": "sha1", "md5": "md5", "pdq": "pdq",
         "category": "category", "id": "native", "mediaid": "native", "image id": "native"}  # fmt: skip
LONGEST = 1 << 20
"""Bytes of the longest line that is read."""
Line = tuple[int, str]
"""First byte, and text with its line end."""


def read_csv(file: BinaryIO, name: str, alive: Alive) -> Iterator[Entries]:
    """Every entry, after the whole list was found to be sound. Raises Refused before the first when it is not."""
    comma, heading, dialect = _heading(file, name)
    try:
        last = None
        for _, fields in _rows(file, comma):
            last = fields[-1] if fields else last
            alive()
        ends = _last_byte(file) in b"\n\r"
    except (ValueError, csv.Error) as error:
        raise Refused(f"{name} is damaged, and nothing of it was used: {error}. Get it again.") from error
    if not ends and last is not None and len(last) < len(heading):
        raise Refused(f"{name} ends in the middle of a line, and nothing of it was used. Get it again.")
    return _entries(file, comma, heading, dialect, alive)


def _heading(file: BinaryIO, name: str) -> tuple[str, list[str], str]:
    file.seek(0)
    try:
        first = file.readline(LONGEST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{name} is no hash list that is known: {error}.") from error
    if "\r" in first.rstrip("\r\n"):
        raise Refused(f"{name} is no hash list that is known: its lines do not end as lines of CSV do.")
    comma = ";" if first.count(";") > first.count(",") else ","
    names = [field.strip().lower() for field in next(csv.reader([first.rstrip("\r\n")], delimiter=comma), [])]
    heading = [NAMES.get(field, "") for field in names]
    if not set(heading) & {*HEX, "pdq"}:
        raise Refused(f"{name} is no hash list that is known: its first line names no hash.")
    return comma, heading, "icse csv" if {"photodna", "image id"} <= set(names) else "csv"


def _entries(file: BinaryIO, comma: str, heading: list[str], dialect: str, alive: Alive) -> Iterator[Entries]:
    number = 0
    for lines, rows in _rows(file, comma):
        numbered = zip(range(number + 1, number + 1 + len(lines)), lines, rows, strict=True)
        kept = [(n, start, len(line.encode("utf-8")), row) for n, (start, line), row in numbered if line.strip()]
        number += len(lines)
        fields = [dict(zip(heading, row, strict=False)) for *_, row in kept]
        alive()
        yield Entries(
            dialect, [n for n, *_ in kept], [start for _, start, *_ in kept], [length for _, _, length, _ in kept],
            [f.get("native") or str(n) for f, (n, *_) in zip(fields, kept, strict=True)],
            [f.get("category") or None for f in fields], {name: [f.get(name) for f in fields] for name in HEX},
            [[f["pdq"].strip()] if f.get("pdq", "").strip() else [] for f in fields],
        )  # fmt: skip


def _rows(file: BinaryIO, comma: str) -> Iterator[tuple[list[Line], list[list[str]]]]:
    """Lines behind the heading, some at a time, and their fields. Raises ValueError and csv.Error."""
    lines = _lines(file)
    while some := list(islice(lines, AT_ONCE)):
        rows = list(csv.reader([line for _, line in some], delimiter=comma, strict=True))
        if len(rows) != len(some):
            raise ValueError(f"quotes that do not close behind byte {some[0][0]}")
        yield some, rows


def _lines(file: BinaryIO) -> Iterator[Line]:
    """A line that ends inside quotes goes on in the next one."""
    file.seek(0)
    at = len(file.readline(LONGEST))
    while line := file.readline(LONGEST):
        while line.count(b'"') % 2 and len(line) < LONGEST and (more := file.readline(LONGEST)):
            line += more
        if len(line) >= LONGEST:
            raise ValueError(f"the line at byte {at} is longer than {LONGEST} bytes")
        if line.count(b'"') % 2:
            raise ValueError(f"the quotes in the line at byte {at} do not close")
        yield at, line.decode("utf-8")
        at += len(line)


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, 2)
    return file.read(1)

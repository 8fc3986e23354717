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
Line = tuple[int, int, str]
"""First byte, number of bytes, and text with its line end."""


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
    places = {name: [at for at, one in enumerate(heading) if one == name] for name in set(heading)}
    number = 0
    for lines, rows in _rows(file, comma):
        kept = [at for at, (_, _, line) in enumerate(lines) if not line.isspace()]
        held = [rows[at] for at in kept]
        numbers = [number + 1 + at for at in kept]
        number += len(lines)
        columns = {name: _column(held, places.get(name, [])) for name in (*HEX, "pdq", "category", "native")}
        alive()
        yield Entries(
            dialect, numbers, [lines[at][0] for at in kept], [lines[at][1] for at in kept],
            [said or str(n) for said, n in zip(columns["native"], numbers, strict=True)],
            [said or None for said in columns["category"]], {name: columns[name] for name in HEX},
            [[said.strip()] if said and said.strip() else [] for said in columns["pdq"]],
        )  # fmt: skip


def _column(rows: list[list[str]], places: list[int]) -> list[str | None]:
    """What each row has in the last of these places that it reaches to."""
    found: list[str | None] = [None] * len(rows)
    for place in places:
        found = [row[place] if len(row) > place else said for row, said in zip(rows, found, strict=True)]
    return found


def _rows(file: BinaryIO, comma: str) -> Iterator[tuple[list[Line], list[list[str]]]]:
    """Lines behind the heading, some at a time, and their fields. Raises ValueError and csv.Error."""
    lines = _lines(file)
    while some := list(islice(lines, AT_ONCE)):
        rows = list(csv.reader([line for _, _, line in some], delimiter=comma, strict=True))
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
        yield at, len(line), line.decode("utf-8")
        at += len(line)


def _last_byte(file: BinaryIO) -> bytes:
    file.seek(-1, 2)
    return file.read(1)

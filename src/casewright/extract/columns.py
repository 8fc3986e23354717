"""What the columns of an unknown database hold, by a sample of their values."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from casewright.extract.reader import Rows, Schema
from casewright.extract.values import ip_of, is_ip, text_of, time_of
from casewright.model.bitcoin import valid_address

SAMPLE = 400
PUBLIC = tuple(bytes([n]) for n in range(0x20, 0x40))
MAPPED = bytes(10) + b"\xff\xff"
BYTES = re.compile(r"(?:var)?binary|\w*blob|bytea")
"""How addresses of IPv6 begin: those that are given out, and those of IPv4 within. Digests begin in every way."""
SHARE = 0.7
VALUE_LIMIT = 4096
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[A-Za-z]{2,24}")
MEDIA_NAME = re.compile(r"\.(?:jpe?g|png|gif|webp|bmp|tiff?|heic|avif|mp4|m4v|mov|mkv|webm|avi|mpe?g|wmv|flv)$", re.I)
PATH = re.compile(r"(?:/|\w+/|https?://).*\.\w{2,8}")
STORED = re.compile(r"(?:[\w-]+_)?[0-9a-f]{32,64}(?:\.\w{2,8})?")
"""A file under a name that a program made up."""
STORED_NAME = re.compile(r"physical|stored|attach_?name|disk_?name|file_?name|file_?path", re.I)
IP_NAME = re.compile(r"(?:^|_)ip(?:n|num|int|long)?(?:_|$)|ip_?addr", re.I)
AGENT = re.compile(r"[A-Za-z][\w.!-]*/v?\d.*")

AMOUNT = re.compile(r"-?\d{1,8}\.\d{1,18}|-?\d{3,16}")
"""Coins with their decimals, or satoshis."""
WORDS = re.compile(r"[A-Za-z][A-Za-z _-]{0,40}")


@dataclass
class Column:
    """A column: its sampled values, the share of them that is of each kind, and the table that it refers to.

    `low` and `high` bound all its numbers, not only the sampled ones, when it is its table's key.
    """

    name: str
    declared: str
    values: list[str] = field(default_factory=list)
    shares: dict[str, float] = field(default_factory=dict)
    refers: str | None = None
    low: int | None = None
    high: int | None = None

    def is_kind(self, kind: str) -> bool:
        return self.shares.get(kind, 0.0) >= SHARE

    @property
    def distinct(self) -> float:
        return len(set(self.values)) / len(self.values) if self.values else 0.0

    def widen(self, value: bytes | None) -> None:
        if value is not None and value.isdigit() and len(value) < 20:
            number = int(value)
            self.low = number if self.low is None else min(self.low, number)
            self.high = number if self.high is None else max(self.high, number)


@dataclass
class Sample:
    """A table's columns, key and number of rows."""

    name: str
    columns: dict[str, Column]
    primary: str | None
    rows: int = 0

    def take(self, rows: Rows) -> None:
        left = max(0, SAMPLE - self.rows)
        self.rows += len(rows)
        for name, values in zip(rows.columns, rows.values, strict=True):
            column = self.columns.get(name)
            if column is None:
                continue
            if name == self.primary:
                for value in values.to_pylist():
                    column.widen(value)
            first = values.slice(0, left).to_pylist()
            column.values += [_shown(value, column) for value in first if value is not None]


def sample(pieces: Iterable[object]) -> dict[str, Sample]:
    """Every table of a dump, with up to `SAMPLE` of its rows."""
    tables: dict[str, Sample] = {}
    for piece in pieces:
        if isinstance(piece, Schema):
            columns = {name: Column(name, declared) for name, declared in piece.columns}
            tables[piece.table] = Sample(piece.table, columns, piece.primary)
            for name, other, _ in piece.foreign:
                if name in columns:
                    columns[name].refers = other
        elif isinstance(piece, Rows):
            if piece.table not in tables:
                tables[piece.table] = Sample(piece.table, {n: Column(n, "") for n in piece.columns}, None)
            tables[piece.table].take(piece)
    for table in tables.values():
        for column in table.columns.values():
            filled = [v for v in column.values if v]
            column.shares = {k: sum(map(test, filled)) / len(filled) for k, test in KINDS.items()} if filled else {}
            if filled and STORED_NAME.search(column.name):
                column.shares["path"] = max(column.shares["path"], sum(map(_is_stored, filled)) / len(filled))
    return tables


def _shown(value: bytes, column: Column) -> str:
    """A value as text; an address of a machine that is packed or a number as it is written."""
    packed = len(value) == 4 or (len(value) == 16 and (value[:1] in PUBLIC or value.startswith(MAPPED)))
    no_text = BYTES.match(column.declared) or not (value.isascii() and value.decode("ascii").isprintable())
    if (packed and no_text) or (value.isdigit() and IP_NAME.search(column.name)):
        return ip_of(value) or ""
    return text_of(value[:VALUE_LIMIT]) or ""


def _is_stored(text: str) -> bool:
    return STORED.fullmatch(text) is not None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_time(text: str) -> bool:
    return not (_is_number(text) and len(text) < 9) and time_of(text.encode(), "UTC", 0).time is not None


KINDS: Mapping[str, Callable[[str], bool]] = {
    "address": lambda v: valid_address(v) is not None,
    "email": lambda v: EMAIL.fullmatch(v) is not None,
    "ip": is_ip,
    "time": _is_time,
    "sha256": lambda v: re.fullmatch(r"[0-9A-Fa-f]{64}", v) is not None,
    "md5": lambda v: re.fullmatch(r"[0-9A-Fa-f]{32}", v) is not None,
    "path": lambda v: PATH.fullmatch(v) is not None or MEDIA_NAME.search(v) is not None,
    "amount": lambda v: AMOUNT.fullmatch(v) is not None,
    "words": lambda v: WORDS.fullmatch(v) is not None,
    "agent": lambda v: AGENT.fullmatch(v) is not None,
    "number": _is_number,
}
IN_WORDS = {
    "email": "emails",
    "time": "times",
    "ip": "IP addresses",
    "address": "Bitcoin addresses whose checksum holds",
    "sha256": "as long as SHA-256",
    "md5": "as long as MD5",
    "path": "paths",
    "amount": "amounts",
    "words": "words",
    "agent": "user agents",
}

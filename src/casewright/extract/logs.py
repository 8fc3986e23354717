"""nginx and Apache logs in the combined format, line by line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

LINE = re.compile(
    rb"(?P<ip>\S+) \S+ (?P<user>.*?) \[(?P<time>[^\]]{20,32})\] "
    rb'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-)'
    rb'(?: "(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)")?.*'
)
MONTHS = {m: i for i, m in enumerate((b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct",
                                      b"Nov", b"Dec"), start=1)}  # fmt: skip
REQUEST = re.compile(rb"([A-Z]+) (.*?)(?: HTTP/[\d.]+)?", re.DOTALL)
TIME = re.compile(rb"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
HEX_ESCAPE = re.compile(rb"\\x([0-9A-Fa-f]{2})")
LINE_LIMIT = 1 << 20
BLANK = "blank"


@dataclass(frozen=True)
class LogLine:
    """A request. `user` is None where the log has a dash; `time` is naive UTC, `zone` the offset in the log."""

    ip: str
    user: str | None
    time: datetime
    zone: str
    method: str
    path: str
    status: int
    agent: str
    number: int
    span_start: int
    span_length: int


@dataclass(frozen=True)
class BadLine:
    """A line that is none of a combined log."""

    reason: str
    number: int
    span_start: int
    span_length: int


def log_lines(file: BinaryIO) -> Iterator[LogLine | BadLine]:
    """Every line, numbered from 1. A blank one is a `BadLine` with the reason `BLANK`: there is nothing in it."""
    at = number = 0
    while raw := file.readline(LINE_LIMIT):
        number += 1
        yield _line(raw.rstrip(b"\r\n"), number, at, len(raw)) if raw.strip() else BadLine(BLANK, number, at, len(raw))
        at += len(raw)


def _line(raw: bytes, number: int, start: int, length: int) -> LogLine | BadLine:
    match = LINE.fullmatch(raw)
    if match is None:
        return BadLine("no combined log line", number, start, length)
    stamp = TIME.fullmatch(match["time"])
    moment = _utc(stamp) if stamp else None
    if stamp is None or moment is None:
        return BadLine("no such time", number, start, length)
    user = None if match["user"] == b"-" else _text(match["user"])
    zone = f"{stamp[7].decode()}{stamp[8].decode()}:{stamp[9].decode()}"
    method, path = _request(match["request"])
    return LogLine(_text(match["ip"]), user, moment, zone, method, path,
                   int(match["status"]), _text(match["agent"] or b""), number, start, length)  # fmt: skip


def _request(raw: bytes) -> tuple[str, str]:
    """Method and path; for what is no HTTP request (a TLS handshake sent to the wrong port) an empty method."""
    found = REQUEST.fullmatch(raw)
    return (_text(found[1]), _text(found[2])) if found else ("", _text(raw))


def _utc(stamp: re.Match[bytes]) -> datetime | None:
    """The moment in UTC; the log names its own offset, so nothing is assumed."""
    day, month, year, hour, minute, second, sign, hours, minutes = stamp.groups()
    if month not in MONTHS:
        return None
    try:
        local = datetime(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        offset = (int(hours) * 60 + int(minutes)) * 60 * (1 if sign == b"+" else -1)
        return datetime.fromtimestamp(local.timestamp() - offset, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _text(raw: bytes) -> str:
    """Log text as the server received it: \\xHH escapes undone, then UTF-8 with stand-ins for what is none."""
    plain = HEX_ESCAPE.sub(lambda m: bytes([int(m[1], 16)]), raw)
    return plain.decode("utf-8", "backslashreplace")

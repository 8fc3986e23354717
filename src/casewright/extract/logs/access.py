"""nginx and Apache logs in the common or combined format, line by line, a virtual host before it allowed.

Formats: nginx "ngx_http_log_module" and Apache "mod_log_config". Both write bytes that are not printable as `\\xHH`;
Apache also writes quotes, backslashes and a few control characters with a backslash.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

LINE = re.compile(
    rb"(?:[A-Za-z0-9.-]+:\d{1,5} )?(?P<ip>\S+) \S+ (?P<user>.*?) \[(?P<time>[^\[\]]{20,32})\] "
    rb'"(?P<request>(?:[^"\\]|\\.)*+)" (?P<status>\d{3}) (?:\d+|-)'
    rb'(?: "(?:[^"\\]|\\.)*+" "(?P<agent>(?:[^"\\]|\\.)*+)")?(?: .*)?'
)
REQUEST = re.compile(rb"(?P<method>[A-Z]+) (?P<path>.*?)(?: HTTP/[\d.]+)?", re.DOTALL)
MONTHS = {m: i for i, m in enumerate((b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct",
                                      b"Nov", b"Dec"), start=1)}  # fmt: skip
TIME = re.compile(rb"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([\"\\btnvr]))")
CONTROLS = {b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"r": b"\r"}
LINE_LIMIT = 1 << 20
BLANK = "blank"


@dataclass(frozen=True, slots=True)
class LogLine:
    """A request. `user` is None where the log has a dash; `time` is naive UTC, `zone` the offset in the log.

    `method` is empty and `path` all that was sent when that is no HTTP: scanners try a TLS handshake on the plain port.
    """

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


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is none of such a log."""

    reason: str
    number: int
    span_start: int
    span_length: int


def log_lines(file: BinaryIO) -> Iterator[LogLine | BadLine]:
    """Every line, numbered from 1. A blank one is a `BadLine` with the reason `BLANK`: there is nothing in it."""
    at = number = 0
    while raw := file.readline(LINE_LIMIT):
        number, length = number + 1, len(raw)
        if length == LINE_LIMIT and not raw.endswith(b"\n"):
            while more := file.readline(LINE_LIMIT):
                length += len(more)
                if more.endswith(b"\n"):
                    break
            yield BadLine(f"a line of more than {LINE_LIMIT} bytes", number, at, length)
        elif raw.strip():
            yield _line(raw.rstrip(b"\r\n"), number, at, length)
        else:
            yield BadLine(BLANK, number, at, length)
        at += length


def _line(raw: bytes, number: int, start: int, length: int) -> LogLine | BadLine:
    match = LINE.fullmatch(raw)
    if match is None:
        return BadLine("no combined log line", number, start, length)
    stamp = TIME.fullmatch(match["time"])
    moment = _utc(stamp) if stamp else None
    if stamp is None or moment is None:
        return BadLine("no such time", number, start, length)
    user = None if match["user"] in (b"-", b"", b'""') else _text(match["user"])
    zone = f"{stamp[7].decode()}{stamp[8].decode()}:{stamp[9].decode()}"
    request = REQUEST.fullmatch(match["request"])
    method, path = request.groups() if request else (b"", match["request"])
    return LogLine(_text(match["ip"]), user, moment, zone, _text(method), _text(path),
                   int(match["status"]), _text(match["agent"] or b""), number, start, length)  # fmt: skip


def _utc(stamp: re.Match[bytes]) -> datetime | None:
    """The moment in UTC; the log names its own offset, so nothing is assumed."""
    day, month, year, hour, minute, second, sign, hours, minutes = stamp.groups()
    if month not in MONTHS:
        return None
    try:
        local = datetime(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        ahead = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == b"+" else -1)
        return (local - ahead).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def _text(raw: bytes) -> str:
    """Log text as the server received it: escapes undone, then UTF-8 with stand-ins for what is none."""
    plain = ESCAPED.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else CONTROLS.get(m[2], m[2]), raw)
    return plain.decode("utf-8", "backslashreplace")

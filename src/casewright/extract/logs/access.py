"""nginx and Apache logs in the common or combined format, line by line, a virtual host before it allowed.

Formats: nginx "ngx_http_log_module" and Apache "mod_log_config". Both write bytes that are not printable as `\\xHH`;
Apache also writes quotes, backslashes and a few control characters with a backslash.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import BinaryIO

from casewright.extract.log import NO_TIME, Given, Line, Quiet, Request, Unreadable
from casewright.extract.logs.lines import read_lines
from casewright.extract.values import Moment

QUOTED = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
LINE = re.compile(
    rb"(?:[A-Za-z0-9.-]+:\d{1,5} )?(?P<ip>\S+) \S+ (?P<user>.*?) \[(?P<time>[^\[\]]{20,32})\] "
    rb'"(?P<request>' + QUOTED + rb')" (?P<status>\d{3}) (?:\d+|-)'
    rb'(?: "' + QUOTED + rb'" "(?P<agent>' + QUOTED + rb')")?(?: .*)?'
)
VISITOR = re.compile(
    rb'(?:[A-Za-z0-9.-]+:\d{1,5} )?+[^\s"]+ [^\s"]+ - '
    rb"\[(\d\d/\w{3}/\d{4}):(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d ([+-]\d{4})\] "
    rb'"[^"]*" \d{3} (?:\d+|-)(?: "[^"]*" "[^"]*")?(?: .*)?'
)
"""The usual line without a user, when there is no backslash in it: told apart in a third of the time."""
METHOD, PROTOCOL = re.compile(rb"[A-Z]+"), re.compile(rb"HTTP/[\d.]+")
MONTHS = {m: i for i, m in enumerate((b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct",
                                      b"Nov", b"Dec"), start=1)}  # fmt: skip
TIME = re.compile(rb"(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
ESCAPED = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|([\"\\btnvr]))")
CONTROLS = {b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"r": b"\r"}
NOBODY = frozenset((b"-", b"", b'""'))


def read_access(file: BinaryIO, given: Given) -> Iterator[Line | Quiet]:
    """Requests of named users; those of visitors hold nothing to find."""
    return read_lines(file, quickly_named_request)


def quickly_named_request(raw: bytes) -> Request | Unreadable | None:
    """What `named_request` says."""
    visitor = None if b"\\" in raw else VISITOR.fullmatch(raw)
    return None if visitor and _is_day(visitor[1], visitor[2]) else named_request(raw)


@lru_cache(1 << 10)
def _is_day(day: bytes, ahead: bytes) -> bool:
    """Whether there was such a day, from its first second to its last."""
    return all(moment_of(b"%s:%s %s" % (day, clock, ahead)).time for clock in (b"00:00:00", b"23:59:59"))


def named_request(raw: bytes) -> Request | Unreadable | None:
    """The request in a line; None when it names no user."""
    match = LINE.fullmatch(raw)
    if match is None:
        return Unreadable("no combined log line")
    moment = moment_of(match["time"])
    if moment.time is None:
        return NO_TIME
    return None if match["user"] in NOBODY else _request(match, moment.time, moment.rule or "")


def request_of(raw: bytes) -> Request | None:
    """The request in a line, whoever made it; None when it can't be read."""
    match = LINE.fullmatch(raw)
    moment = moment_of(match["time"]) if match else None
    if match is None or moment is None or moment.time is None:
        return None
    return _request(match, moment.time, moment.rule or "")


def _request(match: re.Match[bytes], time: datetime, rule: str) -> Request:
    user = None if match["user"] in NOBODY else plain(match["user"])
    method, path = asked(match["request"])
    return Request(plain(match["ip"]), user, time, rule, plain(method), plain(path), int(match["status"]),
                   plain(match["agent"] or b""))  # fmt: skip


def asked(request: bytes) -> tuple[bytes, bytes]:
    """Method and path of a request's first line; no method, and all of it, when it is no HTTP."""
    method, space, rest = request.partition(b" ")
    if not space or not METHOD.fullmatch(method):
        return b"", request
    path, space, protocol = rest.rpartition(b" ")
    return method, path if space and PROTOCOL.fullmatch(protocol) else rest


@lru_cache(1 << 12)  # thousands of lines have the same second
def moment_of(stamp: bytes) -> Moment:
    """The moment that a stamp names. It says its own distance from UTC, so nothing is assumed."""
    found = TIME.fullmatch(stamp)
    if found is None:
        return Moment(None, None)
    return Moment(utc(found), f"log, its own {found[7].decode()}{found[8].decode()}:{found[9].decode()}")


def utc(stamp: re.Match[bytes]) -> datetime | None:
    """The moment in naive UTC of what `TIME` found, None when there never was one."""
    day, month, year, hour, minute, second, sign, hours, minutes = stamp.groups()
    if month not in MONTHS:
        return None
    try:
        local = datetime(int(year), MONTHS[month], int(day), int(hour), int(minute), int(second), tzinfo=UTC)
        ahead = timedelta(hours=int(hours), minutes=int(minutes)) * (1 if sign == b"+" else -1)
        return (local - ahead).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None


def plain(raw: bytes) -> str:
    """Log text as the server received it: escapes undone, then UTF-8 with stand-ins for what is none."""
    if b"\\" in raw:
        raw = ESCAPED.sub(lambda m: bytes([int(m[1], 16)]) if m[1] else CONTROLS.get(m[2], m[2]), raw)
    return raw.decode("utf-8", "backslashreplace")

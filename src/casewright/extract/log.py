"""What a reader of logs gives: the contract in which the formats of logs and the mapping meet.

A reader goes once or twice over a log, line by line, and says of each line what it is: a `Request` to a web server, an
`Act` (a sign-in, its end, a transfer), or `Unreadable`, with its place. Lines that were understood and hold nothing
that is looked for are counted, as `Quiet`. So every line is accounted for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, NamedTuple

from casewright.extract.log_rules import Application

LOGIN, LOGOUT, DOWNLOAD, UPLOAD, REQUESTS = "login", "logout", "download", "upload", "requests"
SYSTEM = "system"
"""Whose name it is: a user of the server itself, never an account of the service."""
LINE_LIMIT = 1 << 20


class Request(NamedTuple):
    """A request. `user` is None where the log names none; `time` is naive UTC, `rule` says what made it so.

    `method` is empty and `path` all that was sent when that is no HTTP: scanners try a TLS handshake on the plain port.
    """

    ip: str | None
    user: str | None
    time: datetime
    rule: str
    method: str
    path: str
    status: int
    agent: str
    port: int | None = None


class Act(NamedTuple):
    """What a line says by itself that somebody did.

    `name_is`: which column of accounts holds the name, or `SYSTEM`. `session`: what the log calls the session, the same
    in the line that begins it and the line that ends it. `how`: how a session ended.
    """

    what: str
    user: str | None
    name_is: str
    time: datetime
    rule: str
    ip: str | None = None
    port: int | None = None
    agent: str | None = None
    reference: str | None = None
    session: str | None = None
    how: str | None = None


class Unreadable(NamedTuple):
    """A line that is none of such a log, and why."""

    reason: str


NO_TIME = Unreadable("no such time")
NO_YEAR = Unreadable("no year: its file has no time; say the year of its last line in [logs] of the mapping")


class Line(NamedTuple):
    """What a line says, its number from 1, and where its bytes are, its end included."""

    said: Request | Act | Unreadable
    number: int
    span_start: int
    span_length: int


class Quiet(NamedTuple):
    """So many lines were understood and hold nothing to find."""

    lines: int


@dataclass(frozen=True)
class Given:
    """What a reader is told because a log does not say it.

    `zone`: of times that name none. `modified`: when the log was last written, naive UTC. `year`: of the last line, by
    the mapping, where nothing else says it. `applications`: the patterns for this file, in their order.
    """

    zone: str = "UTC"
    modified: datetime | None = None
    year: int | None = None
    applications: tuple[Application, ...] = ()


LogReader = Callable[[BinaryIO, Given], Iterator[Line | Quiet]]

"""The market's logs: nginx's in combined format and the system's `auth.log`, in rotations of a million lines, gzipped.

Most lines are visitors who never sign in and machines that try every door; members' lines name a payer. What a crash
leaves in a log stands in every rotation.
"""

import gzip
import os
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from casewright.demo.economy import EPOCH
from casewright.demo.operation import CLOSED, Operation
from casewright.demo.seizure_logs import BROKEN, FROM, MONTHS, PROBES, VISITS, combined, summer_hours
from casewright.demo.wtv import members
from casewright.demo.wtv.size import ACCESS_LINES, SIGN_IN_LINES, Size

A_FILE, DRAWN_AT_ONCE, MEMBERS_EVERY, ROOT_EVERY, SEED = 1_000_000, 50_000, 20, 1000, 1852
LEVEL = 1
"""Of gzip: time goes into the reading, not into this."""
AGENT = "Mozilla/5.0 zgrab/0.x"
ASKED = (*VISITS, *VISITS, *PROBES)
Counts = dict[str, dict[str, int]]


def write_logs(folder: Path, operation: Operation, size: Size, tick: Callable[[int], None]) -> Counts:
    """`access.log.N.gz` and `auth.log.N.gz`, the youngest with the lowest number; returns lines and broken ones by
    file."""
    counts: Counts = {"log_lines": {}, "log_lines_broken": {}}
    kinds = (("nginx/access.log", access_lines(operation, size.of(ACCESS_LINES)), size.of(ACCESS_LINES), BROKEN),
             ("auth.log", auth_lines(size.of(SIGN_IN_LINES)), size.of(SIGN_IN_LINES), ()))  # fmt: skip
    done = 0
    for name, lines, total, broken in kinds:
        rotations = -(-total // A_FILE)
        for number in range(rotations, 0, -1):
            path = folder / f"{name}.{number}.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            written, last = _write(path, islice(lines, A_FILE), broken, lambda n, done=done: tick(done + n))
            os.utime(path, (last, last))
            counts["log_lines"][path.name], counts["log_lines_broken"][path.name] = written + len(broken), len(broken)
            done += written
    return counts


def _write(path: Path, lines: Iterator[tuple[int, bytes]], broken: tuple[bytes, ...], tick: Any) -> tuple[int, int]:
    """How many lines there were, and the time of the last one."""
    written = last = 0
    with path.open("wb") as raw, gzip.GzipFile("", "wb", LEVEL, raw, mtime=0) as file:
        while some := list(islice(lines, DRAWN_AT_ONCE)):
            file.write(b"\n".join([line for _, line in some]) + b"\n")
            written, last = written + len(some), some[-1][0]
            tick(written)
        file.write(b"".join(line + b"\n" for line in broken))
    return written, last


def _moments(first: datetime, last: datetime, count: int) -> Iterator[tuple[int, datetime]]:
    """So many seconds since the epoch, in order, each with the minute that it is in."""
    begin, span = int((first - EPOCH).total_seconds()), int((last - first).total_seconds())
    minute, now = -1, first
    for k in range(count):
        at = begin + k * span // count
        if at // 60 != minute:
            minute = at // 60
            now = EPOCH + timedelta(minutes=minute)
        yield at, now


@lru_cache(64)
def _zone(hour: datetime) -> int:
    return summer_hours(hour)


def access_lines(operation: Operation, count: int) -> Iterator[tuple[int, bytes]]:
    """Lines by time, each with its own time."""
    dice, accounts, minute, stamp, zone = np.random.default_rng(SEED), operation.accounts, None, "", 0
    picks: list[list[int]] = []
    for k, (at, now) in enumerate(_moments(FROM, CLOSED, count)):
        if not picks:
            picks = dice.integers(0, 1 << 20, (min(DRAWN_AT_ONCE, count - k), 3)).tolist()
        one, two, three = picks.pop()
        if k % MEMBERS_EVERY == 0:
            yield at, _of_member(accounts[one % len(accounts)].number, now + timedelta(seconds=at % 60), two, three)
            continue
        if now is not minute:
            minute, zone = now, _zone(now.replace(minute=0))
            local = now + timedelta(hours=zone)
            stamp = f"{local.day:02}/{MONTHS[local.month - 1]}/{local:%Y:%H:%M}"
        asked = ASKED[two % len(ASKED)]
        status, size = (404, 153) if asked in PROBES else (200, three % 9000 + 90)
        when = f"{stamp}:{at % 60:02} +0{zone}00"
        yield at, f'203.0.113.{one % 250} - - [{when}] "GET {asked} HTTP/1.1" {status} {size} "-" "{AGENT}"'.encode()


def _of_member(number: int, at: datetime, two: int, three: int) -> bytes:
    ip, nick, agent = members.address_on_the_net(number, 3), members.nick(number), members.agent(number)
    if two % 8 == 0:
        return combined(ip, nick, at, "POST /login HTTP/1.1", 302, 5, agent)
    request = f"GET /media/{two % 16:02}/{three:012x}.{'jpg' if three % 3 else 'mp4'} HTTP/1.1"
    return combined(ip, nick, at, request, 200 if three % 5 else 206, three + 9000, agent)


def auth_lines(count: int) -> Iterator[tuple[int, bytes]]:
    """What a server on the open net has: one sign-in in a thousand lines."""
    dice, stamp, minute = np.random.default_rng(SEED + 1), "", None
    picks: list[list[int]] = []
    for k, (at, now) in enumerate(_moments(FROM, CLOSED, count)):
        if not picks:
            picks = dice.integers(0, 1 << 20, (min(DRAWN_AT_ONCE, count - k), 2)).tolist()
        one, two = picks.pop()
        if now is not minute:
            minute, stamp = now, f"{MONTHS[now.month - 1]} {now.day:2} {now:%H:%M}"
        head = f"{stamp}:{at % 60:02} glasshouse sshd[{one % 30_000}]: "
        if k % ROOT_EVERY == 0:
            said = f"Accepted publickey for keeper from 192.0.2.9 port {two % 60_000} ssh2: RSA SHA256:invented"
        else:
            said = f"Failed password for invalid user u{one} from 203.0.113.{two % 250} port 4022 ssh2"
        yield at, (head + said).encode()

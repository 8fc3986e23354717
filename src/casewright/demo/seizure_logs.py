"""The market's nginx logs in combined format: what members did, visitors' noise, and what a crash leaves in a log.

The server's clock stood in Amsterdam's zone: +0100, and +0200 in summer. nginx writes bytes outside printable ASCII,
and quotes and backslashes, as `\\xHH`.
"""

import gzip
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from casewright.demo.media import MediaFile
from casewright.demo.seizure_activity import Act, Activity

SEED = 1852
FROM = datetime(2017, 2, 1)  # noqa: DTZ001 (UTC by the convention of all our times)
TO = datetime(2018, 3, 9, 22)  # noqa: DTZ001
NOISE = 1500
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
VISITS = ("/", "/static/site.css", "/static/logo.svg", "/login", "/robots.txt", "/catalogue?page=2", "/favicon.ico")
PROBES = ("/wp-login.php", "/phpmyadmin/", "/.env", "/cgi-bin/test.cgi?x=%27%3B--")
HANDSHAKE = r"\x16\x03\x01\x00\xA5\x01\x00\x00\xA1\x03\x03"
BROKEN = (
    b'203.0.113.77 - - [11/Nov/2017:03:12:44 +0100] "GET /catalogue?pa',
    bytes(512),
    b"\xff\xfe\x00 not a line of any log \x1b[31m",
    b'192.0.2.200 - - [31/Foo/2017:25:61:00 +0100] "GET / HTTP/1.1" 200 12 "-" "-"',
    b"",
)
"""Lines that no reader can use: cut short, zeros from a crash, foreign bytes, an impossible time, an empty one."""


@dataclass(frozen=True)
class Logs:
    """The files by name, and what a reader must count in them."""

    files: Mapping[str, bytes]
    lines: Mapping[str, int]
    broken: Mapping[str, int]


def access_logs(activity: Activity, media: Sequence[MediaFile]) -> Logs:
    good = sorted([*_of_members(activity, media), *_noise()])
    third = len(good) // 3
    parts = {"access.log.2.gz": good[:third], "access.log.1": good[third : 2 * third], "access.log": good[2 * third :]}
    files, lines, broken = {}, {}, {}
    for number, (name, part) in enumerate(parts.items()):
        spoilt = BROKEN[number::3] + BROKEN[: number % 2]
        text = b"\n".join(_mixed([line for _, line in part], spoilt)) + b"\n"
        files[name] = gzip.compress(text, mtime=0) if name.endswith(".gz") else text
        lines[name], broken[name] = len(part) + len(spoilt), len(spoilt)
    return Logs(files, lines, broken)


def _mixed(lines: Sequence[bytes], broken: Sequence[bytes]) -> Iterator[bytes]:
    """The lines in order, with broken ones spread among them."""
    step = len(lines) // (len(broken) + 1)
    for number, line in enumerate(lines, 1):
        yield line
        if number % step == 0 and number // step <= len(broken):
            yield broken[number // step - 1]


def _of_members(activity: Activity, media: Sequence[MediaFile]) -> Iterator[tuple[datetime, bytes]]:
    nicks = {m.uid: m.nick for m in activity.members}
    agents = {m.uid: m.agent for m in activity.members}
    files = {m.number: m for m in media}

    def line(act: Act, request: str, status: int, size: int) -> tuple[datetime, bytes]:
        return act.at, combined(act.ip, nicks[act.uid], act.at, request, status, size, agents[act.uid])

    for act in (a for a in activity.sign_ins if FROM <= a.at < TO):
        yield line(act, "POST /login HTTP/1.1", 302, 5)
    for act in (a for a in activity.uploads if FROM <= a.at < TO and a.media in files):
        yield line(act, "POST /upload HTTP/1.1", 201, 187)
    for act in (a for a in activity.downloads if FROM <= a.at < TO and a.media in files):
        file = files[act.media]
        yield line(act, f"GET /{file.path} HTTP/1.1", 200 if act.media % 5 else 206, len(file.content))


def _noise() -> Iterator[tuple[datetime, bytes]]:
    """Visitors who never sign in, and machines that try every door."""
    rng = Random(SEED)  # noqa: S311 (noise, not secrets)
    span = int((TO - FROM).total_seconds())
    for _ in range(NOISE):
        at = FROM + timedelta(seconds=rng.randrange(span))
        ip = f"203.0.113.{rng.randrange(128, 250)}" if rng.randrange(4) else f"2001:db8:bad::{rng.randrange(1, 999):x}"
        kind = rng.randrange(20)
        if kind == 0:
            yield at, combined(ip, "", at, HANDSHAKE, 400, 150, "-", escaped=True)
        elif kind < 5:
            yield at, combined(ip, "", at, f"GET {rng.choice(PROBES)} HTTP/1.1", 404, 153, "Mozilla/5.0 zgrab/0.x")
        else:
            yield (
                at,
                combined(ip, "", at, f"GET {rng.choice(VISITS)} HTTP/1.1", 200, rng.randrange(90, 9000), "Mozilla/5.0"),
            )


def combined(
    ip: str, user: str, at: datetime, request: str, status: int, size: int, agent: str, escaped: bool = False
) -> bytes:
    """One line, without its end. `request` is taken as it stands when `escaped`."""
    zone = summer_hours(at)
    local = at + timedelta(hours=zone)
    stamp = f"{local.day:02}/{MONTHS[local.month - 1]}/{local:%Y:%H:%M:%S} +0{zone}00"
    asked = request if escaped else nginx_escaped(request)
    return (
        f'{ip} - {nginx_escaped(user) or "-"} [{stamp}] "{asked}" {status} {size} "-" "{nginx_escaped(agent)}"'.encode()
    )


def nginx_escaped(text: str) -> str:
    """nginx's default escaping of log variables."""
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02X}" for b in text.encode())


def summer_hours(at: datetime) -> int:
    """Hours ahead of UTC in Amsterdam: 2 from the last Sunday of March, 01:00 UTC, to that of October; else 1."""
    begins, ends = (
        datetime.combine(_last_sunday(at.year, month), datetime.min.time()).replace(hour=1) for month in (3, 10)
    )
    return 2 if begins <= at < ends else 1


def _last_sunday(year: int, month: int) -> date:
    last = date(year, month, 31)
    return last - timedelta(days=(last.weekday() + 1) % 7)

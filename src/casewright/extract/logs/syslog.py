"""Logs of syslog (`auth.log`, `secure`): who signed in to the server itself, over SSH or at its console.

Formats: RFC 3164 and RFC 5424; rsyslog's and journalctl's ISO stamps. Messages: OpenSSH's `auth.c`, `packet.c` and
`serverloop.c`, and Linux-PAM's `pam_unix`. Only what was accepted is a sign-in: names of failed ones are anybody's.
A session is known by the process that keeps it, and by the visitor's address and port.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from casewright.extract.log import LOGIN, LOGOUT, NO_TIME, NO_YEAR, SYSTEM, Act, Given, Line, Quiet, Unreadable
from casewright.extract.logs.lines import read_lines
from casewright.extract.logs.stamps import STAMP, Calendar, years_of

HEAD = re.compile(
    rb"(?P<host>\S+) (?P<program>[^\s:\[]{1,64})"
    rb"(?:\[(?P<pid>\d{1,10})\]:?|:| (?P<pid5>\d{1,10}|-) \S+ (?:-|(?:\[(?:[^\]\\]|\\.)*+\])++))"
    rb" (?:\xef\xbb\xbf)?(?P<message>.*)", re.DOTALL
)  # fmt: skip
FROM = rb"(?P<ip>[0-9A-Za-z.:%_-]+) port (?P<port>\d{1,5})"
ACCEPTED = re.compile(rb"Accepted (?P<method>\S+) for (?P<user>.*?) from " + FROM + rb"(?: (?P<rest>.*))?")
OPENED = re.compile(rb"pam_unix\(login:session\): session opened for user (?P<user>[^\s(]+).*")
CLOSED = re.compile(rb"pam_unix\((?:sshd|login):session\): session closed for user (?P<user>.+)")
ENDS = (
    (re.compile(rb"Disconnected from (?:user (?P<user>\S+) )?" + FROM), "disconnected"),
    (re.compile(rb"Received disconnect from " + FROM + rb":\s?(?P<rest>.*)"), "disconnected"),
    (re.compile(rb"Connection (?:closed|reset) by (?:user (?P<user>\S+) )?" + FROM), "connection lost"),
    (re.compile(rb"Read error from (?:remote host|user (?P<user>\S+)) " + FROM + rb": .*"), "connection lost"),
    (re.compile(rb"(?:\w+: )?Connection (?:from|to) (?:user (?P<user>\S+) )?" + FROM + rb": .*"), "connection lost"),
    (re.compile(rb"Timeout, client not responding from (?:user (?P<user>\S+) )?" + FROM), "timed out"),
)
BEFORE = b"[preauth]"
"""Marks what happened before anybody was accepted."""
PROGRAMS = {b"sshd", b"sshd-session", b"login"}
PEERS = 1 << 16
UNTOLD = datetime(1, 1, 1)  # noqa: DTZ001  stands for the line's time until it is worked out


def read_syslog(file: BinaryIO, given: Given) -> Iterator[Line | Quiet]:
    """Sign-ins of the server's own users, and the ends of their sessions."""
    return read_lines(file, _Keeper(Calendar(given, years_of(file, given))).said)


class _Keeper:
    """Says what a line is; remembers who is connected, since the end of a connection may name nobody."""

    def __init__(self, calendar: Calendar) -> None:
        self._calendar = calendar
        self._peers: dict[tuple[bytes, bytes, bytes], bytes] = {}

    def said(self, raw: bytes) -> Act | Unreadable | None:
        raw = raw.lstrip(b"\0")  # a crash leaves zeros where the next line begins
        stamp = STAMP.match(raw)
        if stamp is None:
            return Unreadable("no system log line")
        self._calendar.pass_by(stamp)
        head = HEAD.match(raw, stamp.end())
        found = self._act(head) if head is not None and head["program"] in PROGRAMS else None
        if found is None:
            return None
        moment = self._calendar.moment(stamp)
        if moment.time is None:
            return NO_TIME if moment.rule else NO_YEAR
        return found._replace(time=moment.time, rule=moment.rule or "")

    def _act(self, head: re.Match[bytes]) -> Act | None:
        """The act, its time still to be filled in."""
        message = head["message"].rstrip()
        if found := ACCEPTED.fullmatch(message):
            self._remember(head["host"], found)
            agent = f"{_text(found['rest'] or b'')} {_text(found['method'])}".strip()
            return _made(LOGIN, head, found, agent=agent)
        if head["program"] == b"login" and (found := OPENED.fullmatch(message)):
            return _made(LOGIN, head, found, agent="console")
        if found := CLOSED.fullmatch(message):
            return _made(LOGOUT, head, found, how="session closed")
        return None if message.endswith(BEFORE) else self._end(head, message)

    def _end(self, head: re.Match[bytes], message: bytes) -> Act | None:
        for pattern, how in ENDS:
            if found := pattern.fullmatch(message):
                user = found.groupdict().get("user") or self._peers.get((head["host"], found["ip"], found["port"]))
                return _made(LOGOUT, head, found, user=user, how=how) if user else None
        return None

    def _remember(self, host: bytes, found: re.Match[bytes]) -> None:
        self._peers.pop((host, found["ip"], found["port"]), None)
        self._peers[host, found["ip"], found["port"]] = found["user"]
        if len(self._peers) > PEERS:
            del self._peers[next(iter(self._peers))]


def _made(what: str, head: re.Match[bytes], found: re.Match[bytes], user: bytes | None = None,
          agent: str | None = None, how: str | None = None) -> Act:  # fmt: skip
    groups = found.groupdict()
    pid = head["pid"] or head["pid5"]
    session = f"{_text(head['host'])} {_text(head['program'])}[{_text(pid)}]" if pid and pid != b"-" else None
    ip, port = (_text(groups["ip"]), int(groups["port"])) if "ip" in groups else (None, None)
    return Act(what, _text(user or groups["user"]), SYSTEM, UNTOLD, "", ip, port, agent, session=session, how=how)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "backslashreplace")

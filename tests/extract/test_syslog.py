"""Who signed in to the server itself, as sshd and login told syslog: lines as OpenSSH and PAM write them."""

import io
from datetime import datetime

import pytest

from casewright.extract.log import LOGIN, LOGOUT, NO_YEAR, SYSTEM, Act, Given, Line, Quiet, Unreadable
from casewright.extract.logs.syslog import read_syslog

AUTH = b"""Nov  3 04:05:06 vault sshd[123]: Accepted password for root from 192.0.2.1 port 50022 ssh2
Nov  3 04:05:06 vault sshd[123]: pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)
Nov  3 04:05:09 vault sshd[140]: Failed password for invalid user amber from 203.0.113.9 port 4022 ssh2
Nov  3 04:05:09 vault sshd[140]: Invalid user amber from 203.0.113.9 port 4022
Nov  3 04:05:10 vault sshd[140]: Connection closed by invalid user amber 203.0.113.9 port 4022 [preauth]
Nov  3 04:05:10 vault sshd[141]: Disconnected from authenticating user root 203.0.113.9 port 4023 [preauth]
Nov  3 04:06:00 vault CRON[150]: pam_unix(cron:session): session closed for user root
Nov  3 04:06:01 vault last message repeated 2 times
Nov  3 05:00:00 vault sshd[131]: Received disconnect from 192.0.2.1 port 50022:11: disconnected by user
Nov  3 05:00:00 vault sshd[131]: Disconnected from user root 192.0.2.1 port 50022
Nov  3 05:00:01 vault sshd[123]: pam_unix(sshd:session): session closed for user root
"""
WRITTEN = datetime(2018, 11, 3, 5, 0, 1)


def acts(raw: bytes, given: Given | None = None) -> list[Act]:
    pieces = read_syslog(io.BytesIO(raw), given or Given("UTC", WRITTEN))
    return [p.said for p in pieces if isinstance(p, Line) and isinstance(p.said, Act)]


def bad(raw: bytes, given: Given) -> list[str]:
    pieces = read_syslog(io.BytesIO(raw), given)
    return [p.said.reason for p in pieces if isinstance(p, Line) and isinstance(p.said, Unreadable)]


def test_what_was_accepted_is_a_sign_in_and_what_failed_is_not() -> None:
    begin, *ends = acts(AUTH)
    assert (begin.what, begin.user, begin.name_is, begin.ip, begin.port) == (LOGIN, "root", SYSTEM, "192.0.2.1", 50022)
    assert (begin.session, begin.agent) == ("vault sshd[123]", "ssh2 password")
    assert [(e.what, e.user, e.how, e.session) for e in ends] == [
        (LOGOUT, "root", "disconnected", "vault sshd[131]"), (LOGOUT, "root", "disconnected", "vault sshd[131]"),
        (LOGOUT, "root", "session closed", "vault sshd[123]"),
    ]  # fmt: skip


def test_every_line_is_accounted_for() -> None:
    pieces = list(read_syslog(io.BytesIO(AUTH + b"\n\0\0\0cut o\n"), Given("UTC", WRITTEN)))
    assert pieces[-1] == Quiet(8)
    assert len(pieces) == 6
    assert bad(AUTH + b"cut o\n", Given("UTC", WRITTEN)) == ["no system log line"]


def test_a_key_that_signed_in_is_kept_and_so_is_the_console() -> None:
    key, console = acts(
        b"Nov  3 04:05:06 vault sshd-session[9]: Accepted publickey for amber from 2001:db8::7 port 5 ssh2: RSA SHA\n"
        b"Nov  3 04:05:06 vault login[7]: pam_unix(login:session): session opened for user root(uid=0) by LOGIN\n"
    )
    assert (key.user, key.ip, key.agent) == ("amber", "2001:db8::7", "ssh2: RSA SHA publickey")
    assert (console.user, console.ip, console.agent, console.session) == ("root", None, "console", "vault login[7]")


@pytest.mark.parametrize(
    "line",
    [
        b"2018-11-03T04:05:06.123456+01:00 vault sshd[123]: Accepted password for root from 192.0.2.1 port 22 ssh2",
        b"2018-11-03T04:05:06+0100 vault sshd[123]: Accepted password for root from 192.0.2.1 port 22 ssh2",
        b"<38>1 2018-11-03T04:05:06.123456+01:00 vault sshd 123 - - Accepted password for root "
        b"from 192.0.2.1 port 22 ssh2",
        b'<38>1 2018-11-03T04:05:06+01:00 vault sshd 123 ID [a b="c\\]"][d] \xef\xbb\xbfAccepted password for root '
        b"from 192.0.2.1 port 22 ssh2",
    ],
)
def test_stamps_that_name_their_zone_need_no_help(line: bytes) -> None:
    (act,) = acts(line + b"\n", Given("Asia/Seoul"))
    assert act.time.replace(microsecond=0) == datetime(2018, 11, 3, 3, 5, 6)
    assert act.rule.startswith("log, its own +01")
    assert act.session == "vault sshd[123]"


@pytest.mark.parametrize(
    ("end", "how"),
    [
        (b"Read error from remote host 192.0.2.1 port 5: Connection reset by peer", "connection lost"),
        (b"ssh_dispatch_run_fatal: Connection from user a 192.0.2.1 port 5: Connection timed out", "connection lost"),
        (b"packet_write_wait: Connection to 192.0.2.1 port 5: Broken pipe", "connection lost"),
        (b"Connection closed by 192.0.2.1 port 5", "connection lost"),
        (b"Timeout, client not responding from user a 192.0.2.1 port 5", "timed out"),
        (b"Connection from 192.0.2.1 port 5 on 192.0.2.9 port 22", None),
        (b"Connection closed by 192.0.2.1 port 6", None),
        (b"Accepted key ED25519 SHA256:x found at /home/a/.ssh/authorized_keys:1", None),
    ],
)
def test_connections_end_in_many_ways(end: bytes, how: str | None) -> None:
    head = b"Nov  3 04:05:06 vault sshd[9]: "
    _, *ends = acts(head + b"Accepted password for a from 192.0.2.1 port 5 ssh2\n" + head + end + b"\n")
    assert [(a.user, a.how) for a in ends] == ([("a", how)] if how else [])


def accepted(*days: str) -> bytes:
    return b"".join(
        b"%s 04:05:06 vault sshd[1]: Accepted password for a from 192.0.2.1 port 1 x\n" % d.encode() for d in days
    )


@pytest.mark.parametrize(
    ("days", "modified", "years"),
    [
        (["Dec 30", "Dec 31", "Jan  1", "Mar  3"], datetime(2018, 3, 3, 4, 6), [2017, 2017, 2018, 2018]),
        (["Jun  1", "Feb  1", "Feb  1"], datetime(2018, 2, 1, 5), [2017, 2018, 2018]),
        (["Dec 31", "Jan  1", "Dec 31", "Jan  1"], datetime(2018, 1, 1, 5), [2017, 2018, 2017, 2018]),
        (["Nov  3", "Nov  2"], datetime(2018, 11, 3, 5), [2018, 2018]),
        (["Dec 31"], datetime(2018, 12, 31, 1), [2018]),
        (["Dec 31"], datetime(2018, 1, 1, 1), [2017]),
        (["Feb 29"], datetime(2018, 1, 1, 1), [2016]),
        (["Feb  2", "Feb  1", "Jan  1"], datetime(2018, 1, 1, 5), [2017, 2017, 2018]),
    ],
)
def test_years_are_counted_back_from_the_time_at_which_the_file_was_written(
    days: list[str], modified: datetime, years: list[int]
) -> None:
    assert [a.time.year for a in acts(accepted(*days), Given("UTC", modified))] == years


def test_the_rule_says_where_zone_and_year_are_from() -> None:
    def rule(zone: str, modified: datetime | None, year: int | None = None) -> str:
        return acts(accepted("Nov  3"), Given(zone, modified, year))[0].rule

    assert rule("Asia/Seoul", datetime(2018, 11, 3, 5)) == "log, taken as Asia/Seoul, year by the file's time"
    late = "log, taken as UTC, year by the file's time, 29 days after its last line"
    assert rule("UTC", datetime(2018, 12, 2, 5)) == late
    assert rule("UTC", None, 2018) == "log, taken as UTC, year by the mapping"
    assert acts(accepted("Nov  3"), Given("Asia/Seoul", datetime(2018, 11, 3)))[0].time == datetime(
        2018, 11, 2, 19, 5, 6
    )


def test_without_a_year_sign_ins_are_set_aside_and_the_rest_is_nothing() -> None:
    assert bad(AUTH, Given("UTC")) == [NO_YEAR.reason] * 4
    assert bad(accepted("Feb 30"), Given("UTC", WRITTEN)) == ["no such time"]

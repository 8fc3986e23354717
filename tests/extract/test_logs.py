"""Access logs as servers write them, and as scanners, users and broken disks leave them."""

import io
from datetime import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casewright.extract.formats import LOG_READERS
from casewright.extract.log import LINE_LIMIT, Given, Line, Quiet, Request, Unreadable
from casewright.extract.log_rules import Application
from casewright.extract.logs.access import asked, named_request, quickly_named_request, read_access, request_of
from casewright.extract.logs.lines import LONG

STAMP = b"[10/Oct/2017:13:55:36 +0200]"


def read(raw: bytes) -> list[Line | Quiet]:
    return list(read_access(io.BytesIO(raw), Given()))


def one(raw: bytes) -> Request:
    found = request_of(raw.rstrip(b"\n"))
    assert found is not None, raw
    return found


def test_a_handshake_on_the_plain_port_is_a_line_of_the_log_that_asks_for_nothing() -> None:
    for request in (rb"\x16\x03\x01\x02\x00", b"", b"-", rb"\x03\x00\x00/*\xE0"):
        line = one(b"203.0.113.9 - - " + STAMP + b' "' + request + b'" 400 150 "-" "-"\n')
        assert (line.method, line.status) == ("", 400)


@pytest.mark.parametrize(
    ("field", "user"),
    [
        (b"amber", "amber"),
        (b"amber lee", "amber lee"),
        (rb"=cmd\x7C\x22x\x22", '=cmd|"x"'),
        (rb"a\"b\\c", 'a"b\\c'),
        (rb"\xE2\x80\xAEabc", "\u202eabc"),
        (rb"\xFF", "\\xff"),
        (b"a] [b", "a] [b"),
        (b"-", None),
        (b'""', None),
    ],
)
def test_user_names_are_as_the_server_received_them(field: bytes, user: str | None) -> None:
    assert one(b"192.0.2.1 - " + field + b" " + STAMP + b' "GET / HTTP/1.1" 200 1 "-" "-"\n').user == user


def test_a_virtual_host_in_front_is_not_taken_for_the_visitor() -> None:
    line = one(b"example.org:443 2001:db8::7 - amber " + STAMP + b' "GET /a b HTTP/1.1" 200 1 "-" "x" "extra" 12\n')
    assert (line.ip, line.user, line.path, line.agent) == ("2001:db8::7", "amber", "/a b", "x")
    assert one(b"2001:db8::1 - amber lee " + STAMP + b' "GET / HTTP/1.1" 200 1 "-" "-"\n').ip == "2001:db8::1"


def test_spans_and_numbers_count_blank_and_overlong_lines_too() -> None:
    good = b"192.0.2.1 - a " + STAMP + b' "GET / HTTP/1.1" 200 1\r\n'
    raw = good + b"\n" + b"x" * (LINE_LIMIT + 5) + b"\n" + good
    first, long, last, blank = read(raw)
    assert blank == Quiet(1)
    assert long == Line(LONG, 3, len(good) + 1, LINE_LIMIT + 6)
    assert isinstance(first, Line)
    assert isinstance(last, Line)
    assert (first.number, last.number) == (1, 4)
    assert raw[last.span_start : last.span_start + last.span_length] == good


@pytest.mark.parametrize(
    "stamp", ["31/Feb/2017:00:00:00 +0000", "10/Foo/2017:00:00:00 +0000", "01/Jan/0001:00:00:00 +9999",
              "10/Oct/2017:24:00:00 +0000"]
)  # fmt: skip
@pytest.mark.parametrize("user", ["a", "-"])
def test_times_that_never_were_are_not_guessed(stamp: str, user: str) -> None:
    (line,) = read(f'192.0.2.1 - {user} [{stamp}] "GET / HTTP/1.1" 200 1 "-" "-"\n'.encode())
    assert isinstance(line, Line)
    assert line.said == Unreadable("no such time")


def test_hours_around_midnight_and_half_hours_move_the_day() -> None:
    line = one(b'192.0.2.1 - a [01/Jan/2018:01:15:00 +0530] "GET / HTTP/1.1" 200 1 "-" "-"')
    assert (line.time, line.rule) == (datetime(2017, 12, 31, 19, 45), "log, its own +05:30")


PIECES = st.sampled_from(
    [b"192.0.2.1", b"a.example:80", b"a:1", b"-", b"amber", STAMP, b"[31/Feb/2017:00:00:00 +0000]", b'"', b'"-"', b" ",
     b'"GET / HTTP/1.1"', b"200", b"2326", b"[12345678901234567890]", b"\\", b'\\"', b"[", b"] ", b"\xff", b"\t", b"\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map(b" ".join) | st.lists(PIECES, max_size=20).map(b"".join))
@example(b"a:1 b - " + STAMP + b' "GET /" 200 1 "-" " [12345678901234567890] "GET /" 200 1')
@example(b"192.0.2.1 - - " + STAMP + b' "GET / HTTP/1.1" 200 1 "-" "-"')
@example(b"192.0.2.1 - - " + STAMP + b' "GET / HTTP/1.1" 200 1 "-" "-" "x"')
def test_the_quick_look_at_visitors_says_what_the_whole_pattern_says(raw: bytes) -> None:
    assert quickly_named_request(raw) == named_request(raw)


@pytest.mark.parametrize(
    ("request_line", "method", "path"),
    [
        (b"GET /a HTTP/1.1", b"GET", b"/a"),
        (b"GET /a b HTTP/1.1", b"GET", b"/a b"),
        (b"GET /a HTTP/1.1 HTTP/2", b"GET", b"/a HTTP/1.1"),
        (b"GET  HTTP/1.1", b"GET", b""),
        (b"GET HTTP/1.1", b"GET", b"HTTP/1.1"),
        (b"GET /a", b"GET", b"/a"),
        (b"get /a HTTP/1.1", b"", b"get /a HTTP/1.1"),
        (b"GET", b"", b"GET"),
        (b"", b"", b""),
    ],
)
def test_the_first_line_of_a_request_is_taken_apart(request_line: bytes, method: bytes, path: bytes) -> None:
    assert asked(request_line) == (method, path)


SEEDS = {
    "access log": b'a.example:80 192.0.2.1 - amber [10/Oct/2017:13:55:36 +0200] "GET /1 HTTP/1.1" 200 5 "-" "x\\"y"\n',
    "JSON access log": b'{"ts":1541217906.2,"request":{"remote_ip":"::1"},"user":"a\\u0041\\xE2","status":200}\n',
    "system log": b"Dec 31 23:50:00 vault sshd[9]: Accepted password for amber from 192.0.2.1 port 50022 ssh2\n"
                  b"<38>1 2018-11-03T04:05:06Z vault sshd 9 - [a b=\"c\"] Disconnected from user a ::1 port 50022\n",
    "error log": b"2018/11/03 04:05:06 [error] 9#9: *1 open() failed\n",
    "application log": b"03.11.2018 05:05:06 amber in\nNov  3 05:05:06 amber in\n",
}  # fmt: skip
APPLICATIONS = (
    Application(("*",), r"(?P<time>[^a-z]+) (?P<user>\w+) (?P<action>\w+)", "%d.%m.%Y %H:%M:%S", means={"in": "login"}),
    Application(("*",), r"(?P<time>\w+ +\d+ \S+) (?P<user>\w+) (?P<action>\w+)", "syslog", means={"in": "login"}),
)


@pytest.mark.parametrize("form", LOG_READERS)
@given(data=st.data())
def test_damage_ends_in_a_reason_and_every_line_is_accounted_for(form: str, data: st.DataObject) -> None:
    raw = bytearray(SEEDS[form] * 3)
    for _ in range(data.draw(st.integers(0, 6))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 9))] = data.draw(
            st.binary(max_size=9)
            | st.sampled_from([b"\n", b"0000", b"9999", b"\xff\xfe", b"\0" * 9, b'"', b"[", b"\\u00"])
        )
    modified = data.draw(st.none() | st.datetimes())
    pieces = list(LOG_READERS[form](io.BytesIO(bytes(raw)), Given("Europe/Berlin", modified, None, APPLICATIONS)))
    assert sum(p.lines if isinstance(p, Quiet) else 1 for p in pieces) == len(bytes(raw).split(b"\n")) - raw.endswith(
        b"\n"
    )
    for piece in pieces:
        if isinstance(piece, Line):
            assert bytes(raw).count(b"\n", 0, piece.span_start) == piece.number - 1
            assert isinstance(piece.said, Unreadable) or piece.said.rule.startswith("log, ")

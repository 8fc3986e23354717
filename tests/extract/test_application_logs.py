"""Logs of a service's own programs, by patterns that the mapping gives."""

import io
from datetime import datetime

import pytest

from casewright.extract.log import Act, Given, Line, Quiet, Unreadable
from casewright.extract.log_rules import LogRules
from casewright.extract.logs.application import AT_ONCE, LONGEST, TOO_LONG, read_application
from casewright.extract.mapping import read_mapping
from casewright.model.errors import Refused

RULES = r"""format = 1
[logs]
[[logs.application]]
files = ["*/app.log*"]
line = '''(?P<time>\S+ \S+) \w+ user=(?P<user>\S+) ip=(?P<ip>\S+):(?P<port>\d+) sid=(?P<session>\S*) (?P<action>\w+)'''
time = "%d.%m.%Y %H:%M:%S"
zone = "Europe/Berlin"
user = "native"
login = ["signed_in"]
logout = ["signed_out", "timed_out"]
[[logs.application]]
files = ["*/app.log*", "*/files.log"]
line = '''(?P<time>\d+(?:\.\d+)?) sent (?P<reference>.+) to (?P<user>\S+)(?: at .*)?'''
every = "download"
"""
LOG = b"""03.11.2018 05:05:06 INFO user=7 ip=192.0.2.1:4022 sid=q1 signed_in
03.11.2018 05:05:07 INFO user=7 ip=192.0.2.1:4022 sid=q1 looked_around
03.11.2018 05:05:07 INFO starting
1541217907 sent /media/1.jpg to 7 at ease
03.11.2018 05:30:00 INFO user=7 ip=192.0.2.1:4022 sid=q1 timed_out
31.02.2018 05:30:00 INFO user=7 ip=192.0.2.1:4022 sid=q1 signed_in
1541217908 sent /media/2.jpg to -
"""


def rules(text: str = RULES) -> LogRules:
    return read_mapping(text.encode(), "mapping.toml").logs


def read(raw: bytes, text: str = RULES, name: str = "srv/app.log.1") -> list[object]:
    pieces = read_application(
        io.BytesIO(raw), Given("UTC", datetime(2018, 11, 4), None, rules(text).applications_of(name))
    )
    return [p.said if isinstance(p, Line) else p for p in pieces]


def test_lines_mean_what_the_mapping_says() -> None:
    begin, download, end, never, visitor, quiet = read(LOG)
    assert begin == Act("login", "7", "native", datetime(2018, 11, 3, 4, 5, 6), "log, taken as Europe/Berlin",
                        "192.0.2.1", 4022, session="q1")  # fmt: skip
    assert download == Act("download", "7", "username", datetime(2018, 11, 3, 4, 5, 7), "log, Unix seconds",
                           reference="/media/1.jpg")  # fmt: skip
    assert isinstance(end, Act)
    assert (end.what, end.how, end.session) == ("logout", "timed_out", "q1")
    assert never == Unreadable("no such time")
    assert isinstance(visitor, Act)
    assert visitor.user is None
    assert quiet == Quiet(2)


def test_a_pattern_is_for_the_files_that_it_names() -> None:
    assert [type(said) for said in read(LOG, name="srv/files.log")] == [Act, Act, Quiet]
    assert read(LOG, name="srv/other.log") == [Quiet(7)]


def test_places_are_right_over_many_lines_at_once() -> None:
    filler = b"nothing\n" * (AT_ONCE - 1)
    raw = filler + b"1541217907 sent a to b\n" + b"x" * (LONGEST + 9) + b"\n" + b"1541217907 sent c to d"
    given = Given("UTC", None, None, rules().applications_of("x/files.log"))
    first, long, last, quiet = read_application(io.BytesIO(raw), given)
    assert isinstance(first, Line)
    assert isinstance(long, Line)
    assert isinstance(last, Line)
    assert (first.number, long.number, last.number) == (AT_ONCE, AT_ONCE + 1, AT_ONCE + 2)
    assert raw[first.span_start :].startswith(b"1541217907 sent a")
    assert raw[last.span_start : last.span_start + last.span_length] == b"1541217907 sent c to d"
    assert (long.said, quiet) == (TOO_LONG, Quiet(AT_ONCE - 1))


def test_a_pattern_that_would_take_ages_elsewhere_takes_no_time_here() -> None:
    text = RULES.replace(r"(?P<time>\d+(?:\.\d+)?) sent", r"(?P<time>(?:(?:[0-9]+)+)+) sent")
    assert read(b"1" * (LONGEST - 2) + b"!\n", text, "x/files.log") == [Quiet(1)]


SYSLOG = r"""format = 1
[[logs.application]]
files = ["*/mail.log"]
line = '''(?P<time>\w{3} [ \d]\d \S+) \S+ dovecot: imap-login: Login: user=<(?P<user>[^>]+)>, .*rip=(?P<ip>[^,]+), .*'''
time = "syslog"
every = "login"
user = "email"
"""


def test_stamps_of_syslog_get_their_year_from_the_files_time() -> None:
    line = b"%s 04:05:06 vault dovecot: imap-login: Login: user=<a@example.org>, rip=192.0.2.1, lip=192.0.2.2\n"
    old, new = read(b"".join(line % day for day in (b"Dec 31", b"Nov  3")), SYSLOG, "log/mail.log")
    assert isinstance(old, Act)
    assert isinstance(new, Act)
    assert (old.time, new.time) == (datetime(2017, 12, 31, 4, 5, 6), datetime(2018, 11, 3, 4, 5, 6))
    assert (new.user, new.name_is, new.ip) == ("a@example.org", "email", "192.0.2.1")
    assert new.rule == "log, taken as UTC, year by the file's time"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('files = ["*/app.log*"]', "files = []", "needs files"),
        ('files = ["*/app.log*"]', 'files = "*/app.log*"', "list of texts"),
        ("(?P<action>", "(?P<verb>", "has a group \\['verb'\\]"),
        (r"(?P<action>\w+)", r"\w+", "what the values of the group action mean"),
        ('login = ["signed_in"]\nlogout = ["signed_out", "timed_out"]', "", "group action mean"),
        ('every = "download"', 'every = "walk"', "every = one of these"),
        ("(?P<reference>.+)", ".+", "needs a group \\(\\?P<reference>"),
        ("%d.%m.%Y", "%d.%m.", "with the year"),
        ("Europe/Berlin", "Europe/Berlín", "there is no zone"),
        ("Europe/Berlin", "../etc/passwd", "there is no zone"),
        ('"native"', '"nobody"', "user must be one of"),
        (r"(?: at .*)?", r"(?= at .*)?", "is no pattern"),
        (r"(?: at .*)?", r"( at .*)?", "\\(\\?:"),
        (r"(?P<time>\d+(?:\.\d+)?) sent", "sent", "needs a group \\(\\?P<time>"),
        ("[logs]\n", "[logs]\nyear = '2018'\n", "year must be"),
        ("[logs]\n", "[logs]\nlogin_paths = '/login'\n", "list of texts"),
        ("line = '''(?P<time>\\S+ \\S+)", "rows = 1\nline = '''(?P<time>\\S+ \\S+)", "knows .* only, not \\['rows'\\]"),
    ],
)
def test_a_pattern_that_makes_no_sense_is_refused_saying_why(before: str, after: str, words: str) -> None:
    assert before in RULES
    with pytest.raises(Refused, match=words):
        rules(RULES.replace(before, after))

"""Real nginx and Apache on loopback write each form of log; what is read from it is what was asked of them."""

import io
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from casewright.evidence.kinds import kind_of
from casewright.extract.formats import LOG_FORMS, LOG_READERS
from casewright.extract.log import Given, Line, Quiet, Request
from tests.extract import web_servers

FORMS = {"combined": "text/x-access-log", "vhost": "text/x-access-log", "json": "text/x-access-log+json",
         "msec": "text/x-access-log+json", "plain": "text/x-access-log+json"}  # fmt: skip
NAMES = ["amber", "amber lee", 'a"b\\c', "Ωμέγα", "\u202eabc", "a] [b", '[10 Oct 2017 13.55.36 +0200] "GET',
         '{"a"}', "\\x41", "tab\tbed"]  # fmt: skip
ASKED = [("GET", "/1.txt", 200), ("POST", "/login?next=/%22", 404), ("GET", "/nowhere?q=%5Cx22&'", 404),
         ("DELETE", "/1.txt", 405)]  # fmt: skip


@cache
def logs_of(server: str) -> Mapping[str, bytes]:
    """The server's logs after everybody asked for everything."""
    with web_servers.running(server, NAMES) as (port, logs):
        for name in NAMES:
            for method, path, _ in ASKED:
                web_servers.ask(port, method, path, name)
        web_servers.ask(port, "GET", "/1.txt", "amber", "wrong")
        web_servers.ask(port, "GET", "/open", None)
        web_servers.scan(port)
    return logs


@pytest.fixture(scope="module", params=["nginx", "apache"])
def logs(request: pytest.FixtureRequest) -> Mapping[str, bytes]:
    if not web_servers.is_installed(request.param):
        pytest.skip(f"{request.param} is not installed")
    return logs_of(request.param)


@pytest.mark.parametrize("form", FORMS)
def test_what_is_read_is_what_was_asked(logs: Mapping[str, bytes], form: str) -> None:
    raw = logs[form]
    mime = kind_of(raw[: 1 << 16], len(raw))
    assert mime == FORMS[form]
    *lines, quiet = LOG_READERS[LOG_FORMS[mime]](io.BytesIO(raw), Given())
    assert isinstance(quiet, Quiet)
    requests = [line.said for line in lines if isinstance(line, Line)]
    asked = [(name, method, path, status) for name in NAMES for method, path, status in ASKED]
    read = [(r.user, r.method, r.path, r.status) if isinstance(r, Request) else r for r in requests]
    # a server's workers write a line when they are done, so that neighbours may change places
    assert Counter(read) == Counter([*asked, ("amber", "GET", "/1.txt", 401)])
    assert {(r.ip, r.agent) for r in requests if isinstance(r, Request)} == {("127.0.0.1", web_servers.AGENT)}
    assert quiet.lines + len(lines) == raw.count(b"\n")
    now = datetime.now(UTC).replace(tzinfo=None)
    for request in requests:
        assert isinstance(request, Request)
        assert now - timedelta(hours=1) < request.time < now + timedelta(minutes=1)


def test_the_error_log_is_known_and_holds_nothing(logs: Mapping[str, bytes]) -> None:
    raw = logs["error"]
    assert b"assword" in raw
    assert kind_of(raw[: 1 << 16], len(raw)) == "text/x-error-log"
    assert list(LOG_READERS["error log"](io.BytesIO(raw), Given())) == [Quiet(raw.count(b"\n"))]

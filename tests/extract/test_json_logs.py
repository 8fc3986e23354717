"""Access logs with a JSON object a line, with the names that servers and their administrators give to the fields."""

import io
import json
from datetime import datetime
from typing import Any

import pytest

from casewright.extract.log import Given, Line, Quiet, Request, Unreadable
from casewright.extract.logs.json_access import read_json_access

AT = datetime(2018, 11, 3, 4, 5, 6)
NGINX = {"time_local": "03/Nov/2018:05:05:06 +0100", "remote_addr": "192.0.2.1", "remote_user": "amber",
         "request": "GET /media/1.jpg?x=1 HTTP/1.1", "status": "206", "http_user_agent": "A"}  # fmt: skip
APACHE = {"time": "[03/Nov/2018:05:05:06 +0100]", "remoteIP": "192.0.2.1", "user": "amber", "method": "GET",
          "request": "/media/1.jpg?x=1", "status": 206, "userAgent": "A"}  # fmt: skip
CADDY = {"level": "info", "ts": 1541217906.25, "logger": "http.log.access", "user_id": "amber", "status": 206,
         "request": {"remote_ip": "192.0.2.1", "remote_port": "4022", "proto": "HTTP/2.0", "method": "GET", "host": "a",
                     "uri": "/media/1.jpg?x=1", "headers": {"User-Agent": ["A"], "Accept": ["*/*"]}}}  # fmt: skip
ELASTIC = {"@timestamp": "2018-11-03T04:05:06.250Z", "source": {"ip": "192.0.2.1"}, "user": {"name": "amber"},
           "http": {"request": {"method": "GET"}, "response": {"status_code": 206}},
           "url": {"original": "/media/1.jpg?x=1"}, "user_agent": {"original": "A"}}  # fmt: skip


def read(*lines: bytes, zone: str = "UTC") -> list[Any]:
    pieces = read_json_access(io.BytesIO(b"".join(line + b"\n" for line in lines)), Given(zone))
    return [p if isinstance(p, Quiet) else p.said for p in pieces if isinstance(p, Line | Quiet)]


@pytest.mark.parametrize("fields", [NGINX, APACHE, CADDY, ELASTIC])
def test_the_usual_names_are_known(fields: dict[str, Any]) -> None:
    (request,) = read(json.dumps(fields).encode())
    assert isinstance(request, Request)
    assert request.time.replace(microsecond=0) == AT
    assert request[:2] + request[4:8] == ("192.0.2.1", "amber", "GET", "/media/1.jpg?x=1", 206, "A")
    assert request.port == (4022 if fields is CADDY else None)


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("time_iso8601", "2018-11-03T05:05:06+01:00", "log, its own +01:00"),
        ("msec", "1541217906.000", "log, Unix seconds"),
        ("ts", 1541217906000, "log, Unix milliseconds"),
        ("timestamp", "2018-11-03 13:05:06", "log, taken as Asia/Seoul"),
    ],
)
def test_times_say_by_which_rule_they_became_utc(name: str, value: object, rule: str) -> None:
    fields = {k: v for k, v in NGINX.items() if k != "time_local"} | {name: value}
    (request,) = read(json.dumps(fields).encode(), zone="Asia/Seoul")
    assert (request.time, request.rule) == (AT, rule)


def test_visitors_hold_nothing_and_what_is_no_object_is_unreadable() -> None:
    visitor = json.dumps({**NGINX, "remote_user": "-"}).encode()
    none = json.dumps({**NGINX, "remote_user": ""}).encode()
    never = json.dumps({**NGINX, "time_local": "31/Feb/2018:05:05:06 +0100"}).encode()
    no_status = json.dumps({k: v for k, v in NGINX.items() if k != "status"}).encode()
    cut, deep, number = json.dumps(NGINX).encode()[:60], b"[" * 100_000, b"7"
    assert read(visitor, b"", none, cut, deep, number, never, no_status) == [
        Unreadable("no JSON object"), Unreadable("no JSON object"), Unreadable("no JSON object"),
        Unreadable("no such time"), Unreadable("a request without a status"), Quiet(3),
    ]  # fmt: skip


def test_bytes_that_no_json_has_are_taken_as_the_server_means_them() -> None:
    line = json.dumps(NGINX).encode()
    users = {rb"\xE2\x80\xAEabc": "\u202eabc", rb"a\x22\x5Cb": 'a"\\b', b"\xff": "\\xff", rb"\\x41": "\\x41",
             rb"\ud800": "\\xed\\xa0\\x80", rb"a\vb": "a\vb"}  # fmt: skip
    for written, user in users.items():
        (request,) = read(line.replace(b"amber", written))
        assert isinstance(request, Request), (written, request)
        assert request.user == user

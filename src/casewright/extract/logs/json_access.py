"""Access logs with a JSON object a line: of nginx (`escape=json`), Apache and Caddy, and with Elastic's names.

Everybody names the fields as they like; the usual names are known, the first of them that stands in a line counts.
Apache and nginx without `escape=json` write `\\xHH`, which is no JSON; it is taken as they mean it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, BinaryIO

from casewright.extract.log import NO_TIME, Given, Line, Quiet, Request, Unreadable
from casewright.extract.logs.access import asked, moment_of
from casewright.extract.logs.lines import read_lines
from casewright.extract.values import Moment, port_of, time_of

IP = ("remote_addr", "remote_ip", "client_ip", "client.ip", "source.ip", "clientip", "remoteip", "client", "ip",
      "remote_host", "remotehost", "client.address", "source.address", "realip", "real_ip", "h")  # fmt: skip
PORT = ("remote_port", "client.port", "source.port", "remoteport")
TIME = ("time_iso8601", "time_local", "@timestamp", "timestamp", "msec", "ts", "time", "datetime", "date", "t")
WHOLE = ("request", "request_line", "requestline", "r")
METHOD = ("request_method", "method", "http.request.method", "requestmethod", "http_method", "verb", "m")
PATH = ("request_uri", "uri", "url.original", "url.path", "requesturi", "path", "url", "u")
STATUS = ("status", "status_code", "http.response.status_code", "statuscode", "response", "response_code", "code", "s")
AGENT = ("http_user_agent", "user_agent", "user_agent.original", "useragent", "agent", "headers.user_agent")
USER = ("remote_user", "remoteuser", "auth_user", "user", "user.name", "username", "user_name", "user_id")
ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
DEEP = 4


def read_json_access(file: BinaryIO, given: Given) -> Iterator[Line | Quiet]:
    """Requests of named users."""
    return read_lines(file, lambda raw: said(raw, given.zone))


def said(raw: bytes, zone: str) -> Request | Unreadable | None:
    """The request in a line; None when it names no user."""
    fields = fields_of(raw)
    if fields is None:
        return Unreadable("no JSON object")
    user, status = _first(fields, USER), _first(fields, STATUS) or ""
    if user is None or user == "-":
        return None
    moment = _moment(_first(fields, TIME) or "", zone)
    if moment.time is None:
        return NO_TIME
    if not re.fullmatch(r"\d{3}", status, re.ASCII):
        return Unreadable("a request without a status")
    method, path = _asked(fields)
    port = port_of(_first(fields, PORT))
    return Request(_first(fields, IP), user, moment.time, moment.rule or "", method, path, int(status),
                   _first(fields, AGENT) or "", port)  # fmt: skip


def fields_of(raw: bytes) -> dict[str, str] | None:
    """The line's values by their names: lower case, words joined by underscores, names within names by points."""
    if b"\\x" in raw or b"\\v" in raw:
        raw = ESCAPE.sub(_as_json, raw)
    try:
        whole = json.loads(raw.decode("utf-8", "surrogateescape"), parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(whole, dict):
        return None
    found: dict[str, str] = {}
    _flatten(whole, "", DEEP, found)
    return found


def _as_json(escape: re.Match[bytes]) -> bytes:
    if escape[1] is None:
        return b"\\u000b" if escape[2] == b"v" else escape[0]
    byte = int(escape[1], 16)
    return bytes([byte]) if byte >= 0x80 else b"\\u%04x" % byte


def _flatten(values: Mapping[str, Any], before: str, deep: int, found: dict[str, str]) -> None:
    """Caddy keeps what was asked in `request`: names there count as if they stood outside."""
    for key, value in values.items():
        name = before + _name(key)
        if isinstance(value, list) and value:
            value = value[0]  # noqa: PLW2901  headers are lists, nearly always of one
        if isinstance(value, str):
            found.setdefault(name, _text(value))
        elif isinstance(value, dict) and deep:
            _flatten(value, "" if name == "request" else f"{name}.", deep - 1, found)


@lru_cache(1 << 10)
def _name(key: str) -> str:
    return key.lower().lstrip("$%").replace("-", "_")


def _text(value: str) -> str:
    """With stand-ins for bytes that were no UTF-8, and for halves of characters."""
    if value.isascii():
        return value
    try:
        raw = value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raw = value.encode("utf-8", "surrogatepass")
    return raw.decode("utf-8", "backslashreplace")


def _first(fields: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((fields[name] for name in names if fields.get(name)), None)


def _asked(fields: Mapping[str, str]) -> tuple[str, str]:
    """Method and path: by themselves, or in the request's first line."""
    line, method, path = _first(fields, WHOLE), _first(fields, METHOD), _first(fields, PATH)
    if line is not None and (method is None or path is None):
        first, rest = asked(line.encode("utf-8", "surrogatepass"))
        return method or first.decode(), path or rest.decode("utf-8", "surrogatepass")
    return method or "", path or ""


def _moment(text: str, zone: str) -> Moment:
    stamp = text.strip("[]").encode("utf-8", "surrogatepass")
    own = moment_of(stamp)
    return own if own.rule else time_of(stamp, zone, 0, "log")

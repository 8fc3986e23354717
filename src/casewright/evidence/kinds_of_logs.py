"""Which log a text is, by its first lines: at least two of them (or its only one), and half of all, must be such lines.

Formats: nginx and Apache access logs, plain and as JSON; their error logs; RFC 3164, RFC 5424 and rsyslog's own.
"""

import re
from collections.abc import Callable

FIRST_LINES = 40
LINE_LIMIT = 1 << 14
ACCESS = re.compile(rb'\S+ \S+ [^\[\n]* ?\[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]{8} [+-]\d{4}\] "')
_DAY = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d"
_ISO = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
_LEVEL = rb"(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)\b"
SYSLOG = re.compile(
    rb"(?:<\d{1,3}>)?" + _DAY + rb"(?:\.\d+)? [\w.:-]+ \S|"
    rb"<\d{1,3}>1 " + _ISO + rb" \S+ \S+ \S+ |"
    + _ISO + rb" (?!" + _LEVEL + rb")[\w.:-]+ [^\s:\[]{1,64}(?:\[\d+\])?: "
)  # fmt: skip
ERRORS = re.compile(
    rb"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:debug|info|notice|warn|error|crit|alert|emerg)\] \d+#\d+: |"
    rb"\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \d{4}\] \[[\w:-]+\] "
)
_NAME = rb'[{,]\s*"[$@%%]?(?:[\w.-]*[_.-])?(?:%s)"\s*:'
JSON_FIELDS = [
    re.compile(_NAME % names, re.IGNORECASE)
    for names in (rb"status|status_?code|response|code",
                  rb"time|time_?stamp|time_iso8601|time_local|ts|msec|date|datetime",
                  rb"request|uri|url|path|request_?(?:uri|line)|original|method",
                  rb"addr|ip|client_?ip|remote_?ip|client|host|address")
]  # fmt: skip
"""A request as JSON has a status, a time, what was asked for, and by whom."""


def _is_json_access(line: bytes) -> bool:
    return line[:1] == b"{" and line.rstrip()[-1:] == b"}" and all(field.search(line) for field in JSON_FIELDS)


LOGS: tuple[tuple[str, Callable[[bytes], object]], ...] = (
    ("text/x-access-log", ACCESS.match),
    ("text/x-access-log+json", _is_json_access),
    ("text/x-syslog", SYSLOG.match),
    ("text/x-error-log", ERRORS.match),
)


def log_kind(head: bytes) -> str | None:
    """The media type of a log with these first bytes; None when it is none. A crash leaves zeros in logs."""
    lines = [line for line in head.replace(b"\0", b"").split(b"\n") if line and not line.isspace()][: FIRST_LINES + 1]
    if len(lines) > FIRST_LINES or (len(lines) > 2 and head[-1:] != b"\n"):
        lines.pop()  # perhaps cut
    for mime, fits in LOGS:
        fitting = sum(bool(fits(line[:LINE_LIMIT])) for line in lines)
        if fitting * 2 >= len(lines) and fitting >= min(2, len(lines)) and lines:
            return mime
    return None

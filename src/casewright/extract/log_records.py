"""Lines of a log as rows of our tables, by a mapping."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, BinaryIO

from casewright.extract.log_names import named
from casewright.extract.logs import BLANK, BadLine, LogLine, log_lines
from casewright.extract.mapping import LogRules
from casewright.extract.reader import LIVE
from casewright.extract.records import KEYS, Records
from casewright.model.ids import make_id

GOT = frozenset((200, 206))
REFUSED = 400


def read_log(records: Records, item: Mapping[str, Any], file: BinaryIO) -> None:
    """Sign-ins and downloads of a log, of named accounts (`log_names.py`)."""
    correction = timedelta(seconds=records.offset)
    for line in log_lines(file):
        if isinstance(line, BadLine) and line.reason == BLANK:
            records.count("log lines", "nothing")
            continue
        if isinstance(line, BadLine):
            records.put_aside("log lines", item["item"], "unreadable", f"{item['name']}: {line.reason}", line)
            continue
        kind = _meaning(line, records.rules.logs)
        if kind is None:
            records.count("log lines", "nothing")
            continue
        column, prefix = KEYS[kind]
        key = make_id(prefix, item["sha256"], line.span_start)
        place = {"item": item["item"], "row": line.number, "span_start": line.span_start,
                 "span_length": line.span_length}  # fmt: skip
        common = {column: key, "account": named(line.user), "time": line.time + correction,
                  "zone": f"log, its own {line.zone}", "ip": line.ip, "origin": LIVE, **place}  # fmt: skip
        if kind == "logins":
            records.add(kind, {**common, "agent": line.agent, "kind": "log"})
        else:
            records.add(kind, {**common, "reference": line.path})
        records.count("log lines", "done")


def _meaning(line: LogLine, rules: LogRules) -> str | None:
    """What a request by a named user amounts to: a sign-in, a download, or nothing that is looked for.

    A refused request proves nobody's presence: whoever knows a name can be turned away under it.
    """
    if line.user is None or line.status >= REFUSED:
        return None
    path = line.path.partition("?")[0]
    if path in rules.login_paths:
        return "logins"
    if line.method == "GET" and line.status in GOT and path.startswith(rules.download_paths):
        return "downloads"
    return None

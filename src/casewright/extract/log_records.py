"""Lines of a log as rows of `log_events`, by a mapping."""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from casewright.extract.log import DOWNLOAD, LOGIN, Act, Line, Quiet, Request, Unreadable
from casewright.extract.log_rules import LogRules
from casewright.extract.records import Records
from casewright.extract.values import Moment, corrected
from casewright.extract.visits import Visits
from casewright.model.ids import IdMaker

GOT = frozenset((200, 206))
REFUSED = 400
NOUN, EVENTS = "log lines", "log_events"


class LogRecords:
    """What the lines of one log say."""

    def __init__(self, records: Records, item: Mapping[str, Any], gap: timedelta) -> None:
        self._records, self._item = records, item
        self._id = IdMaker("event", item["sha256"])
        self._visits = Visits(gap)
        self.events = self.understood = 0

    def read(self, lines: Iterable[Line | Quiet]) -> None:
        """Take everything that a reader gives."""
        for line in lines:
            if isinstance(line, Quiet):
                self._records.count(NOUN, "nothing", line.lines)
            elif isinstance(line.said, Unreadable):
                self._put_aside(line, line.said.reason)
            else:
                self._take(line, line.said)
        for visit in self._visits.rest():
            self._add(visit.row(), visit.first)

    def _take(self, line: Line, said: Request | Act) -> None:
        self.understood += 1
        moment = corrected(Moment(said.time, said.rule), self._records.offset)
        if moment.time is None or moment.rule is None:
            self._put_aside(line, "no such time by the corrected clock")
            return
        said = said._replace(time=moment.time, rule=moment.rule)
        if isinstance(said, Request):
            self._request(line, said)
        else:
            self._act(line, said)

    def _request(self, line: Line, said: Request) -> None:
        """A request that the server refused proves nobody's presence: whoever knows a name can be turned away."""
        if said.user is None or said.status >= REFUSED:
            self._records.count(NOUN, "nothing")
            return
        rules = self._records.rules.logs
        what = _meaning(said, rules)
        if what is not None:
            act = Act(what, said.user, rules.user, said.time, said.rule, said.ip, said.port, said.agent or None,
                      said.path if what == DOWNLOAD else None)  # fmt: skip
            self._add(_row(act), line)
        for visit in self._visits.take(line, said, rules.user):
            self._add(visit.row(), visit.first)
        self._records.count(NOUN, "done")

    def _act(self, line: Line, said: Act) -> None:
        self._add(_row(said), line)
        self._records.count(NOUN, "done")

    def _add(self, row: dict[str, Any], line: Line) -> None:
        self.events += 1
        place = {"item": self._item["item"], "row": line.number, "span_start": line.span_start,
                 "span_length": line.span_length}  # fmt: skip
        self._records.add(EVENTS, {"event": self._id(f"{row['what']} {line.span_start}"), **place, **row})

    def _put_aside(self, line: Line, reason: str) -> None:
        self._records.put_aside(NOUN, self._item["item"], "unreadable", f"{self._item['name']}: {reason}", line)


def _row(act: Act) -> dict[str, Any]:
    """The act's own columns. What it says, all of it, is the same in every copy of its line."""
    alike = hashlib.sha256("\0".join(map(str, act._replace(rule=""))).encode("utf-8", "surrogatepass")).hexdigest()[:20]
    return {
        "what": act.what, "name": act.user, "name_is": act.name_is, "time": act.time, "zone": act.rule, "ip": act.ip,
        "port": act.port, "agent": act.agent, "reference": act.reference, "session": act.session, "how": act.how,
        "alike": alike,
    }  # fmt: skip


def _meaning(request: Request, rules: LogRules) -> str | None:
    """What a request by a named user amounts to: a sign-in, a download, or no more than a request."""
    path = request.path.partition("?")[0]
    if path in rules.login_paths:
        return LOGIN
    if request.method == "GET" and request.status in GOT and path.startswith(rules.download_paths):
        return DOWNLOAD
    return None

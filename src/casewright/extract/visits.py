"""Runs of requests by one named user from one address with one agent, in one log, without a long gap."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from casewright.extract.log import REQUESTS, Line, Request

OPEN_AT_ONCE = 1 << 16


@dataclass
class Visit:
    """A run so far. `first` is its first line, made as long as the run: the lines of others stand in between."""

    said: Request
    name_is: str
    first: Line
    since: datetime
    until: datetime
    rule: str
    requests: int = 1

    def row(self) -> dict[str, Any]:
        """Its own columns in `log_events`."""
        zone = self.said.rule if self.rule == self.said.rule else f"{self.said.rule}; its end: {self.rule}"
        return {"what": REQUESTS, "name": self.said.user, "name_is": self.name_is, "time": self.since,
                "until": self.until, "zone": zone, "ip": self.said.ip, "agent": self.said.agent or None,
                "requests": self.requests}  # fmt: skip

    def add(self, line: Line, said: Request) -> None:
        if said.time >= self.until:
            self.until, self.rule = said.time, said.rule
        self.since = min(self.since, said.time)
        self.first = self.first._replace(span_length=line.span_start + line.span_length - self.first.span_start)
        self.requests += 1


class Visits:
    """The runs of one log. A gap longer than `gap` ends one."""

    def __init__(self, gap: timedelta) -> None:
        self._gap = gap
        self._open: dict[tuple[str | None, str | None, str], Visit] = {}

    def take(self, line: Line, said: Request, name_is: str) -> Iterator[Visit]:
        """Add a request; gives the runs that have ended by it."""
        key = (said.user, said.ip, said.agent)
        visit = self._open.get(key)
        if visit and visit.since - said.time <= self._gap and said.time - visit.until <= self._gap:
            visit.add(line, said)
            return
        if visit:
            yield self._open.pop(key)
        self._open[key] = Visit(said, name_is, line, said.time, said.time, said.rule)
        if len(self._open) > OPEN_AT_ONCE:
            yield from self._ended(said.time)

    def rest(self) -> Iterator[Visit]:
        """The runs that are still open at the end of the log."""
        yield from self._open.values()
        self._open.clear()

    def _ended(self, now: datetime) -> Iterator[Visit]:
        """Runs that a log in the order of time can't go on with; when there are none, half of all, the oldest."""
        past = [key for key, visit in self._open.items() if now - visit.until > self._gap]
        for key in past or list(self._open)[: OPEN_AT_ONCE // 2]:
            yield self._open.pop(key)

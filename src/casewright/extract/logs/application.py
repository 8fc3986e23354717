"""Logs of the service's own programs, by the patterns that a mapping gives (`log_rules.py`).

Patterns are RE2's, through Arrow: whatever a line holds, matching takes time in proportion to its length. Many lines
are matched at once. A line that fits no pattern holds nothing to find; one that fits but has no time is unreadable.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from casewright.extract.log import NO_TIME, NO_YEAR, Act, Given, Line, Quiet, Unreadable
from casewright.extract.log_rules import SYSLOG, WRITTEN, Application, whole
from casewright.extract.logs.lines import Said, raw_lines, told
from casewright.extract.logs.stamps import STAMP, Calendar, years_of
from casewright.extract.values import Moment, port_of, taken_as, text_of, time_of

AT_ONCE = 1 << 12
LONGEST = 1 << 14
"""Bytes of a line that patterns are tried on."""
TOO_LONG = Unreadable(f"a line of more than {LONGEST} bytes")
Raw = tuple[bytes | None, int, int, int]


def read_application(file: BinaryIO, given: Given) -> Iterator[Line | Quiet]:
    """What the lines that fit a pattern say. The first pattern that a line fits counts."""
    return told(_read(file, given))


def _read(file: BinaryIO, given: Given) -> Iterator[tuple[Said, int, int, int]]:
    calendar, lines = _calendar(file, given), raw_lines(file, LONGEST)
    while batch := list(islice(lines, AT_ONCE)):
        for (raw, number, start, length), fit in zip(batch, _fits(batch, given.applications), strict=True):
            _pass_by(calendar, raw)
            said = TOO_LONG if raw is None else _said(*fit, given, calendar) if fit else None
            yield said, number, start, length


Fit = tuple[Application, dict[str, str]]


def _fits(batch: Sequence[Raw], applications: Sequence[Application]) -> list[Fit | None]:
    """For each line the pattern that it fits, with its groups."""
    lines = pa.array([text_of(raw) for raw, _, _, _ in batch], pa.string())
    found: list[Fit | None] = [None] * len(batch)
    for application in applications:
        groups = pc.extract_regex(lines, whole(application.line))
        for place in pc.indices_nonzero(pc.is_valid(groups)).to_pylist():
            found[place] = found[place] or (application, groups[place].as_py())
    return found


def _said(
    application: Application, groups: dict[str, str], given: Given, calendar: Calendar | None
) -> Act | Unreadable | None:
    what = application.every or application.means.get(groups["action"])
    if what is None:
        return None
    moment = _moment(application, groups["time"], given.zone, calendar)
    if moment.time is None:
        return NO_TIME if moment.rule else NO_YEAR
    user = groups.get("user")
    return Act(what, None if user in ("", "-") else user, application.user, moment.time, moment.rule or "",
               groups.get("ip") or None, port_of(groups.get("port")), groups.get("agent") or None,
               groups.get("reference") or None, groups.get("session") or None,
               groups["action"] if what == "logout" and "action" in groups else None)  # fmt: skip


def _moment(application: Application, text: str, assumed: str, calendar: Calendar | None) -> Moment:
    zone = application.zone or assumed
    if application.time == WRITTEN:
        return time_of(text.encode(), zone, 0, "log")
    if application.time == SYSLOG:
        stamp = STAMP.match(text.encode() + b" ")
        return calendar.moment(stamp, zone) if stamp and calendar else Moment(None, "log")
    try:
        local = datetime.strptime(text, application.time)  # noqa: DTZ007  its zone is found out here
        if local.tzinfo is None:
            return taken_as(local, zone, "log")
        return Moment(local.astimezone(UTC).replace(tzinfo=None), f"log, its own {local:%z}")
    except (ValueError, OverflowError):
        return Moment(None, "log")


def _calendar(file: BinaryIO, given: Given) -> Calendar | None:
    """Counts the years of stamps that have none, where a pattern says that there are such."""
    if not any(application.time == SYSLOG for application in given.applications):
        return None
    return Calendar(given, years_of(file, given))


def _pass_by(calendar: Calendar | None, raw: bytes | None) -> None:
    stamp = STAMP.match(raw) if calendar and raw else None
    if calendar and stamp:
        calendar.pass_by(stamp)

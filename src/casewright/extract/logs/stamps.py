"""Stamps of syslog: RFC 3164 (`Nov  3 04:05:06`, without year and zone), and ISO 8601 as RFC 5424 and rsyslog write it.

A log without years is in the order of time. Its last line was written when the file was, so the file's time gives the
last line's year; each time that the days go back on the way, a new year has begun.
"""

import re
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import BinaryIO, NamedTuple

from casewright.extract.log import Given
from casewright.extract.logs.access import MONTHS
from casewright.extract.logs.lines import raw_lines
from casewright.extract.values import Moment, taken_as, time_of

OLD = rb"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d)"
NEW = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
STAMP = re.compile(rb"(?:<\d{1,3}>)?(?:1 )?(?:" + OLD + rb"(?:\.\d+)?|(?P<new>" + NEW + rb")) ")
DISORDER = timedelta(days=2)
"""Lines may stand so far out of order; what goes back by more is a new year."""
LATE = timedelta(days=7)
"""A file that was written so long after its last line may be a copy, and its time another year's."""
DAY = timedelta(days=1)


LEAP = 2000
"""A year that has every day."""


class Day(NamedTuple):
    """A day without a year."""

    month: int
    day: int

    def within(self, year: int) -> datetime | None:
        """The day's beginning in this year, None when there never was one."""
        try:
            return datetime(year, self.month, self.day)  # noqa: DTZ001  its zone is none yet
        except ValueError:
            return None


class Calendar:
    """Gives the moments of a log's stamps, read in the order of its lines."""

    def __init__(self, given: Given, years: "Years | None") -> None:
        self._zone, self._year, self._why = given.zone, years.first if years else None, years.why if years else ""
        self._last: Day | None = None

    def pass_by(self, stamp: re.Match[bytes]) -> None:
        """Take note of every line's stamp, so that the years are counted."""
        if self._year is not None and (day := day_of(stamp)) and day is not self._last:
            self._year += turn(self._last, day)
            self._last = day

    def moment(self, stamp: re.Match[bytes], zone: str | None = None) -> Moment:
        """When the line that was passed last was. No rule: the year can't be known."""
        zone = zone or self._zone
        if stamp["new"]:
            return time_of(stamp["new"], zone, 0, "log")
        if self._year is None:
            return Moment(None, None if day_of(stamp) else "log")
        moment = taken_as(_at(day_of(stamp), self._year, stamp["clock"]), zone, "log")
        return Moment(moment.time, f"{moment.rule}, {self._why}")


class Years(NamedTuple):
    """The year of a log's first stamp, and in words where it is from."""

    first: int
    why: str


def years_of(file: BinaryIO, given: Given) -> Years | None:
    """The years of a log whose stamps have none; None when nothing says them, or none is needed. Ends at its start."""
    turns, last = 0, None
    for raw, _, _, _ in raw_lines(file):
        stamp = STAMP.match(raw) if raw else None
        if stamp and (day := day_of(stamp)) and day is not last:
            turns += turn(last, day)
            last = day
    file.seek(0)
    if last is None:
        return None
    if given.modified is not None:
        year, why = _last_year(last, given.modified)
        return Years(year - turns, why)
    return Years(given.year - turns, "year by the mapping") if given.year else None


def _last_year(last: Day, modified: datetime) -> tuple[int, str]:
    """The latest year in which the last line is not after the file's time; that may be a day off, zone and all."""
    year = modified.year + 1
    while year > 1 and ((at := last.within(year)) is None or at - DAY > modified):
        year -= 1
    late = modified - (last.within(year) or modified)
    return year, "year by the file's time" + (f", {late.days} days after its last line" if late > LATE else "")


def turn(before: Day | None, now: Day) -> int:
    """1 when a year ended between two lines; -1 when the second stands late, at the very end of the year before."""
    earlier, later = before and before.within(LEAP), now.within(LEAP)
    if earlier is None or later is None:
        return 0
    if earlier - later > DISORDER:
        return 1
    return -1 if (later + DISORDER).year > LEAP and (earlier - DISORDER).year < LEAP else 0


def day_of(stamp: re.Match[bytes]) -> Day | None:
    """The day of an old stamp; None where it is a new one, or no day of any year."""
    month, day = stamp.group("month", "day")
    return None if month is None else _day(month, day)


@lru_cache(512)
def _day(month: bytes, day: bytes) -> Day | None:
    found = Day(MONTHS[month], int(day))
    return found if found.within(LEAP) else None


def _at(day: Day | None, year: int, clock: bytes) -> datetime | None:
    """The time of a day in a year."""
    begun = day.within(year) if day else None
    try:
        return begun and datetime.combine(begun, time.fromisoformat(clock.decode()))
    except ValueError:
        return None

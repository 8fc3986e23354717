"""When the line was written that an IP address stands on: the first time on it that says so in full.

In a dump many rows stand on one line, and each is a line here.
"""

import re
from datetime import timedelta
from functools import lru_cache

from casewright.extract.logs import TIME, utc
from casewright.extract.values import Moment, time_of

AROUND = 400
"""Bytes before and after an address that its line may have."""
BORDERS = (b"\n", b"),(", b"), (", b"},{", b"}, {", b"\0")
WRITTEN = re.compile(
    rb"(?<!\d)\d{4}([-/])\d\d\1\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![0-9A-Za-z]))?"
)
"""ISO 8601, and as nginx writes it in its log of errors."""


def stamp_near(raw: bytes, start: int, end: int) -> bytes:
    """The first time on the line of these bytes: as web servers' logs write it, else as ISO 8601; empty if none."""
    begin, stop = max(0, start - AROUND), end + AROUND
    for border in BORDERS:
        begin = begin if (at := raw.rfind(border, begin, start)) < 0 else at + len(border)
        stop = stop if (at := raw.find(border, end, stop)) < 0 else at
    found = TIME.search(raw, begin, stop) or WRITTEN.search(raw, begin, stop)
    return found[0] if found else b""


@lru_cache(1 << 12)
def moment_of(stamp: bytes, zone: str, offset: int) -> Moment:
    """The moment that such a time means, and the rule that made it UTC. `offset` seconds correct the clock."""
    if log := TIME.fullmatch(stamp):
        moment = utc(log)
        own = f"log, its own {(log[7] + log[8]).decode()}:{log[9].decode()}"
        corrected = f"{own}; clock {offset:+d} s" if offset else own
        return Moment(moment + timedelta(seconds=offset), corrected) if moment else Moment(None, None)
    found = time_of(stamp.replace(b"/", b"-"), zone, offset) if stamp else Moment(None, None)
    if found.time is None or found.rule is None:
        return Moment(None, None)
    return Moment(found.time, found.rule.replace("database", "text", 1))

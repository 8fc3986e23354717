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
BORDER = re.compile(rb"\0|\), ?\(|\}, ?\{")
WRITTEN = re.compile(
    rb"(?<!\d)\d{4}([-/])\d\d\1\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?![0-9A-Za-z]))?"
)
"""ISO 8601, and as nginx writes it in its log of errors."""
FORMS = ((TIME, len("dd/mmm/yyyy")), (WRITTEN, len("yyyy-mm-dd hh")))
"""Forms, and how many bytes stand before their first colon."""


def stamp_near(raw: bytes, start: int, end: int) -> bytes:
    """The first time on the line of these bytes: in either form; empty if there is none."""
    begin = raw.rfind(b"\n", max(0, start - AROUND), start) + 1 or max(0, start - AROUND)
    stop = raw.find(b"\n", end, end + AROUND)
    stop = end + AROUND if stop < 0 else stop
    stamp = _first(raw, begin, stop)
    if not stamp or not BORDER.search(raw, begin, stop):
        return stamp
    for border in BORDER.finditer(raw, begin, stop):
        if border.end() <= start:
            begin = border.end()
        elif border.start() >= end:
            return _first(raw, begin, border.start())
    return _first(raw, begin, stop)


def _first(raw: bytes, begin: int, stop: int) -> bytes:
    """The first time there, found by its colons: three bytes apart."""
    colon = raw.find(b":", begin, stop)
    while colon >= 0:
        if raw[colon + 3 : colon + 4] == b":":
            for pattern, before in FORMS:
                if colon - before >= begin and (found := pattern.match(raw, colon - before, stop)):
                    return found[0]
        colon = raw.find(b":", colon + 1, stop)
    return b""


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

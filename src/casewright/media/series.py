"""Groups of one series: pictures and films in one folder whose names follow each other, made at about the same time.

Neighbours by name belong together when their numbers are in a run and no time speaks against it, or when the camera
itself says, in the file or in its name, that they were made within the gap. A name that is nothing but a number is what
every store gives its files: there, only the camera's time counts.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from casewright.engine.stage import Context
from casewright.media.grouped import SERIES, Member
from casewright.model.ids import printable_path

PLACED = """
SELECT m.item, i.exhibit, i.path, i.modified, m.taken_at FROM media m JOIN items i USING (item)
WHERE i.origin IS NULL OR i.origin NOT IN ('unallocated', 'slack') ORDER BY m.item
"""
STEP = 5
"""Numbers this far apart are still in a run: some pictures are deleted."""
NUMBER = re.compile(rb"\d{1,18}")
MOMENT = re.compile(rb"((?:19|20)\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)\D?(\d\d)")
"""A moment as EXIF and names of files write it."""


@dataclass(frozen=True)
class Placed:
    """An item by the numbers in its name, with the camera's time and the file's."""

    item: str
    numbers: tuple[int, ...]
    taken: datetime | None
    changed: datetime | None


def series(context: Context) -> Iterator[Member]:
    """Every series of two or more."""
    folders: dict[tuple[str, bytes, bytes], list[Placed]] = defaultdict(list)
    for row in context.sql(PLACED).to_pylist():
        folder, _, name = row["path"].rpartition(b"/")
        if numbers := NUMBER.findall(name):
            taken = _moment((row["taken_at"] or "").encode()) or _moment(name)
            placed = Placed(row["item"], tuple(map(int, numbers)), taken, row["modified"])
            folders[row["exhibit"], folder, NUMBER.sub(b"#", name)].append(placed)
    gap = 60 * context.params["series_gap_minutes"]
    for (exhibit, folder, pattern), several in folders.items():
        for run in _runs(several, gap, is_bare=not re.search(rb"[A-Za-z]", pattern.rpartition(b".")[0] or pattern)):
            key = f"{exhibit}/{folder.hex()}/{pattern.hex()}/{run[0].item}"
            reason = _reason(folder, pattern, run, gap)
            yield from (Member(SERIES, key, one.item, reason) for one in run)


def _runs(several: list[Placed], gap: int, is_bare: bool) -> Iterator[list[Placed]]:
    several.sort(key=lambda one: (one.numbers, one.item))
    run = several[:1]
    for before, after in pairwise(several):
        if not _follows(before, after, gap, is_bare):
            if len(run) > 1:
                yield run
            run = []
        run.append(after)
    if len(run) > 1:
        yield run


def _follows(before: Placed, after: Placed, gap: int, is_bare: bool) -> bool:
    taken = _close(before.taken, after.taken, gap)
    if taken is not None or is_bare:
        return bool(taken)
    return _in_a_run(before, after) and _close(before.changed, after.changed, gap) is not False


def _close(one: datetime | None, other: datetime | None, gap: int) -> bool | None:
    """None when a time is missing."""
    return abs((one - other).total_seconds()) <= gap if one and other else None


def _in_a_run(before: Placed, after: Placed) -> bool:
    apart = [b - a for a, b in zip(before.numbers, after.numbers, strict=True) if a != b]
    return len(apart) <= 1 and all(0 < step <= STEP for step in apart)


def _moment(raw: bytes) -> datetime | None:
    found = MOMENT.search(raw)
    try:
        year, month, day, hour, minute, second = map(int, found.groups()) if found else (0,) * 6
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001  cameras name no zone
    except ValueError:
        return None


def _reason(folder: bytes, pattern: bytes, run: list[Placed], gap: int) -> str:
    pairs = list(pairwise(run))
    words = [f"folder {printable_path(folder) or '/'}", f"names {printable_path(pattern)}"]
    if all(_in_a_run(*pair) for pair in pairs):
        words.append(f"numbers in a run, {'.'.join(map(str, run[0].numbers))} to {'.'.join(map(str, run[-1].numbers))}")
    if all(_close(a.taken, b.taken, gap) for a, b in pairs):
        words.append(f"taken at most {gap // 60} minutes one after the other")
    elif all(_close(a.changed, b.changed, gap) for a, b in pairs):
        words.append(f"files changed at most {gap // 60} minutes one after the other")
    else:
        words.append("no times throughout")
    return "; ".join(words)

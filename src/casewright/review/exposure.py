"""How much a reviewer looked at today, for themselves: a count, a limit, and breaks.

It is kept beside the seal key, in the reviewer's own folder, never in a case, and is sent nowhere. What research says
of such measures is mixed; that opening less helps is the best supported (docs/guides/review.md).
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

from casewright.model.errors import CasewrightError
from casewright.vault.disk import write_atomically


class Enough(CasewrightError):  # noqa: N818  it reads as a word
    """The limit that the reviewer set themselves is reached, or a break is due."""


@dataclass(frozen=True)
class Limits:
    """What a reviewer wants to be held to. `a_day`: different media; 0: no limit. Minutes of work and of a break."""

    a_day: int = 150
    work: int = 45
    pause: int = 5


@dataclass
class Day:
    """What was opened on one day. `since`: when work began after the last pause; `last`: the latest still; seconds."""

    day: str
    items: list[str] = field(default_factory=list)
    since: float = 0.0
    last: float = 0.0


class Exposure:
    """Counts the different media of which a still was opened today."""

    def __init__(self, file: Path, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        self._file, self.limits, self._clock, self._turn = file, limits, clock, threading.Lock()

    def of(self, name: str) -> "Exposure":
        """The count of one of several who use this room, within the same limits."""
        file = self._file.with_name(f"exposure-{hashlib.sha256(name.encode()).hexdigest()[:12]}.json")
        return Exposure(file, self.limits, self._clock)

    @property
    def today(self) -> int:
        return len(self._load().items)

    def open(self, item: str) -> None:
        """Note that a still of this medium is about to be shown. Raises Enough when it should not be."""
        with self._turn:
            held, now = self._load(), self._clock()
            if now - held.last >= self.limits.pause * 60:
                held.since = now
            elif now - held.since >= self.limits.work * 60:
                left = self.limits.pause - int((now - held.last) // 60)
                raise Enough(f"You have looked for {self.limits.work} minutes. Take a break of {left} minutes.")
            if item not in held.items:
                if self.limits.a_day and len(held.items) >= self.limits.a_day:
                    raise Enough(f"You have opened {self.limits.a_day} media today, your own limit. Go on tomorrow.")
                held.items.append(item)
            held.last = now
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, json.dumps(asdict(held)).encode())

    def _load(self) -> Day:
        """Today's count; a fresh one on a new day, or where the file is none of ours."""
        fresh = Day(date.fromtimestamp(self._clock()).isoformat())  # noqa: DTZ012  the reviewer's own day
        try:
            held = Day(**json.loads(self._file.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            return fresh
        return held if held.day == fresh.day else fresh

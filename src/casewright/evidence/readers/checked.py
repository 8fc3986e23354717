"""Reading an image once from end to end: its stored hashes are computed anew, and every damaged stretch is met.

The work is cut into steps of a gibibyte, and what is known so far is remembered, so that a killed run goes on there.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casewright.evidence.reader import Damage, Met, Problem, StoredHash, Unreadable
from casewright.evidence.readers.disks import Disk
from casewright.evidence.walk import Walk
from casewright.vault.hashing import can_resume, digest, states_of

STEP, PIECE = 1 << 30, 1 << 19


def check_image(disk: Disk, path: bytes, walk: Walk) -> Iterator[Met]:
    """What the image's own structure and hashes say of it; of a plain disk nothing."""
    stored: Mapping[str, str] = getattr(disk, "stored", {})
    problems = getattr(disk, "problems", None)
    if problems is None:
        return
    yield from problems()
    pass_ = _Pass(disk, sorted(stored), walk)
    try:
        for at in range(0, disk.size, STEP):
            if reason := walk.steps.begin():
                yield Problem(path, "died", f"checking the image's content failed: {reason}")
                return
            pass_.run(at, min(at + STEP, disk.size))
    except Unreadable as error:
        yield Problem(path, error.reason, error.detail)
        return
    for start, length, detail in pass_.damage:
        yield Damage(f"{detail}: bytes {start} to {start + length - 1} of the disk", start, length)
    for name, computed in pass_.computed().items():
        yield StoredHash(path, name, stored[name], computed)


class _Pass:
    """One pass over the disk."""

    def __init__(self, disk: Disk, names: list[str], walk: Walk) -> None:
        self._disk, self._walk, self._names = disk, walk, names
        self._digests = {name: digest(name) for name in names}
        self.damage: list[tuple[int, int, str]] = []

    def run(self, start: int, end: int) -> None:
        """Go over these bytes, or take from an earlier run what came of them."""
        known = self._walk.steps.recall()
        if known is not None:
            self._take(known)
            return
        before, at = len(self._walk.log.spans), start
        while (at := self._next(at)) < end:
            chunk = self._disk.read(at, min(PIECE, end - at))
            for one in self._digests.values():
                one.update(chunk)
            at += PIECE
            self._walk.steps.alive()
        self.damage += self._walk.log.spans[before:]
        if can_resume():
            self._walk.steps.remember(self._state())

    def _next(self, at: int) -> int:
        """Where to go on. Zeros of a sparse disk can't be damaged; they count where there is a hash to compute."""
        next_held = getattr(self._disk, "next_held", None)
        return at if self._names or next_held is None else int(next_held(at))

    def computed(self) -> dict[str, str]:
        return {name: one.hexdigest() for name, one in self._digests.items()}

    def _state(self) -> Any:
        states = states_of(list(self._digests.values())) or []
        return {"states": [s.hex() for s in states], "damage": self.damage}

    def _take(self, known: Any) -> None:
        states = zip(self._names, known["states"], strict=True)
        self._digests = {name: digest(name, bytes.fromhex(state)) for name, state in states}
        self.damage = [(int(start), int(length), str(what)) for start, length, what in known["damage"]]

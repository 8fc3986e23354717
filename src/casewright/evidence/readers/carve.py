"""Pictures and videos carved from stretches of a disk that no file claims: found by how they begin, measured by their
own structure, and kept if they decode.

A picture begins at any byte: in slack nothing is aligned. What lies in two fragments is not put together again: its
first part is found if it decodes, and ends early. An EXIF thumbnail is part of its picture, and is found by itself
only where that picture is not whole.

Every byte is held against the signatures: two tables say which pairs of bytes begin and end a signature's four bytes.
To look up every pair costs about a nanosecond a byte, whatever the number of signatures; a search for each signature
costs half of that each.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from casewright.evidence.reader import Problem, Unreadable
from casewright.evidence.readers.carve_check import CUTTABLE, Verdict, check, plausible_end, without_zeros
from casewright.evidence.readers.carve_shapes import BEGINNING, SIGNATURES, Follow, Shape, View, bare_boxes
from casewright.evidence.readers.disks import Disk

MOST_WORK = 4 << 30
WORK_A_BYTE = 64
HEADER = 1 << 20
"""Bytes at the beginning of a picture cut short in which its thumbnail is looked for."""


@dataclass(frozen=True)
class Carved:
    """A picture or a video on a disk. Not `whole`: it ends early, or is damaged, but what stands decodes."""

    start: int
    length: int
    mime: str
    whole: bool

    @property
    def end(self) -> int:
        return self.start + self.length


Look = Callable[[int, memoryview], None]


def _no_look(start: int, raw: memoryview) -> None:
    pass


def carve(
    disk: Disk,
    spans: Iterable[tuple[int, int]],
    *,
    until: int | None = None,
    limit: int = MOST_WORK,
    look: Look = _no_look,
) -> Iterator[Carved | Problem]:
    """What is found in these (start, length) stretches, which ascend and do not overlap, in the order of first bytes.

    With `until`, what begins before that byte of the disk, however far it reaches; what lies inside damaged findings
    is found up to their ends. `limit`: bytes read and pixels decoded for candidates, beyond 64 for each byte that was
    searched; past it candidates are counted and not looked at. The last rows say how many of them came to nothing.
    `look` is given what was searched, window by window: the first byte of each, and its bytes.
    """
    tally = _Tally(limit)
    for start, length in spans:
        end = min(start + length, disk.size)
        yield from _Stretch(disk, start, end, end if until is None else until, tally, look).findings()
        tally.searched += max(0, end - start)
    yield from tally.problems()


WINDOW = 4 << 20
BLOCK = 1 << 17
"""Bytes that are looked up at a time: they fit the processor's cache."""
ZEROS = bytes(BLOCK + BEGINNING)
PART = 1 << 16
"""Bytes that are read at a time where a window can't be read."""


@dataclass(frozen=True)
class Hit:
    """A byte of the disk at which a format may begin."""

    place: int
    follow: Follow


def _table(first: int) -> npt.NDArray[np.uint16]:
    """For every pair of bytes the signatures, as bits, whose probe has it there."""
    table = np.zeros(1 << 16, np.uint16)
    for number, signature in enumerate(SIGNATURES):
        table[signature.pairs(first)] |= 1 << number
    return table


FIRST, SECOND = _table(0), _table(2)
BEGINS = FIRST != 0


def signatures_in(raw: bytes, last: int) -> list[tuple[int, Follow]]:
    """Every place below `last` at which a signature's pattern holds, in order."""
    if raw == ZEROS[: len(raw)]:
        return []
    found = []
    for place, bits in _probes(raw):
        signature = SIGNATURES[bits.bit_length() - 1]
        start = place - signature.offset
        if 0 <= start < last and signature.pattern.match(raw, start):
            found.append((start, signature.follow))
    return sorted(found, key=lambda one: one[0])


def _probes(raw: bytes) -> Iterator[tuple[int, int]]:
    """Places at which the four bytes of a signature stand, and which it is, as a bit: no two have the same bytes."""
    for odd in (0, 1):
        if (pairs := (len(raw) - odd) // 2) < 2:
            continue
        values = np.frombuffer(raw, np.uint16, pairs, odd)
        at = np.flatnonzero(BEGINS[values[:-1]])
        bits = FIRST[values[at]] & SECOND[values[at + 1]]
        kept = np.flatnonzero(bits)
        yield from zip((2 * at[kept] + odd).tolist(), bits[kept].tolist(), strict=True)


class Scanner:
    """Hits of one stretch in ascending order. `at`: the byte from which on the next window is read; whoever takes the
    hits may move it on. `stop`: no window begins at or behind it."""

    def __init__(self, disk: Disk, start: int, end: int, stop: int, look: Look = _no_look) -> None:
        self._disk, self._end, self._look = disk, end, look
        self.at, self.stop = start, stop
        self._lost: tuple[int, int] | None = None
        self._error = Unreadable("unreadable", "nothing is there")

    def hits(self) -> Iterator[Hit | Problem]:
        while self.at < min(self.stop, self._end):
            start, self.at = self.at, min(self.at + WINDOW, self.stop, self._end)
            length = self.at - start
            if raw := self._read(start, length):
                yield from self._window(start, raw, length)
            else:
                yield from self._parts(start, length)
        yield from self._told()

    def _read(self, at: int, length: int) -> bytes:
        """So many bytes and those that a signature at the last of them needs; none if they can't be read."""
        try:
            return self._disk.read(at, min(length + BEGINNING, self._end - at))
        except Unreadable as error:
            self._error = error
            return b""

    def _window(self, start: int, raw: bytes, length: int) -> Iterator[Hit | Problem]:
        yield from self._told()
        self._look(start, memoryview(raw)[:length])
        for block in range(0, length, BLOCK):
            part = raw[block : block + BLOCK + BEGINNING]
            for place, follow in signatures_in(part, min(BLOCK, length - block)):
                yield Hit(start + block + place, follow)

    def _parts(self, start: int, length: int) -> Iterator[Hit | Problem]:
        """A window that can't be read as a whole, in parts, so that little is lost."""
        for at in range(start, start + length, PART):
            size = min(PART, start + length - at)
            if raw := self._read(at, size) or self._read(at, size - BEGINNING):  # what follows may be what is missing
                yield from self._window(at, raw, size)
            else:
                self._lost = self._lost[0] if self._lost else at, at + size

    def _told(self) -> Iterator[Problem]:
        """What could not be read until now, as one row."""
        if self._lost:
            (first, end), error = self._lost, self._error
            self._lost = None
            yield Problem(b"", error.reason, f"bytes {first} to {end - 1} could not be searched: {error.detail}")


@dataclass
class _Tally:
    """The work that was done, and the candidates that came to nothing, by reason."""

    limit: int
    searched: int = 0
    work: int = 0
    failures: dict[str, Counter[str]] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)

    def fail(self, reason: str, mime: str, at: int) -> None:
        self.failures.setdefault(reason, Counter())[mime] += 1
        first, last = self.places.get(reason, (at, at))
        self.places[reason] = min(first, at), max(last, at)

    def is_spent(self, searched: int) -> bool:
        return self.work > self.limit + WORK_A_BYTE * (self.searched + searched)

    def problems(self) -> Iterator[Problem]:
        for reason, counts in sorted(self.failures.items()):
            first, last = self.places[reason]
            where = f"at byte {first}" if first == last else f"at bytes {first} to {last}"
            kinds = ", ".join(f"{mime} {count}" for mime, count in sorted(counts.items()))
            yield Problem(b"", reason, f"{counts.total()} signatures {where} {OUTCOMES[reason]}: {kinds}")


OUTCOMES = {
    "not decodable": "did not decode",
    "too large": "have more pixels than are decoded",
    "too many": "were not looked at, for those before them cost too much work",
}


@dataclass
class _Held:
    """A picture cut short, held back until it is known whether another one begins in what seems to be its body."""

    found: Carved
    body: int
    inside: list[Carved] = field(default_factory=list)


class _Stretch:
    """The search of one stretch. `until`: findings begin before it, except inside damaged ones."""

    def __init__(self, disk: Disk, start: int, end: int, until: int, tally: _Tally, look: Look) -> None:
        self._start, self._until, self._tally = start, until, tally
        self._view, self._scanner = View(disk, end), Scanner(disk, start, end, until, look)
        self._held: _Held | None = None
        self._skip = self._film = start

    def findings(self) -> Iterator[Carved | Problem]:
        for hit in self._scanner.hits():
            if isinstance(hit, Problem):
                yield hit
                continue
            if self._held and hit.place >= self._held.found.end:
                yield from self._release()
            if hit.place >= self._scanner.stop:
                break
            if hit.place >= self._skip and (met := self._look(hit)):
                yield from self._meet(*met)
        yield from self._release()

    def _meet(self, found: Carved, shape: Shape) -> Iterator[Carved]:
        if self._held and found.start < self._held.body:
            if found.whole:
                self._held.inside.append(found)
                self._skip = found.end
            return
        yield from self._release(found.start)
        if found.start >= self._until:
            self._scanner.stop = self._until  # it only told where the one before it ends
        elif not found.whole and found.mime in CUTTABLE:
            self._held = _Held(found, found.start + min(shape.body, HEADER))
            self._scanner.stop = max(self._until, found.end)
        else:
            yield from self._settle(found, shape)

    def _settle(self, found: Carved, shape: Shape) -> Iterator[Carved]:
        """A finding whose end is known. In a video with damage other things may lie, so that it is searched."""
        yield found
        if found.whole or not shape.whole:
            self._skip = found.end
            self._scanner.at = max(self._scanner.at, found.end)
        else:
            self._film = found.end
            self._until = max(self._until, found.end)
            self._scanner.stop = max(self._until, self._scanner.stop)

    def _release(self, next_one: int | None = None) -> Iterator[Carved]:
        """The picture that was held back, now that it is known where it ends, and its thumbnails."""
        held, self._held = self._held, None
        if not held:
            return
        found: Carved | None = held.found
        if next_one is not None:
            found = self._shortened(held.found, next_one, held.body - held.found.start)
        self._scanner.stop = max(self._until, next_one or 0)
        yield from [*([found] if found else []), *held.inside]

    def _shortened(self, found: Carved, end: int, body: int) -> Carved | None:
        end = without_zeros(self._view, found.start + body, end)
        shape = Shape(found.mime, end - found.start, False, body)
        if self._check(found.start, shape).finding == "cut":
            return replace(found, length=shape.length)
        self._tally.fail("not decodable", found.mime, found.start)
        return None

    def _look(self, hit: Hit) -> tuple[Carved, Shape] | None:
        """What decodes at a signature. A damaged film's own boxes are no film."""
        if hit.follow is bare_boxes and hit.place < self._film:
            return None
        if self._tally.is_spent(hit.place - self._start):
            self._tally.fail("too many", "any", hit.place)
            return None
        before = self._view.spent
        shape = hit.follow(self._view, hit.place)
        self._tally.work += self._view.spent - before + 4096
        if shape is None:
            return None
        shape, verdict = self._judge(hit.place, shape)
        if verdict.finding in ("whole", "cut"):
            return Carved(hit.place, shape.length, shape.mime, verdict.finding == "whole"), shape
        self._tally.fail("too large" if verdict.finding == "too large" else "not decodable", shape.mime, hit.place)
        return None

    def _judge(self, at: int, shape: Shape) -> tuple[Shape, Verdict]:
        verdict = self._check(at, shape) if shape.whole else Verdict("cut")
        if not shape.length:
            return shape, Verdict("none")
        if verdict.finding == "cut" and shape.mime in CUTTABLE:
            end = plausible_end(self._view, at, shape)
            if end < at + shape.length or not shape.whole:
                shape = replace(shape, length=end - at, whole=False)
                verdict = self._check(at, shape)
        elif not shape.whole:
            verdict = self._check(at, shape)
        return shape, verdict

    def _check(self, at: int, shape: Shape) -> Verdict:
        before = self._view.spent
        verdict = check(self._view, at, shape)
        self._tally.work += self._view.spent - before + verdict.pixels
        return verdict

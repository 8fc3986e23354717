"""Pictures and videos carved from space that no live file claims, and the text that stands in it, as entries; found
slab by slab, each slab a step."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from casewright.evidence.reader import CHUNK, Entry, Met, Problem, Unreadable
from casewright.evidence.readers.carve import Carved, carve
from casewright.evidence.readers.disks import Disk, reach
from casewright.evidence.readers.texts import Span, Texts
from casewright.evidence.readers.texts import entries as text_entries
from casewright.evidence.walk import Walk

SLAB = 1 << 30
ENDINGS = {
    "image/jpeg": b"jpg", "image/png": b"png", "image/gif": b"gif", "image/webp": b"webp", "image/bmp": b"bmp",
    "image/tiff": b"tif", "video/mp4": b"mp4", "video/quicktime": b"mov", "video/x-msvideo": b"avi",
    "image/heic": b"heic", "image/avif": b"avif", "video/x-matroska": b"mkv", "video/webm": b"webm",
}  # fmt: skip


def carved(disk: Disk, spans: Sequence[tuple[int, int]], origin: str, volume: int, walk: Walk) -> Iterator[Met]:
    """Entries for what is found in these stretches of the volume, in the order of their first bytes."""
    there = reach(disk)
    waiting = deque((start, min(length, there - start)) for start, length in spans if start < there)
    while waiting:
        lot, until = _lot(waiting)
        if reason := walk.steps.begin():
            first, last = lot[0][0], (until or sum(lot[-1])) - 1
            yield Problem(_path(origin, first, b""), "died", f"bytes {first} to {last} could not be searched: {reason}")
            continue
        found, texts = _search(disk, lot, until, walk)
        for one in found:
            if isinstance(one, Carved):
                _skip(waiting, one.start + one.length)
                yield _entry(disk, one, origin, volume)
            else:
                yield Problem(_path(origin, lot[0][0], b""), one.reason, one.detail)
        yield from _texts(disk, texts, origin, volume, walk)
    if absent := [(max(start, there), start + length) for start, length in spans if start + length > there]:
        detail = f"bytes {absent[0][0]} to {absent[-1][1] - 1} could not be searched: they are not in the image"
        yield Problem(_path(origin, absent[0][0], b""), "truncated", detail)


def _lot(waiting: deque[tuple[int, int]]) -> tuple[list[tuple[int, int]], int | None]:
    """The next stretches, about SLAB bytes. Of a longer one the findings up to a byte, and the rest stays waiting."""
    lot: list[tuple[int, int]] = []
    taken = 0
    while waiting and taken < SLAB:
        start, length = waiting.popleft()
        if length > 2 * SLAB:
            if lot:
                waiting.appendleft((start, length))
                return lot, None
            waiting.appendleft((start + SLAB, length - SLAB))
            return [(start, length)], start + SLAB
        lot.append((start, length))
        taken += length
    return lot, None


def _skip(waiting: deque[tuple[int, int]], end: int) -> None:
    """What was found reaches into the next lot: it is not searched once more."""
    if waiting and waiting[0][0] < end:
        start, length = waiting.popleft()
        if end < start + length:
            waiting.appendleft((end, start + length - end))


def _search(
    disk: Disk, lot: list[tuple[int, int]], until: int | None, walk: Walk
) -> tuple[list[Carved | Problem], list[Span]]:
    """What was found in a lot, and the stretches of it that may hold selectors."""
    known = walk.steps.recall()
    if known is None:
        texts = Texts(until)
        found = list(carve(_Watched(disk, walk.steps.alive), lot, until=until, look=texts.look))
        stretches = texts.stretches((one.start, one.length) for one in found if isinstance(one, Carved))
        walk.steps.remember([[_plain(one) for one in found], stretches])
        return found, stretches
    found = [Carved(*one[1:]) if one[0] == "carved" else Problem(b"", *one[1:]) for one in known[0]]
    return found, [(start, length) for start, length in known[1]]


def _texts(disk: Disk, stretches: list[Span], origin: str, volume: int, walk: Walk) -> Iterator[Met]:
    """What is kept of these, as far as the settings allow for one exhibit; the rest is told."""
    allowed, kept = walk.limits["free_text_bytes"], list[Span]()
    for start, length in stretches:
        if walk.texts.taken + length > allowed:
            break
        kept.append((start, length))
        walk.texts.taken += length
    yield from text_entries(disk, kept, origin, volume)
    if left := stretches[len(kept) :]:
        size, last = sum(length for _, length in left), sum(left[-1]) - 1
        detail = (
            f"{size} bytes between bytes {left[0][0]} and {last} may hold addresses or the like, and were not kept: "
        )
        yield Problem(b"$text/" + origin.encode(), "too large", f"{detail}free_text_bytes allows {allowed} an exhibit")


def _plain(one: Carved | Problem) -> list[str | int | bool]:
    if isinstance(one, Problem):
        return ["problem", one.reason, one.detail]
    return ["carved", one.start, one.length, one.mime, one.whole]


def _entry(disk: Disk, one: Carved, origin: str, volume: int) -> Entry:
    read = _chunks(disk, one)
    return Entry(
        _path(origin, one.start, ENDINGS.get(one.mime, b"bin")), "file", one.length, lambda: read(0), read,
        lambda: ((one.start, one.length),), None, deleted=True, origin=origin, volume=volume,
    )  # fmt: skip


def _path(origin: str, start: int, ending: bytes) -> bytes:
    return b"$carved/%s/%014d%s%s" % (origin.encode(), start, b"." if ending else b"", ending)


def _chunks(disk: Disk, one: Carved) -> Callable[[int], Iterator[bytes]]:
    def read(at: int) -> Iterator[bytes]:
        for start in range(at, one.length, CHUNK):
            yield disk.read(one.start + start, min(CHUNK, one.length - start))
        if not one.whole:
            raise Unreadable("truncated", "carved: it ends early; what stands was decoded")

    return read


class _Watched:
    """A disk that tells of each read that work goes on."""

    def __init__(self, disk: Disk, alive: Callable[[], None]) -> None:
        self._disk, self._alive, self.size = disk, alive, disk.size

    def read(self, offset: int, length: int) -> bytes:
        self._alive()
        return self._disk.read(offset, length)

"""Stretches of free space in which a selector may stand: they become items, and are searched like all others.

Free space itself is no item: nobody wants it copied. While it is searched for pictures, a compiled pass asks of each
page whether an address, a URL, a telephone number or the like may begin in it. Such pages are kept, each with a page
before and behind it. The stretches of a search are put together into few items, whose `spans` say where each stands.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from casewright.evidence.reader import CHUNK, Entry
from casewright.evidence.readers.disks import Disk

Span = tuple[int, int]
PAGE = 4096
TAIL = 256
"""Bytes of a window that are looked at again with the next one: no anchor rests on more."""
MOST = 16 << 20
"""Bytes of one item, but for its last stretch."""
ANCHORS = 1 << 14
MIME = "application/octet-stream"


class Texts:
    """Gathers pages, as windows of a disk go by in ascending order. `until`: a byte of it that ends the search."""

    def __init__(self, until: int | None = None) -> None:
        self._until = until
        self._at, self._tail = -1, b""
        self._seen: list[Span] = []
        self._pages: list[Span] = []

    def look(self, start: int, raw: memoryview) -> None:
        """The bytes of a window that begins at a byte of the disk."""
        raw = raw if self._until is None else raw[: max(0, self._until - start)]
        self._tail = self._tail if start == self._at else b""
        pages = set(_pages(raw, start))
        if self._tail:  # what stands across the border of two windows
            pages.update(_pages(memoryview(self._tail + bytes(raw[:TAIL])), start - len(self._tail)))
        for page in sorted(pages):
            _join(self._pages, (page - 1) * PAGE, (page + 2) * PAGE)
        _join(self._seen, start, start + len(raw))
        self._at, self._tail = start + len(raw), (self._tail + bytes(raw[-TAIL:]))[-TAIL:]

    def stretches(self, but: Iterable[Span]) -> list[Span]:
        """(start, length) of what is kept, of what was seen and is not in (start, length) stretches that ascend."""
        kept = _both(self._pages, self._seen)
        apart = [(start, start + length) for start, length in but]
        return [(start, end - start) for start, end in _without(kept, apart)]


def _pages(raw: memoryview, start: int) -> list[int]:
    """Numbers of the pages of the disk that anchors stand in; the first byte of `raw` stands at `start`."""
    from casewright.kernels.anchors import wide  # noqa: PLC0415  slow to import: only what carves waits for it

    if _is_zeros(raw):
        return []
    begins = [start + place for place in _anchors(raw, 1)]
    firsts, ends = np.empty(ANCHORS, np.int64), np.empty(ANCHORS, np.int64)
    at, view = 0, np.frombuffer(raw, np.uint8)
    while at <= len(raw):
        count, at = wide(view, at, firsts, ends)
        for first, end in zip(firsts[:count].tolist(), ends[:count].tolist(), strict=True):
            begins += [
                start + first + place
                for place in _anchors(memoryview(bytes(raw[first + (raw[first] == 0) : end : 2])), 2)
            ]
    return [int(page) for page in np.unique(np.concatenate([np.empty(0, np.int64), *begins]) // PAGE)]


def _is_zeros(raw: memoryview) -> bool:
    words = len(raw) // 8
    return not any(raw[8 * words :]) and not np.frombuffer(raw, np.uint64, words).any()


def _anchors(raw: memoryview, width: int) -> Iterator[npt.NDArray[np.int64]]:
    from casewright.kernels.anchors import anchors  # noqa: PLC0415

    view, at = np.frombuffer(raw, np.uint8), 0
    codes, starts, ends = np.empty(ANCHORS, np.uint8), np.empty(ANCHORS, np.int64), np.empty(ANCHORS, np.int64)
    while at <= len(raw):
        count, at = anchors(view, at, codes, starts, ends)
        if count:
            yield starts[:count] * width


def _join(spans: list[Span], start: int, end: int) -> None:
    """Add (start, end) to some that ascend."""
    if spans and start <= spans[-1][1]:
        spans[-1] = min(start, spans[-1][0]), max(end, spans[-1][1])
    else:
        spans.append((start, end))


def _both(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in both, each given as (start, end) in order."""
    found, at = list[Span](), 0
    for start, end in some:
        while at < len(others) and others[at][1] <= start:
            at += 1
        other = at
        while other < len(others) and others[other][0] < end:
            found.append((max(start, others[other][0]), min(end, others[other][1])))
            other += 1
    return found


def _without(spans: Sequence[Span], apart: Sequence[Span]) -> Iterator[Span]:
    """What lies in the first ones alone."""
    first = 0
    for start, end in spans:
        while first < len(apart) and apart[first][1] <= start:
            first += 1
        at, other = start, first
        while other < len(apart) and apart[other][0] < end:
            if at < apart[other][0]:
                yield at, apart[other][0]
            at = max(at, apart[other][1])
            other += 1
        if at < end:
            yield at, end


def entries(disk: Disk, stretches: Iterable[Span], origin: str, volume: int) -> Iterator[Entry]:
    """Items of these stretches, in order, as many in one as fit."""
    lot, size = list[Span](), 0
    for start, length in stretches:
        lot.append((start, length))
        size += length
        if size >= MOST:
            yield _entry(disk, tuple(lot), size, origin, volume)
            lot, size = [], 0
    if lot:
        yield _entry(disk, tuple(lot), size, origin, volume)


def _entry(disk: Disk, spans: tuple[Span, ...], size: int, origin: str, volume: int) -> Entry:
    path, read = b"$text/%s/%014d" % (origin.encode(), spans[0][0]), _chunks(disk, spans)
    return Entry(path, "file", size, lambda: read(0), read, lambda: spans, None, deleted=True, origin=origin,
                 volume=volume, mime=MIME)  # fmt: skip


def _chunks(disk: Disk, spans: Sequence[Span]) -> Callable[[int], Iterator[bytes]]:
    def read(at: int) -> Iterator[bytes]:
        for start, length in spans:
            for place in range(start + min(at, length), start + length, CHUNK):
                yield disk.read(place, min(CHUNK, start + length - place))
            at = max(0, at - length)

    return read

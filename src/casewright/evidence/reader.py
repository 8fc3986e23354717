"""The contract between whatever holds evidence and whoever lists it.

A reader walks one container and yields, for everything it meets, an `Entry` or a `Problem`: nothing is passed over.
Readers are chosen by the first bytes, never by the name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO, Protocol

CHUNK = 1 << 20


Time = datetime | int | None
"""Naive UTC, or microseconds since 1970 in UTC; None where there is none."""
Spans = tuple[tuple[int, int], ...]


def _nowhere() -> Spans:
    return ()


@dataclass(slots=True)
class Entry:
    """Something with a path: a file whose bytes can be read, or a directory, symlink or device that has none.

    `path` is raw bytes without a leading slash. `chunks` reads the bytes anew each time; it may raise `Unreadable`
    part of the way, after which what came before it still counts. `chunks_from`, where a reader has it, begins at a
    byte of its choice. `spans` gives the (start, length) stretches of the volume that hold the bytes, where they can
    be named. `sealed` is the SHA-256 of bytes that the store holds already. `mime` is what it is, where its first bytes
    are not to be asked. Times are naive UTC.
    """

    path: bytes
    kind: str
    size: int = 0
    chunks: Callable[[], Iterator[bytes]] = field(default=lambda: iter(()))
    chunks_from: Callable[[int], Iterator[bytes]] | None = None
    spans: Callable[[], Spans] = _nowhere
    sealed: str | None = None
    deleted: bool = False
    origin: str = "live"
    volume: int | None = None
    inode: int | None = None
    modified: Time = None
    accessed: Time = None
    changed: Time = None
    created: Time = None
    mime: str | None = None


@dataclass(frozen=True)
class Problem:
    """Something that can't be read, and why; becomes a set-aside row."""

    path: bytes
    reason: str
    detail: str


class Unreadable(Exception):  # noqa: N818  data, not a defect
    """Bytes of one entry can't be read; the others still can. `reason` is a short code, the text says what was met."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Damage:
    """A stretch of an image whose bytes are not those that were imaged. Nothing is missing from the list for it."""

    detail: str
    start: int
    length: int


@dataclass(frozen=True)
class Volume:
    """A run of bytes that was met, for the table of volumes."""

    number: int
    layers: tuple[str, ...]
    system: str
    start: int | None
    size: int
    is_read: bool


@dataclass(frozen=True)
class StoredHash:
    """A hash that an image carries of its own content, and what the content hashes to now."""

    image: bytes
    algorithm: str
    stored: str
    computed: str


Met = Entry | Problem | Damage | Volume | StoredHash
"""All that a reader can yield."""


class Reader(Protocol):
    """Walks a container, part by part. A part that kills its process costs no more than itself."""

    def parts(self) -> Iterator[Iterator[Met]]: ...


@dataclass(frozen=True)
class Segment:
    """One sealed file of an exhibit: its path there, its size, and how to open it."""

    path: bytes
    size: int
    open: Callable[[], BinaryIO]
    sha256: str | None = None


EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  naive UTC, as all times in tables are


SECOND = 1_000_000_000
FARTHEST = 253_402_300_799
"""The last second of the year 9999: what calendars hold."""


def micros(seconds: int, nanoseconds: int) -> int | None:
    """A file system's time as microseconds since 1970; None where it has none, or none that a calendar can hold."""
    if not 0 < seconds <= FARTHEST:
        return None
    return seconds * 1_000_000 + (nanoseconds // 1000 if nanoseconds < SECOND else 999_999)


def utc(seconds: int | float | None, nanoseconds: int | None = 0) -> datetime | None:
    """A file system's time as naive UTC; None where it has none, or none that a calendar can hold."""
    if not seconds:
        return None
    try:
        return EPOCH + timedelta(0, seconds, min((nanoseconds or 0) // 1000, 999_999))
    except (OverflowError, ValueError):
        return None

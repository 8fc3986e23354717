"""The contract between whatever holds evidence and whoever lists it.

A reader walks one container and yields, for everything it meets, an `Entry` or a `Problem`: nothing is passed over.
Readers are chosen by the first bytes, never by the name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Protocol

CHUNK = 1 << 20


@dataclass(frozen=True)
class Entry:
    """Something with a path: a file whose bytes can be read, or a directory, symlink or device that has none.

    `path` is raw bytes without a leading slash. `chunks` reads the bytes anew each time; it may raise `Unreadable`
    part of the way, after which what came before it still counts.
    """

    path: bytes
    kind: str
    size: int = 0
    chunks: Callable[[], Iterator[bytes]] = field(default=lambda: iter(()))
    deleted: bool = False
    volume: int | None = None
    inode: int | None = None
    modified: datetime | None = None
    accessed: datetime | None = None
    changed: datetime | None = None
    created: datetime | None = None


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


class Reader(Protocol):
    """Walks a container."""

    def entries(self) -> Iterator[Entry | Problem]: ...


@dataclass(frozen=True)
class Segment:
    """One sealed file of an exhibit: its path there, its size, and how to open it."""

    path: bytes
    size: int
    open: Callable[[], BinaryIO]


def utc(seconds: int | float | None, nanoseconds: int | None = 0) -> datetime | None:
    """A file system's time as naive UTC; None where it has none, or none that a calendar can hold."""
    if not seconds:
        return None
    try:
        whole = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
        return whole + timedelta(microseconds=min((nanoseconds or 0) // 1000, 999_999))
    except (OverflowError, OSError, ValueError):
        return None

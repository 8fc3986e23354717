"""A disk as one run of bytes, whatever holds it: the contract of images and volumes, and the plainest of them.

An image (raw, E01, QCOW2, ...) makes a disk of sealed files; a volume (partition, LUKS, LVM, RAID) makes a disk of
other disks. File systems see a disk and nothing below it.
"""

import io
import os
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import BinaryIO, Protocol

from casewright.evidence.reader import Segment, Unreadable

SECTOR = 512


class Disk(Protocol):
    """A run of bytes. `size` is its length in bytes.

    `read` gives exactly the bytes asked for, fewer only at the disk's end. Where bytes are not there at all (a cut
    image, a missing segment) it raises Unreadable. Where they are there but do not hold their checksum it gives what
    stands, zeros for what does not, and tells the exhibit's `DamageLog`.
    """

    @property
    def size(self) -> int: ...

    def read(self, offset: int, length: int) -> bytes: ...


@dataclass
class DamageLog:
    """Stretches of an image whose checksum does not hold. `touches` grows with each read that meets one.

    Whoever reads a file compares `touches` before and after, and so knows whether the file's own bytes are damaged.
    """

    spans: list[tuple[int, int, str]] = field(default_factory=list)
    touches: int = 0

    def meet(self, start: int, length: int, detail: str, is_new: bool = True) -> None:
        """A read met this stretch; `is_new`: for the first time."""
        self.touches += 1
        if is_new:
            self.spans.append((start, length, detail))


class RawDisk:
    """A raw image in one file or several that follow each other."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._files: list[BinaryIO] = [s.open() for s in segments]
        self._handle = _handle(self._files[0]) if len(self._files) == 1 else None
        self._ends = list(accumulate(s.size for s in segments))
        self.size = self._ends[-1]

    def read(self, offset: int, length: int) -> bytes:
        if self._handle is not None and 0 <= length <= self.size - offset:
            whole = os.pread(self._handle, length, offset)
            if len(whole) == length:
                return whole
        parts = []
        while length > 0 and offset < self.size:
            index = bisect_right(self._ends, offset)
            start = self._ends[index - 1] if index else 0
            self._files[index].seek(offset - start)
            part = self._files[index].read(min(length, self._ends[index] - offset))
            if not part:
                raise Unreadable("truncated", f"the image ends at byte {offset} of {self.size}")
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def _handle(file: BinaryIO) -> int | None:
    """The descriptor of a file that has one, for reads without a buffer in between."""
    try:
        return file.fileno()
    except OSError:
        return None


@dataclass(frozen=True)
class Slice:
    """A stretch of a disk, as a disk: a partition, a linear volume."""

    disk: Disk
    start: int
    size: int

    def read(self, offset: int, length: int) -> bytes:
        return self.disk.read(self.start + offset, max(0, min(length, self.size - offset)))


def reach(disk: Disk) -> int:
    """The byte behind the last one that is there: the disk's size, less for an image that was cut off, or that says a
    size which it cannot have."""
    if isinstance(disk, Slice):
        return max(0, min(disk.size, reach(disk.disk) - disk.start))
    return int(getattr(disk, "reach", disk.size))


class DiskFile(io.RawIOBase):
    """A disk as the read-only, seekable file object that libraries ask for. Reads raise OSError where the disk does."""

    def __init__(self, disk: Disk) -> None:
        self._disk, self._at = disk, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def get_size(self) -> int:
        return self._disk.size

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = (0, self._at, self._disk.size)[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        length = self._disk.size - self._at if size is None or size < 0 else size
        try:
            chunk = self._disk.read(self._at, length) if self._at < self._disk.size else b""
        except Unreadable as error:
            raise OSError(error.detail) from error
        self._at += len(chunk)
        return chunk


def first_line(error: Exception) -> str:
    """An error's own words, without the trail that libraries append."""
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__

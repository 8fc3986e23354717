"""Disk images as one run of bytes: raw and split raw here, E01 in `ewf.py`."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import BinaryIO, Protocol

import pytsk3

from casewright.evidence.reader import Problem, Segment, Unreadable

# what pytsk3 raises: its own errors, and ours from `TskImage.read` wrapped as RuntimeError
TSK_ERRORS = (OSError, RuntimeError)


class Disk(Protocol):
    """A disk's bytes. `read` raises Unreadable where the image is damaged."""

    size: int

    def read(self, offset: int, length: int) -> bytes: ...

    def problems(self) -> Iterator[Problem]:
        """What the image says against itself as a whole: an end that is missing, a hash that does not hold."""


class RawDisk:
    """A raw image in one file or several that follow each other."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._files: list[BinaryIO] = [s.open() for s in segments]
        self._ends = list(accumulate(s.size for s in segments))
        self.size = self._ends[-1]

    def read(self, offset: int, length: int) -> bytes:
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
        return b"".join(parts)

    def problems(self) -> Iterator[Problem]:
        return iter(())


class TskImage(pytsk3.Img_Info):  # type: ignore[misc]  # pytsk3 has no types
    """A disk as the Sleuth Kit wants it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def get_size(self) -> int:
        return self._disk.size

    def read(self, offset: int, length: int) -> bytes:
        try:
            return self._disk.read(offset, length)
        except Unreadable as error:
            raise OSError(error.detail) from error


def first_line(error: Exception) -> str:
    """An error's own words, without the trail that libraries append."""
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__

"""Disk images as one run of bytes: raw, split raw, and E01 through libewf."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, BinaryIO, Protocol

import pyewf
import pytsk3

from casewright.evidence.reader import Segment, Unreadable


class Disk(Protocol):
    """A disk's bytes. `read` raises Unreadable where the image is damaged."""

    size: int

    def read(self, offset: int, length: int) -> bytes: ...


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


class EwfDisk:
    """An E01 image, in one segment or several in the order of the manifest."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._handle: Any = pyewf.handle()
        try:
            self._handle.open_file_objects([s.open() for s in segments])
        except OSError as error:
            raise Unreadable("damaged image", f"the E01 image cannot be opened: {_first_line(error)}") from error
        self.size = int(self._handle.get_media_size())

    def read(self, offset: int, length: int) -> bytes:
        try:
            self._handle.seek(offset)
            return bytes(self._handle.read(length))
        except OSError as error:
            raise Unreadable("damaged image", f"E01 data at byte {offset}: {_first_line(error)}") from error


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


def _first_line(error: OSError) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__

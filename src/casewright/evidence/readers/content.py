"""The bytes of a file that the Sleuth Kit found: read by its runs where those say all, by the Sleuth Kit elsewhere.

Runs say all in ext2, ext3 and ext4. NTFS compresses, encrypts and cuts at an initialised size, FAT guesses the runs of
deleted files, HFS+ compresses: there the Sleuth Kit reads. A test holds both ways equal.
"""

from collections.abc import Iterator
from typing import Any

import pytsk3

from casewright.evidence.reader import CHUNK, Unreadable
from casewright.evidence.readers.disks import Disk, first_line
from casewright.evidence.readers.tsk import TSK_ERRORS

UNREAL = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
BY_RUNS = {int(getattr(pytsk3, f"TSK_FS_TYPE_{name}")) for name in ("EXT2", "EXT3", "EXT4")}
PLAIN = int(pytsk3.TSK_FS_ATTR_NONRES)
ODD = int(pytsk3.TSK_FS_ATTR_COMP) | int(pytsk3.TSK_FS_ATTR_ENC)
MAIN = {int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT), int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)}


Run = tuple[int, int, int, bool]
"""Block, number of blocks, at which block of the file they begin, and whether they are its content, not its index."""


class System:
    """A file system as its files' contents see it."""

    __slots__ = ("block", "by_runs", "disk", "handle")

    def __init__(self, handle: Any, disk: Disk) -> None:
        self.handle, self.disk = handle, disk
        self.block = int(handle.info.block_size)
        self.by_runs = int(handle.info.ftype) in BY_RUNS


def runs_of(file: Any) -> list[Run]:
    """The runs of a file's content and of the blocks that index it; holes have none."""
    found = []
    try:
        for attribute in file:
            info = attribute.info
            main = int(info.flags) & (PLAIN | ODD) == PLAIN and int(info.type) in MAIN and not info.name
            for run in attribute:
                if not int(run.flags) & UNREAL:
                    found.append((run.addr, run.len, run.offset, main))
    except TSK_ERRORS:
        return []
    return found


class Content:
    """A file's bytes: `size` of them, which the Sleuth Kit reads, or which stand where `runs` say."""

    __slots__ = ("_file", "_runs", "_system", "_which", "size")

    def __init__(self, system: System, file: Any, size: int, runs: list[Run], which: tuple[Any, ...] = ()) -> None:
        self._system, self._file, self._which, self.size = system, file, which, size
        self._runs = [run for run in runs if run[3]] if size else []

    def spans(self) -> tuple[tuple[int, int], ...]:
        """(start, length) on the volume, in the file's order; empty where the bytes stand in no blocks of their own."""
        return tuple((start, length) for start, length, _ in self._pieces())

    @property
    def slack(self) -> tuple[int, int] | None:
        """(start, length) on the volume of what stands behind the file's end in its last block."""
        if not self._runs:
            return None
        block, blocks, at, _ = max(self._runs, key=_position) if len(self._runs) > 1 else self._runs[0]
        size = self._system.block
        left = (at + blocks) * size - self.size
        return ((block + blocks) * size - left, left) if 0 < left < size else None

    def _pieces(self) -> list[tuple[int, int, int]]:
        """Start on the volume, length, and start in the file, in bytes, in the file's order and not beyond its size."""
        size, reached, found = self._system.block, 0, []
        for block, blocks, at, _ in sorted(self._runs, key=_position):
            begin = max(at * size, reached)
            end = min((at + blocks) * size, self.size)
            if end > begin:
                found.append(((block - at) * size + begin, end - begin, begin))
                reached = end
        return found

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on. Raises Unreadable where they cannot be read any further."""
        at = start
        by_runs = self._runs and self._system.by_runs
        try:
            for chunk in self._by_the_runs(start) if by_runs else self._by_sleuth_kit(start):
                yield chunk
                at += len(chunk)
        except TSK_ERRORS as error:
            detail = f"{at} of {self.size} bytes were read, then: {first_line(error)}"
            raise Unreadable("unreadable", detail) from error
        if at < self.size:
            raise Unreadable("truncated", f"only {at} of {self.size} bytes can be read")

    def _by_sleuth_kit(self, at: int) -> Iterator[bytes]:
        while at < self.size:
            chunk = self._file.read_random(at, min(CHUNK, self.size - at), *self._which)
            if not chunk:
                return
            yield bytes(chunk)
            at += len(chunk)

    def _by_the_runs(self, at: int) -> Iterator[bytes]:
        for start, length, begin in self._pieces():
            if begin + length <= at:
                continue
            if at < begin:
                yield from _zeros(begin - at)
                at = begin
            while at < begin + length:
                chunk = self._system.disk.read(start + at - begin, min(CHUNK, begin + length - at))
                if not chunk:
                    return
                yield chunk
                at += len(chunk)
        yield from _zeros(self.size - at)


def _position(run: Run) -> int:
    return run[2]


def _zeros(length: int) -> Iterator[bytes]:
    while length > 0:
        yield bytes(min(length, CHUNK))
        length -= CHUNK

"""The bytes of a file that the Sleuth Kit found: read by its runs where those say all, by the Sleuth Kit elsewhere.

Runs say all in ext2, ext3 and ext4. NTFS compresses, encrypts and cuts at an initialised size, FAT guesses the runs of
deleted files, HFS+ compresses: there the Sleuth Kit reads. A test holds both ways equal.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytsk3

from casewright.evidence.reader import CHUNK, Unreadable
from casewright.evidence.readers.disks import Disk, first_line
from casewright.evidence.readers.tsk import TSK_ERRORS

UNREAL = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
BY_RUNS = {int(getattr(pytsk3, f"TSK_FS_TYPE_{name}")) for name in ("EXT2", "EXT3", "EXT4")}
PLAIN = int(pytsk3.TSK_FS_ATTR_NONRES)
ODD = int(pytsk3.TSK_FS_ATTR_COMP) | int(pytsk3.TSK_FS_ATTR_ENC)
MAIN = {int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT), int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)}


class Run(NamedTuple):
    """`blocks` blocks from `block` on hold the file from block `at` on; `main`: of its content, not of its index."""

    block: int
    blocks: int
    at: int
    main: bool


def runs_of(file: Any) -> list[Run]:
    """The runs of a file's content and of the blocks that index it; holes have none."""
    found = []
    try:
        for attribute in file:
            main = _is_main(attribute.info)
            found += [Run(run.addr, run.len, run.offset, main) for run in attribute if not int(run.flags) & UNREAL]
    except TSK_ERRORS:
        return []
    return found


def _is_main(info: Any) -> bool:
    return int(info.flags) & (PLAIN | ODD) == PLAIN and int(info.type) in MAIN and not info.name


class Content:
    """A file's bytes: `size` of them, which the Sleuth Kit reads, or which stand where `runs` say."""

    __slots__ = ("_block", "_by_runs", "_disk", "_file", "_runs", "_which", "size")

    def __init__(
        self, system: Any, disk: Disk, file: Any, size: int, runs: list[Run], which: tuple[Any, ...] = ()
    ) -> None:
        self._disk, self._file, self._which, self.size = disk, file, which, size
        self._runs = [run for run in runs if run.main] if size else []
        self._block = int(system.info.block_size)
        self._by_runs = bool(self._runs) and int(system.info.ftype) in BY_RUNS

    def spans(self) -> tuple[tuple[int, int], ...]:
        """(start, length) on the volume, in the file's order; empty where the bytes stand in no blocks of their own."""
        return tuple((start, length) for start, length, _ in self._pieces())

    @property
    def slack(self) -> tuple[int, int] | None:
        """(start, length) on the volume of what stands behind the file's end in its last block."""
        if not self._runs:
            return None
        last = max(self._runs, key=_position) if len(self._runs) > 1 else self._runs[0]
        left = (last.at + last.blocks) * self._block - self.size
        return ((last.block + last.blocks) * self._block - left, left) if 0 < left < self._block else None

    def _pieces(self) -> Iterator[tuple[int, int, int]]:
        """Start on the volume, length, and start in the file, in bytes, in the file's order and not beyond its size."""
        block, reached = self._block, 0
        for run in sorted(self._runs, key=_position):
            begin = max(run.at * block, reached)
            end = min((run.at + run.blocks) * block, self.size)
            if end > begin:
                yield (run.block - run.at) * block + begin, end - begin, begin
                reached = end

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on. Raises Unreadable where they cannot be read any further."""
        at = start
        try:
            for chunk in self._by_the_runs(start) if self._by_runs else self._by_sleuth_kit(start):
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
            yield from _zeros(begin - at)
            at = max(at, begin)
            while at < begin + length:
                chunk = self._disk.read(start + at - begin, min(CHUNK, begin + length - at))
                if not chunk:
                    return
                yield chunk
                at += len(chunk)
        yield from _zeros(self.size - at)


def _position(run: Run) -> int:
    return run.at


def _zeros(length: int) -> Iterator[bytes]:
    while length > 0:
        yield bytes(min(length, CHUNK))
        length -= CHUNK

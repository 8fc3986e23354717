"""What logical volumes are made of: runs of extents, put one after the other or striped, and whole images of a mirror.

Sources: lib/striped/striped.c of LVM2 and drivers/md/dm-stripe.c of the Linux kernel for the order of stripes;
drivers/md/dm-raid.c (struct dm_raid_superblock, super_validate) for which images of a raid1 are in step.
"""

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk

RAID = struct.Struct("<4sIIIQQQ")
RAID_MAGIC, IN_STEP = b"DmRd", (1 << 64) - 1


@dataclass
class Extents:
    """A run of extents of a disk or of another volume. A read that meets the end of what is below raises Unreadable."""

    disk: Disk
    start: int
    size: int
    called: str

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        raw = self.disk.read(self.start + offset, length) if length else b""
        if len(raw) != length:
            raise Unreadable("truncated", f"{self.called} ends at byte {self.start + offset + len(raw)}")
        return raw


class InTurn:
    """Segments one after the other."""

    def __init__(self, parts: Sequence[Disk]) -> None:
        self._parts, self._ends = parts, list(accumulate(part.size for part in parts))
        self.size = self._ends[-1]

    def read(self, offset: int, length: int) -> bytes:
        pieces = list[bytes]()
        while length > 0 and offset < self.size:
            index = bisect_right(self._ends, offset)
            count = min(length, self._ends[index] - offset)
            pieces.append(self._parts[index].read(offset - self._ends[index] + self._parts[index].size, count))
            offset, length = offset + count, length - count
        return b"".join(pieces)


class Striped:
    """Stripes of `chunk` bytes, taken from each part in turn."""

    def __init__(self, parts: Sequence[Disk], chunk: int) -> None:
        self._parts, self._chunk = parts, chunk
        self.size = sum(part.size for part in parts)

    def read(self, offset: int, length: int) -> bytes:
        pieces, end = list[bytes](), min(offset + length, self.size)
        while offset < end:
            turn, inside = divmod(offset, self._chunk)
            row, index = divmod(turn, len(self._parts))
            count = min(end - offset, self._chunk - inside)
            pieces.append(self._parts[index].read(row * self._chunk + inside, count))
            offset += count
        return b"".join(pieces)


@dataclass(frozen=True)
class RaidState:
    """What one image's superblock says: how often the array changed, which images failed, how far it is copied."""

    position: int
    events: int
    failed: int
    copied: int


def raid_state(meta: Disk) -> RaidState | None:
    magic, _, _, position, events, failed, copied = RAID.unpack(meta.read(0, RAID.size))
    return RaidState(position, events, failed, copied) if magic == RAID_MAGIC else None


def in_step(states: Sequence[RaidState | None]) -> list[int]:
    """Images that are whole. One event behind is in step: an array stopped in between writes them one by one."""
    newest = max((state for state in states if state), key=lambda state: state.events, default=None)
    return [
        index
        for index, state in enumerate(states)
        if state and newest and state.position == index and state.copied == IN_STEP
        if state.events + 1 >= newest.events and not newest.failed >> index & 1
    ]

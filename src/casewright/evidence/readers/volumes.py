"""From disks to the volumes on them: partitions, RAID arrays, encrypted and logical volumes, down to what holds files.

Each finding is looked at again until nothing is found in it: a partition may be encrypted, and hold a volume group.
Members of arrays and groups are gathered from all disks of the exhibit before anything is put together.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casewright.evidence.reader import Problem, Unreadable
from casewright.evidence.readers.disks import Disk, Slice
from casewright.evidence.readers.luks import is_luks, unlock
from casewright.evidence.readers.lvm import PhysicalVolume, groups_of, logical_volumes, physical_volume_of
from casewright.evidence.readers.partitions import Partition, gaps, partitions_of
from casewright.evidence.readers.raid import assemble
from casewright.evidence.readers.raid_superblock import Member, member_of
from casewright.evidence.readers.systems import holds_a_file_system
from casewright.evidence.walk import Walk

LAYERS = 16
SMALLEST = 1 << 12
"""Bytes under which a gap between partitions is not worth a look."""


@dataclass(frozen=True)
class Stretch:
    """A run of bytes and the layers that lead to it. `start`: its first byte on the image, if they are the image's own.

    `bare`: no partition covers it; it can hold remains, not a file system.
    """

    disk: Disk
    layers: tuple[str, ...] = ()
    start: int | None = 0
    bare: bool = False

    def inside(self, disk: Disk, said: str, start: int | None = None, bare: bool = False) -> "Stretch":
        own = None if start is None or self.start is None else self.start + start
        return Stretch(disk, (*self.layers, said), own, bare)


class Volumes:
    """Works through disks until every volume is found. A step that killed a child before is passed over."""

    def __init__(self, disks: Sequence[Stretch], walk: Walk) -> None:
        self._queue, self._walk = deque(disks), walk
        self._members: list[tuple[Stretch, Member]] = []
        self._physical: list[tuple[Stretch, PhysicalVolume]] = []

    def found(self) -> Iterator[Stretch | Problem]:
        """Every volume that is nothing but a volume, in an order that the disks decide."""
        while self._queue or self._members or self._physical:
            while self._queue:
                yield from self._guarded(self._look(self._queue.popleft()))
            if self._members:
                yield from self._guarded(self._assemble())
            elif self._physical:
                yield from self._guarded(self._group())

    def _guarded(self, found: Iterator[Stretch | Problem]) -> Iterator[Stretch | Problem]:
        if reason := self._walk.steps.begin():
            yield Problem(b"", "died", f"a disk or volume could not be looked at: {reason}")
            return
        try:
            yield from found
        except Unreadable as error:
            yield Problem(b"", error.reason, error.detail)

    def _look(self, at: Stretch) -> Iterator[Stretch | Problem]:
        where = " › ".join(at.layers) or "the disk"
        if len(at.layers) > LAYERS:
            yield Problem(b"", "too deep", f"{where}: volumes nest deeper than {LAYERS}")
            return
        if at.bare:
            yield at
            return
        try:
            if self._park(at):
                return
        except Unreadable as error:  # a superblock or label that is damaged: what else is there still counts
            yield Problem(b"", error.reason, f"{where}: {error.detail}")
        try:
            if is_luks(at.disk):
                opened = unlock(at.disk, self._walk.secrets)
                self._queue.append(at.inside(opened.disk, opened.said))
                return
            table = partitions_of(at.disk)
        except Unreadable as error:
            yield Problem(b"", error.reason, f"{where}: {error.detail}")
            return
        if table is None:
            yield at
        else:
            yield from self._divide(at, *table)

    def _park(self, at: Stretch) -> bool:
        """Keep members of arrays and groups until all disks were looked at."""
        member = member_of(at.disk)
        if member and not self._covers_only_a_partition(at, member):
            self._members.append((at, member))
            return True
        physical = physical_volume_of(at.disk)
        if physical:
            self._physical.append((at, physical))
        return physical is not None

    def _covers_only_a_partition(self, at: Stretch, member: Member) -> bool:
        """A superblock at the end of the last partition stands at the end of the disk too, and means the partition."""
        table = partitions_of(at.disk)
        if table is None or not table[0]:
            return False
        last = max(table[0], key=lambda p: p.start)
        return member.data_offset + member.data_size <= last.size

    def _divide(self, at: Stretch, parts: list[Partition], problems: list[Problem]) -> Iterator[Stretch | Problem]:
        yield from problems
        if not parts or all(p.start for p in parts):
            yield from _before_the_table(at)
        for part in parts:
            inner = Slice(at.disk, part.start, min(part.size, at.disk.size - part.start))
            self._queue.append(at.inside(inner, part.said, part.start))
        for start, length in gaps(at.disk, parts):
            if length >= SMALLEST:
                self._queue.append(at.inside(Slice(at.disk, start, length), "no partition", start, bare=True))

    def _assemble(self) -> Iterator[Stretch | Problem]:
        """One array of those whose members were met; their disks are looked at again afterwards."""
        array = self._members[0][1].array
        mine = [(at, m) for at, m in self._members if m.array == array]
        self._members = [(at, m) for at, m in self._members if m.array != array]
        made = assemble([m for _, m in mine])
        for problem in made.problems:
            yield Problem(b"", "damaged image", f"{made.said}: {problem}")
        self._queue.append(mine[0][0].inside(made.disk, made.said))

    def _group(self) -> Iterator[Stretch | Problem]:
        mine = groups_of([p for _, p in self._physical])[0]
        at = next(at for at, p in self._physical if p is mine[0])
        self._physical = [(other, p) for other, p in self._physical if all(p is not m for m in mine)]
        for one in logical_volumes(mine):
            if isinstance(one, Problem):
                yield one
            else:
                self._queue.append(at.inside(one.disk, one.said))


def _before_the_table(at: Stretch) -> Iterator[Stretch]:
    """A disk that is one file system and has a partition table besides: an old one, or a hybrid image's."""
    if holds_a_file_system(at.disk):
        yield Stretch(at.disk, (*at.layers, "whole disk"), at.start)

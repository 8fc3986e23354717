"""What every kind of partition table comes down to."""

from dataclasses import dataclass, field

from casewright.evidence.reader import Problem
from casewright.evidence.readers.disks import Disk

MOST = 4096  # partitions of one table


@dataclass(frozen=True)
class Partition:
    """A stretch of a disk (in bytes) that a table names. `number`: as the table counts; `said`: what it is called."""

    start: int
    size: int
    said: str
    number: int


@dataclass
class Table:
    """A table's partitions as it states them, what is wrong with it, and the (start, length) stretches it stands in."""

    partitions: list[Partition] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    own: list[tuple[int, int]] = field(default_factory=list)

    def warn(self, reason: str, detail: str) -> None:
        self.problems.append(Problem(b"", reason, detail))

    def add(self, start: int, size: int, said: str, number: int) -> bool:
        """Take a partition in, unless it is empty. False, with a problem, when there are too many."""
        if len(self.partitions) >= MOST:
            self.warn("too many", f"the partition table names more than {MOST} partitions; the rest was not read")
            return False
        if size > 0:
            self.partitions.append(Partition(start, size, said, number))
        return True


def printable(name: str) -> str:
    """A name out of a table, fit for one line."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in name)


def sector(disk: Disk, start: int, length: int = 512) -> bytes:
    """A sector, filled up with zeros where the disk ends before it does. Raises Unreadable."""
    return disk.read(start, length).ljust(length, b"\0") if start < disk.size else bytes(length)

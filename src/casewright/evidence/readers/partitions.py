"""The partitions of a disk, whichever table names them, and the gaps between them.

Our own parsers, not the Sleuth Kit's: it refuses two tables that stand side by side, follows a GPT whose checksums do
not hold without a word, and gives nothing of an MBR of which one entry lies beyond the disk. What a table says is held
against the disk: what reaches beyond it, or over another partition, is kept and said. A disk with a table may be one
file system all the same; that is for the caller to try.
"""

from collections.abc import Callable, Sequence

from casewright.evidence.reader import Problem
from casewright.evidence.readers.disks import Disk, Slice
from casewright.evidence.readers.partition_table import Partition, Table
from casewright.evidence.readers.partitions_gpt import gpt
from casewright.evidence.readers.partitions_mbr import PROTECTIVE, master_rows, mbr
from casewright.evidence.readers.partitions_other import apple, bsd, sun

__all__ = ["Partition", "gaps", "partitions_of"]


def partitions_of(disk: Disk) -> tuple[list[Partition], list[Problem]] | None:
    """The partitions that lie on the disk at least in part, cut to what is there, and what is wrong with the table.

    None when there is no table at all. In the order of the table. Raises Unreadable when the disk's first sectors
    can't be read.
    """
    table = _table_of(disk)
    if table is None or _repeats(disk):
        return None
    kept = _within(disk, table)
    _warn_of_overlaps(kept, table)
    return kept, table.problems


def gaps(disk: Disk, found: Sequence[Partition]) -> list[tuple[int, int]]:
    """Stretches (start, length; bytes) that neither a partition nor a partition table covers. Raises Unreadable."""
    table = _table_of(disk)
    covered = [(p.start, p.size) for p in found] + (table.own if table else [])
    at, free = 0, []
    for start, length in sorted(covered):
        if at < min(start, disk.size):
            free.append((at, min(start, disk.size) - at))
        at = max(at, start + length)
    return [*free, (at, disk.size - at)] if at < disk.size else free


def _table_of(disk: Disk) -> Table | None:
    """GPT and MBR together where both stand, otherwise the first other kind there is."""
    both, boot = gpt(disk), mbr(disk)
    if both and boot:
        return _joined(disk, both, boot)
    if boot and not both:
        _warn_of_lost_gpt(disk, boot)
    others: tuple[Callable[[Disk], Table | None], ...] = (apple, sun, bsd)
    return both or boot or next((table for kind in others if (table := kind(disk))), None)


def _joined(disk: Disk, table: Table, boot: Table) -> Table:
    """A GPT, and whatever its MBR names besides: a hybrid's entries, or another table that was there before or after.

    An MBR that only protects adds nothing.
    """
    known = {(p.start, p.size) for p in table.partitions}
    extra = [p for p in boot.partitions if (p.start, p.size) not in known]
    if not any(row.kind == PROTECTIVE for row in master_rows(disk)[0]):
        table.warn("two tables", "a GPT and an MBR that does not protect it: one of them is old; both are read")
    elif extra:
        table.warn("two tables", "the hybrid MBR names partitions that the GPT does not; both are read")
    return Table([*table.partitions, *extra], table.problems + boot.problems, table.own + boot.own)


def _warn_of_lost_gpt(disk: Disk, boot: Table) -> None:
    if any(row.kind == PROTECTIVE for row in master_rows(disk)[0]):
        boot.warn("damaged", "the MBR says that the disk has a GPT, but neither copy of it is there")


def _repeats(disk: Disk) -> bool:
    """Whether this disk is a partition that begins where its table does, as BSD's do, and so holds that table again."""
    if not isinstance(disk, Slice) or disk.start:
        return False
    above = _table_of(disk.disk)
    return above is not None and any(p.start == 0 and p.size >= disk.size for p in above.partitions)


def _within(disk: Disk, table: Table) -> list[Partition]:
    kept = []
    for one in table.partitions:
        there = min(one.size, disk.size - one.start)
        if there < one.size:
            table.warn(
                "truncated", f"{one.said} has {one.size} bytes from byte {one.start} on; {max(0, there)} are there"
            )
        if there > 0:
            kept.append(Partition(one.start, there, one.said, one.number))
    return kept


def _warn_of_overlaps(kept: Sequence[Partition], table: Table) -> None:
    """Say for each partition whether it begins inside one that began before it."""
    reach: Partition | None = None
    for one in sorted(kept, key=lambda p: (p.start, -p.size)):
        if reach and one.start < reach.start + reach.size:
            table.warn("overlap", f"{one.said} overlaps {reach.said} from byte {one.start} on")
        if not reach or one.start + one.size > reach.start + reach.size:
            reach = one

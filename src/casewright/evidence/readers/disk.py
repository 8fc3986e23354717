"""What is on a disk: its partitions, and the file systems in them, through the Sleuth Kit.

A partition that can't be opened is a problem with the name of what was found there.
"""

from collections.abc import Iterator
from typing import Any

import pytsk3

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.images import TSK_ERRORS, Disk, TskImage, first_line
from casewright.evidence.readers.tree import Tree

FOREIGN = (
    (0, b"LUKS\xba\xbe", "LUKS encryption"),
    (3, b"-FVE-FS-", "BitLocker encryption"),
    (512, b"LABELONE", "an LVM2 physical volume"),
    (0, b"XFSB", "XFS"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (32, b"NXSB", "APFS"),
    (0x400, b"\x10\x20\xf5\xf2", "F2FS"),
    (3, b"ReFS\0\0\0\0", "ReFS"),
    (0x1000, b"\xfc\x4e\x2b\xa9", "a Linux RAID member"),
    (0, b"\xfc\x4e\x2b\xa9", "a Linux RAID member"),
    (4086, b"SWAPSPACE2", "Linux swap space"),
)
# The Sleuth Kit finds YAFFS2 in what is none, and its APFS has no containers here
GUESSED = {int(pytsk3.TSK_FS_TYPE_YAFFS2), int(pytsk3.TSK_FS_TYPE_APFS)}


def open_file_system(image: TskImage, start: int) -> Any:
    """The file system that begins at this byte. Raises one of TSK_ERRORS when none does."""
    system = pytsk3.FS_Info(image, offset=start)
    if int(system.info.ftype) in GUESSED:
        raise OSError("no file system was found")
    return system


def foreign_at(disk: Disk, start: int) -> str | None:
    """Name of what stands at this byte, if it is something we know and do not read yet. Raises Unreadable."""
    for at, signature, name in FOREIGN:
        if disk.read(start + at, len(signature)) == signature:
            return name
    return None


def is_disk(disk: Disk) -> bool:
    """A file system, partition table or something that stands for one is where it must be."""
    if disk.size < 1 << 14:
        return False
    image = TskImage(disk)
    try:
        return _opens(image, 0) or bool(_partitions(image)) or foreign_at(disk, 0) is not None
    except Unreadable:
        return False


class DiskReader:
    """Every file system of a disk, partition by partition."""

    def __init__(self, disk: Disk) -> None:
        self._disk, self._image = disk, TskImage(disk)

    def entries(self) -> Iterator[Entry | Problem]:
        yield from self._disk.problems()
        starts = _partitions(self._image)
        # whole-disk file systems keep old partition tables, and hybrid images have both: both are read
        if 0 not in starts and (not starts or _opens(self._image, 0)):
            starts = [0, *starts]
        for number, start in enumerate(starts):
            yield from self._file_system(number, start)

    def _file_system(self, number: int, start: int) -> Iterator[Entry | Problem]:
        try:
            system = open_file_system(self._image, start)
            tree = Tree(system, number, self._disk.size)
        except TSK_ERRORS as error:
            yield Problem(b"", *self._refusal(number, start, error))
            return
        yield from tree.entries()

    def _refusal(self, number: int, start: int, error: Exception) -> tuple[str, str]:
        """Reason and detail for a partition that is no file system we read, by the name of what it is."""
        where = f"partition {number} at byte {start}"
        try:
            if name := foreign_at(self._disk, start):
                return "not supported", f"{where} holds {name}, which is not read yet"
        except Unreadable as damage:
            return damage.reason, f"{where}: {damage.detail}"
        return "unreadable", f"{where} holds no file system that can be opened ({first_line(error)})"


def _opens(image: TskImage, start: int) -> bool:
    try:
        open_file_system(image, start)
    except TSK_ERRORS:
        return False
    return True


def _partitions(image: TskImage) -> list[int]:
    """Byte offsets of the partitions, in the order of the table; none on a disk without a table."""
    for kind in (pytsk3.TSK_VS_TYPE_DETECT, pytsk3.TSK_VS_TYPE_GPT):  # two tables at once: the newer one
        try:
            table = pytsk3.Volume_Info(image, type=kind)
            used = [p for p in table if int(p.flags) & int(pytsk3.TSK_VS_PART_FLAG_ALLOC)]
        except TSK_ERRORS:
            continue
        return list(dict.fromkeys(int(p.start) * int(table.info.block_size) for p in used))
    return []

"""The file system on a volume: XFS by our own reader, the others by the Sleuth Kit; what is neither, by its name."""

from collections.abc import Iterator
from typing import Protocol

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.disks import DamageLog, Disk, first_line
from casewright.evidence.readers.luks import is_luks
from casewright.evidence.readers.lvm import physical_volume_of
from casewright.evidence.readers.partitions import partitions_of
from casewright.evidence.readers.raid_superblock import member_of
from casewright.evidence.readers.tree import Tree
from casewright.evidence.readers.tsk import TSK_ERRORS, holds_a_system
from casewright.evidence.readers.xfs import XfsTree, is_xfs

FOREIGN = (
    (3, b"-FVE-FS-", "BitLocker encryption"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (32, b"NXSB", "APFS"),
    (0x400, b"\x10\x20\xf5\xf2", "F2FS"),
    (3, b"ReFS\0\0\0\0", "ReFS"),
    (0x10034, b"ReIsEr2Fs", "ReiserFS"),
    (0x10034, b"ReIsErFs", "ReiserFS"),
    (0x8000, b"JFS1", "JFS"),
    (0x1018, b"\xc6\x85\x73\xf6\x4e\x1a\x45\xca", "bcache"),
    (4086, b"SWAPSPACE2", "Linux swap space"),
)
# archives when they are files, file systems when they fill a partition
PACKED = ((0, b"hsqs", "SquashFS"), (0x400, b"\xe2\xe1\xf5\xe0", "EROFS"))
# OpenZFS: the first of a label's uberblocks, 128 KiB in, in either byte order
ZFS = (0x20000, (b"\x0c\xb1\xba\x00", b"\x00\xba\xb1\x0c"))


class FileSystem(Protocol):
    """Files of one volume. `unclaimed` and `slack` are (start, length) stretches, known when `entries` has ended."""

    name: str

    def entries(self) -> Iterator[Entry | Problem]: ...

    def unclaimed(self) -> list[tuple[int, int]]: ...

    def slack(self) -> list[tuple[int, int]]: ...


def open_file_system(disk: Disk, volume: int, log: DamageLog) -> FileSystem:
    """The file system on this volume. Raises Unreadable, with the name of what is there instead where it is known."""
    if name := foreign_name(disk):
        raise Unreadable("not supported", f"it holds {name}, which is not read yet")
    if is_xfs(disk):
        return XfsTree(disk, volume, log)
    try:
        return Tree(disk, volume)
    except TSK_ERRORS as error:
        raise Unreadable("unreadable", f"no file system that can be opened ({first_line(error)})") from error


def foreign_name(disk: Disk) -> str | None:
    """Name of what stands there, if it is something we know and do not read yet. Raises Unreadable."""
    for at, signature, name in (*FOREIGN, *PACKED):
        if disk.read(at, len(signature)) == signature:
            return name
    return "ZFS" if disk.read(ZFS[0], 4) in ZFS[1] else None


def looks_like_a_disk(disk: Disk) -> bool:
    """A file system, a partition table, or something that stands for one is where it must be."""
    if disk.size < 1 << 14:
        return False
    try:
        name = foreign_name(disk)
        if name or is_luks(disk) or physical_volume_of(disk) or member_of(disk) or is_xfs(disk):
            return name not in {packed for _, _, packed in PACKED}
        return bool(partitions_of(disk)) or holds_a_file_system(disk)
    except Unreadable as error:
        return error.reason == "damaged"  # a label or header that says what it is, and fails its checksum


def holds_a_file_system(disk: Disk) -> bool:
    """Whether a file system begins with the first byte of this disk."""
    if not is_xfs(disk) and not holds_a_system(disk):
        return False
    try:
        open_file_system(disk, 0, DamageLog())
    except Unreadable:
        return False
    return True

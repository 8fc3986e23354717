"""Partitions of the GUID partition table, from its primary copy or the backup at the disk's end.

Layout: UEFI Specification 2.10, chapter 5. A header names the entries' place, number and size, and carries CRC32s of
itself and of them. Numbers are little-endian, in sectors of 512 or 4096 bytes; the table itself does not say which.
"""

import struct
import zlib
from typing import NamedTuple
from uuid import UUID

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk
from casewright.evidence.readers.partition_table import Table, printable, sector

SECTORS = (512, 4096)
_SIGNATURE, _HEAD, _ENTRY = b"EFI PART", struct.Struct("<8s4xII4xQQQQ16xQIII"), struct.Struct("<16s16sQQQ72s")
_MOST_BYTES = 1 << 22
_KINDS = {
    "c12a7328-f81f-11d2-ba4b-00a0c93ec93b": "EFI system",
    "21686148-6449-6e6f-744e-656564454649": "BIOS boot",
    "e3c9e316-0b5c-4db8-817d-f92df00215ae": "Microsoft reserved",
    "ebd0a0a2-b9e5-4433-87c0-68b6b72699c7": "Microsoft basic data",
    "de94bba4-06d1-4d40-a16a-bfd50179d6ac": "Windows recovery",
    "5808c8aa-7e8f-42e0-85d2-e1e90434cfb3": "Windows LDM metadata",
    "af9b60a0-1431-4f62-bc68-3311714a69ad": "Windows LDM data",
    "0fc63daf-8483-4772-8e79-3d69d8477de4": "Linux filesystem",
    "0657fd6d-a4ab-43c4-84e5-0933c84b4f4f": "Linux swap",
    "a19d880f-05fc-4d3b-a006-743f0f84911e": "Linux RAID",
    "e6d6d379-f507-44c2-a23c-238f2a3df928": "Linux LVM",
    "ca7d7ccb-63ed-4c53-861c-1742536059cc": "LUKS",
    "4f68bce3-e8cd-4db1-96e7-fbcaf984b709": "Linux root (x86-64)",
    "933ac7e1-2eb4-4f13-b844-0e14e2aef915": "Linux home",
    "3b8f8425-20e0-4f3b-907f-1a25a76f98e8": "Linux server data",
    "4d21b016-b534-45c2-a9fb-5c16e091fd2d": "Linux variable data",
    "bc13c2ff-59e6-4262-a352-b275fd6f7172": "Linux boot",
    "83bd6b9d-7f41-11dc-be0b-001560b84f0f": "FreeBSD boot",
    "516e7cb5-6ecf-11d6-8ff8-00022d09712b": "FreeBSD swap",
    "516e7cb6-6ecf-11d6-8ff8-00022d09712b": "FreeBSD UFS",
    "516e7cba-6ecf-11d6-8ff8-00022d09712b": "FreeBSD ZFS",
    "48465300-0000-11aa-aa11-00306543ecac": "Apple HFS+",
    "7c3457ef-0000-11aa-aa11-00306543ecac": "Apple APFS",
    "6a898cc3-1dd2-11b2-99a6-080020736631": "Solaris usr or ZFS",
    "aa31e02a-400f-11db-9590-000c2911d1b8": "VMware VMFS",
}


class _Copy(NamedTuple):
    """One of the two copies. `whole`: both its checksums hold."""

    sector: int
    at: int
    entries_at: int
    entry_size: int
    other_at: int
    entries: bytes
    whole: bool


def gpt(disk: Disk) -> Table | None:
    """The table's partitions; a problem says when only the backup, or only a damaged copy, is there. Raises Unreadable
    when the disk's first sectors can't be read."""
    copies: list[_Copy] = []
    for size in SECTORS:
        copies += [copy for copy in (_copy(disk, size, size),) if copy]
        if copies and copies[-1].whole:
            return _table([copies[-1], *_other(disk, copies[-1])])
    backups = [copy for copy in (_backup(disk, size) for size in SECTORS) if copy]
    backups += [other for copy in copies for other in _other(disk, copy)]
    for backup in backups:
        if backup.whole:
            table = _table([backup, *copies])
            table.warn("damaged", "the primary partition table (GPT) is damaged or gone; its backup is used")
            return table
    if copies or backups:
        table = _table((copies + backups)[:1])
        table.warn("damaged", "both copies of the partition table (GPT) are damaged; what still makes sense is used")
        return table
    return None


def _backup(disk: Disk, size: int) -> _Copy | None:
    """The copy in the disk's last sector."""
    try:
        return _copy(disk, size, (disk.size // size - 1) * size)
    except Unreadable:
        return None


def _other(disk: Disk, copy: _Copy) -> list[_Copy]:
    """The copy that a copy points to."""
    try:
        other = _copy(disk, copy.sector, copy.other_at)
    except Unreadable:
        return []
    return [other] if other else []


def _copy(disk: Disk, size: int, at: int) -> _Copy | None:
    """The copy whose header is at this byte; None when there is none, or one that says it belongs elsewhere."""
    if at < size or at + size > disk.size:
        return None
    head = sector(disk, at, size)
    signature, length, crc, own, other, _, _, entries_at, count, entry_size, entries_crc = _HEAD.unpack_from(head)
    if signature != _SIGNATURE:
        return None
    sound = 92 <= length <= size and zlib.crc32(head[:16] + bytes(4) + head[20:length]) == crc
    if own * size != at or not entry_size or entry_size % 8 or not 128 <= entry_size <= 4096 or not count:
        return None
    wanted = count * entry_size
    try:
        entries = disk.read(entries_at * size, min(wanted, _MOST_BYTES)) if entries_at * size < disk.size else b""
    except Unreadable:
        entries = b""
    whole = sound and len(entries) == wanted and zlib.crc32(entries) == entries_crc
    return _Copy(size, at, entries_at * size, entry_size, other * size, entries, whole)


def _table(copies: list[_Copy]) -> Table:
    """The first copy's partitions; the others only take up room."""
    table = Table(own=[(0, 512)])
    for copy in copies:
        table.own += [(copy.at, copy.sector), (copy.entries_at, len(copy.entries))]
    first = copies[0]
    for index in range(len(first.entries) // first.entry_size):
        kind, _, start, last, _, name = _ENTRY.unpack_from(first.entries, index * first.entry_size)
        if not any(kind):
            continue
        if last < start:
            table.warn("damaged", f"entry {index + 1} of the partition table (GPT) ends before it begins; passed over")
        elif not table.add(
            start * first.sector, (last - start + 1) * first.sector, _said(index + 1, kind, name), index + 1
        ):
            break
    return table


def _said(number: int, kind: bytes, name: bytes) -> str:
    guid = str(UUID(bytes_le=kind))
    words = printable(name.decode("utf-16-le", "replace").partition("\0")[0])
    return f"GPT partition {number}" + (f" '{words}'" if words else "") + f" ({_KINDS.get(guid, guid)})"

"""Partitions of the tables of other machines: BSD disklabels, Sun's labels (SPARC and x86), Apple's partition map.

Layouts as in the public headers: FreeBSD sys/disklabel.h, OpenSolaris sys/dklabel.h and sys/vtoc.h, Inside Macintosh:
Devices, chapter 3. Entries that stand for the whole disk, or for the table itself, are left out.
"""

import struct

from casewright.evidence.readers.disks import SECTOR, Disk, Slice
from casewright.evidence.readers.partition_table import MOST, Table, printable, sector

_BSD = 0x82564557
_BSD_KINDS = {1: "swap", 7: "4.2BSD", 8: "MS-DOS", 14: "Vinum", 15: "RAID", 17: "ext2", 22: "NTFS", 27: "ZFS"}
_SUN, _SUN_SANE, _SUN_WHOLE = 0xDABE, 0x600DDEEE, 5
_SUN_KINDS = {1: "boot", 2: "root", 3: "swap", 4: "usr", 6: "stand", 7: "var", 8: "home", 9: "alternates"}
_APPLE_OWN = {b"Apple_partition_map", b"Apple_Free", b"Apple_Void"}


def bsd(disk: Disk) -> Table | None:
    """A disklabel in the second sector. Raises Unreadable."""
    raw = sector(disk, SECTOR)
    if struct.unpack_from("<I", raw) != (_BSD,) or struct.unpack_from("<I", raw, 132) != (_BSD,):
        return None
    (unit,), (count,) = struct.unpack_from("<I", raw, 40), struct.unpack_from("<H", raw, 138)
    table = Table(own=[(SECTOR, SECTOR)])
    count = min(count, 22)  # that fit into the sector
    if _xor(raw[: 148 + 16 * count], "<"):
        table.warn("damaged", "the checksum of the BSD disklabel does not hold; it is used all the same")
    if unit not in (512, 1024, 2048, 4096):
        table.warn("damaged", f"the BSD disklabel says a sector has {unit} bytes; taken for 512")
        unit = SECTOR
    rows = [struct.unpack_from("<IIIB", raw, 148 + 16 * index) for index in range(count)]
    base = _bsd_base(disk, unit, rows)
    for index, (size, start, _, kind) in enumerate(rows):
        if index != 2 and kind and start >= base:  # the third stands for the whole
            said = f"BSD partition {chr(97 + index)} ({_BSD_KINDS.get(kind, f'type {kind}')})"
            table.add((start - base) * unit, size * unit, said, index + 1)
    return table


def _bsd_base(disk: Disk, unit: int, rows: list[tuple[int, int, int, int]]) -> int:
    """The sector that starts are counted from: labels inside a partition may count from the beginning of its disk."""
    used = [start for index, (size, start, _, kind) in enumerate(rows) if size and kind and index != 2]
    lowest = min(used, default=0)
    whole = rows[2][1] if len(rows) > 2 else 0
    own = disk.start // unit if isinstance(disk, Slice) else 0
    return next((base for base in (whole, own) if 0 < base <= lowest), 0)


def sun(disk: Disk) -> Table | None:
    """Sun's label: SPARC's in the first sector, x86's in the second. Raises Unreadable."""
    raw = sector(disk, 0)
    if struct.unpack_from(">H", raw, 508) == (_SUN,) and not _xor(raw, ">"):
        return _sparc(raw)
    raw = sector(disk, SECTOR)
    if struct.unpack_from("<H", raw, 508) == (_SUN,) and struct.unpack_from("<I", raw, 12) == (_SUN_SANE,):
        return _solaris(raw)
    return None


def _sparc(raw: bytes) -> Table:
    heads, sectors = struct.unpack_from(">HH", raw, 436)
    table = Table(own=[(0, SECTOR)])
    for index in range(8):
        cylinder, size = struct.unpack_from(">II", raw, 444 + 8 * index)
        (tag,) = struct.unpack_from(">H", raw, 142 + 4 * index)
        if tag != _SUN_WHOLE:
            table.add(cylinder * heads * sectors * SECTOR, size * SECTOR, _sun_said(index, tag), index)
    return table


def _solaris(raw: bytes) -> Table:
    (count,) = struct.unpack_from("<H", raw, 30)
    table = Table(own=[(SECTOR, SECTOR)])
    for index in range(min(count, 16)):
        tag, _, start, size = struct.unpack_from("<HHII", raw, 72 + 12 * index)
        if tag != _SUN_WHOLE:
            table.add(start * SECTOR, size * SECTOR, _sun_said(index, tag), index)
    return table


def _sun_said(index: int, tag: int) -> str:
    return f"Sun slice {index} ({_SUN_KINDS.get(tag, f'tag {tag}')})"


def apple(disk: Disk) -> Table | None:
    """Apple's partition map: one block an entry, from the second block on. Raises Unreadable."""
    head = sector(disk, 0)
    said_unit = struct.unpack_from(">H", head, 2)[0] if head[:2] == b"ER" else SECTOR
    for unit in dict.fromkeys((said_unit, SECTOR, 2048)):
        if unit in (512, 1024, 2048, 4096) and sector(disk, unit)[:2] == b"PM":
            return _apple(disk, unit)
    return None


def _apple(disk: Disk, unit: int) -> Table:
    table = Table(own=[(0, 2 * unit)])
    (count,) = struct.unpack_from(">I", sector(disk, unit), 4)
    for index in range(1, min(count, MOST) + 1):
        raw = sector(disk, index * unit)
        if raw[:2] != b"PM":
            table.warn("damaged", f"Apple's partition map says it has {count} entries; {index - 1} are there")
            break
        start, size, name, kind = struct.unpack_from(">II32s32s", raw, 8)
        kind, name = kind.partition(b"\0")[0], name.partition(b"\0")[0]
        if kind not in _APPLE_OWN:
            words = [printable(text.decode("mac-roman")) for text in (name, kind)]
            table.add(start * unit, size * unit, f"Apple partition {index} '{words[0]}' ({words[1]})", index)
        table.own = [(0, (index + 1) * unit)]
    if count > MOST:
        table.warn("too many", f"Apple's partition map names {count} partitions; {MOST} were read")
    return table


def _xor(raw: bytes, order: str) -> int:
    total = 0
    for (word,) in struct.iter_unpack(order + "H", raw):
        total ^= word
    return total

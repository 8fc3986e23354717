"""Partitions of the PC's master boot record and the chain of extended ones. Counted in sectors of 512 bytes.

Layout as publicly documented: four entries of 16 bytes at byte 446, 55 AA at byte 510; an extended partition begins
with a sector of the same layout that names one logical partition, counted from that sector, and the next such sector,
counted from the first. File systems' boot sectors end in 55 AA too, so the entries must make sense.
"""

import struct
from typing import NamedTuple

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk
from casewright.evidence.readers.partition_table import Table, sector

PROTECTIVE = 0xEE
_EXTENDED = {0x05, 0x0F, 0x85}
_LINKS = 1024
_BOOT_SECTORS = ((3, b"NTFS"), (3, b"EXFAT"), (54, b"FAT"), (82, b"FAT32"), (3, b"-FVE-FS-"), (3, b"ReFS"))


class Row(NamedTuple):
    """One of the four entries; start and size in sectors."""

    place: int
    flag: int
    kind: int
    start: int
    size: int

    @property
    def is_empty(self) -> bool:
        return not self.kind or not self.size

    @property
    def is_whole_disk(self) -> bool:
        """Images that are made for discs and sticks alike have such an entry, and old FreeBSD disks."""
        return self.flag in (0, 0x80) and self.start == 0

    @property
    def is_sane(self) -> bool:
        return self.flag in (0, 0x80) and self.start > 0


def rows_of(raw: bytes) -> list[Row]:
    """The four entries of a sector; none when it is not signed as one."""
    if raw[510:512] != b"\x55\xaa":
        return []
    rows = [struct.unpack_from("<B3xB3xII", raw, 446 + 16 * index) for index in range(4)]
    return [Row(index, *fields) for index, fields in enumerate(rows)]


def master_rows(disk: Disk) -> tuple[list[Row], list[Row]]:
    """Entries of the master boot record that name something: those that make sense, and those that do not.

    Both are empty where there is no such record. Raises Unreadable.
    """
    raw = sector(disk, 0)
    rows = [row for row in rows_of(raw) if not row.is_empty]
    sane = [row for row in rows if row.is_sane]
    within = any(row.start * SECTOR < disk.size for row in sane)
    is_boot_sector = any(raw[at : at + len(mark)] == mark for at, mark in _BOOT_SECTORS)
    if not within or (is_boot_sector and len(sane) < len(rows)):
        return [], []
    return sane, [row for row in rows if not row.is_sane and not row.is_whole_disk]


def mbr(disk: Disk) -> Table | None:
    """The master boot record's partitions, logical ones after the primary ones. Raises Unreadable."""
    sane, insane = master_rows(disk)
    if not sane:
        return None
    table = Table(own=[(0, SECTOR)])
    for row in insane:
        table.warn("damaged", f"entry {row.place + 1} of the master boot record makes no sense; passed over")
    for row in sane:
        if row.kind not in _EXTENDED and row.kind != PROTECTIVE:
            table.add(row.start * SECTOR, row.size * SECTOR, _said(row.place + 1, row.kind), row.place + 1)
    number = 5
    for row in sane:
        if row.kind in _EXTENDED:
            number = _logical(disk, table, row, number)
    return table


def _logical(disk: Disk, table: Table, extended: Row, number: int) -> int:
    """Follow the chain through an extended partition; the number that the next logical partition has."""
    at, met = extended.start, set[int]()
    while True:
        where = f"extended partition {extended.place + 1}, sector {at}"
        if at in met or len(met) >= _LINKS:
            table.warn("damaged", f"{where}: the chain of logical partitions leads back or never ends")
            return number
        if not extended.start <= at < extended.start + extended.size:
            table.warn("damaged", f"{where}: the chain of logical partitions leads out of it")
            return number
        met.add(at)
        try:
            rows = rows_of(sector(disk, at * SECTOR))
        except Unreadable as error:
            table.warn(error.reason, f"{where}: {error.detail}")
            return number
        if not rows:
            table.warn("damaged", f"{where}: the chain of logical partitions breaks off")
            return number
        table.own.append((at * SECTOR, SECTOR))
        for row in rows:
            if row.is_empty or row.kind in _EXTENDED:
                continue
            if not row.is_sane:
                table.warn("damaged", f"{where}: entry {row.place + 1} makes no sense; passed over")
            elif table.add((at + row.start) * SECTOR, row.size * SECTOR, _said(number, row.kind), number):
                number += 1
        links = [row for row in rows if row.kind in _EXTENDED and row.size]
        if not links:
            return number
        at = extended.start + links[0].start


def _said(number: int, kind: int) -> str:
    return f"MBR partition {number} (0x{kind:02x})"

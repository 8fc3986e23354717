"""The shape of an XFS file system, and its blocks and inodes by number.

Source: "XFS Algorithms & Data Structures", third edition (superblock, allocation groups, inode numbers, self-describing
metadata). All numbers are big-endian but the checksums. Block and inode numbers carry the allocation group in their
upper bits. A checksum that does not hold is told to the damage log, and the bytes are used.
"""

import struct
from dataclasses import dataclass

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers import xfs_checksum
from casewright.evidence.readers.disks import DamageLog, Disk, Slice
from casewright.evidence.readers.xfs_inodes import Inode, parse

MAGIC = b"XFSB"
WINDOW, WINDOWS = 64, 32  # inodes are allocated by 64; so many stretches of them are kept at hand
_SUPERBLOCK = struct.Struct(">4sIQ32xQQ20xII4xIHHHH12x5B")
_HAS_NEW_DIRECTORIES, _HAS_MORE, _V4_NAMES_CARRY_TYPE = 0x2000, 0x8000, 0x200
_NAMES_CARRY_TYPE, _KNOWN_FEATURES = 0x1, 0x7FF
_SUPERBLOCK_SUM, _INODE_SUM = 224, 100


@dataclass(frozen=True)
class Geometry:
    """What the superblock says, checked for sense. Sizes in bytes, `blocks` and the groups' in blocks."""

    version: int
    block_size: int
    blocks: int
    group_blocks: int
    groups: int
    inode_size: int
    root: int
    group_bits: int
    inode_bits: int
    directory_bits: int
    names_carry_type: bool
    journal_start: int
    journal_blocks: int


def geometry_of(head: bytes) -> Geometry:
    """The shape, of the volume's first sector. Raises Unreadable when it makes none, or none that is read."""
    if len(head) < 512 or head[:4] != MAGIC:
        raise Unreadable("damaged", "there is no XFS superblock")
    _, block, blocks, journal, root, group, groups, journal_blocks, flags, _, inode, per_block, block_log, _, \
        inode_log, per_block_log, group_log = _SUPERBLOCK.unpack_from(head)  # fmt: skip
    directory_log = head[192]
    sane = (
        9 <= block_log <= 16 and block == 1 << block_log
        and (9 if flags & 15 == 5 else 8) <= inode_log <= 11 and inode == 1 << inode_log
        and per_block_log == block_log - inode_log >= 0 and per_block == 1 << per_block_log
        and block_log + directory_log <= 16 and groups > 0 and group_log <= 31 and 0 < group <= 1 << group_log
        and (groups - 1) * group < blocks <= groups * group and root < groups << (group_log + per_block_log)
    )  # fmt: skip
    if not sane:
        raise Unreadable("damaged", "the XFS superblock contradicts itself")
    typed = _features(head, flags)
    return Geometry(
        flags & 15, block, blocks, group, groups, inode, root, group_log, per_block_log, directory_log, typed, journal,
        journal_blocks,
    )  # fmt: skip


def _features(head: bytes, flags: int) -> bool:
    """Whether names carry their type. Raises Unreadable for a version or feature that is not read."""
    (more,) = struct.unpack_from(">I", head, 200)
    (features,) = struct.unpack_from(">I", head, 216)
    if flags & 15 == 5:
        if features & ~_KNOWN_FEATURES:
            raise Unreadable("not supported", f"XFS with features {features:#x}, of which some are unknown")
        return bool(features & _NAMES_CARRY_TYPE)
    if flags & 15 != 4 or not flags & _HAS_NEW_DIRECTORIES:
        raise Unreadable("not supported", f"XFS version {flags & 15} or with the first form of directories")
    return bool(flags & _HAS_MORE and more & _V4_NAMES_CARRY_TYPE)


class Volume:
    """Blocks and inodes of one file system. Every method that reads raises Unreadable."""

    def __init__(self, disk: Disk, number: int, log: DamageLog) -> None:
        self.disk, self.number, self.log = disk, number, log
        head = disk.read(0, 512)
        self.geometry = geometry_of(head)
        self.block_size, self.checked = self.geometry.block_size, self.geometry.version == 5
        self._windows: dict[int, tuple[bytes, list[bool]]] = {}
        self.tree_owners: dict[int, int] = {}
        self.damage: dict[tuple[int, int], str] = {}
        self._base = _base(disk)
        (sector,) = struct.unpack_from(">H", head, 102)
        if sector in (512, 1024, 2048, 4096, 8192, 16384, 32768):
            self.check(disk.read(0, sector), 0, _SUPERBLOCK_SUM, "superblock")

    def place(self, block: int, count: int) -> int:
        """Byte of the volume at which `count` blocks from this one on stand; they lie in one allocation group."""
        shape = self.geometry
        group, within = block >> shape.group_bits, block & ((1 << shape.group_bits) - 1)
        first = group * shape.group_blocks + within
        if not count or group >= shape.groups or within + count > shape.group_blocks or first + count > shape.blocks:
            raise Unreadable("damaged", f"{count} blocks from number {block} on lie outside the file system")
        return first * self.block_size

    def read(self, start: int, length: int) -> bytes:
        """Exactly these bytes of the volume."""
        raw = self.disk.read(start, length)
        if len(raw) < length:
            raise Unreadable("truncated", f"the volume ends before byte {start + length}")
        return raw

    def check(self, raw: bytes, start: int, at: int, what: str) -> bool:
        """Whether a block's checksum at `at` holds, which it does where there is none; if not, the damage log knows."""
        if not self.checked or xfs_checksum.holds(raw, at):
            return True
        self._damaged(start, len(raw), what)
        return False

    def inode(self, number: int) -> Inode:
        """An inode in use, by its number."""
        raw, whole = self._raw_inode(self._inode_place(number))
        inode = parse(raw, number, whole, self.geometry.version)
        self.warn_of(inode)
        return inode

    def warn_of(self, inode: Inode) -> None:
        """Tell the damage log when an inode does not hold its checksum."""
        if not inode.whole:
            self._damaged(self._inode_place(inode.number), self.geometry.inode_size, f"inode {inode.number}")

    def _inode_place(self, number: int) -> int:
        bits = self.geometry.inode_bits
        return self.place(number >> bits, 1) + (number & ((1 << bits) - 1)) * self.geometry.inode_size

    def _raw_inode(self, place: int) -> tuple[bytes, bool]:
        size = self.geometry.inode_size
        start = place // (WINDOW * size) * (WINDOW * size)
        try:
            raws, holds = self._windows.get(start) or self._window(start)
        except Unreadable:  # a neighbour may be what can't be read
            raw = self.read(place, size)
            return raw, not self.checked or xfs_checksum.holds(raw, _INODE_SUM)
        at = place - start
        if at + size > len(raws):
            raise Unreadable("truncated", f"the volume ends before the inode at byte {place}")
        return raws[at : at + size], holds[at // size]

    def _window(self, start: int) -> tuple[bytes, list[bool]]:
        """A stretch of inodes, and which of them hold their checksum."""
        size = self.geometry.inode_size
        raw = self.disk.read(start, WINDOW * size)
        raw = raw[: len(raw) // size * size]
        holds = xfs_checksum.which_hold(raw, size, _INODE_SUM) if self.checked else [True] * (len(raw) // size)
        if len(self._windows) >= WINDOWS:
            del self._windows[next(iter(self._windows))]
        self._windows[start] = raw, holds
        return raw, holds

    def _damaged(self, start: int, length: int, what: str) -> None:
        detail = f"{what} of the XFS in volume {self.number} does not hold its checksum"
        self.log.meet(self._base + start, length, detail, (start, length) not in self.damage)
        self.damage[start, length] = detail


def _base(disk: Disk) -> int:
    """The first byte of a stretch of a disk, on that disk: where damage in it is found again."""
    base = 0
    while isinstance(disk, Slice):
        base, disk = base + disk.start, disk.disk
    return base

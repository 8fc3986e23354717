"""Where the blocks of a file of XFS stand: the extents of a fork, from the inode itself or from its B+tree.

Source: "XFS Algorithms & Data Structures", third edition, chapter on data extents. An extent is 128 bits: whether
it is unwritten (1), first block in the file (54), first block on disk (52), how many (21). A tree block belongs to one
file only.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.xfs_inodes import BTREE, EXTENTS, Fork, Inode
from casewright.evidence.readers.xfs_volume import Volume

LEVELS = 9
_TREE_SUM = 64


class Extent(NamedTuple):
    """`blocks` blocks of the file from its block `at` on, at the disk's block `start`; unwritten ones read as zeros."""

    at: int
    start: int
    blocks: int
    unwritten: bool


def extents(volume: Volume, inode: Inode, fork: Fork) -> Iterator[Extent | Unreadable]:
    """A fork's extents in the order of the file; an Unreadable stands where some are lost, and others may follow.

    Each extent lies within the file system.
    """
    found = 0
    for one in _records(volume, inode, fork):
        if not isinstance(one, Unreadable):
            found += 1
            try:
                volume.place(one.start, one.blocks)
            except Unreadable as error:
                yield error
                continue
        yield one
    if fork.form in (EXTENTS, BTREE) and found != fork.extents:
        yield Unreadable("damaged", f"{found} extents were found where inode {inode.number} says {fork.extents}")


def _records(volume: Volume, inode: Inode, fork: Fork) -> Iterator[Extent | Unreadable]:
    if fork.form == EXTENTS:
        yield from _unpacked(fork.raw[: 16 * min(fork.extents, len(fork.raw) // 16)])
    elif fork.form == BTREE:
        level, count = struct.unpack_from(">HH", fork.raw.ljust(4, b"\0"))
        room = (len(fork.raw) - 4) // 16
        if not 0 < level < LEVELS or not 0 < count <= room:
            yield Unreadable("damaged", f"the root of the tree of inode {inode.number} makes no sense")
            return
        seen: set[int] = set()
        for pointer in struct.unpack_from(f">{count}Q", fork.raw, 4 + 8 * room):
            yield from _below(volume, inode, pointer, level - 1, seen)


def _below(volume: Volume, inode: Inode, pointer: int, level: int, seen: set[int]) -> Iterator[Extent | Unreadable]:
    """The extents below one block of a tree."""
    try:
        raw, head, count = _tree_block(volume, inode, pointer, level, seen)
    except Unreadable as error:
        yield error
        return
    if level == 0:
        yield from _unpacked(raw[head : head + 16 * count])
        return
    for child in struct.unpack_from(f">{count}Q", raw, head + 8 * ((len(raw) - head) // 16)):
        yield from _below(volume, inode, child, level - 1, seen)


def _tree_block(volume: Volume, inode: Inode, pointer: int, level: int, seen: set[int]) -> tuple[bytes, int, int]:
    """One block of a tree, where its records begin, and how many there are."""
    place = volume.place(pointer, 1)
    if pointer in seen or volume.tree_owners.setdefault(pointer, inode.number) != inode.number:
        raise Unreadable("damaged", f"block {pointer} of the tree of inode {inode.number} is used twice")
    seen.add(pointer)
    raw = volume.read(place, volume.block_size)
    magic, its_level, count = struct.unpack_from(">4sHH", raw)
    expected, head = (b"BMA3", 72) if volume.checked else (b"BMAP", 24)
    if magic != expected or its_level != level or not 0 < count <= (len(raw) - head) // 16:
        raise Unreadable("damaged", f"block {pointer} is no block of the tree of inode {inode.number}")
    volume.check(raw, place, _TREE_SUM, f"tree block {pointer} of inode {inode.number}")
    return raw, head, count


def _unpacked(records: bytes) -> Iterator[Extent]:
    for upper, lower in struct.iter_unpack(">QQ", records):
        start = (upper & 0x1FF) << 43 | lower >> 21
        yield Extent(upper >> 9 & (1 << 54) - 1, start, lower & 0x1FFFFF, bool(upper >> 63))

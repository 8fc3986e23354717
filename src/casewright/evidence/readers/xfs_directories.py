"""The names in a directory of XFS: in the inode itself, or in blocks of which only those that hold names are read.

Source: "XFS Algorithms & Data Structures", third edition, chapter on directories. The leaf and node blocks above
32 GiB are an index by hash over the same names. Names are raw bytes of 1 to 255; a slash or zero byte is none.
"""

from collections.abc import Iterator
from typing import NamedTuple

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.xfs_forks import extents
from casewright.evidence.readers.xfs_inodes import BTREE, EXTENTS, LOCAL, Inode
from casewright.evidence.readers.xfs_volume import Volume

INDEX = 32 << 30  # bytes of a directory at which its index begins
_BLOCK, _DATA = (b"XD2B", b"XDB3"), (b"XD2D", b"XDD3")  # of version 4 and 5; the first kind ends in an index of its own
_SUM, _OWNER = 4, 40
_FREE = 0xFFFF


class Name(NamedTuple):
    """A name and the number of the inode it leads to."""

    name: bytes
    inode: int


def names(volume: Volume, inode: Inode, met: set[int]) -> Iterator[Name | Unreadable]:
    """All names but `.` and `..`; an Unreadable stands where some are lost, and others may follow.

    `met` holds the blocks that directories have taken so far: none belongs to two.
    """
    if inode.data.form == LOCAL:
        yield from _short(volume, inode)
    elif inode.data.form in (EXTENTS, BTREE):
        for block in _blocks(volume, inode, met):
            yield from (block,) if isinstance(block, Unreadable) else _listed(volume, inode, block)
    else:
        yield Unreadable("damaged", f"directory {inode.number} has a form that no directory has")


def _short(volume: Volume, inode: Inode) -> Iterator[Name | Unreadable]:
    """Names in the inode: a count, how wide the numbers are, the parent; then length, place, name, type, number."""
    raw = inode.data.raw[: inode.size]
    count, wide = raw[:2].ljust(2, b"\0")
    width, typed = 8 if wide else 4, volume.geometry.names_carry_type
    at = 2 + width
    for _ in range(count):
        name_at = at + 3
        end = name_at + (raw[at] if at < len(raw) else 0)
        at = end + typed + width
        if at > len(raw):
            yield Unreadable("damaged", f"directory {inode.number} ends in the middle of a name")
            return
        yield _sound(Name(raw[name_at:end], int.from_bytes(raw[at - width : at], "big")))


def _blocks(volume: Volume, inode: Inode, met: set[int]) -> Iterator[list[int] | Unreadable]:
    """The directory's blocks below its index, each as the numbers of the disk's blocks it is made of."""
    many, limit = 1 << volume.geometry.directory_bits, INDEX // volume.block_size
    parts: list[int] = []
    if not inode.data.extents:
        yield Unreadable("damaged", f"directory {inode.number} says it has no blocks at all")
    for extent in extents(volume, inode, inode.data):
        if isinstance(extent, Unreadable):
            yield extent
            continue
        for step in range(extent.blocks if extent.at < limit else 0):
            block = extent.start + step
            if block in met or extent.unwritten:
                yield Unreadable("damaged", f"directory {inode.number} claims block {block}, which is not its own")
                break
            met.add(block)
            if (extent.at + step) % many != len(parts):
                yield Unreadable("damaged", f"directory {inode.number} lacks part of a block")
                parts = []
                if (extent.at + step) % many:
                    continue
            parts.append(block)
            if len(parts) == many:
                yield parts
                parts = []
    if parts:
        yield Unreadable("damaged", f"directory {inode.number} lacks part of a block")


def _listed(volume: Volume, inode: Inode, parts: list[int]) -> Iterator[Name | Unreadable]:
    """The names of one block of a directory."""
    try:
        raw = _read(volume, inode, parts)
    except Unreadable as error:
        yield error
        return
    at, end = 64 if volume.checked else 16, len(raw)
    if raw[:4] in _BLOCK:
        end = max(at, end - 8 - 8 * int.from_bytes(raw[-8:-4], "big"))
    if at == end:
        yield Unreadable("damaged", f"block {parts[0]} of directory {inode.number} says it is all index")
    typed = volume.geometry.names_carry_type
    while at < end:
        number, length = int.from_bytes(raw[at : at + 8], "big"), int.from_bytes(raw[at + 8 : at + 9], "big")
        free = number >> 48 == _FREE
        size = number >> 32 & 0xFFFF if free else (8 + 1 + length + typed + 2 + 7) & ~7
        if size < 8 or size % 8 or at + size > end or not (free or length):
            yield Unreadable("damaged", f"a block of directory {inode.number} makes no sense from byte {at} on")
            return
        name = raw[at + 9 : at + 9 + length]
        if not free and name not in (b".", b".."):
            yield _sound(Name(name, number))
        at += size


def _read(volume: Volume, inode: Inode, parts: list[int]) -> bytes:
    """One block of a directory. Raises Unreadable when it is none."""
    places = [volume.place(part, 1) for part in parts]
    if places[-1] - places[0] == (len(parts) - 1) * volume.block_size and places == sorted(places):
        raw = volume.read(places[0], len(parts) * volume.block_size)
    else:
        raw = b"".join(volume.read(place, volume.block_size) for place in places)
    if raw[:4] not in (_BLOCK[volume.checked], _DATA[volume.checked]):
        raise Unreadable("damaged", f"block {parts[0]} of directory {inode.number} is no directory block")
    whole = volume.check(raw, places[0], _SUM, f"block {parts[0]} of directory {inode.number}")
    if volume.checked and whole and int.from_bytes(raw[_OWNER : _OWNER + 8], "big") != inode.number:
        raise Unreadable("damaged", f"block {parts[0]} of directory {inode.number} belongs to another one")
    return raw


def _sound(name: Name) -> Name | Unreadable:
    if not name.name or b"/" in name.name or b"\0" in name.name:
        return Unreadable("damaged", f"the name {name.name!r} of inode {name.inode} is none that a file can have")
    return name

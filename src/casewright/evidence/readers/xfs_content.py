"""The bytes of a file or symlink of XFS. Holes, and blocks that were set aside but never written, read as zeros.

Source: "XFS Algorithms & Data Structures", third edition, chapters on data extents and symbolic links. The content of
files has no checksums; the blocks of a long symlink have.
"""

from collections.abc import Iterator

from casewright.evidence.reader import CHUNK, Unreadable
from casewright.evidence.readers.xfs_forks import Extent, extents
from casewright.evidence.readers.xfs_inodes import LOCAL, Inode
from casewright.evidence.readers.xfs_volume import Volume

LONGEST_LINK = 1024
_LINK_HEAD, _LINK_SUM, _LONGEST_EXTENT = 56, 12, 1 << 16
_ZEROS = bytes(CHUNK)


def content(volume: Volume, inode: Inode, start: int = 0) -> Iterator[bytes]:
    """A file's bytes from `start` on, in chunks. Raises Unreadable where they end early, after all that came before."""
    volume.warn_of(inode)
    held: list[bytes] = []
    length = 0
    try:
        for piece in _pieces(volume, inode, start):
            if length + len(piece) > CHUNK:
                yield b"".join(held)
                held, length = [], 0
            held.append(piece)
            length += len(piece)
    except Unreadable:
        if held:
            yield b"".join(held)
        raise
    if held:
        yield b"".join(held)


def link_target(volume: Volume, inode: Inode) -> Iterator[bytes]:
    """The path that a symlink leads to, in one chunk. Raises Unreadable."""
    if not 0 < inode.size <= LONGEST_LINK:
        raise Unreadable("damaged", f"symlink {inode.number} says it has {inode.size} bytes")
    if inode.data.form == LOCAL:
        yield inode.data.raw[: inode.size]
        return
    target = b"".join(_link_parts(volume, inode))
    if len(target) < inode.size:
        raise Unreadable("damaged", f"symlink {inode.number} has {len(target)} of {inode.size} bytes")
    yield target[: inode.size]


def _pieces(volume: Volume, inode: Inode, at: int) -> Iterator[bytes]:
    """The content from byte `at` on in pieces of at most CHUNK bytes, in order."""
    if inode.data.form == LOCAL and inode.size:
        raise Unreadable("damaged", f"inode {inode.number} is a file in a form that no file has")
    reached = 0
    for extent in extents(volume, inode, inode.data):
        if isinstance(extent, Unreadable):
            raise extent
        begin = extent.at * volume.block_size
        if begin < reached:
            raise Unreadable("damaged", f"extents of inode {inode.number} overlap at byte {begin}")
        reached = begin + extent.blocks * volume.block_size
        end = min(reached, inode.size)
        if end > max(at, begin):
            yield from _zeros(begin - at)
            at = max(at, begin)
            yield from _zeros(end - at) if extent.unwritten else _written(volume, extent, at - begin, end - begin)
            at = end
    yield from _zeros(inode.size - at)


def _written(volume: Volume, extent: Extent, first: int, end: int) -> Iterator[bytes]:
    """Bytes `first` to `end` of an extent."""
    place = volume.place(extent.start, extent.blocks)
    for at in range(first, end, CHUNK):
        wanted = min(CHUNK, end - at)
        raw = volume.disk.read(place + at, wanted)
        yield raw
        if len(raw) < wanted:
            raise Unreadable("truncated", f"the volume ends at byte {volume.disk.size}, in the middle of the file")


def _zeros(length: int) -> Iterator[bytes]:
    for done in range(0, length, CHUNK):
        yield _ZEROS if length - done >= CHUNK else bytes(length - done)


def _link_parts(volume: Volume, inode: Inode) -> Iterator[bytes]:
    """What the extents of a long symlink hold; since version 5 each begins with a head."""
    for extent in extents(volume, inode, inode.data):
        if isinstance(extent, Unreadable):
            raise extent
        length = extent.blocks * volume.block_size
        if length > _LONGEST_EXTENT:
            raise Unreadable("damaged", f"symlink {inode.number} takes {length} bytes of disk")
        place = volume.place(extent.start, extent.blocks)
        raw = volume.read(place, length)
        if not volume.checked:
            yield raw
            continue
        if raw[:4] != b"XSLM":
            raise Unreadable("damaged", f"block {extent.start} holds no part of symlink {inode.number}")
        volume.check(raw, place, _LINK_SUM, f"symlink {inode.number}")
        yield raw[_LINK_HEAD : _LINK_HEAD + int.from_bytes(raw[8:12], "big")]

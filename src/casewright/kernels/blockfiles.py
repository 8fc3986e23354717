"""Files of blocks as Bitcoin Core writes them, and single raw blocks: where each block lies, and what is damaged.

`blk*.dat` is a run of frames, `magic | u32le size | block`, in the order in which blocks arrived, with room kept free
at the end (zeros). Since Core 28 both blk and rev files are XORed with the 8 bytes of `xor.dat`, by offset in the file.
"""

import bz2
import io
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from casewright.kernels.blocks import EASIEST, LEAST, MOST, Block, DamagedBlock, parse_block

_SIZE = Struct("<I")
KEY_SIZE = 8
UNPACKED_LIMIT = 1 << 30
CHUNK = 1 << 20
MASK = 1 << 16
"""Bytes of repeated key that are laid over a file at once."""


@dataclass(frozen=True)
class Found:
    """A stretch of the file: a whole block or, when `block` is None, damage with its reason."""

    start: int
    length: int
    block: Block | None
    reason: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Plain:
    """A file's bytes as stored and with the XOR taken off; of unpacked files both are the unpacked bytes."""

    stored: bytes
    clear: bytes

    def blank(self, start: int, end: int) -> bool:
        """Room kept free: zeros on the disk, which the XOR was never put on, or zeros under it."""
        return _is_zeros(self.stored, start, end) or _is_zeros(self.clear, start, end)


def _is_zeros(raw: bytes, start: int, end: int) -> bool:
    """Some at a time: what is no room kept free shows it at once."""
    cuts = ((at, min(at + MASK, end)) for at in range(start, end, MASK))
    return all(raw.count(0, first, last) == last - first for first, last in cuts)


def unmask(stored: bytes, key: bytes) -> Plain:
    """Takes the XOR of `xor.dat` off; an empty or zero key means that there is none."""
    if not any(key):
        return Plain(stored, stored)
    clear = io.BytesIO(stored)
    with clear.getbuffer() as room:
        _xor(np.frombuffer(room, np.uint8), np.frombuffer(key * (MASK // len(key) + 1), np.uint8))
    return Plain(stored, clear.getvalue())


def _xor(data: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    """In place, a stretch of many keys at once: a mask as long as the file would be made key by key."""
    whole = len(data) // len(mask) * len(mask)
    rows, rest = data[:whole].reshape(-1, len(mask)), data[whole:]
    np.bitwise_xor(rows, mask, out=rows)
    np.bitwise_xor(rest, mask[: len(rest)], out=rest)


def unpack(packed: bytes, limit: int = UNPACKED_LIMIT) -> tuple[bytes, str]:
    """What bzip2 packed, as far as it can be had, and why it ended early (empty when it did not)."""
    parts: list[bytes] = []
    total, rest = 0, packed
    while rest:
        unpacker = bz2.BZ2Decompressor()
        while not unpacker.eof:
            if not rest and unpacker.needs_input:
                return b"".join(parts), "the bzip2 stream ends before its end mark"
            try:
                part = unpacker.decompress(rest, CHUNK)
            except OSError as problem:
                return b"".join(parts), f"the bzip2 stream is damaged: {problem}"
            rest = b""
            total += len(part)
            if total > limit:
                return b"".join(parts), f"it unpacks to more than {limit} bytes"
            parts.append(part)
        rest = unpacker.unused_data
    return b"".join(parts), ""


def read_single(file: Plain, easiest: int = EASIEST) -> Found | None:
    """The one raw block that fills the file, whole or with a content that does not hold; None when it is no block."""
    try:
        return Found(0, len(file.clear), parse_block(file.clear, easiest))
    except DamagedBlock as damage:
        return Found(0, len(file.clear), None, damage.reason, damage.detail) if damage.framed else None


def read_frames(file: Plain, magic: bytes, easiest: int = EASIEST) -> Iterator[Found]:
    """Every block in order of the file. After damage the reading goes on at the next magic; no byte is passed over
    in silence but the room kept free."""
    at = 0
    while at < len(file.clear):
        found, at = next_found(file, magic, at, easiest)
        if found:
            yield found


def next_found(file: Plain, magic: bytes, at: int, easiest: int = EASIEST) -> tuple[Found | None, int]:
    """What stands at `at` (None: room kept free), and where to go on."""
    if file.clear.startswith(magic, at):
        found = _frame(file, magic, at, easiest)
        return found, found.start + found.length
    after = _next(file.clear, magic, at)
    if file.blank(at, after):
        return None, after
    return Found(at, after - at, None, "no block", "these bytes between blocks belong to none"), after


def _frame(file: Plain, magic: bytes, at: int, easiest: int) -> Found:
    clear, start = file.clear, at + 8
    if start > len(clear):
        return Found(at, len(clear) - at, None, "truncated", "the file ends within a frame's first 8 bytes")
    size = int(_SIZE.unpack_from(clear, at + 4)[0])
    after = _next(clear, magic, at + 4)
    if not LEAST <= size <= MOST:
        return Found(at, after - at, None, "impossible size", f"the frame says {size} bytes")
    if start + size > len(clear):
        there = len(clear) - start
        detail = f"the frame says {size} bytes, the file has {there} more"
        return Found(at, after - at, None, "truncated", detail)
    try:
        return Found(start, size, parse_block(clear[start : start + size], easiest))
    except DamagedBlock as damage:
        length = 8 + size if damage.framed else after - at
        return Found(at, length, None, damage.reason, damage.detail)


def _next(clear: bytes, magic: bytes, at: int) -> int:
    found = clear.find(magic, at)
    return found if found >= 0 else len(clear)

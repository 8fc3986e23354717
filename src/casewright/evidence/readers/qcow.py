"""QCOW and QCOW2 disks, by a reader of our own: libqcow gives zeros for some compressed clusters, and says nothing.

Formats: "The QCOW2 file format" (docs/interop/qcow2.txt of QEMU), versions 2 and 3; QEMU's block/qcow.c for 1.
A cluster that cannot be unpacked gives what was unpacked of it, then zeros, and is told to the damage log.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import BinaryIO

from backports import zstd

from casewright.evidence.reader import Problem, Unreadable
from casewright.evidence.readers.disks import DamageLog, Disk

SIGNATURE = b"QFI\xfb"
HEADER = 112
ADDRESS = (1 << 56) - (1 << 9)
COMPRESSED, ZERO = 1 << 62, 1
DIRTY, CORRUPT, EXTERNAL, COMPRESSION, EXTENDED = 1, 2, 4, 8, 16
ZSTD = 1
TABLE_BYTES = 1 << 27
"""No disk of a petabyte has a longer first-level table at any usual cluster size."""
Cluster = tuple[str, int, int]
"""What stands for a cluster: `plain` at an offset, `packed` at an offset in so many bytes, `zero`, or `behind`."""


@dataclass(frozen=True)
class Header:
    """What the first bytes say. `backing`: name of the image behind this one, as stored."""

    version: int
    size: int
    cluster_bits: int
    level2_bits: int
    level1_entries: int
    level1_at: int
    snapshots: int
    features: int
    packing: int
    encrypted: bool
    backing: bytes


def read_header(file: BinaryIO) -> Header:
    """Raises Unreadable for what is no sound header, or asks for more than is read."""
    file.seek(0)
    raw = file.read(HEADER).ljust(HEADER, b"\0")
    version = struct.unpack_from(">I", raw, 4)[0]
    if raw[:4] != SIGNATURE or version not in (1, 2, 3):
        raise Unreadable("not supported", f"this is a QCOW image of version {version}, which is not read yet")
    header = _first(raw) if version == 1 else _later(raw, version)
    at, length = struct.unpack_from(">QI", raw, 8)
    if at and length <= 4096:
        file.seek(at)
        header = Header(**{**vars(header), "backing": file.read(length)})
    _check(header)
    return header


def _later(raw: bytes, version: int) -> Header:
    bits, size, crypt, entries, table = struct.unpack_from(">IQIIQ", raw, 20)
    snapshots = struct.unpack_from(">I", raw, 60)[0]
    features = struct.unpack_from(">Q", raw, 72)[0] if version == 3 else 0
    packing = raw[104] if features & COMPRESSION else 0
    return Header(version, size, bits, bits - 3, entries, table, snapshots, features, packing, crypt != 0, b"")


def _first(raw: bytes) -> Header:
    size, bits, level2, _, crypt, table = struct.unpack_from(">QBBHIQ", raw, 24)
    entries = -(-size // (1 << (bits + level2))) if bits + level2 < 64 else 0
    return Header(1, size, bits, level2, entries, table, 0, 0, 0, crypt != 0, b"")


def _check(header: Header) -> None:
    if header.encrypted:
        raise Unreadable("encrypted", "this QCOW2 image is encrypted by itself, which is not read yet")
    for bit, what in ((EXTERNAL, "keeps its data in another file"), (EXTENDED, "divides its clusters")):
        if header.features & bit:
            raise Unreadable("not supported", f"this QCOW2 image {what}, which is not read yet")
    if header.features & ~(DIRTY | CORRUPT | COMPRESSION):
        raise Unreadable("not supported", f"this QCOW2 image needs features {header.features:#x}, not read yet")
    if header.packing > ZSTD:
        raise Unreadable("not supported", f"this QCOW2 image is compressed by method {header.packing}, not read yet")
    if not 9 <= header.cluster_bits <= 21 or header.level1_entries * 8 > TABLE_BYTES:
        raise Unreadable("damaged image", "the QCOW2 image's header makes no sense")


class QcowDisk:
    """The disk in the image; what it does not hold comes from `parent`, zeros behind the parent's end."""

    def __init__(self, file: BinaryIO, header: Header, parent: Disk | None, log: DamageLog | None = None) -> None:
        self._file, self._header, self._parent = file, header, parent
        self._length = 1 << header.cluster_bits
        self._room = header.level1_entries << header.cluster_bits + header.level2_bits
        self.size = min(header.size, self._room)
        self._log = log or DamageLog()
        self._end = file.seek(0, 2)
        self._level1 = self._table(header.level1_at, header.level1_entries)
        self._level2 = lru_cache(maxsize=64)(self._table)
        self._unpacked = lru_cache(maxsize=64)(self._unpack)
        self._told: set[int] = set()

    def problems(self) -> Iterator[Problem]:
        """What the header says against the image."""
        if self._header.features & CORRUPT:
            yield Problem(b"", "damaged image", "the QCOW2 image is marked as corrupt by the program that used it")
        if self._header.size > self._room:
            said = f"says that its disk has {self._header.size} bytes, and its tables have room for {self._room}"
            yield Problem(b"", "damaged image", f"the QCOW2 image {said}: these are read")

    def next_held(self, offset: int) -> int:
        """The first byte from `offset` on that may be more than zeros; the disk's size where none is."""
        if self._parent:
            return offset
        part = self._length << self._header.level2_bits
        first = offset // part
        if first < len(self._level1) and self._level1[first]:
            return offset
        later = (n for n in range(first + 1, len(self._level1)) if self._level1[n])
        return min(next(later, len(self._level1)) * part, self.size)

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        parts = []
        while length:
            inside = offset % self._length
            some = min(length, self._length - inside)
            parts.append(self._piece(offset // self._length, inside, some))
            offset, length = offset + some, length - some
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _piece(self, number: int, inside: int, length: int) -> bytes:
        kind, at, packed = self._cluster(number)
        if kind == "plain":
            return self._stored(number, at + inside, length)
        if kind == "packed":
            return self._unpacked(number, at, packed)[inside : inside + length]
        if kind == "behind" and self._parent:
            start = number * self._length + inside
            return self._parent.read(start, length).ljust(length, b"\0") if start < self._parent.size else bytes(length)
        return bytes(length)

    def _cluster(self, number: int) -> Cluster:
        first, second = divmod(number, 1 << self._header.level2_bits)
        if first >= len(self._level1):
            return "behind", 0, 0
        table = self._level1[first] & (ADDRESS if self._header.version > 1 else (1 << 63) - 1)
        if not table:
            return "behind", 0, 0
        entry = self._level2(table, 1 << self._header.level2_bits)[second]
        return self._oldest(entry) if self._header.version == 1 else self._entry(entry)

    def _entry(self, entry: int) -> Cluster:
        if entry & COMPRESSED:
            bits = 62 - (self._header.cluster_bits - 8)
            at, sectors = entry & ((1 << bits) - 1), (entry & (COMPRESSED - 1)) >> bits
            return "packed", at, (sectors + 1) * 512 - at % 512
        if entry & ZERO and self._header.version == 3:
            return "zero", 0, 0
        at = entry & ADDRESS
        return ("plain", at, 0) if at else ("behind", 0, 0)

    def _oldest(self, entry: int) -> Cluster:
        if entry >> 63:
            bits = 63 - self._header.cluster_bits
            return "packed", entry & ((1 << bits) - 1), (entry >> bits) & (self._length - 1)
        return ("plain", entry, 0) if entry else ("behind", 0, 0)

    def _stored(self, number: int, at: int, length: int) -> bytes:
        self._file.seek(at)
        found = self._file.read(length)
        if len(found) < length and at + length - self._end >= self._length:
            raise Unreadable("truncated", f"the QCOW2 image ends before byte {number * self._length} of its disk")
        return found.ljust(length, b"\0")  # the last cluster may be cut where its rest is zeros

    def _unpack(self, number: int, at: int, packed: int) -> bytes:
        self._file.seek(at)
        raw = self._file.read(min(packed, 2 * self._length + 512))
        plain = _zstd(raw, self._length) if self._header.packing == ZSTD else _deflated(raw, self._length)
        if len(plain) < self._length:
            detail = f"a compressed cluster of the QCOW2 image gives {len(plain)} of {self._length} bytes"
            self._log.meet(number * self._length, self._length, detail, number not in self._told)
            self._told.add(number)
        return plain.ljust(self._length, b"\0")

    def _table(self, at: int, entries: int) -> tuple[int, ...]:
        if at + 8 * entries > self._end + self._length:
            raise Unreadable("damaged image", f"a table of the QCOW2 image at byte {at} lies behind its end")
        self._file.seek(at)
        raw = self._file.read(8 * entries).ljust(8 * entries, b"\0")
        return struct.unpack(f">{entries}Q", raw)


def _deflated(raw: bytes, length: int) -> bytes:
    machine = zlib.decompressobj(-12)
    try:
        return machine.decompress(raw, length)
    except zlib.error:
        return b""


def _zstd(raw: bytes, length: int) -> bytes:
    try:
        return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 27}).decompress(raw, length)
    except zstd.ZstdError:
        return b""

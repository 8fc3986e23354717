"""E01 images, in one segment or several: our own reader over ISA-L's inflate, with zlib where that is missing.

libewf gives zeros for a chunk whose checksum fails, and says nothing. Here such a chunk gives what still can be read of
it, and the damage log says which stretch of the disk it is. Format: see `ewf_sections.py`.
"""

import zlib
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np

from casewright.evidence.reader import Problem, Segment, Unreadable
from casewright.evidence.readers.disks import DamageLog
from casewright.evidence.readers.ewf_sections import ChunkTable, read_image

try:
    from isal import isal_zlib

    inflate: Any = isal_zlib
except ImportError:  # a machine that ISA-L was not built for
    inflate = zlib

BROKEN = (zlib.error, inflate.error, ValueError)
COMPRESSED = 1 << 31
CACHED = 128
RUN = 16
"""Chunks read at one go."""


class EwfDisk:
    """The disk inside an E01 image. `stored` are the hashes that were made when it was acquired, by name."""

    def __init__(self, segments: Sequence[Segment], log: DamageLog | None = None, threads: int = 2) -> None:
        self._files = [s.open() for s in segments]
        image = read_image(segments, self._files)
        self.size, self.stored, self._problems = image.size, image.stored, image.problems
        self._chunk, self._tables, self._known = image.chunk_bytes, image.tables, image.chunks
        self.reach = min(self.size, self._known * self._chunk)
        self._firsts = [t.first for t in image.tables]
        self.log = log or DamageLog()
        self._damaged: dict[int, str] = {}
        self._told: set[int] = set()
        self._cache: OrderedDict[int, bytes] = OrderedDict()
        self._offsets = lru_cache(maxsize=256)(self._read_offsets)
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def problems(self) -> Iterator[Problem]:
        """What the image says against itself: damaged sections, an end that is missing."""
        yield from self._problems
        if self.reach < self.size:
            detail = f"the E01 image names {self._known} chunks of {self._chunk} bytes; its disk has {self.size} bytes"
            yield Problem(b"", "truncated", detail)

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        if not length:
            return b""
        first, last = offset // self._chunk, (offset + length - 1) // self._chunk
        chunks = [c for start in range(first, last + 1, RUN) for c in self._chunks(start, min(RUN, last + 1 - start))]
        for number in range(first, last + 1) if self._damaged else ():
            if number in self._damaged:
                self.log.meet(number * self._chunk, self._chunk, self._damaged[number], number not in self._told)
                self._told.add(number)
        at = offset - first * self._chunk
        whole = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        return whole if at == 0 and len(whole) == length else whole[at : at + length]

    def _chunks(self, first: int, count: int) -> list[bytes]:
        """Decoded chunks. Those that stand together in the file are read together."""
        found: list[bytes] = []
        while count > 0:
            if first in self._cache:
                self._cache.move_to_end(first)
                found.append(self._cache[first])
                first, count = first + 1, count - 1
                continue
            fresh = self._decode(first, count)
            for number, chunk in enumerate(fresh, start=first):
                self._cache[number] = chunk
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)
            found += fresh
            first, count = first + len(fresh), count - len(fresh)
        return found

    def _decode(self, first: int, count: int) -> list[bytes]:
        """Chunks from number `first` on, as many of `count` as one table names."""
        if first >= self._known:
            raise Unreadable("truncated", f"the E01 image has no chunk {first}: bytes from {first * self._chunk} on")
        table = self._tables[bisect_right(self._firsts, first) - 1]
        offsets = self._offsets(table)
        begin = first - table.first
        end = min(begin + count, table.count)
        base, low = table.base, int(offsets[begin] & ~np.uint32(COMPRESSED))
        bounds = [*(int(o) for o in offsets[begin:end] & ~np.uint32(COMPRESSED)), self._end(table, offsets, end)]
        flags = [bool(f) for f in offsets[begin:end] & np.uint32(COMPRESSED)]
        top = max(bounds)
        if top - low > (end - begin) * (2 * self._chunk + 1024) or min(bounds) < low:
            return [self._lone(first + i, table, bounds[i], bounds[i + 1], flags[i]) for i in range(end - begin)]
        file = self._files[table.segment]
        file.seek(base + low)
        raw = memoryview(file.read(top - low))
        jobs = [(first + i, raw[bounds[i] - low : bounds[i + 1] - low], flags[i]) for i in range(end - begin)]
        if self._pool and len(jobs) >= 8:
            return list(self._pool.map(self._plain, jobs))
        return [self._plain(job) for job in jobs]

    def _lone(self, number: int, table: ChunkTable, start: int, end: int, packed: bool) -> bytes:
        """A chunk by itself, where the table's offsets make no sense together."""
        file = self._files[table.segment]
        file.seek(table.base + start)
        length = min(max(end - start, 0), 2 * self._chunk + 1024)
        return self._plain((number, memoryview(file.read(length)), packed))

    def _plain(self, job: tuple[int, memoryview, bool]) -> bytes:
        """The chunk's bytes; what cannot be read of it is zeros, and the chunk is marked as damaged."""
        number, raw, packed = job
        length = min(self._chunk, self.size - number * self._chunk)
        if packed:
            try:
                plain: bytes = inflate.decompress(raw, 15, self._chunk)
            except BROKEN:
                return self._damage(number, _salvage(raw, length), length, "cannot be unpacked")
        else:
            plain, check = bytes(raw[:length]), bytes(raw[length : length + 4])
            if len(raw) < length + 4 or zlib.adler32(plain) != int.from_bytes(check, "little"):
                return self._damage(number, plain, length, "fails its checksum")
        if len(plain) != length:
            return self._damage(number, plain, length, f"has {len(plain)} bytes")
        return plain

    def _damage(self, number: int, plain: bytes, length: int, what: str) -> bytes:
        self._damaged[number] = f"chunk {number} of the E01 image {what}"
        return plain[:length].ljust(length, b"\0")

    def _end(self, table: ChunkTable, offsets: "np.ndarray[tuple[int], np.dtype[np.uint32]]", after: int) -> int:
        """Where the chunk before number `after` of the table ends, from the table's base."""
        return int(offsets[after] & ~np.uint32(COMPRESSED)) if after < table.count else max(0, table.end - table.base)

    def _read_offsets(self, table: ChunkTable) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
        file = self._files[table.segment]
        file.seek(table.entries)
        raw = file.read(4 * table.count)
        if len(raw) < 4 * table.count:
            raise Unreadable("truncated", "the E01 image ends inside a chunk table")
        return np.frombuffer(raw, "<u4")


def _salvage(raw: memoryview, length: int) -> bytes:
    """What a broken deflate stream gives before it breaks, byte by byte near the end."""
    machine, plain = zlib.decompressobj(), bytearray()
    for at in range(len(raw)):
        try:
            plain += machine.decompress(raw[at : at + 1], length - len(plain))
        except zlib.error:
            break
        if machine.eof or len(plain) >= length:
            break
    return bytes(plain)

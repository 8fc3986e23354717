"""The sections of an E01 image: where its chunks lie, how long its disk is, and what hashes were stored with it.

Format: "Expert Witness Compression Format", version 2021-10, J. Metz (libewf documentation). Every checksum is checked;
a section whose own header is damaged is walked past by whichever of its two lengths leads to a sound header.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from casewright.evidence.reader import Problem, Segment, Unreadable

SIGNATURE = b"EVF\x09\x0d\x0a\xff\x00"
FIRST_SECTION, HEADER = 13, 76
SECTIONS = 1 << 20
"""More sections than any segment file has."""
SMART_VOLUME, VOLUME = 94, 1052
TABLE_HEADER = 24


@dataclass(frozen=True)
class Section:
    """One section of a segment file. `data` is where its content begins, `length` how long that is, in bytes."""

    kind: str
    data: int
    length: int


@dataclass(frozen=True)
class ChunkTable:
    """`count` chunks from number `first` on: offsets stand at `entries` of a segment file, bytes end at `end`."""

    segment: int
    first: int
    count: int
    base: int
    entries: int
    end: int


@dataclass
class Image:
    """What the sections of all segments say."""

    chunk_bytes: int = 0
    size: int = 0
    tables: list[ChunkTable] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def chunks(self) -> int:
        """How many chunks the tables name."""
        return self.tables[-1].first + self.tables[-1].count if self.tables else 0


def read_image(segments: Sequence[Segment], files: Sequence[BinaryIO]) -> Image:
    """Walk all segments. Raises Unreadable when they do not say how the disk is cut up."""
    image = Image()
    for number, (segment, file) in enumerate(zip(segments, files, strict=True)):
        _Walk(image, number, segment, file, last=number == len(segments) - 1).run()
    if image.size <= 0:
        raise Unreadable("damaged image", "the E01 image does not say how long its disk is, or has lost it")
    return image


class _Walk:
    """Reads the sections of one segment file into the image."""

    def __init__(self, image: Image, number: int, segment: Segment, file: BinaryIO, last: bool) -> None:
        self._image, self._number, self._segment, self._file, self._last = image, number, segment, file, last
        self._sectors_end = 0
        self._mirror: tuple[int, int] | None = None

    def run(self) -> None:
        kind = ""
        for section in self._sections():
            kind = section.kind
            if kind in ("volume", "disk", "data"):
                self._volume(section)
            elif kind == "sectors":
                self._sectors_end = section.data + section.length
            elif kind in ("table", "table2"):
                self._table(section)
            elif kind in ("hash", "digest"):
                self._hashes(section)
        if kind != ("done" if self._last else "next"):
            self._problem("truncated", "the E01 image has no end mark; bytes or whole segments behind it are missing")

    def _sections(self) -> Iterator[Section]:
        head = self._read(0, FIRST_SECTION)
        if int.from_bytes(head[9:11], "little") != self._number + 1:
            self._problem("damaged image", f"this segment says it is number {int.from_bytes(head[9:11], 'little')}")
        at = FIRST_SECTION
        for _ in range(SECTIONS):
            raw = self._read(at, HEADER)
            if len(raw) < HEADER or (not _sound(raw) and not raw[:16].rstrip(b"\0").isalnum()):
                return
            kind = raw[:16].rstrip(b"\0").decode("ascii", "replace")
            following, size = struct.unpack("<QQ", raw[16:32])
            if not _sound(raw):
                self._problem("damaged image", f"the header of section {kind!r} at byte {at} fails its checksum")
            ends = kind in ("next", "done")
            onward = at if ends else self._onward(at, following, size)
            yield Section(kind, at + HEADER, max(0, (onward or self._segment.size) - at - HEADER))
            if ends or onward is None:
                return
            at = onward

    def _onward(self, at: int, following: int, size: int) -> int | None:
        """Where the next section begins: two fields say it, and the one that leads to a sound header is right."""
        candidates = [p for p in (following, at + size) if at + HEADER <= p <= self._segment.size - HEADER]
        return next((p for p in candidates if _sound(self._read(p, HEADER))), candidates[0] if candidates else None)

    def _volume(self, section: Section) -> None:
        raw = self._read(section.data, min(section.length, VOLUME))
        if self._image.size or len(raw) < SMART_VOLUME:
            return
        if zlib.adler32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
            self._problem("damaged image", f"the section that says how long the disk is, at byte {section.data}, "
                          "fails its checksum")  # fmt: skip
        per_chunk, per_sector = struct.unpack("<II", raw[8:16])
        sectors = int.from_bytes(raw[16:24] if len(raw) == VOLUME else raw[16:20], "little")
        if per_sector not in (512, 1024, 2048, 4096) or not 0 < per_chunk <= 1 << 16:
            return
        self._image.chunk_bytes = per_chunk * per_sector
        self._image.size = sectors * per_sector

    def _table(self, section: Section) -> None:
        raw = self._read(section.data, TABLE_HEADER)
        if len(raw) < TABLE_HEADER:
            return
        count, _, base = struct.unpack("<IIQ", raw[:16])
        entries = section.data + TABLE_HEADER
        if section.kind == "table2" and self._mirror is None:
            return  # the first table was sound
        if section.kind == "table":
            self._mirror = None
        sound = self._table_is_sound(raw, section.length, entries, count)
        table = ChunkTable(self._number, self._image.chunks, count, base, entries, self._end_of_chunks(section))
        if section.kind == "table2" and sound:
            self._image.tables[-1] = ChunkTable(self._number, self._image.tables[-1].first, count, base, entries,
                                                self._image.tables[-1].end)  # fmt: skip
            return
        if section.kind == "table":
            if not sound:
                self._mirror = (count, base)
                self._problem("damaged image", f"the chunk table at byte {section.data} fails its checksum")
            if count <= (section.length - TABLE_HEADER) // 4:
                self._image.tables.append(table)

    def _table_is_sound(self, header: bytes, length: int, entries: int, count: int) -> bool:
        """Both checksums of a table. The oldest formats keep the chunks behind the offsets, and no second checksum."""
        if zlib.adler32(header[:20]) != int.from_bytes(header[20:24], "little") or count > 1 << 24:
            return False
        if length != TABLE_HEADER + 4 * count + 4:
            return length >= TABLE_HEADER + 4 * count
        raw = self._read(entries, 4 * count + 4)
        return zlib.adler32(raw[:-4]) == int.from_bytes(raw[-4:], "little")

    def _end_of_chunks(self, section: Section) -> int:
        """Chunks stand in the `sectors` section before the table; in SMART's files behind the offsets in the table."""
        return self._sectors_end or section.data + section.length

    def _hashes(self, section: Section) -> None:
        raw = self._read(section.data, 36)
        if any(raw[:16]) and len(raw) >= 16:
            self._image.stored["md5"] = raw[:16].hex()
        if section.kind == "digest" and len(raw) == 36 and any(raw[16:]):
            self._image.stored["sha1"] = raw[16:36].hex()

    def _read(self, at: int, length: int) -> bytes:
        self._file.seek(at)
        return self._file.read(length)

    def _problem(self, reason: str, detail: str) -> None:
        self._image.problems.append(Problem(self._segment.path, reason, detail))


def _sound(header: bytes) -> bool:
    return len(header) == HEADER and zlib.adler32(header[:72]) == int.from_bytes(header[72:76], "little")

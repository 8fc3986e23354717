"""7z archives, read on the standard library's decompressors.

Format: 7zFormat.txt and Methods.txt of the LZMA SDK. Read are Copy, LZMA, LZMA2, Deflate, Deflate64, BZip2 and
Zstandard, below the filters Delta, BCJ (x86, PPC, IA64, ARM, ARMT, SPARC) and BCJ2. Everything else is refused by name.

What bounds it: the header is read up to `HEADER` bytes and kept packed in arrays; one folder of an archive is being
unpacked at any time, with dictionaries of `WINDOW` bytes together; a solid folder is unpacked once when its members are
read in order, and anew from its start only when somebody goes back.
"""

import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import BinaryIO

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import Span
from casewright.evidence.readers.sevenzip_bytes import (
    ARCHIVE_PROPERTIES,
    END,
    HEAD,
    MAIN_STREAMS,
    MORE_STREAMS,
    PACKED_HEADER,
    HeaderBytes,
)
from casewright.evidence.readers.sevenzip_coders import Plumbing
from casewright.evidence.readers.sevenzip_files import Found, read_files
from casewright.evidence.readers.sevenzip_streams import NO_CHECKSUM, START, Place, Streams, places_of, read_streams

HEADER, NESTED = 1 << 26, 4
UNIX_MODE, LONGEST_PATH = 0x8000, 4096  # what calls itself a symlink and is larger is read as a file


def seven_zip_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in the archive's order. Raises Unreadable where its header cannot be read."""
    archive = _Archive(file, budget)
    header = _open(archive)
    yield from (Problem(b"", "damaged archive", doubt) for doubt in archive.doubts)
    if header is None:
        return
    places = places_of(archive.streams)
    for number, found in enumerate(read_files(header)):
        budget.member()
        yield _member(archive, number, found, next(places, None) if found.has_stream else None)
    if left := sum(1 for _ in places):
        yield Problem(b"", "damaged archive", f"{left} packed streams belong to no member")


def _member(archive: "_Archive", number: int, found: "Found", place: "Place | None") -> Entry | Problem:
    path = b"unnamed-%d" % number if found.name is None else found.name
    entry = Entry(path, _kind(found, place), modified=found.modified, accessed=found.accessed, created=found.created)
    if not found.has_stream:
        return entry
    if place is None:
        return Problem(path, "damaged archive", "the archive's header names no packed bytes for this member")
    if refusal := archive.refusal(place.folder):
        return Problem(path, *refusal)
    if entry.kind == "file":
        return replace(entry, size=place.size, chunks=partial(archive.read, place))
    return entry


def _kind(found: "Found", place: "Place | None") -> str:
    link = found.attributes & UNIX_MODE and stat.S_ISLNK(found.attributes >> 16)
    if link and (place is None or place.size <= LONGEST_PATH):
        return "symlink"
    if found.anti:
        return "special"
    return "file" if found.has_stream or found.no_bytes else "directory"


def _open(archive: "_Archive") -> HeaderBytes | None:
    """The header behind its description of packed bytes, unpacked as often as it was packed; None: no header."""
    raw = archive.last_header()
    for _ in range(NESTED):
        if not raw:
            return None
        header = HeaderBytes(raw)
        if header.expect(HEAD, PACKED_HEADER) == HEAD:
            archive.streams = _described(header)
            return header
        raw = archive.packed_header(header)
    raise Unreadable("damaged archive", f"the 7z header is packed more than {NESTED} times over")


def _described(header: HeaderBytes) -> Streams:
    at, kind = header.at, header.number()
    if kind == ARCHIVE_PROPERTIES:
        while header.number() != END:
            header.take(header.number())
        at, kind = header.at, header.number()
    if kind == MORE_STREAMS:
        read_streams(header)
        at, kind = header.at, header.number()
    if kind == MAIN_STREAMS:
        return read_streams(header)
    header.at = at
    return Streams()


@dataclass
class _Run:
    """A folder that is being unpacked: bytes were given out up to byte `at`; `rest` were unpacked and wait."""

    folder: int
    chunks: Iterator[bytes]
    at: int = 0
    rest: bytes = b""

    def until(self, end: int) -> Iterator[bytes]:
        """The bytes up to byte `end`. Raises Unreadable where the folder ends before."""
        while self.at < end:
            if not self.rest:
                self.rest = next(self.chunks, b"")
            if not self.rest:
                raise Unreadable("truncated", f"the packed data ends after {self.at} bytes")
            chunk, self.rest = self.rest[: end - self.at], self.rest[end - self.at :]
            self.at += len(chunk)
            yield chunk


class _Archive:
    """An open archive, with the one folder that is being unpacked."""

    def __init__(self, file: BinaryIO, budget: Budget) -> None:
        self._file, self._budget, self._size = file, budget, file.seek(0, 2)
        self.streams, self.doubts = Streams(), list[str]()
        self._run: _Run | None = None
        self._charged = -1, 0
        self._broken: dict[int, tuple[int, str, str]] = {}
        self._refusals: dict[int, tuple[str, str] | None] = {}

    def last_header(self) -> bytes:
        """The header at the archive's end, as it stands."""
        head = Span(self._file, 0, START).read(0, START)
        if len(head) < START:
            raise Unreadable("truncated", f"a 7z archive that was cut off after {len(head)} bytes")
        if zlib.crc32(head[12:]) != int.from_bytes(head[8:12], "little"):
            self.doubts.append("the start of the archive does not fit its checksum")
        offset, length = (int.from_bytes(head[i : i + 8], "little") for i in (12, 20))
        if length > HEADER:
            raise Unreadable("too large", f"a 7z header of {length} bytes; the limit is {HEADER}")
        if START + offset + length > self._size:
            where = f"stands at byte {START + offset}, and the file has {self._size} bytes"
            raise Unreadable("truncated", f"the list of members {where}: it was cut off, or is one volume of several")
        raw = Span(self._file, START + offset, length).read(0, length)
        self._doubt(raw, int.from_bytes(head[28:32], "little"))
        return raw

    def packed_header(self, header: HeaderBytes) -> bytes:
        """A header that is itself packed."""
        self.streams = read_streams(header)
        folders = self.streams.folders
        if len(folders) != 1 or folders[0].size > HEADER:
            raise Unreadable("too large", f"a 7z header in {len(folders)} folders, or of more than {HEADER} bytes")
        raw = b"".join(self._budget.charged(self._unpacked(0)))
        self._doubt(raw, self.streams.sums[0])
        return raw

    def _doubt(self, raw: bytes, checksum: int) -> None:
        if checksum not in (NO_CHECKSUM, zlib.crc32(raw)):
            self.doubts.append("the list of members does not fit its checksum: names, sizes and times may be wrong")

    def refusal(self, folder: int) -> tuple[str, str] | None:
        """Why a folder cannot be unpacked, as reason and detail; None when it can."""
        if folder not in self._refusals:
            try:
                self._unpacked(folder)
                self._refusals[folder] = None
            except Unreadable as error:
                self._refusals[folder] = error.reason, error.detail
        return self._refusals[folder]

    def read(self, place: Place) -> Iterator[bytes]:
        """A member's bytes. Raises Unreadable where they break off, or do not fit their checksum."""
        checksum = 0
        for chunk in self._piece(place):
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
        if place.checksum not in (NO_CHECKSUM, checksum):
            raise Unreadable("damaged", f"{place.size} bytes were unpacked; they do not fit their checksum")

    def _piece(self, place: Place) -> Iterator[bytes]:
        end = place.start + place.size
        broken = self._broken.get(place.folder)
        if broken and broken[0] <= place.start < end:
            raise Unreadable(*broken[1:])
        run = self._take(place)
        try:
            for _ in run.until(place.start):
                self._charge(run)
            for chunk in run.until(end):
                self._budget.charge(len(chunk))
                self._charged = run.folder, run.at
                yield chunk
        except Unreadable as error:
            self._broken[place.folder] = run.at, error.reason, error.detail
            run.at = run.folder = -1
            raise
        finally:
            if 0 <= run.at < self.streams.folders[run.folder].size:
                self._run = run

    def _take(self, place: Place) -> _Run:
        """The running folder when the member is still ahead in it, else the member's folder from its start."""
        run, self._run = self._run, None
        if run and run.folder == place.folder and run.at <= place.start:
            return run
        return _Run(place.folder, self._unpacked(place.folder))

    def _charge(self, run: _Run) -> None:
        """Charges what is unpacked only to come past it, once."""
        folder, high = self._charged
        before = high if folder == run.folder else 0
        self._budget.charge(max(0, run.at - before))
        self._charged = run.folder, max(before, run.at)

    def _unpacked(self, number: int) -> Iterator[bytes]:
        """The bytes of a folder. Raises Unreadable at once when they need what is not read here."""
        folder = self.streams.folders[number]
        return Plumbing(self._file, self.streams, folder).output(folder.chain.main)

"""7z archives, read on the standard library's decompressors.

Format: 7zFormat.txt and Methods.txt of the LZMA SDK. Read are Copy, LZMA, LZMA2, Deflate, Deflate64, BZip2 and
Zstandard, below the filters Delta, BCJ (x86, PPC, IA64, ARM, ARMT, SPARC) and BCJ2. Everything else is refused by name.

What bounds it: the header is read up to `HEADER` bytes and kept packed in arrays; one folder of an archive is being
unpacked at any time, with dictionaries of `WINDOW` bytes together; a solid folder is unpacked once when its members are
read in order, and anew from its start only when somebody goes back.
"""

import lzma
import re
import stat
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import BinaryIO, NamedTuple

from casewright.evidence.reader import Entry, Problem, Unreadable, utc
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import (
    BZIP2,
    CODECS,
    DEFLATE,
    PIECE,
    WINDOW,
    Codec,
    Inflate64,
    Span,
    lzma1,
    lzma2,
    unpacked,
)

START, HEADER = 32, 1 << 26
NESTED, FOLDERS, CODERS, INPUTS = 4, 1 << 18, 8, 8
NO_CHECKSUM = 1 << 32
END, HEAD, ARCHIVE_PROPERTIES, MORE_STREAMS, MAIN_STREAMS, FILES, PACKED, UNPACKED, SUBSTREAMS = range(9)
SIZES, CHECKSUMS, FOLDER, CODER_SIZES, COUNTS, NO_STREAM, NO_BYTES, ANTI, NAMES = range(9, 18)
CREATED, ACCESSED, MODIFIED, ATTRIBUTES, COMMENT, PACKED_HEADER = range(18, 24)
UNIX_MODE, LONGEST_PATH = 0x8000, 4096  # what calls itself a symlink and is larger is read as a file
UNIX_EPOCH = 11_644_473_600  # seconds from 1601, where these times begin

COPY, BCJ2, AES = b"\0", b"\x03\x03\x01\x1b", b"\x06\xf1\x07\x01"
PACKERS: Mapping[bytes, Callable[[bytes, int], Codec]] = {
    b"\x21": lzma2,
    b"\x03\x01\x01": lzma1,
    b"\x04\x01\x08": lambda _, size: replace(DEFLATE, size=size),
    b"\x04\x01\x09": lambda _, size: Codec(Inflate64, size=size),
    b"\x04\x02\x02": lambda _, size: replace(BZIP2, magics=(b"BZh",), size=size),
    b"\x04\xf7\x11\x01": lambda _, size: replace(CODECS["application/zstd"], size=size),
}
FILTERS: Mapping[bytes, int] = {
    b"\x03": lzma.FILTER_DELTA,
    b"\x04": lzma.FILTER_X86, b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x05": lzma.FILTER_POWERPC, b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x06": lzma.FILTER_IA64, b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x07": lzma.FILTER_ARM, b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x08": lzma.FILTER_ARMTHUMB, b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x09": lzma.FILTER_SPARC, b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
}  # fmt: skip
NOT_READ = {b"\x03\x04\x01": "PPMd", b"\x0a": "ARM64", b"\x0b": "RISC-V", b"\x04\xf7\x11\x02": "Brotli",
            b"\x04\xf7\x11\x04": "LZ4"}  # fmt: skip
BRANCH = re.compile(rb"[\xe8\xe9]|\x0f[\x80-\x8f]", re.DOTALL)


def seven_zip_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in the archive's order. Raises Unreadable where its header cannot be read."""
    archive = _Archive(file, budget)
    header = _open(archive)
    yield from (Problem(b"", "damaged archive", doubt) for doubt in archive.doubts)
    if header is None:
        return
    places = _places(archive.streams)
    for number, found in enumerate(_files(header)):
        budget.member()
        yield _member(archive, number, found, next(places, None) if found.has_stream else None)
    if left := sum(1 for _ in places):
        yield Problem(b"", "damaged archive", f"{left} packed streams belong to no member")


def _member(archive: "_Archive", number: int, found: "_Found", place: "_Place | None") -> Entry | Problem:
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


def _kind(found: "_Found", place: "_Place | None") -> str:
    link = found.attributes & UNIX_MODE and stat.S_ISLNK(found.attributes >> 16)
    if link and (place is None or place.size <= LONGEST_PATH):
        return "symlink"
    if found.anti:
        return "special"
    return "file" if found.has_stream or found.no_bytes else "directory"


class _Bytes:
    """Takes a header apart. Raises Unreadable where it ends too early."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    @property
    def left(self) -> int:
        return len(self.raw) - self.at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise Unreadable("damaged archive", f"the 7z header breaks off at its byte {self.at}")
        self.at += length
        return self.raw[self.at - length : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def fixed(self, length: int) -> int:
        return int.from_bytes(self.take(length), "little")

    def number(self) -> int:
        """A number of one to nine bytes: the first byte's leading ones say how many follow."""
        first = self.byte()
        for more in range(8):
            if not first & 0x80 >> more:
                return self.fixed(more) + ((first & (0x80 >> more) - 1) << 8 * more)
        return self.fixed(8)

    def size(self) -> int:
        """A number of bytes that a file can have."""
        size = self.number()
        if size >> 62:
            raise Unreadable("damaged archive", f"the 7z header says that something has {size} bytes")
        return size

    def count(self) -> int:
        """A number of things that take at least a byte of header each."""
        count = self.number()
        if count > self.left:
            raise Unreadable("damaged archive", f"the 7z header counts up to {count} and has {self.left} bytes left")
        return count

    def few(self, most: int, what: str) -> int:
        count = self.number()
        if not 0 < count <= most:
            raise Unreadable("not supported", f"a 7z folder with {count} {what}")
        return count

    def expect(self, *kinds: int) -> int:
        kind = self.number()
        if kind not in kinds:
            raise Unreadable("damaged archive", f"the 7z header has a property {kind} where none such can stand")
        return kind

    def bits(self, count: int) -> "_Bits":
        return _Bits(self.take(-(-count // 8)))

    def bits_unless_all(self, count: int) -> "_Bits":
        return _Bits(None) if self.byte() else self.bits(count)

    def here(self) -> None:
        if self.byte():
            raise Unreadable("not supported", "a 7z header that keeps a part of itself elsewhere")


class _Bits:
    """A row of flags. Without bytes of its own every flag is set."""

    def __init__(self, raw: bytes | None) -> None:
        self._raw = raw

    def __getitem__(self, i: int) -> bool:
        return self._raw is None or bool(self._raw[i >> 3] & 0x80 >> (i & 7))


class _Coder(NamedTuple):
    method: bytes
    inputs: int
    properties: bytes


class _Chain(NamedTuple):
    """Coders and how they are joined: input → coder that feeds it, input → packed stream; `main` gives the result."""

    coders: tuple[_Coder, ...]
    bound: dict[int, int]
    packed: dict[int, int]
    main: int


class _Folder(NamedTuple):
    """Members that are packed together. `sizes`: what each coder unpacks to; `first`: its first packed stream."""

    chain: _Chain
    sizes: tuple[int, ...]
    first: int

    @property
    def size(self) -> int:
        return self.sizes[self.chain.main]


def _numbers() -> "array[int]":
    return array("Q")


@dataclass
class _Streams:
    """What a header says of packed bytes. A number each: `starts`, `lengths` of packed streams; `sums`, `counts` (of
    members) of folders; `pieces` (sizes), `piece_sums` of members. The sums are CRC-32, or NO_CHECKSUM.
    """

    starts: "array[int]" = field(default_factory=_numbers)
    lengths: "array[int]" = field(default_factory=_numbers)
    folders: list[_Folder] = field(default_factory=list)
    sums: "array[int]" = field(default_factory=_numbers)
    counts: "array[int]" = field(default_factory=_numbers)
    pieces: "array[int]" = field(default_factory=_numbers)
    piece_sums: "array[int]" = field(default_factory=_numbers)


def _streams(header: _Bytes) -> _Streams:
    streams = _Streams()
    kind = header.expect(PACKED, UNPACKED, SUBSTREAMS, END)
    if kind == PACKED:
        _packed(header, streams)
        kind = header.expect(UNPACKED, SUBSTREAMS, END)
    if kind == UNPACKED:
        _folders(header, streams)
        kind = header.expect(SUBSTREAMS, END)
    streams.counts = array("Q", [1]) * len(streams.folders)
    if kind == SUBSTREAMS:
        _substreams(header, streams)
        header.expect(END)
    else:
        _split(streams, None)
        streams.piece_sums = streams.sums
    return streams


def _packed(header: _Bytes, streams: _Streams) -> None:
    at, count = START + header.size(), header.count()
    while (kind := header.number()) != END:
        if kind == SIZES:
            for _ in range(count):
                streams.starts.append(at)
                streams.lengths.append(header.size())
                at = min(at + streams.lengths[-1], 1 << 62)
        elif kind == CHECKSUMS:
            _checksums(header, count)
        else:
            header.take(header.number())


def _checksums(header: _Bytes, count: int) -> "array[int]":
    known = header.bits_unless_all(count)
    return array("Q", (header.fixed(4) if known[i] else NO_CHECKSUM for i in range(count)))


def _folders(header: _Bytes, streams: _Streams) -> None:
    header.expect(FOLDER)
    count = header.count()
    if count > FOLDERS:
        raise Unreadable("too many", f"a 7z archive of {count} folders; the limit is {FOLDERS}")
    header.here()
    same: dict[bytes, _Chain] = {}
    chains = [_chain(header, same) for _ in range(count)]
    header.expect(CODER_SIZES)
    first = 0
    for chain in chains:
        streams.folders.append(_Folder(chain, tuple(header.size() for _ in chain.coders), first))
        first += len(chain.packed)
    if first > len(streams.starts):
        raise Unreadable("damaged archive", f"the 7z header needs {first} packed streams, not {len(streams.starts)}")
    streams.sums = array("Q", [NO_CHECKSUM]) * count
    while (kind := header.number()) != END:
        if kind == CHECKSUMS:
            streams.sums = _checksums(header, count)
        else:
            header.take(header.number())


def _chain(header: _Bytes, same: dict[bytes, _Chain]) -> _Chain:
    """One folder's coders. Most folders of an archive have equal ones: those are kept once."""
    begin = header.at
    coders = tuple(_coder(header) for _ in range(header.few(CODERS, "coders")))
    inputs = sum(coder.inputs for coder in coders)
    bound = {header.number(): header.number() for _ in coders[1:]}
    free = [i for i in range(inputs) if i not in bound]
    packed = free if len(free) == 1 else [header.number() for _ in free]
    key = header.raw[begin : header.at]
    if key not in same:
        ends = set(range(len(coders))) - set(bound.values())
        if len(ends) != 1 or sorted(packed) != free or max(bound, default=0) >= inputs:
            raise Unreadable("damaged archive", "the 7z header joins coders in a way that cannot be")
        same[key] = _Chain(coders, bound, {source: i for i, source in enumerate(packed)}, ends.pop())
    return same[key]


def _coder(header: _Bytes) -> _Coder:
    flags = header.byte()
    method = header.take(flags & 15)
    inputs, outputs = (header.few(INPUTS, "inputs"), header.number()) if flags & 0x10 else (1, 1)
    if outputs != 1 or flags & 0x80:
        raise Unreadable("not supported", f"a 7z coder {method.hex()} with {outputs} outputs")
    return _Coder(method, inputs, header.take(header.number()) if flags & 0x20 else b"")


def _substreams(header: _Bytes, streams: _Streams) -> None:
    kind = header.number()
    if kind == COUNTS:
        for i in range(len(streams.folders)):
            streams.counts[i] = header.count()
        kind = header.number()
    _split(streams, header if kind == SIZES else None)
    if kind == SIZES:
        kind = header.number()
    streams.piece_sums = array("Q", [NO_CHECKSUM]) * len(streams.pieces)
    unknown = _inherited(streams)
    while kind != END:
        if kind == CHECKSUMS:
            for place, found in zip(unknown, _checksums(header, len(unknown)), strict=True):
                streams.piece_sums[place] = found
        else:
            header.take(header.number())
        kind = header.number()


def _split(streams: _Streams, header: _Bytes | None) -> None:
    """The size of every member: all but the last of a folder are written down, the last has what is left."""
    for folder, count in zip(streams.folders, streams.counts, strict=True):
        left = folder.size
        for _ in range(count - 1):
            size = header.size() if header else left + 1
            if size > left:
                raise Unreadable("damaged archive", "the members of a 7z folder are larger than the folder")
            streams.pieces.append(size)
            left -= size
        if count:
            streams.pieces.append(left)


def _inherited(streams: _Streams) -> "array[int]":
    """Gives a folder's checksum to its only member. Returns the numbers of the members that have none yet."""
    unknown, at = _numbers(), 0
    for total, count in zip(streams.sums, streams.counts, strict=True):
        if count == 1 and total != NO_CHECKSUM:
            streams.piece_sums[at] = total
        else:
            unknown.extend(range(at, at + count))
        at += count
    return unknown


class _Place(NamedTuple):
    """Where a member's bytes stand: in which folder, from which byte of it on, how many, and their CRC-32."""

    folder: int
    start: int
    size: int
    checksum: int


def _places(streams: _Streams) -> Iterator[_Place]:
    number = 0
    for folder, count in enumerate(streams.counts):
        start = 0
        for _ in range(count):
            yield _Place(folder, start, streams.pieces[number], streams.piece_sums[number])
            start += streams.pieces[number]
            number += 1


class _Found(NamedTuple):
    """A member as the header describes it."""

    name: bytes | None
    has_stream: bool
    no_bytes: bool
    anti: bool
    attributes: int
    created: datetime | None
    accessed: datetime | None
    modified: datetime | None


def _files(header: _Bytes) -> Iterator[_Found]:
    """The members that a header names."""
    if not header.left or header.expect(FILES, END) == END:
        return
    count = header.count()
    kept: dict[int, _Bytes] = {}
    while (kind := header.number()) != END:
        kept[kind] = _Bytes(header.take(header.number()))
    bare = kept[NO_STREAM].bits(count) if NO_STREAM in kept else _Bits(bytes(-(-count // 8)))
    without = sum(bare[i] for i in range(count))
    no_bytes, anti = (kept[k].bits(without) if k in kept else _Bits(bytes(-(-without // 8))) for k in (NO_BYTES, ANTI))
    names = _names(kept[NAMES]) if NAMES in kept else iter(())
    attributes = _values(kept.get(ATTRIBUTES), 4, count)
    created, accessed, modified = (_values(kept.get(kind), 8, count) for kind in (CREATED, ACCESSED, MODIFIED))
    rank = 0
    for i in range(count):
        yield _Found(
            next(names, None), not bare[i], bare[i] and no_bytes[rank], bare[i] and anti[rank], next(attributes) or 0,
            _time(next(created)), _time(next(accessed)), _time(next(modified)),
        )  # fmt: skip
        rank += bare[i]


def _names(kept: _Bytes) -> Iterator[bytes]:
    """Names in UTF-16, each with a zero behind it, as UTF-8. A surrogate without its pair keeps three bytes."""
    kept.here()
    raw, at = kept.raw, kept.at
    while at < len(raw):
        end = raw.find(b"\0\0", at)
        while end >= 0 and (end - at) % 2:
            end = raw.find(b"\0\0", end + 1)
        if end < 0:
            return
        yield raw[at:end].decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
        at = end + 2


def _values(kept: _Bytes | None, length: int, count: int) -> Iterator[int | None]:
    """A number or None for each member."""
    if kept is None:
        yield from (None for _ in range(count))
        return
    known = kept.bits_unless_all(count)
    kept.here()
    for i in range(count):
        yield kept.fixed(length) if known[i] else None


def _time(since_1601: int | None) -> datetime | None:
    """A time given in units of 100 nanoseconds."""
    if not since_1601:
        return None
    seconds, rest = divmod(since_1601, 10_000_000)
    return utc(seconds - UNIX_EPOCH, rest * 100)


def _open(archive: "_Archive") -> _Bytes | None:
    """The header behind its description of packed bytes, unpacked as often as it was packed; None: no header."""
    raw = archive.last_header()
    for _ in range(NESTED):
        if not raw:
            return None
        header = _Bytes(raw)
        if header.expect(HEAD, PACKED_HEADER) == HEAD:
            archive.streams = _described(header)
            return header
        raw = archive.packed_header(header)
    raise Unreadable("damaged archive", f"the 7z header is packed more than {NESTED} times over")


def _described(header: _Bytes) -> _Streams:
    at, kind = header.at, header.number()
    if kind == ARCHIVE_PROPERTIES:
        while header.number() != END:
            header.take(header.number())
        at, kind = header.at, header.number()
    if kind == MORE_STREAMS:
        _streams(header)
        at, kind = header.at, header.number()
    if kind == MAIN_STREAMS:
        return _streams(header)
    header.at = at
    return _Streams()


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
        self.streams, self.doubts = _Streams(), list[str]()
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

    def packed_header(self, header: _Bytes) -> bytes:
        """A header that is itself packed."""
        self.streams = _streams(header)
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

    def read(self, place: _Place) -> Iterator[bytes]:
        """A member's bytes. Raises Unreadable where they break off, or do not fit their checksum."""
        checksum = 0
        for chunk in self._piece(place):
            checksum = zlib.crc32(chunk, checksum)
            yield chunk
        if place.checksum not in (NO_CHECKSUM, checksum):
            raise Unreadable("damaged", f"{place.size} bytes were unpacked; they do not fit their checksum")

    def _piece(self, place: _Place) -> Iterator[bytes]:
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

    def _take(self, place: _Place) -> _Run:
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
        return _Plumbing(self._file, self.streams, folder).output(folder.chain.main)


class _Plumbing:
    """Joins a folder's coders. Raises Unreadable for methods that are not read, and dictionaries that are too large."""

    def __init__(self, file: BinaryIO, streams: _Streams, folder: _Folder) -> None:
        self._file, self._streams, self._folder = file, streams, folder
        self._used: set[int] = set()
        self._window = 0

    def output(self, number: int) -> Iterator[bytes]:
        """What one coder unpacks to."""
        coder, size = self._folder.chain.coders[number], self._folder.sizes[number]
        if number in self._used:
            raise Unreadable("damaged archive", "the 7z header joins coders in a circle")
        self._used.add(number)
        first = sum(one.inputs for one in self._folder.chain.coders[:number])
        if coder.method == BCJ2 and coder.inputs == 4:
            return _bcj2([_Feed(self._input(first + i)) for i in range(4)], size)
        if coder.inputs == 1 and coder.method in PACKERS:
            return self._packer(coder, first, size)
        if coder.inputs == 1 and coder.method == COPY:
            return _cut(self._input(first), size)
        if coder.inputs == 1 and coder.method in FILTERS:
            return _filtered(_filter(coder), _cut(self._input(first), size))
        raise _refused(coder)

    def _input(self, number: int) -> Iterator[bytes]:
        chain = self._folder.chain
        return self.output(chain.bound[number]) if number in chain.bound else self._span(number).chunks()

    def _span(self, number: int) -> Span:
        stream = self._folder.first + self._folder.chain.packed[number]
        return Span(self._file, self._streams.starts[stream], self._streams.lengths[stream])

    def _packer(self, coder: _Coder, number: int, size: int) -> Iterator[bytes]:
        chain = self._folder.chain
        if number in chain.bound:
            below = chain.coders[chain.bound[number]]
            raise _refused(below if below.method == AES else coder, " on top of another method")
        codec = PACKERS[coder.method](coder.properties, size)
        self._window += codec.window
        if self._window > WINDOW:
            raise Unreadable(
                "too large", f"a 7z folder with dictionaries of {self._window} bytes; the limit is {WINDOW}"
            )
        return unpacked(self._span(number), codec)


def _refused(coder: _Coder, how: str = "") -> Unreadable:
    if coder.method == AES:
        return Unreadable("encrypted", "a 7z archive that needs a password")
    name = NOT_READ.get(coder.method) or f"method {coder.method.hex() or 'without a number'}"
    joined = f" of {coder.inputs} streams" if coder.inputs != 1 else how
    return Unreadable("not supported", f"7z: {name}{joined} is not read")


def _cut(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Not more than `size` bytes."""
    for chunk in chunks:
        if len(chunk) >= size:
            if size:
                yield chunk[:size]
            return
        size -= len(chunk)
        yield chunk


def _filter(coder: _Coder) -> list[dict[str, int]]:
    """liblzma's chain for a filter alone: it takes none without a packer, so the packer is one that does not pack."""
    kind, properties = FILTERS[coder.method], coder.properties
    if kind == lzma.FILTER_DELTA:
        options = {"dist": int.from_bytes(properties, "little") + 1}
    else:
        options = {"start_offset": int.from_bytes(properties, "little")}
    if len(properties) != (1 if kind == lzma.FILTER_DELTA else 4) and properties:
        raise Unreadable("damaged archive", "the properties of a 7z filter are none")
    return [{"id": kind, **options}, {"id": lzma.FILTER_LZMA2, "dict_size": 4096}]


def _filtered(chain: list[dict[str, int]], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, each in the frame of an LZMA2 chunk that is stored as it stands, through the filter."""
    machine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
    control, broken = b"\1", None
    try:
        for chunk in chunks:
            for at in range(0, len(chunk), PIECE):
                piece = chunk[at : at + PIECE]
                if ready := machine.decompress(control + (len(piece) - 1).to_bytes(2, "big") + piece):
                    yield ready
                control = b"\2"
    except Unreadable as error:
        broken = error
    if held := machine.decompress(b"\0"):
        yield held
    if broken:
        raise broken


class _Feed:
    """Takes bytes from chunks in the amounts that are wanted."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def some(self) -> bytes:
        """The bytes that come next; none at the end."""
        rest, self._rest = self._rest or next(self._chunks, b""), b""
        return rest

    def take(self, length: int) -> int:
        """A big-endian number of so many bytes."""
        while len(self._rest) < length:
            more = next(self._chunks, b"")
            if not more:
                raise Unreadable("truncated", "a side stream of BCJ2 ends early")
            self._rest += more
        number, self._rest = int.from_bytes(self._rest[:length], "big"), self._rest[length:]
        return number


class _Decisions:
    """The range coder of BCJ2 (LZMA SDK, Bcj2.c): for each branch, whether its target stands in a side stream."""

    def __init__(self, feed: _Feed) -> None:
        self._feed, self._range, self._code = feed, 0xFFFFFFFF, feed.take(5) & 0xFFFFFFFF
        self._odds = [1024] * 258

    def taken(self, which: int) -> bool:
        if self._range < 1 << 24:
            self._range, self._code = self._range << 8, (self._code << 8 | self._feed.take(1)) & 0xFFFFFFFF
        odds = self._odds[which]
        bound = (self._range >> 11) * odds
        if self._code < bound:
            self._range = bound
            self._odds[which] = odds + (2048 - odds >> 5)
            return False
        self._range, self._code = self._range - bound, self._code - bound
        self._odds[which] = odds - (odds >> 5)
        return True


def _bcj2(feeds: list[_Feed], size: int) -> Iterator[bytes]:
    """x86 code put together from its main stream and the targets of calls and jumps."""
    main, calls, jumps, code = feeds
    decisions, at, last = _Decisions(code), 0, 0
    broken: Unreadable | None = None
    while at < size and not broken and (piece := main.some()):
        ready, begin = bytearray(), 0
        try:
            while begin < len(piece) and at + len(ready) < size:
                end = _branch(piece, begin, last)
                before = piece[end - 2] if end - begin >= 2 else last
                ready += piece[begin : end or len(piece)]
                begin, last = end or len(piece), ready[-1]
                if end and at + len(ready) < size and decisions.taken({0xE8: 2 + before, 0xE9: 1}.get(last, 0)):
                    target = (calls if last == 0xE8 else jumps).take(4) - (at + len(ready) + 4) & 0xFFFFFFFF
                    ready += target.to_bytes(4, "little")
                    last = target >> 24
        except Unreadable as error:
            broken = error
        yield bytes(ready[: size - at])
        at += len(ready)
    if broken:
        raise broken


def _branch(piece: bytes, begin: int, last: int) -> int:
    """The end of the next branch instruction's opcode from `begin` on; 0 when there is none."""
    if last == 0x0F and 0x80 <= piece[begin] <= 0x8F:
        return begin + 1
    found = BRANCH.search(piece, begin)
    return found.end() if found else 0

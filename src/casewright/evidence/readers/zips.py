"""ZIP archives: members by the archive's directory, and by their own headers where the directory is lost or silent.

Format: PKWARE APPNOTE 6.3.10. The directory stands at the end; each member has a header of its own in front of its
bytes. A directory that is cut off costs nothing but times and the kinds of symlinks, and members that a directory does
not name are found in the gaps that it leaves.
"""

import re
import stat
import zlib
from array import array
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import BinaryIO, NamedTuple

from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import BZIP2, CODECS, DEFLATE, Codec, Inflate64, Span, lzma1, unpacked

STORED, DEFLATED, DEFLATED64, BZIPPED, LZMA, ZSTD, XZ = 0, 8, 9, 12, 14, 93, 95
METHODS = {1: "Shrink", 2: "Reduce", 3: "Reduce", 4: "Reduce", 5: "Reduce", 6: "Implode", 10: "PKWARE Implode",
           18: "IBM Terse", 19: "IBM LZ77", 94: "MP3", 96: "JPEG", 97: "WavPack", 98: "PPMd", 99: "AES"}  # fmt: skip
KNOWN = {STORED, DEFLATED, DEFLATED64, BZIPPED, LZMA, ZSTD, XZ, *METHODS}
ENCRYPTED_FLAG, DESCRIPTOR_FLAG = 0x1, 0x8
FULL16, FULL32 = 0xFFFF, 0xFFFFFFFF
LOCAL, LISTED, LAST, LAST64, WHERE64 = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
DESCRIPTOR, SPLIT = b"PK\x07\x08", (b"PK\x07\x08PK\x03\x04", b"PK\x07\x08PK\x01\x02")
MARK = re.compile(rb"PK(?:\x03\x04|\x01\x02|\x07\x08|\x06\x06)")
LOCAL_SIZE, LISTED_SIZE, LAST_SIZE = 30, 46, 22
MARKS, PASSES, LEAST = 1 << 22, 16, 1 << 12
EMPTY_DEFLATED, LONGEST_PATH = 2, 4096  # what calls itself a folder or a symlink and is larger is read as a file
AFF4 = {b"container.description", b"information.turtle"}


class _Listed(NamedTuple):
    """A member. `at`: where its own header begins; `packed` and `size` are -1 where nothing tells them (yet)."""

    name: bytes
    at: int
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    date: int = 0
    time: int = 0
    attributes: int = 0
    disk: int = 0


class _Directory(NamedTuple):
    """Where a directory stands, what must be added to its offsets, how many members it has and on which disk it is."""

    start: int
    end: int
    shift: int
    members: int
    disk: int


def zip_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in the order of the directory, then those that it does not name, in theirs."""
    size = file.seek(0, 2)
    directory = _directory(file, size)
    covered = _Covered()
    if directory:
        yield from _by_directory(file, directory, covered, budget)
    split = _read(file, 0, 8) in SPLIT or bool(directory and directory.disk)
    if split:
        yield Problem(b"", "not supported", "one part of a split ZIP archive; members in other parts are not in it")
    found = 0
    for one in _Search(file, size).members(covered.gaps(size)):
        budget.member()
        found += 1
        yield _member(file, one, budget)
    if not directory and not split:
        yield Problem(b"", "damaged archive", f"its directory is lost; {found} members were found by their own headers")
    elif found:
        what = f"{found} members are not in the archive's directory; they were found by their own headers"
        yield Problem(b"", "bytes left over", what)


def _by_directory(
    file: BinaryIO, directory: _Directory, covered: "_Covered", budget: Budget
) -> Iterator[Entry | Problem]:
    count = 0
    covered.add(directory.start, directory.end)
    _refuse_aff4(file, directory)
    for one in _entries(file, directory):
        count += 1
        budget.member()
        if one.disk != directory.disk:
            yield Problem(one.name, "content elsewhere", f"stands in part {one.disk + 1} of a split ZIP archive")
            continue
        if not covered.member(file, one):
            yield Problem(one.name, "damaged", f"no member begins at byte {one.at}, where the archive says")
            continue
        yield _member(file, one, budget)
    if count % (FULL16 + 1) != directory.members % (FULL16 + 1):  # writers without Zip64 count no further
        what = f"its directory should name {directory.members} members, and {count} can be read"
        yield Problem(b"", "damaged archive", what)


def _refuse_aff4(file: BinaryIO, directory: _Directory) -> None:
    for one, _ in zip(_entries(file, directory), range(4096), strict=False):
        if one.name in AFF4:
            raise Unreadable("not supported", "this is an AFF4 image, which is not read yet; it is no mere ZIP archive")


def _member(file: BinaryIO, one: _Listed, budget: Budget) -> Entry | Problem:
    if one.name.endswith(b"/") and one.size == 0 and one.packed <= EMPTY_DEFLATED:
        return Entry(one.name, "directory")
    if stat.S_ISLNK(one.attributes >> 16) and one.size <= LONGEST_PATH:
        return Entry(one.name, "symlink")
    if one.flags & ENCRYPTED_FLAG:
        return Problem(one.name, "encrypted", f"a member of {one.size} bytes that needs a password")
    if one.method not in (STORED, DEFLATED, DEFLATED64, BZIPPED, LZMA, ZSTD, XZ):
        said = METHODS.get(one.method, "unknown")
        return Problem(one.name, "not supported", f"ZIP compression method {one.method} ({said}) is not read")
    return Entry(one.name, "file", one.size, partial(_chunks, file, one, budget), modified=_time(one))


def _time(one: _Listed) -> datetime | None:
    """A time as MS-DOS keeps it, in two-second steps. It names no zone; kept as it stands."""
    day, month, year = one.date & 31, one.date >> 5 & 15, (one.date >> 9) + 1980
    try:
        return datetime(year, month, day, one.time >> 11, one.time >> 5 & 63, (one.time & 31) * 2)  # noqa: DTZ001
    except ValueError:
        return None


def _chunks(file: BinaryIO, one: _Listed, budget: Budget) -> Iterator[bytes]:
    span = _packed(file, one)
    plain = span.chunks() if one.method == STORED else unpacked(*_codec(span, one))
    checksum = size = 0
    for chunk in budget.charged(plain):
        checksum, size = zlib.crc32(chunk, checksum), size + len(chunk)
        yield chunk
    if one.size < 0:
        raise Unreadable("truncated", f"{size} bytes were unpacked; how many the member had is lost")
    if (checksum, size) != (one.checksum, one.size):
        raise Unreadable("damaged", f"{size} bytes were unpacked; checksum or size is not what the archive says")


def _codec(span: Span, one: _Listed) -> tuple[Span, Codec]:
    if one.method == LZMA:
        head = span.read(0, 9)
        if len(head) < 9 or head[2:4] != b"\5\0":
            raise Unreadable("damaged", "the properties of an LZMA stream are none")
        return Span(span.file, span.start + 9, span.size - 9), lzma1(head[4:], one.size if one.size >= 0 else 1 << 62)
    return span, {
        DEFLATED: DEFLATE,
        DEFLATED64: Codec(Inflate64, size=one.size if one.size >= 0 else None),
        BZIPPED: BZIP2,
        ZSTD: CODECS["application/zstd"],
        XZ: CODECS["application/x-xz"],
    }[one.method]


def _packed(file: BinaryIO, one: _Listed) -> Span:
    """Where the member's packed bytes lie, by its own header."""
    header = _read(file, one.at, LOCAL_SIZE)
    if len(header) < LOCAL_SIZE or header[:4] != LOCAL:
        raise Unreadable("damaged", f"no member begins at byte {one.at}, where the archive says")
    start = one.at + LOCAL_SIZE + _u16(header, 26) + _u16(header, 28)
    return Span(file, start, one.packed)


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _u16(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 2], "little")


def _u32(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 4], "little")


def _u64(raw: bytes, at: int) -> int:
    return int.from_bytes(raw[at : at + 8], "little")


def _directory(file: BinaryIO, size: int) -> _Directory | None:
    """The directory that the last end record tells of; None when there is none, or nothing stands where it says."""
    begin = max(0, size - LAST_SIZE - FULL16)
    tail = _read(file, begin, LAST_SIZE + FULL16)
    at = len(tail)
    while (at := tail.rfind(LAST, 0, at)) >= 0:
        record = tail[at : at + LAST_SIZE]
        if len(record) == LAST_SIZE and (found := _told(file, begin + at, record)):
            return found
    return None


def _told(file: BinaryIO, at: int, record: bytes) -> _Directory | None:
    disk, count, length, offset = _u16(record, 4), _u16(record, 10), _u32(record, 12), _u32(record, 16)
    end = at
    if at >= 20 and (where := _read(file, at - 20, 20))[:4] == WHERE64:
        for place in (_u64(where, 8), at - 20 - 56):
            last = _read(file, place, 56) if 0 <= place <= at - 76 else b""
            if last[:4] == LAST64:
                end, disk, count, length, offset = place, _u32(last, 16), _u64(last, 32), _u64(last, 40), _u64(last, 48)
                break
    # bytes in front of the archive shift all offsets, unless whoever put them there corrected the offsets
    for start in (end - length, offset):
        if 0 <= start <= end and (length == 0 or _read(file, start, 4) == LISTED):
            return _Directory(start, end, start - offset if not disk else 0, count, disk)
    return None


def _entries(file: BinaryIO, directory: _Directory) -> Iterator[_Listed]:
    """What the directory names, as far as it can be read."""
    at, window, begin = directory.start, b"", directory.start
    while at + LISTED_SIZE <= directory.end:
        if at + LISTED_SIZE + 3 * FULL16 > begin + len(window) < directory.end:
            window, begin = _read(file, at, min(CHUNK, directory.end - at)), at
        raw = window[at - begin : at - begin + LISTED_SIZE]
        if raw[:4] != LISTED or len(raw) < LISTED_SIZE:
            return
        name, extra = at + LISTED_SIZE, at + LISTED_SIZE + _u16(raw, 28)
        behind = extra + _u16(raw, 30)
        at = behind + _u16(raw, 32)
        if at > directory.end:
            return
        yield _listed(raw, window[name - begin : extra - begin], window[extra - begin : behind - begin], directory)


def _listed(raw: bytes, name: bytes, extra: bytes, directory: _Directory) -> _Listed:
    size, packed, offset, disk = _u32(raw, 24), _u32(raw, 20), _u32(raw, 42), _u16(raw, 34)
    wide = _wide(extra)
    size = next(wide, size) if size == FULL32 else size
    packed = next(wide, packed) if packed == FULL32 else packed
    offset = next(wide, offset) if offset == FULL32 else offset
    disk = next(wide, disk) & FULL32 if disk == FULL16 else disk
    return _Listed(
        name, offset + directory.shift, _u16(raw, 8), _u16(raw, 10), _u32(raw, 16), packed, size,
        _u16(raw, 14), _u16(raw, 12), _u32(raw, 38), disk,
    )  # fmt: skip


def _wide(extra: bytes) -> Iterator[int]:
    """The eight-byte numbers of the Zip64 extra field; the last may be shorter."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = _u16(extra, at), _u16(extra, at + 2)
        if kind == 1:
            field = extra[at + 4 : at + 4 + length]
            yield from (_u64(field, i) for i in range(0, len(field), 8))
            return
        at += 4 + length


class _Covered:
    """The stretches of the archive that its directory accounts for."""

    def __init__(self) -> None:
        self._starts, self._ends = array("Q"), array("Q")

    def add(self, start: int, end: int) -> None:
        self._starts.append(start)
        self._ends.append(max(start, end))

    def member(self, file: BinaryIO, one: _Listed) -> bool:
        """Counts a member in. False when none begins where the directory says."""
        if not 0 <= one.at < 1 << 62 or one.packed >> 62:
            return False
        header = _read(file, one.at, LOCAL_SIZE)
        if len(header) < LOCAL_SIZE or header[:4] != LOCAL:
            return False
        self.add(one.at, one.at + LOCAL_SIZE + _u16(header, 26) + _u16(header, 28) + one.packed)
        return True

    def gaps(self, size: int) -> Iterator[tuple[int, int]]:
        """(start, end) of what is left of `size` bytes, where a member could be."""
        reached = 0
        for start, end in sorted(zip(self._starts, self._ends, strict=True)):
            if start - reached > LOCAL_SIZE:
                yield reached, start
            reached = max(reached, end)
        if size - reached > LOCAL_SIZE:
            yield reached, size


class _Search:
    """Finds members by their own headers. Raises Unreadable when it would take many more than `PASSES` readings."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file, self._bytes_left, self._marks_left = file, PASSES * (size + CHUNK), MARKS

    def members(self, gaps: Iterator[tuple[int, int]]) -> Iterator[_Listed]:
        for start, end in gaps:
            at = start
            while (found := self._next(at, end)) is not None:
                one = self._closed(found, end)
                self._bytes_left += 4 * LEAST
                yield one
                body = _packed(self._file, one)
                # a member that says it goes on behind the end does not hide what stands before it
                at = body.start + (body.size if body.start + body.size <= end else 0)

    def _next(self, start: int, end: int) -> _Listed | None:
        for at, sign in self._marks(start, end):
            if sign == LOCAL and (one := _headed(self._file, at, end)):
                return one
        return None

    def _closed(self, one: _Listed, end: int) -> _Listed:
        """The member with sizes and checksum, taken from behind its bytes when its header has none.

        Where nothing behind them fits, it goes on to the next member or the end, and its checksum stays unknown.
        """
        if one.packed >= 0:
            return one
        body, next_one = _packed(self._file, one).start, end
        for at, sign in self._marks(body, end):
            if found := _description(self._file, at, sign, at - body):
                return one._replace(checksum=found[0], packed=found[1], size=found[2])
            if next_one == end and sign == LOCAL and _headed(self._file, at, end):
                next_one = at
        return one._replace(packed=next_one - body)

    def _marks(self, start: int, end: int) -> Iterator[tuple[int, bytes]]:
        """Every place in the stretch where a signature stands that can begin or end a member."""
        length = LEAST
        while start < end:
            piece = _read(self._file, start, min(length, end - start))
            self._bytes_left -= len(piece)
            for found in MARK.finditer(piece):
                self._marks_left -= 1
                yield start + found.start(), found[0]
            if self._bytes_left < 0 or self._marks_left < 0:
                raise Unreadable("too many", "looking for members by their own headers was given up: too many begin")
            if start + len(piece) >= end or len(piece) < length:
                return
            start, length = start + length - 3, min(CHUNK, length * 4)


def _headed(file: BinaryIO, at: int, end: int) -> _Listed | None:
    """The member whose own header stands at `at`; None when these bytes are no such header."""
    raw = _read(file, at, LOCAL_SIZE)
    if len(raw) < LOCAL_SIZE or raw[4] > 63 or _u16(raw, 8) not in KNOWN:
        return None
    length = _u16(raw, 26)
    behind = _read(file, at + LOCAL_SIZE, length + _u16(raw, 28))
    name, wide = behind[:length], _wide(behind[length:])
    if not name or b"\0" in name or at + LOCAL_SIZE + length + _u16(raw, 28) > end:
        return None
    size, packed = _u32(raw, 22), _u32(raw, 18)
    size = next(wide, size) if size == FULL32 else size
    packed = next(wide, packed) if packed == FULL32 else packed
    if (_u16(raw, 6) & DESCRIPTOR_FLAG and not packed) or packed >> 62:
        packed = size = -1
    return _Listed(name, at, _u16(raw, 6), _u16(raw, 8), _u32(raw, 14), packed, size, _u16(raw, 12), _u16(raw, 10))


def _description(file: BinaryIO, at: int, sign: bytes, length: int) -> tuple[int, int, int] | None:
    """Checksum, packed size and size as they stand behind a member's bytes; None when these are no such numbers.

    They fit when the packed size is how far the member begins before them. They may come without their signature, and
    then end where the next thing begins. The sizes have four bytes or eight: what stands behind them decides.
    """
    fitting = []
    for wide in (4, 8):
        behind = 4 if sign == DESCRIPTOR else -4 - 2 * wide
        raw = _read(file, at + behind, 8 + 2 * wide) if length + behind >= 0 else b""
        packed, size = (int.from_bytes(raw[i : i + wide], "little") for i in (4, 4 + wide))
        if len(raw) >= 4 + 2 * wide and packed == length + min(0, behind):
            fitting.append((raw[4 + 2 * wide :][:2] not in (b"", b"PK"), _u32(raw, 0), packed, size))
    return min(fitting)[1:] if fitting else None

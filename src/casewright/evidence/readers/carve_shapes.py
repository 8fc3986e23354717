"""How long a picture or a video is, by its own structure: one function a format.

Each takes a view of the disk and the byte where the format's signature stands, and gives the shape of what begins
there, or None where nothing beyond the signature fits. Nothing is decoded here. A shape is `whole` if its structure
reaches its own end. Otherwise `length` says how far the structure could be followed: the true end may lie before it.

Sources: JPEG: ITU-T T.81, annex B; PNG: W3C PNG (third edition) section 5; GIF: GIF89a specification; WebP: RFC 9649;
AVI: Microsoft, AVI RIFF file reference, and OpenDML 1.02; BMP: Microsoft, bitmap storage; TIFF: revision 6.0;
MP4: ISO/IEC 14496-12, and Apple, QuickTime file format; Matroska: RFC 8794 and RFC 9559.
"""

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk

MOST_PICTURE = 256 << 20
"""Bytes that a picture may have."""
MOST_PARTS = 1 << 20
"""Segments, chunks, blocks or boxes that are followed in one picture or video."""
MOST_INFLATED = 1 << 30
"""Bytes that a broken PNG's data are inflated to, to see where they end."""
PIECE = 1 << 20
CACHED = 1 << 14
ZEROS = 4096
"""Zeros in a row that hardly belong to compressed data."""


@dataclass(frozen=True)
class Shape:
    """What begins at a byte of the disk. `body`: how many bytes its header has, before the picture itself begins.

    `length` is 0 where the header is there and nothing that could be decoded follows.
    """

    mime: str
    length: int
    whole: bool
    body: int = 0


class View:
    """The bytes of a disk up to a byte of it. What cannot be read counts as not there. `spent`: bytes read so far."""

    def __init__(self, disk: Disk, end: int) -> None:
        self.disk, self.end, self.spent = disk, end, 0
        self._at, self._block = 0, b""

    def read(self, at: int, length: int) -> bytes:
        """So many bytes, fewer where the view ends or the disk does not give them."""
        length = max(0, min(length, self.end - at))
        self.spent += length
        if length > CACHED:
            return self._from_disk(at, length)
        if not self._at <= at <= at + length <= self._at + len(self._block):
            self._at, self._block = at, self._from_disk(at, min(CACHED, self.end - at))
            self.spent += len(self._block)
        return self._block[at - self._at : at - self._at + length]

    def number(self, at: int, length: int) -> int:
        """A big-endian number; 0 where the view ends before it does."""
        raw = self.read(at, length)
        return int.from_bytes(raw, "big") if len(raw) == length else 0

    def _from_disk(self, at: int, length: int) -> bytes:
        """What can be read up to the first sector that cannot, by halves: at most about twice as much is read."""
        try:
            return self.disk.read(at, length)
        except Unreadable:
            if length <= SECTOR:
                return b""
        half = -(-length // (2 * SECTOR)) * SECTOR
        first = self._from_disk(at, half)
        return first if len(first) < half else first + self._from_disk(at + half, length - half)


JPEG_MARK = re.compile(rb"\xff[^\0]")
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
MOST_SCANS, MOST_SCANNED = 500, 16 * 300_000_000
"""Scans of a JPEG, and pixels times scans: each scan goes over the whole picture, however few bytes it has."""
JPEG_TABLES = {0xC4: 4 * 273 + 2, 0xCC: 66, 0xDA: 14, 0xDB: 4 * 129 + 2, 0xDC: 4, 0xDD: 4}
"""What may follow a scan, and the most bytes it may have."""
JPEG_SEGMENTS = JPEG_FRAMES | frozenset(range(0xE0, 0xF0)) | {0xC4, 0xCC, 0xDA, 0xDB, 0xDC, 0xDD, 0xFE}


def jpeg(view: View, at: int) -> Shape | None:
    """Segments by their lengths, scans up to the next marker, to the end of the image. Segments hold thumbnails."""
    limit = min(view.end, at + MOST_PICTURE)
    place, body, interval, has_frame, pixels, scans = at + 2, 0, 0, False, 0, 0
    for _ in range(MOST_PARTS):
        mark, place = _jpeg_mark(view, place)
        if mark == 0xD9 and body:
            return Shape("image/jpeg", place - at, True, body)
        length = view.number(place, 2)
        if not 2 <= length <= (JPEG_TABLES.get(mark, 0) if body else 0xFFFF * (mark in JPEG_SEGMENTS)):
            place -= 2
            break
        if mark in JPEG_FRAMES:
            has_frame = length == 8 + 3 * view.number(place + 7, 1) > 8
            pixels = view.number(place + 3, 2) * view.number(place + 5, 2)
        elif mark == 0xDD:
            interval = view.number(place + 2, 2)
        elif mark == 0xDA:
            if not has_frame or length != 6 + 2 * view.number(place + 2, 1):
                place -= 2
                break
            body, scans = body or place + length - at, scans + 1
            if scans > MOST_SCANS or scans * pixels > MOST_SCANNED:
                place -= 2  # what stands before this scan is still a picture
                break
            place, is_next = _jpeg_scan(view, place + length, limit, interval > 0)
            if not is_next:
                break
            continue
        place += length
    place = min(place, limit)
    return Shape("image/jpeg", place - at if body else 0, False, body) if has_frame else None


def _jpeg_mark(view: View, place: int) -> tuple[int, int]:
    """The marker that begins here, after at most 64 fill bytes, and the byte behind it; 0 where none begins."""
    raw = view.read(place, 66)
    fill = len(raw) - len(raw.lstrip(b"\xff"))
    return (raw[fill], place + fill + 1) if 0 < fill < len(raw) else (0, place + 2)


def _jpeg_scan(view: View, place: int, limit: int, restarts: bool) -> tuple[int, bool]:
    """The byte at which entropy-coded data end, and whether another marker stands there, so that reading goes on.

    Restart markers count round from 0 to 7, and stand there only if an interval for them was defined.
    """
    due = 0
    while place < limit:
        piece = view.read(place, min(PIECE, limit - place))
        if not piece.strip(b"\0"):
            return place, False
        for found in JPEG_MARK.finditer(piece):
            mark = piece[found.start() + 1]
            if mark == 0xD0 + due and restarts:
                due = (due + 1) % 8
            elif 0xD0 <= mark <= 0xD7:
                return place + found.start(), False
            else:
                return place + found.start(), True
        place += len(piece) - (piece[-1:] == b"\xff" and len(piece) > 1)
        if piece == b"\xff":
            break
    return place, False


PNG_HEAD = struct.Struct(">8xI4sIIBBBBBI")
PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


def png(view: View, at: int) -> Shape | None:
    """Chunks, each with its checksum, to the one that ends the picture."""
    if not _png_header(view.read(at, PNG_HEAD.size)):
        return None
    limit, place, data = min(view.end, at + MOST_PICTURE), at + 33, 0
    for _ in range(MOST_PARTS):
        length, kind = view.number(place, 4), view.read(place + 4, 4)
        if length >= 1 << 31 or len(kind) < 4 or not kind.isalpha():
            break
        if kind == b"IDAT":
            data = data or place - at
        end = place + 12 + length
        if end > limit or not _png_checks(view, place, length):
            place = _png_stands(view, at, at + data, place, min(end, limit)) if kind == b"IDAT" else place
            break
        place = end
        if kind == b"IEND" and data:
            return Shape("image/png", place - at, True, data)
    return Shape("image/png", place - at if data else 0, False, data)


def _png_header(raw: bytes) -> bool:
    if len(raw) < PNG_HEAD.size:
        return False
    length, kind, width, height, depth, colour, _, _, _, check = PNG_HEAD.unpack(raw)
    fits = (length, kind) == (13, b"IHDR") and width and height and depth in PNG_DEPTHS.get(colour, ())
    return bool(fits) and zlib.crc32(raw[12:29]) == check


def _png_checks(view: View, place: int, length: int) -> bool:
    """Whether a chunk holds its checksum."""
    check, at, end = 0, place + 4, place + 8 + length
    while at < end:
        piece = view.read(at, min(PIECE, end - at))
        if not piece:
            return False
        check, at = zlib.crc32(piece, check), at + len(piece)
    return view.read(end, 4) == check.to_bytes(4, "big")


def _png_stands(view: View, at: int, first: int, broken: int, end: int) -> int:
    """How far the data may reach into the chunk whose checksum fails. A long run of zeros inflates to rows, too, but is
    more likely what lies on the disk behind a picture cut short."""
    end = _png_reach(view, at, first, end)
    for place in range(broken + 8, end, PIECE - ZEROS):
        found = view.read(place, min(PIECE, end - place)).find(bytes(ZEROS))
        if found >= 0:
            return place + found
    return end


def _png_reach(view: View, at: int, place: int, end: int) -> int:
    """The byte, within 1 KiB, up to which the data from the chunk at `place` on inflate to rows: each of these begins
    with the number of its filter, 0 to 4."""
    stream, rows = zlib.decompressobj(), _PngRows(view.read(at, PNG_HEAD.size))
    while place < end:
        chunk = min(place + 8 + view.number(place, 4), end)
        for part in range(place + 8, chunk, 1024):
            taken = rows.taken
            go_on = _png_inflates(stream, rows, view.read(part, min(1024, chunk - part)))
            view.spent += rows.taken - taken
            if not go_on:
                return min(part + 1024, chunk)
        place = chunk + 4
    return end


def _png_inflates(stream: "zlib._Decompress", rows: "_PngRows", piece: bytes) -> bool:
    """Whether these bytes go on with the picture's data, and more is due."""
    try:
        while piece and rows.go_on:
            rows.take(stream.decompress(piece, PIECE))
            piece = stream.unconsumed_tail
    except zlib.error:
        return False
    return rows.go_on and not stream.eof


PNG_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Where the pixels of each pass of an interlaced picture begin, and how far apart they are, across and down."""
PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


class _PngRows:
    """Takes a picture's inflated data, piece by piece; `go_on` while they can be its rows, and some are missing."""

    def __init__(self, header: bytes) -> None:
        _, _, width, height, depth, colour, _, _, interlaced, _ = PNG_HEAD.unpack(header)
        self.taken, self.go_on = 0, True
        self._passes, begin = [], 0
        for left, top, across, down in PNG_PASSES if interlaced else ((0, 0, 1, 1),):
            columns, rows = -(-(width - left) // across), -(-(height - top) // down)
            if columns > 0 and rows > 0:
                stride = 1 + (columns * depth * PNG_CHANNELS[colour] + 7) // 8
                self._passes.append((begin, stride, begin := begin + stride * rows))
        self._all = min(begin, MOST_INFLATED)

    def take(self, data: bytes) -> None:
        first, last = self.taken, self.taken + len(data)
        for begin, stride, end in self._passes:
            start = max(begin, begin - (begin - first) // stride * stride)
            if data[max(0, start - first) : max(0, min(last, end) - first) : stride].strip(b"\0\1\2\3\4"):
                self.go_on = False
        self.taken = last
        self.go_on = self.go_on and last < self._all


def gif(view: View, at: int) -> Shape | None:
    """Blocks to the trailer."""
    head = view.read(at, 13)
    if len(head) < 13 or not all(struct.unpack("<HH", head[6:10])):
        return None
    limit, body = min(view.end, at + MOST_PICTURE), 0
    place = at + 13 + _colours(head[10])
    for _ in range(MOST_PARTS):
        block = view.read(place, 10)
        if block[:1] == b"\x3b" and body:
            return Shape("image/gif", place + 1 - at, True, body)
        if block[:1] == b"\x21":
            place = _gif_blocks(view, place + 2, limit)
        elif len(block) == 10 and block[0] == 0x2C:
            start = place + 10 + _colours(block[9])
            if not 1 <= view.number(start, 1) <= 11:
                break
            body = body or start + 1 - at
            place = _gif_blocks(view, start + 1, limit)
        else:
            break
    place = min(place, limit)
    return Shape("image/gif", place - at, False, body) if body and place > at + body else None


def _colours(flags: int) -> int:
    """How many bytes of colours follow."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _gif_blocks(view: View, place: int, limit: int) -> int:
    """The byte behind a chain of sub-blocks. Each has one byte of length; an empty one ends the chain."""
    while place < limit:
        size = view.number(place, 1)
        place += 1 + size
        if not size:
            break
    return place


RIFF_KINDS = {b"WEBP": ("image/webp", (b"VP8 ", b"VP8L", b"VP8X")), b"AVI ": ("video/x-msvideo", (b"LIST", b"JUNK"))}


def riff(view: View, at: int) -> Shape | None:
    """One form by its size; of a long AVI also the further forms that follow it."""
    head = view.read(at, 16)
    mime, firsts = RIFF_KINDS.get(head[8:12], ("", ()))
    if head[12:16] not in firsts:
        return None
    length, kind = 0, head
    for _ in range(MOST_PARTS):
        size = int.from_bytes(kind[4:8], "little")
        if size < 4:
            break
        length += 8 + size + size % 2
        kind = view.read(at + length, 12)
        if mime == "image/webp" or kind[:4] + kind[8:12] != b"RIFFAVIX":
            break
    if not length or (mime == "image/webp" and length > MOST_PICTURE):
        return None
    return Shape(mime, min(length, view.end - at), at + length <= view.end, 0)


BMP_CORE, BMP_HEADERS = 12, (12, 40, 52, 56, 64, 108, 124)
BMP_DEPTHS = (1, 2, 4, 8, 16, 24, 32)


def bmp(view: View, at: int) -> Shape | None:
    """The size that the header states, held against the size of the picture that it describes."""
    head = view.read(at, 38).ljust(38, b"\0")
    stated, start, header = struct.unpack("<2xI4xII", head[:18])
    if header == BMP_CORE:
        width, height, planes, depth = struct.unpack("<HHHH", head[18:26])
        packing, packed = 0, 0
    else:
        width, height, planes, depth, packing, packed = struct.unpack("<iiHHII", head[18:38])
    if planes != 1 or depth not in BMP_DEPTHS or packing > 3 or width <= 0 or not height:
        return None
    if not 14 + header <= start <= 14 + header + 4 * 256 + 4096 or header not in BMP_HEADERS:
        return None
    rows = packed if packing in (1, 2) else (width * depth + 31) // 32 * 4 * abs(height)
    length = start + rows
    if length <= stated <= length + 4096:  # some writers pad the end
        length = stated
    if not rows or length > MOST_PICTURE:
        return None
    return Shape("image/bmp", min(length, view.end - at), at + length <= view.end, start)


TIFF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
TIFF_STRETCHES = ((0x111, 0x117), (0x144, 0x145), (0x201, 0x202))
"""Tags whose values are offsets, and those whose values are the lengths there: strips, tiles, an embedded JPEG."""
TIFF_BELOW = (0x14A, 0x8769, 0x8825)
TIFF_DIRECTORIES = 256


def tiff(view: View, at: int) -> Shape | None:
    """The farthest byte that any directory, value, strip or tile of it has."""
    order = "<" if view.read(at, 2) == b"II" else ">"
    farthest, waiting, known, has_picture = 8, [_tiff_number(view.read(at + 4, 4), order)], set[int](), False
    while waiting:
        offset = waiting.pop()
        if offset in known or len(known) >= TIFF_DIRECTORIES:
            continue
        known.add(offset)
        tags, end, following = _tiff_directory(view, at, offset, order)
        if not end:
            return None
        waiting += [o for o in [following, *(o for tag in TIFF_BELOW for o in tags.get(tag, ()))] if o]
        reaches = [o + n for a, b in TIFF_STRETCHES for o, n in zip(tags.get(a, ()), tags.get(b, ()), strict=False)]
        has_picture = has_picture or bool(reaches and tags.get(0x100) and tags.get(0x101))
        farthest = max(farthest, end, *reaches, 0)
    if not has_picture or farthest > MOST_PICTURE:
        return None
    return Shape("image/tiff", min(farthest, view.end - at), at + farthest <= view.end, 8)


def _tiff_number(raw: bytes, order: str) -> int:
    return int.from_bytes(raw, "little" if order == "<" else "big")


def _tiff_directory(view: View, at: int, offset: int, order: str) -> tuple[dict[int, tuple[int, ...]], int, int]:
    """The tags that matter, the farthest byte of the directory and its values, and the next directory's offset."""
    count = _tiff_number(view.read(at + offset, 2), order)
    raw = view.read(at + offset + 2, 12 * count + 4)
    if not 0 < count <= 4096 or offset < 8 or len(raw) < 12 * count + 4:
        return {}, 0, 0
    tags, end = {}, offset + 6 + 12 * count
    for i in range(0, 12 * count, 12):
        tag, kind, many = struct.unpack_from(order + "HHI", raw, i)
        size = TIFF_SIZES.get(kind, 0) * many
        if not size or size > MOST_PICTURE:
            return {}, 0, 0
        place = _tiff_number(raw[i + 8 : i + 12], order)
        end = max(end, place + size if size > 4 else 0)
        if kind in (3, 4, 13) and many <= MOST_PARTS and (tag in TIFF_BELOW or tag in (0x100, 0x101) or _is_reach(tag)):
            values = view.read(at + place, size) if size > 4 else raw[i + 8 : i + 8 + size]
            tags[tag] = (
                struct.unpack(f"{order}{many}{'H' if kind == 3 else 'I'}", values) if len(values) == size else ()
            )
    return tags, end, _tiff_number(raw[-4:], order)


def _is_reach(tag: int) -> bool:
    return any(tag in pair for pair in TIFF_STRETCHES)


BOXES = frozenset(
    b"ftyp styp moov mdat moof mfra meta free skip wide uuid sidx ssix emsg prft pdin udta pnot PICT junk idat".split()
)
BRANDS = {b"qt  ": "video/quicktime", b"heic": "image/heic", b"heix": "image/heic", b"mif1": "image/heic",
          b"avif": "image/avif"}  # fmt: skip
SOUND_BRANDS = (b"M4A ", b"M4B ", b"M4P ")


def boxes(view: View, at: int) -> Shape | None:
    """Boxes by their sizes, as long as their types are known ones, or letters while the film is not complete yet.

    A box whose size is "to the end of the file" has no end that could be known here, and is not followed.
    """
    mime = BRANDS.get(view.read(at + 8, 4), "video/mp4")
    if view.read(at + 4, 4) != b"ftyp":
        mime = "video/quicktime"
    elif view.read(at + 8, 4) in SOUND_BRANDS:
        return None
    needed = {b"meta"} if mime.startswith("image/") else {b"moov", b"mdat"}
    place, seen, complete = at, set[bytes](), at
    for _ in range(MOST_PARTS):
        size, kind, head = _box(view, place)
        begins_anew = kind in seen and kind in (b"ftyp", b"moov")
        letters = len(kind) == 4 and all(0x20 <= c < 0x7F for c in kind) and not needed <= seen
        if size < head or begins_anew or not (kind in BOXES or letters):
            place = complete if begins_anew and kind == b"moov" else place  # some boxes before it are not ours either
            break
        if place + size > view.end and kind == b"mdat" and needed <= seen | {kind} and place + head < view.end:
            return Shape(mime, view.end - at, False)
        if place + size > view.end:
            break
        place, seen = place + size, seen | {kind}
        complete = place if complete == at and needed <= seen else complete
    if not seen or (mime.startswith("image/") and place - at > MOST_PICTURE):
        return None
    return Shape(mime, place - at if needed <= seen else 0, needed <= seen)


def bare_boxes(view: View, at: int) -> Shape | None:
    """The boxes of an old QuickTime film, which does not say what it is."""
    return boxes(view, at)


def _box(view: View, place: int) -> tuple[int, bytes, int]:
    """A box's size, its type, and the size of its own header."""
    size, kind = view.number(place, 4), view.read(place + 4, 4)
    return (view.number(place + 8, 8), kind, 16) if size == 1 else (size, kind, 8)


EBML_KINDS = {b"matroska": "video/x-matroska", b"webm": "video/webm"}
SEGMENT, VOID, DOCTYPE = 0x18538067, 0xEC, 0x4282


def ebml(view: View, at: int) -> Shape | None:
    """The header, then one segment by its size. A segment of unknown size has no end that could be known here."""
    _, start, size = _element(view, at)
    if size is None or not 0 < size <= 4096:
        return None
    place, end, mime = start, start + size, None
    while place < end:
        kind, start, size = _element(view, place)
        if size is None or start + size > end:
            return None
        if kind == DOCTYPE:
            mime = EBML_KINDS.get(view.read(start, size).rstrip(b"\0"))
        place = start + size
    kind, start, size = _element(view, place)
    while kind == VOID and size is not None and size <= 1 << 16 and place < end + (1 << 20):
        place = start + size
        kind, start, size = _element(view, place)
    if mime is None or kind != SEGMENT:
        return None
    if size is None or start >= view.end:
        return Shape(mime, 0, False)
    return Shape(mime, min(start + size, view.end) - at, start + size <= view.end)


def _element(view: View, place: int) -> tuple[int, int, int | None]:
    """An element's id, the byte where its content begins, and its size; None where that is unknown or senseless."""
    id_length = 9 - view.number(place, 1).bit_length()
    length = 9 - view.number(place + id_length, 1).bit_length()
    if id_length > 4 or length > 8:
        return 0, place, None
    raw = view.number(place + id_length, length)
    size = raw & (1 << 7 * length) - 1
    return view.number(place, id_length), place + id_length + length, None if size == (1 << 7 * length) - 1 else size


Follow = Callable[[View, int], Shape | None]
_ANY = tuple(range(256))
_AFTER_START = tuple(sorted(JPEG_SEGMENTS - {0xDA}))


@dataclass(frozen=True)
class Signature:
    """How a format begins: `probe`, four bytes (each one of some) that stand `offset` bytes behind its beginning, found
    fast, and `pattern`, what must hold of its first bytes, besides."""

    offset: int
    probe: tuple[tuple[int, ...], ...]
    pattern: re.Pattern[bytes]
    follow: Follow

    def pairs(self, first: int) -> list[int]:
        """The values of two bytes of the probe, as a little-endian number."""
        return [low | high << 8 for low, high in product(self.probe[first], self.probe[first + 1])]


def _signature(offset: int, probe: bytes, pattern: bytes, follow: Follow) -> Signature:
    return Signature(offset, tuple((byte,) for byte in probe), re.compile(pattern, re.DOTALL), follow)


SIGNATURES = (
    Signature(0, ((0xFF,), (0xD8,), (0xFF,), _AFTER_START), re.compile(b""), jpeg),
    _signature(0, b"\x89PNG", rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", png),
    _signature(0, b"GIF8", rb"GIF8[79]a", gif),
    _signature(0, b"RIFF", rb"RIFF.{4}(?:WEBPVP8[ LX]|AVI (?:LIST|JUNK))", riff),
    Signature(0, ((0x42,), (0x4D,), _ANY, _ANY), re.compile(rb"BM.{4}\0{4}.{3}\0[\x0c(48@l|]\0\0\0", re.DOTALL), bmp),
    _signature(4, b"ftyp", rb"\0\0[\0-\x0f].ftyp[ -~]{4}", boxes),
    _signature(4, b"wide", rb"\0\0\0\x08wide.{4}mdat", bare_boxes),
    _signature(4, b"moov", rb"\0.{3}moov.{4}mvhd", bare_boxes),
    _signature(0, b"\x1a\x45\xdf\xa3", b"", ebml),
    _signature(0, b"II*\0", rb"II\*\0.{3}[\0-\x0f]", tiff),
    _signature(0, b"MM\0*", rb"MM\0\*[\0-\x0f]", tiff),
)
BEGINNING = 32
"""Bytes that the longest pattern looks at."""

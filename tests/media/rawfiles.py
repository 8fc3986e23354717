"""Raw files as cameras lay them out, around a sensor that saw nothing: only their directories and previews matter."""

import struct
from collections.abc import Sequence

from PIL import Image

BYTE, TEXT, SHORT, LONG = 1, 2, 3, 4
SIZES = {BYTE: "B", TEXT: "B", SHORT: "H", LONG: "I", 7: "B"}
Entry = tuple[int, int, Sequence[int]]
SENSOR = b"\xff\xd8\xff\xc3\0\x0b\x0e\x20\0\x30\0\1\0\x11\0\xff\xda" + bytes(5000) + b"\xff\xd9"
"""A lossless JPEG by its first bytes, as raw values are stored: 8,192 × 12,288 pixels, more than any preview."""


class Tiff:
    """Bytes and directories, laid one after the other."""

    def __init__(self, order: str = "<", magic: bytes = b"*\0", more: bytes = b"") -> None:
        self.order, self._more = order, more
        self._raw = bytearray(
            {"<": b"II", ">": b"MM"}[order] + (magic if order == "<" else magic[::-1]) + bytes(4) + more
        )

    def put(self, content: bytes) -> int:
        self._raw += bytes(len(self._raw) % 2)
        self._raw += content
        return len(self._raw) - len(content)

    def directory(self, *entries: Entry, following: int = 0) -> int:
        raw = b""
        for tag, kind, values in sorted(entries):
            packed = struct.pack(f"{self.order}{len(values)}{SIZES[kind]}", *values)
            value = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack(self.order + "I", self.put(packed))
            raw += struct.pack(self.order + "HHI", tag, kind, len(values)) + value
        return self.put(struct.pack(self.order + "H", len(entries)) + raw + struct.pack(self.order + "I", following))

    def done(self, first: int) -> bytes:
        self._raw[4:8] = struct.pack(self.order + "I", first)
        return bytes(self._raw)


def text(tag: int, words: str) -> Entry:
    return tag, TEXT, [*words.encode(), 0]


def strip(tiff: Tiff, content: bytes, compression: int, photometric: int, width: int, height: int) -> list[Entry]:
    return [(0x100, LONG, [width]), (0x101, LONG, [height]), (0x102, SHORT, [8]), (0x103, SHORT, [compression]),
            (0x106, SHORT, [photometric]), (0x111, LONG, [tiff.put(content)]), (0x115, SHORT, [1]),
            (0x116, LONG, [height]), (0x117, LONG, [len(content)])]  # fmt: skip


def camera(orientation: int) -> list[Entry]:
    return [text(0x10F, "Lumora"), text(0x110, "Fieldglass 2"), (0x112, SHORT, [orientation])]


def dng(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """A thumbnail in the first directory; the sensor and the preview in directories below it."""
    tiff = Tiff()
    sensor = tiff.directory((0xFE, LONG, [0]), *strip(tiff, SENSOR, 7, 32803, 8192, 12288))
    shown = tiff.directory((0xFE, LONG, [1]), *strip(tiff, preview, 7, 6, 300, 200))
    first = [*strip(tiff, bytes(48), 1, 2, 4, 4), (0x14A, LONG, [sensor, shown]), (0xC612, BYTE, [1, 4, 0, 0])]
    return tiff.done(tiff.directory((0xFE, LONG, [1]), *first, *camera(orientation)))


def nef(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """Big end first; previews by their place and length, the sensor behind a colour filter."""
    tiff = Tiff(">")
    shown = tiff.directory(
        (0xFE, LONG, [1]), (0x103, SHORT, [6]), (0x201, LONG, [tiff.put(preview)]), (0x202, LONG, [len(preview)])
    )
    sensor = tiff.directory((0xFE, LONG, [0]), *strip(tiff, bytes(4000), 34713, 32803, 80, 50))
    first = [*strip(tiff, bytes(48), 1, 2, 4, 4), (0x14A, LONG, [shown, sensor])]
    return tiff.done(tiff.directory((0xFE, LONG, [1]), *first, *camera(orientation)))


def cr2(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """Four directories in a row: preview, thumbnail, an uncompressed picture, and the sensor as a lossless JPEG."""
    tiff = Tiff(more=b"CR\2\0\0\0\0\0")
    fourth = tiff.directory((0x103, SHORT, [6]), (0x111, LONG, [tiff.put(SENSOR)]), (0x117, LONG, [len(SENSOR)]))
    third = tiff.directory(*strip(tiff, bytes(48), 1, 2, 4, 4), following=fourth)
    second = tiff.directory((0x201, LONG, [tiff.put(small)]), (0x202, LONG, [len(small)]), following=third)
    return tiff.done(tiff.directory(*strip(tiff, preview, 6, 6, 300, 200), *camera(orientation), following=second))


def arw(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """The preview by place and length in the first directory, a thumbnail in the next one."""
    tiff = Tiff()
    sensor = tiff.directory((0xFE, LONG, [0]), *strip(tiff, bytes(4000), 32767, 32803, 80, 50))
    second = tiff.directory((0x103, SHORT, [6]), (0x201, LONG, [tiff.put(small)]), (0x202, LONG, [len(small)]))
    first = [(0xFE, LONG, [1]), (0x103, SHORT, [6]), (0x201, LONG, [tiff.put(preview)]), (0x202, LONG, [len(preview)])]
    return tiff.done(tiff.directory(*first, (0x14A, LONG, [sensor]), *camera(orientation), following=second))


def rw2(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """Panasonic's: its own magic number, the preview whole as the value of one tag."""
    tiff = Tiff(magic=b"U\0")
    return tiff.done(tiff.directory((0x2E, 7, list(preview)), *camera(orientation)))


def raf(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """Fuji's: a header that says where the preview stands. The preview itself says how it is to be turned."""
    exif = Image.Exif()
    exif[0x112] = orientation
    return (b"FUJIFILMCCD-RAW 0201FF383501X-T1" + bytes(52) + struct.pack(">II", 148, len(preview))).ljust(
        148, b"\0"
    ) + preview


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def cr3(preview: bytes, small: bytes, orientation: int = 1) -> bytes:
    """Canon's boxes: the index, metadata, and a box of its own with the preview, behind a header of 24 bytes."""
    inner = struct.pack(">I4sIHHHHI", 24 + len(preview), b"PRVW", 0, 1, 300, 200, 1, len(preview)) + preview
    own = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16") + struct.pack(">II", 0, 1) + inner
    return (
        box(b"ftyp", b"crx \0\0\0\1crx isom") + box(b"moov", bytes(100)) + box(b"uuid", own) + box(b"mdat", bytes(900))
    )


def psd(picture: Image.Image) -> bytes:
    """A Photoshop file of which only the flattened picture is left."""
    planes = b"".join(band.tobytes() for band in picture.split())
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, picture.height, picture.width, 8, 3)
    return header + bytes(12) + b"\0\0" + planes


RAWS = {"DNG": dng, "NEF": nef, "CR2": cr2, "ARW": arw, "RW2": rw2, "RAF": raf, "CR3": cr3}

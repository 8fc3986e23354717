"""The largest preview of a camera's raw file: a JPEG that the camera itself made of the same exposure.

DNG, NEF, CR2, ARW, PEF and the like are TIFF files whose pictures are tied together by directories. Sources: Adobe,
"TIFF Revision 6.0" (1992) and "Digital Negative (DNG) Specification 1.7.1.0" (2023); CIPA DC-008 (Exif 2.32); for CR3,
ISO/IEC 14496-12 and the box in which Canon keeps a preview. What the sensor saw is never developed: every program
develops it otherwise, and no two hashes would agree.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

TIFFS = {b"II*\0": "<", b"MM\0*": ">", b"IIU\0": "<", b"IIRO": "<", b"IIRS": "<", b"MMOR": ">"}
"""TIFF, and what Panasonic and Olympus made of it, each with its order of bytes."""
MOST_DIRECTORIES, MOST_ENTRIES, MOST_BOXES, MOST_BYTES = 64, 1024, 256, 256 << 20
WIDTHS = {3: "H", 4: "I", 13: "I"}
COMPRESSION, PHOTOMETRIC, STRIPS, ORIENTATION, STRIP_BYTES = 0x103, 0x106, 0x111, 0x112, 0x117
SUB_DIRECTORIES, JPEG, JPEG_BYTES, PANASONIC_JPEG, EXIF, DNG_VERSION = 0x14A, 0x201, 0x202, 0x2E, 0x8769, 0xC612
SENSOR = (32803, 34892)
"""How a directory says that it holds what the sensor saw: behind a colour filter, or already of all colours."""
AS_JPEG = (6, 7)
CANON_PREVIEW = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
SHOWN = (0xC0, 0xC1, 0xC2)
"""Kinds of JPEG that every program shows. Sensors' values are often a JPEG of kind C3."""

Place = tuple[int, int]


@dataclass
class Raw:
    """Where JPEGs may stand in a raw file (first byte, length), and how its camera was held, in EXIF's numbers."""

    is_raw: bool
    orientation: int = 1
    places: list[Place] = field(default_factory=list)


def preview_of(file: BinaryIO) -> tuple[bytes, int] | None:
    """The preview with the most pixels (empty: there is none) and EXIF's orientation; None when this is no raw file."""
    head = _at(file, 0, 16)
    if head[:4] in TIFFS:
        found = _from_directories(file, head)
    elif head[4:12] == b"ftypcrx ":
        found = Raw(True, places=list(_canon_previews(file)))
    elif head == b"FUJIFILMCCD-RAW ":
        start, length = struct.unpack(">II", _at(file, 84, 8).ljust(8, b"\0"))
        found = Raw(True, places=[(start, length)])
    else:
        return None
    if not found.is_raw:
        return None
    best, place = max(((_pixels(file, place), place) for place in found.places), default=(0, (0, 0)))
    return _at(file, *place) if best else b"", found.orientation


def _at(file: BinaryIO, start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _from_directories(file: BinaryIO, head: bytes) -> Raw:
    order = TIFFS[head[:4]]
    found = Raw(head[:4] not in (b"II*\0", b"MM\0*") or head[8:11] == b"CR\2")
    todo, seen = [struct.unpack_from(order + "I", head.ljust(8, b"\0"), 4)[0]], {0}
    while todo and len(seen) <= MOST_DIRECTORIES:
        start = todo.pop(0)
        if start in seen:
            continue
        first = len(seen) == 1
        seen.add(start)
        tags, following = _directory(file, order, start)
        todo += [following, *tags.get(SUB_DIRECTORIES, []), *tags.get(EXIF, [])]
        found.places += _places(tags)
        found.is_raw |= DNG_VERSION in tags or tags.get(PHOTOMETRIC, [0])[0] in SENSOR
        if first:
            found.orientation = tags.get(ORIENTATION, [1])[0]
    return found


def _directory(file: BinaryIO, order: str, start: int) -> tuple[dict[int, list[int]], int]:
    """Whole numbers of a directory by their tag, and where the next directory begins; 0: nowhere.

    Of a tag with other values the list is empty, of Panasonic's preview it holds its place.
    """
    count = int.from_bytes(_at(file, start, 2), "little" if order == "<" else "big")
    raw = file.read(12 * min(count, MOST_ENTRIES) + 4)
    tags: dict[int, list[int]] = {}
    for entry in range(min(count, MOST_ENTRIES, len(raw) // 12)):
        tag, kind, number = struct.unpack_from(order + "HHI", raw, entry * 12)
        (place,) = struct.unpack_from(order + "I", raw, entry * 12 + 8)
        if tag == PANASONIC_JPEG:
            tags[tag] = [place, number]
        elif kind in WIDTHS and 0 < number <= MOST_DIRECTORIES:
            size = struct.calcsize(WIDTHS[kind]) * number
            values = raw[entry * 12 + 8 : entry * 12 + 8 + size] if size <= 4 else _at(file, place, size)
            tags[tag] = list(struct.unpack(f"{order}{number}{WIDTHS[kind]}", values.ljust(size, b"\0")))
        else:
            tags[tag] = []
    whole = len(raw) == 12 * count + 4
    return {t: v for t, v in tags.items() if v or t == DNG_VERSION}, struct.unpack(order + "I", raw[-4:])[
        0
    ] if whole else 0


def _places(tags: dict[int, list[int]]) -> Iterator[Place]:
    for start, length in ((JPEG, JPEG_BYTES), (STRIPS, STRIP_BYTES)):
        if start == STRIPS and tags.get(COMPRESSION, [0])[0] not in AS_JPEG:
            continue
        if len(tags.get(start, [])) == len(tags.get(length, [])) == 1:
            yield tags[start][0], tags[length][0]
    if PANASONIC_JPEG in tags:
        start, length = tags[PANASONIC_JPEG]
        yield start, length


def _canon_previews(file: BinaryIO) -> Iterator[Place]:
    """JPEGs of a CR3: in Canon's box at the outermost level, behind a header whose last field is their length."""
    at = 0
    for _ in range(MOST_BOXES):
        head = _at(file, at, 16).ljust(16, b"\0")
        size, kind = struct.unpack_from(">I4s", head)
        begin = at + 8
        if size == 1:
            size, begin = struct.unpack_from(">Q", head, 8)[0], at + 16
        if size < 8:
            return
        if kind == b"uuid" and _at(file, begin, 16) == CANON_PREVIEW:
            inner = _at(file, begin + 16, 64)
            if (mark := inner.find(b"PRVW")) >= 0 and len(inner) >= mark + 20:
                yield begin + 16 + mark + 20, struct.unpack_from(">I", inner, mark + 16)[0]
        at += size


def _pixels(file: BinaryIO, place: Place) -> int:
    """How many pixels the JPEG at this place says it has; 0 when there is none that can be shown."""
    at, end = place[0] + 2, sum(place)
    if not 0 < place[1] <= MOST_BYTES or _at(file, place[0], 2) != b"\xff\xd8":
        return 0
    for _ in range(MOST_BOXES):
        head = _at(file, at, 9)
        if len(head) < 9 or head[0] != 0xFF or at >= end:
            return 0
        length, _, height, width = struct.unpack_from(">HBHH", head, 2)
        if head[1] in SHOWN:
            return int(height * width)
        if head[1] in (0xC3, 0xD9, 0xDA):
            return 0
        at += 2 + length
    return 0

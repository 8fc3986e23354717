"""What MP4, MOV, 3GP, HEIC and AVIF tell: the tree of their boxes, and what programs and cameras wrote into them.

Sources: ISO/IEC 14496-12 (2022); Apple, "QuickTime File Format Specification" (2012), user data and metadata keys.
"""

from dataclasses import dataclass
from typing import BinaryIO

from casewright.media.trace import (
    CAMERA,
    ENCODER,
    LAYOUT,
    LONGEST,
    MOST_PARTS,
    POSITION,
    Odd,
    Trace,
    exactly,
    text_of,
)
from casewright.media.traces.stream import add_names

HOLDERS = {b"moov": 0, b"trak": 0, b"mdia": 0, b"minf": 0, b"stbl": 0, b"edts": 0, b"dinf": 0, b"udta": 0, b"moof": 0,
           b"traf": 0, b"mvex": 0, b"iprp": 0, b"ipco": 0, b"meta": 4, b"ilst": 0}  # fmt: skip
"""Boxes that hold boxes, and how many bytes stand before these."""
DEEPEST = 10
MOST_SAID = 1 << 16
SEEN = frozenset((b"avc1", b"avc3", b"hvc1", b"hev1", b"mp4v", b"s263", b"h263", b"av01", b"vp09", b"jpeg", b"mjpa"))
"""Forms of video whose entry names the program that coded it."""
KEYS = {
    "\xa9too": ENCODER, "\xa9swr": ENCODER, "\xa9enc": ENCODER, "\xa9xyz": POSITION, "\xa9mak": CAMERA,
    "\xa9mod": CAMERA, "com.apple.quicktime.make": CAMERA, "com.apple.quicktime.model": CAMERA,
    "com.apple.quicktime.software": ENCODER, "com.apple.quicktime.location.ISO6709": POSITION,
    "com.android.version": ENCODER, "com.android.manufacturer": CAMERA, "com.android.model": CAMERA,
}  # fmt: skip


@dataclass
class Walk:
    """What is gathered on the way through the boxes."""

    file: BinaryIO
    found: list[Trace]
    left: int = MOST_PARTS
    keys: tuple[str, ...] = ()
    camera: tuple[str, ...] = ()
    media: int | None = None
    """Where the first media begin."""

    def tree(self, start: int, end: int, depth: int = 0, within: bytes = b"") -> str:
        """Names of the boxes in their order; of siblings that are alike the first."""
        parts: dict[str, None] = {}
        at = start
        while at + 8 <= end:
            self.left -= 1
            if self.left < 0 or depth > DEEPEST:
                raise Odd(f"more than {MOST_PARTS} boxes, or deeper than {DEEPEST}")
            kind, begin, stop = self._box(at, end)
            inner = self._inside(kind, begin, stop, depth, within)
            name = kind.decode("latin-1")
            parts[f"{name}({inner})" if inner else name] = None
            at = stop
        return " ".join(parts)

    def _box(self, at: int, end: int) -> tuple[bytes, int, int]:
        head = exactly(self.file, at, 8)
        size, begin = int.from_bytes(head[:4], "big"), at + 8
        if size == 1:
            size, begin = int.from_bytes(exactly(self.file, at + 8, 8), "big"), at + 16
        stop = end if size == 0 else at + size
        if stop < begin or stop > end:
            raise Odd(f"a box of {size} bytes at byte {at}")
        return head[4:], begin, stop

    def _inside(self, kind: bytes, begin: int, stop: int, depth: int, within: bytes) -> str:
        if kind in HOLDERS:
            skip = HOLDERS[kind]
            if kind == b"meta" and exactly(self.file, begin, min(8, stop - begin))[4:] == b"hdlr":
                skip = 0  # QuickTime's own has no version
            return self.tree(begin + skip, stop, depth + 1, kind)
        if kind == b"mdat":
            self.media = begin if self.media is None else self.media
        elif within == b"ilst" or (within == b"udta" and kind[:1] == b"\xa9"):
            self._say(kind, begin, stop, within)
        elif kind in (b"ftyp", b"hdlr", b"stsd", b"keys"):
            return self._read(kind, exactly(self.file, begin, min(stop - begin, MOST_SAID)), begin)
        return ""

    def _read(self, kind: bytes, body: bytes, begin: int) -> str:
        """What a box says that names kinds and programs."""
        if kind == b"ftyp":
            brands = [body[:4], *(body[at : at + 4] for at in range(8, min(len(body), 88), 4))]
            return " ".join(text_of(b) for b in brands)
        if kind == b"keys":
            self.keys = tuple(_keys(body))
            return ""
        if kind == b"stsd":
            form = body[12:16]
            name = body[58:90] if form in SEEN else b""
            self._add(ENCODER, text_of(name[1 : 1 + name[0]]) if name and name[0] < 32 else "", begin + 58, 32)
            return text_of(form)
        name = body[24:]
        name = name[1 : 1 + name[0]] if name and name[0] == len(name) - 1 else name  # QuickTime's begin with a length
        self._add(ENCODER, text_of(name), begin + 24, len(body) - 24)
        return text_of(body[8:12])

    def _say(self, kind: bytes, begin: int, stop: int, within: bytes) -> None:
        """A value under its name, or under the number of its key."""
        body = exactly(self.file, begin, min(stop - begin, MOST_SAID))
        number = int.from_bytes(kind, "big") - 1
        name = self.keys[number] if 0 <= number < len(self.keys) else kind.decode("latin-1")
        value = text_of(body[16:] if within == b"ilst" else body[4:])
        if KEYS.get(name) == CAMERA:
            self.camera = (*self.camera, value)
        elif name in KEYS:
            self._add(KEYS[name], value, begin, stop - begin)

    def _add(self, kind: str, value: str, start: int, length: int) -> None:
        if value.strip():
            self.found.append(Trace(kind, value, start, length))


def _keys(body: bytes) -> list[str]:
    names, at = [], 8
    while at + 8 <= len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        if size < 8:
            raise Odd("a metadata key without a length")
        names.append(text_of(body[at + 8 : at + size]))
        at += size
    return names


def read_boxes(file: BinaryIO, found: list[Trace]) -> None:
    """The whole tree; media are passed over. Raises Odd."""
    end = file.seek(0, 2)
    walk = Walk(file, found)
    try:
        tree = walk.tree(0, end)
        found.append(Trace(LAYOUT, tree[:LONGEST], 0, end))
    finally:
        if walk.camera:
            found.append(Trace(CAMERA, " ".join(dict.fromkeys(walk.camera))))
        if walk.media is not None:
            add_names(file, walk.media, found)

"""What PNG, WebP and AVI tell: the order of their chunks, and the program's name in them.

Sources: W3C, "Portable Network Graphics, Third Edition" (2025); Microsoft and IBM, "Multimedia Programming Interface
and Data Specifications 1.0" (1991, RIFF); RFC 9649 (WebP).
"""

from typing import BinaryIO

from casewright.media.trace import ENCODER, LAYOUT, MOST_PARTS, Odd, Trace, exactly, layout, text_of
from casewright.media.traces.exif import read_exif, read_xmp
from casewright.media.traces.stream import add_names

MOST_SAID = 1 << 18
MOST_CHUNKS = 1 << 17
"""Of a PNG: large ones have thousands of chunks with pixels."""
XMP = b"XML:com.adobe.xmp\0"


def read_png(file: BinaryIO, found: list[Trace]) -> None:
    """All chunks; pixels are passed over. Raises Odd."""
    parts: list[str] = []
    at = 8
    for _ in range(MOST_CHUNKS):
        head = exactly(file, at, 8)
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind == b"IDAT" and parts[-1:] == ["IDAT"]:
            at += 12 + size
            continue
        parts.append(_name(kind, at))
        if kind in (b"tEXt", b"iTXt", b"eXIf"):
            _say(kind, exactly(file, at + 8, min(size, MOST_SAID)), at + 8, found)
        if kind == b"IEND":
            found.append(Trace(LAYOUT, layout(parts), 0, at + 12))
            return
        at += 12 + size
    raise Odd("a PNG of too many chunks")


def _say(kind: bytes, body: bytes, start: int, found: list[Trace]) -> None:
    if kind == b"eXIf":
        read_exif(body, start, found)
    elif body.startswith(b"Software\0"):
        value = body[9:] if kind == b"tEXt" else body[11:].split(b"\0", 2)[-1]
        found.append(Trace(ENCODER, text_of(value), start, len(body)))
    elif body.startswith(XMP):
        read_xmp(body, start, found)


def read_riff(file: BinaryIO, found: list[Trace]) -> None:
    """Chunks and lists; media are passed over. Raises Odd."""
    form = exactly(file, 0, 12)[8:]
    end = min(file.seek(0, 2), 8 + int.from_bytes(exactly(file, 4, 4), "little"))
    parts = [_name(form, 8)]
    try:
        _walk(file, 12, end, parts, found)
        found.append(Trace(LAYOUT, layout(parts), 0, end))
    finally:
        if form == b"AVI ":
            add_names(file, 0, found)


def _walk(file: BinaryIO, at: int, end: int, parts: list[str], found: list[Trace]) -> None:
    while at + 8 <= end:
        head = exactly(file, at, 8)
        kind, size = head[:4], int.from_bytes(head[4:], "little")
        if len(parts) > MOST_PARTS:
            raise Odd(f"more than {MOST_PARTS} chunks")
        if kind == b"LIST":
            form = exactly(file, at + 8, 4)
            parts.append(f"LIST({_name(form, at)})")
            at += 8 + size + size % 2 if form == b"movi" else 12  # what a list holds follows it flat
            continue
        parts.append(_name(kind, at))
        if kind == b"strh":
            parts[-1] += f"({text_of(exactly(file, at + 8, 8))})"
        elif kind == b"ISFT":
            found.append(Trace(ENCODER, text_of(exactly(file, at + 8, min(size, MOST_SAID))), at + 8, size))
        elif kind == b"EXIF":
            read_exif(exactly(file, at + 8, min(size, MOST_SAID)), at + 8, found)
        elif kind == b"XMP ":
            read_xmp(exactly(file, at + 8, min(size, MOST_SAID)), at + 8, found)
        at += 8 + size + size % 2


def _name(kind: bytes, at: int) -> str:
    if not kind.isascii() or not kind.decode("ascii").isprintable():
        raise Odd(f"no chunk at byte {at}")
    return kind.decode("ascii").strip()

"""What a JPEG tells before its pixels: order of its segments, quantisation tables, sampling, Huffman tables, comments.

Source: ITU-T T.81 (1992), annexes B and K. Tables that are those of annex K, scaled by the quality that libjpeg
computes, are every program's: they tell nothing of a device, and are named by that quality.
"""

import hashlib
from functools import cache
from typing import BinaryIO

from casewright.media.trace import ENCODER, LAYOUT, MOST_PARTS, QUANTISATION, Odd, Trace, exactly, layout, text_of
from casewright.media.traces.exif import read_exif, read_xmp

STANDARD = "standard"
"""How the value of tables begins that every program may have written."""
DQT, DHT, SOS, COM, APP0, APP1, APP15 = 0xDB, 0xC4, 0xDA, 0xFE, 0xE0, 0xE1, 0xEF
FRAMES = {0xC0: "baseline", 0xC1: "extended", 0xC2: "progressive", 0xC3: "lossless"}
NAMES = {DQT: "DQT", DHT: "DHT", SOS: "SOS", COM: "COM", 0xDD: "DRI", **{0xC0 + n: f"SOF{n}" for n in (0, 1, 2, 3, 9)}}
XMP = b"http://ns.adobe.com/xap/1.0/\0"
LUMINANCE = bytes((
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
))  # fmt: skip
CHROMINANCE = bytes((17, 18, 18, 24, 21, 24, 47, 26, 26, 47, 99, 66, 56, 66, *(99,) * 50))
"""Annex K, tables K.1 and K.2, in zigzag order."""
HUFFMAN = {0x00: "9fb04cb1a8076318", 0x10: "f27ce9b718f91cd4", 0x01: "af48d4f608dfb682", 0x11: "8cf60aa835f8474b"}
"""Class and number of each table of annex K, K.3 to K.6, and the begin of the SHA-256 of what a DHT says of it."""


def read_jpeg(file: BinaryIO, found: list[Trace]) -> None:
    """Up to the first scan. Raises Odd."""
    parts, frame, at = ["SOI"], "", 2
    tables: dict[int, bytes] = {}
    codes: dict[int, str] = {}
    for _ in range(MOST_PARTS):
        head = exactly(file, at, 4)
        if head[0] != 0xFF:
            raise Odd(f"no segment of a JPEG at byte {at}")
        if head[1] == 0xFF:
            at += 1
            continue
        marker, length = head[1], int.from_bytes(head[2:], "big") - 2
        if length < 0:
            raise Odd(f"a segment without a length at byte {at}")
        body = exactly(file, at + 4, length)
        parts.append(_name(marker, body))
        if marker == DQT:
            tables |= _tables(body)
        elif marker == DHT:
            codes |= _codes(body)
        elif marker in NAMES and NAMES[marker].startswith("SOF"):
            frame = _frame(marker, body)
        elif marker == SOS:
            found.append(Trace(LAYOUT, layout(parts), 0, at + 4 + length))
            found.append(
                Trace(
                    QUANTISATION, f"{_quality(tables)}; {frame}; {_huffman(codes)} Huffman tables", 0, at + 4 + length
                )
            )
            return
        else:
            _say(marker, body, at + 4, found)
        at += 4 + length
    raise Odd(f"more than {MOST_PARTS} segments")


def _name(marker: int, body: bytes) -> str:
    """A segment's name; of an application's segment also what it says it is."""
    if APP0 <= marker <= APP15:
        word = text_of(body[:32])
        return f"APP{marker - APP0}({word if word.isprintable() and word.isascii() else ''})"
    return NAMES.get(marker, f"{marker:02x}")


def _say(marker: int, body: bytes, start: int, found: list[Trace]) -> None:
    if marker == COM and text_of(body):
        found.append(Trace(ENCODER, text_of(body), start, len(body)))
    elif marker == APP1 and body.startswith(b"Exif\0"):
        read_exif(body, start, found)
    elif marker == APP1 and body.startswith(XMP):
        read_xmp(body, start, found)


def _tables(body: bytes) -> dict[int, bytes]:
    found, at = {}, 0
    while at < len(body):
        size = 128 if body[at] >> 4 else 64
        found[body[at] & 15] = body[at + 1 : at + 1 + size]
        at += 1 + size
    return found


def _codes(body: bytes) -> dict[int, str]:
    found, at = {}, 0
    while at < len(body):
        size = 17 + sum(body[at + 1 : at + 17])
        found[body[at]] = hashlib.sha256(body[at : at + size]).hexdigest()[:16]
        at += size
    return found


def _huffman(codes: dict[int, str]) -> str:
    return STANDARD if all(HUFFMAN.get(name) == code for name, code in codes.items()) else "own"


def _frame(marker: int, body: bytes) -> str:
    """Sampling of each component, and how the scans follow each other."""
    samples = " ".join(f"{b >> 4}x{b & 15}" for b in body[7::3])
    return f"{samples}; {FRAMES.get(marker, NAMES[marker])}"


def _quality(tables: dict[int, bytes]) -> str:
    """The quality of libjpeg's scale, or a digest of the tables."""
    known = {_standard().get(table) for table in tables.values()}
    if None not in known:
        return f"{STANDARD} {'/'.join(map(str, sorted(q for q in known if q)))}"
    said = b"".join(bytes([name]) + table for name, table in sorted(tables.items()))
    return f"tables {hashlib.sha256(said).hexdigest()[:16]}"


@cache
def _standard() -> dict[bytes, int]:
    """Every table that libjpeg makes of annex K, and its quality."""
    found = {}
    for quality in range(1, 101):
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        for base in (LUMINANCE, CHROMINANCE):
            found[bytes(min(255, max(1, (value * scale + 50) // 100)) for value in base)] = quality
    return found

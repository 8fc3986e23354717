"""What Matroska and WebM tell: the order of their elements, and the programs that made and wrote them.

Sources: RFC 8794 (EBML) and RFC 9559 (Matroska).
"""

from typing import BinaryIO

from casewright.media.trace import ENCODER, LAYOUT, MOST_PARTS, Odd, Trace, exactly, layout, text_of
from casewright.media.traces.stream import add_names

HOLDERS = {0x1A45DFA3: "EBML", 0x18538067: "Segment", 0x1549A966: "Info", 0x1654AE6B: "Tracks", 0xAE: "Track"}
NAMES = {0x114D9B74: "SeekHead", 0x1C53BB6B: "Cues", 0x1254C367: "Tags", 0x1941A469: "Attachments",
         0x1043A770: "Chapters", 0xEC: "Void", 0xBF: "CRC-32", 0x1F43B675: "Cluster"}  # fmt: skip
SAID = {0x4282: "", 0x86: "", 0x4D80: ENCODER, 0x5741: ENCODER}
"""Elements whose text is read: form and codec stand in the layout, muxing and writing program are encoders."""
CLUSTER, LONGEST_TEXT = 0x1F43B675, 1000


def read_matroska(file: BinaryIO, found: list[Trace]) -> None:
    """Up to the first cluster. Raises Odd."""
    end = file.seek(0, 2)
    parts: list[str] = []
    try:
        _walk(file, 0, end, parts, found)
        found.append(Trace(LAYOUT, layout(parts), 0, None))
    finally:
        add_names(file, 0, found)


def _walk(file: BinaryIO, at: int, end: int, parts: list[str], found: list[Trace]) -> None:
    """A holder's elements follow it flat: none of those read here can be taken for one of another level."""
    for _ in range(MOST_PARTS):
        if at >= end:
            return
        kind, at = _number(file, at, keep=True)
        size, at = _number(file, at, keep=False)
        if kind in HOLDERS:
            parts.append(HOLDERS[kind])
            continue
        if kind in SAID:
            value = text_of(exactly(file, at, min(size, LONGEST_TEXT)))
            if SAID[kind]:
                found.append(Trace(SAID[kind], value, at, size))
            parts.append(f"{kind:x}" if SAID[kind] else value)
        else:
            parts.append(NAMES.get(kind, f"{kind:x}"))
        if kind == CLUSTER:
            return
        at += size
    raise Odd(f"more than {MOST_PARTS} elements before the first cluster")


def _number(file: BinaryIO, at: int, keep: bool) -> tuple[int, int]:
    """An id (with the bits that say its length) or a size, and where it ends."""
    first = exactly(file, at, 1)[0]
    length = 9 - first.bit_length()
    if length > 8:
        raise Odd(f"no element at byte {at}")
    value = int.from_bytes(exactly(file, at, length), "big")
    return (value if keep else value & ((1 << 7 * length) - 1)), at + length

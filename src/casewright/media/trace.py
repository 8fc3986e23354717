"""What a file tells of its source: the contract of the readers in `traces/`, one kind of file each.

A reader looks at headers alone and puts what it finds into a list, verbatim. Where bytes make no sense it raises Odd:
what was found before stands, and what is odd is set aside with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

CAMERA, SERIAL, LENS, QUANTISATION, LAYOUT, ENCODER, POSITION = (
    "camera", "serial", "lens serial", "quantisation", "container", "encoder", "position",
)  # fmt: skip
LONGEST = 2000
"""Characters of a value."""
MOST_PARTS = 4000
"""Segments, boxes, chunks or elements of a file that are looked at."""


@dataclass(frozen=True)
class Trace:
    """One thing that a file says of its source, and the bytes where it says so."""

    kind: str
    value: str
    start: int | None = None
    length: int | None = None


class Odd(ValueError):  # noqa: N818  data, not a defect
    """Bytes that are not what the format says must stand there."""


Reader = Callable[[BinaryIO, list[Trace]], None]


def text_of(raw: bytes) -> str:
    """Text as it stands, up to a zero byte."""
    return raw.split(b"\0")[0].decode("utf-8", "backslashreplace")[:LONGEST]


def layout(parts: list[str]) -> str:
    """The parts in their order, repeated neighbours once with their number."""
    found: list[tuple[str, int]] = []
    for part in parts:
        again = bool(found) and found[-1][0] == part
        found[-1:] = [(part, found[-1][1] + 1)] if again else [*found[-1:], (part, 1)]
    return " ".join(part if count == 1 else f"{part}×{count}" for part, count in found)[:LONGEST]


def exactly(file: BinaryIO, start: int, length: int) -> bytes:
    """Bytes that must be there. Raises Odd when the file ends before."""
    file.seek(start)
    raw = file.read(length)
    if len(raw) < length:
        raise Odd(f"ends within {length} bytes at byte {start}")
    return raw

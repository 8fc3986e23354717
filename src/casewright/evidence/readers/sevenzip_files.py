"""The members that the header of a 7z archive names (7zFormat.txt of the LZMA SDK)."""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from casewright.evidence.reader import utc
from casewright.evidence.readers.sevenzip_bytes import (
    ACCESSED,
    ANTI,
    ATTRIBUTES,
    CREATED,
    END,
    FILES,
    MODIFIED,
    NAMES,
    NO_BYTES,
    NO_STREAM,
    Bits,
    HeaderBytes,
)

UNIX_EPOCH = 11_644_473_600  # seconds from 1601, where these times begin


class Found(NamedTuple):
    """A member as the header describes it."""

    name: bytes | None
    has_stream: bool
    no_bytes: bool
    anti: bool
    attributes: int
    created: datetime | None
    accessed: datetime | None
    modified: datetime | None


def read_files(header: HeaderBytes) -> Iterator[Found]:
    """The members that a header names."""
    if not header.left or header.expect(FILES, END) == END:
        return
    count = header.count()
    kept: dict[int, HeaderBytes] = {}
    while (kind := header.number()) != END:
        kept[kind] = HeaderBytes(header.take(header.number()))
    bare = kept[NO_STREAM].bits(count) if NO_STREAM in kept else Bits(bytes(-(-count // 8)))
    without = sum(bare[i] for i in range(count))
    no_bytes, anti = (kept[k].bits(without) if k in kept else Bits(bytes(-(-without // 8))) for k in (NO_BYTES, ANTI))
    names = _names(kept[NAMES]) if NAMES in kept else iter(())
    attributes = _values(kept.get(ATTRIBUTES), 4, count)
    created, accessed, modified = (_values(kept.get(kind), 8, count) for kind in (CREATED, ACCESSED, MODIFIED))
    rank = 0
    for i in range(count):
        yield Found(
            next(names, None), not bare[i], bare[i] and no_bytes[rank], bare[i] and anti[rank], next(attributes) or 0,
            _time(next(created)), _time(next(accessed)), _time(next(modified)),
        )  # fmt: skip
        rank += bare[i]


def _names(kept: HeaderBytes) -> Iterator[bytes]:
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


def _values(kept: HeaderBytes | None, length: int, count: int) -> Iterator[int | None]:
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

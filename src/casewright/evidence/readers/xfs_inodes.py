"""One inode of XFS: what it is, its times, and the two forks that lead to its content and its attributes.

Source: "XFS Algorithms & Data Structures", third edition, chapter on on-disk inodes, with the wider times (bigtime) and
extent counters (nrext64) of later kernels. The first
version differs from the second only in the number of links, which nobody here asks for.
"""

import stat
import struct
from typing import NamedTuple

from casewright.evidence.reader import Unreadable

LOCAL, EXTENTS, BTREE = 1, 2, 3
KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink"}
_CORE = struct.Struct(">2sHBBHIII4xQQQQQQ4xIHBB6xH")
_V2_FORK, _V3_FORK = 100, 176
_REALTIME, _WIDE_TIMES, _WIDE_COUNTS = 1, 8, 16
_EARLIEST = -(1 << 31)


class Fork(NamedTuple):
    """One of an inode's two maps: its form, its bytes in the inode, and how many extents it says it has."""

    form: int
    raw: bytes
    extents: int


class Times(NamedTuple):
    """Microseconds since 1970, UTC, perhaps before it; None where there is none."""

    modified: int | None
    accessed: int | None
    changed: int | None
    created: int | None


class Inode(NamedTuple):
    """An inode in use. `whole`: its checksum holds and it bears its own number, or it is of the kind without either."""

    number: int
    kind: str
    size: int
    data: Fork
    attributes: Fork
    realtime: bool
    times: Times
    whole: bool


def parse(raw: bytes, number: int, whole: bool, version: int) -> Inode:
    """An inode of its bytes; `version` is the file system's. Raises Unreadable where none in use stands."""
    magic, mode, form, data_form, _, _, _, _, wide, accessed, modified, changed, size, _, short, few, fork, \
        attribute_form, flags = _CORE.unpack_from(raw)  # fmt: skip
    if magic != b"IN" or form not in ((3,) if version == 5 else (1, 2)):
        raise Unreadable("damaged", f"there is no inode at the place of number {number}")
    if not mode:
        raise Unreadable("damaged", f"inode {number} is not in use")
    head, flags2, created, own = (_V3_FORK, *_late_fields(raw)) if form == 3 else (_V2_FORK, 0, 0, number)
    if flags2 & _WIDE_COUNTS:
        extents, attribute_extents = wide, short
    else:
        extents, attribute_extents = short, few
    room = len(raw) - head
    split = min(fork * 8, room) if fork else room
    times = Times(*(_time(t, bool(flags2 & _WIDE_TIMES)) for t in (modified, accessed, changed, created)))
    return Inode(
        number,
        KINDS.get(stat.S_IFMT(mode), "special"),
        size,
        Fork(data_form, raw[head : head + split], extents),
        Fork(attribute_form if fork else 0, raw[head + split :], attribute_extents),
        bool(flags & _REALTIME),
        times,
        whole and own == number,
    )


def _late_fields(raw: bytes) -> tuple[int, int, int]:
    """Of a version 3 inode: its second flags, when it was made, its own number."""
    flags, created, own = struct.unpack_from(">Q16xQQ", raw, 120)
    return flags, created, own


def _time(raw: int, wide: bool) -> int | None:
    """Seconds and nanoseconds in 32 bits each, or, when wide, nanoseconds since 1901."""
    if wide:
        seconds, nanoseconds = divmod(raw, 1_000_000_000)
        seconds += _EARLIEST
    else:
        seconds, nanoseconds = raw >> 32, raw & 0xFFFFFFFF
        seconds -= (seconds >> 31) << 32
    return seconds * 1_000_000 + min(nanoseconds // 1000, 999_999) if seconds else None

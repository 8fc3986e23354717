"""What the superblock of a member of a Linux software RAID (md) says.

Whoever looks at a disk asks `member_of` before looking for a partition table or a file system: a member whose
superblock stands at its end (0.90, 1.0) begins with the array's own bytes and looks just like a plain disk.

Sources: include/uapi/linux/raid/md_p.h for the fields; drivers/md/md.c (super_90_load, super_1_load and what validates
them) for where superblocks stand, their checksums, and which members count as up to date. Lengths are bytes.
"""

import hashlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk

MAGIC = 0xA92B4EFC
BLOCK = 4096  # no superblock is longer
ALIGNED_90 = 64 << 10
DISKS_90 = 27
MOST_MEMBERS = (BLOCK - 256) // 2
LARGEST = 1 << 50  # no member has more; also keeps an array's size within what libraries count
FINISHED = (1 << 64) - 1
AT_END = ("0.90", "1.0")  # versions whose superblock stands behind the data
CHUNKED = (0, 4, 5, 6, 10)

REBUILDING, RESHAPING, BAD_BLOCKS, REPLACEMENT, JOURNALED, RAID0_LAYOUT = 2, 4, 8, 16, 512, 4096  # bits of features
NOT_ZERO = 1 << 32  # our own bit: a field that is always zero is not, so there is something newer than we know
FAULTY, JOURNAL, NO_ROLE = 0xFFFE, 0xFFFD, 0xFF00

_SUPER_1 = """
magic:u4 major:u4 features:u4 pad0:u4 array:V16 name:V32 created:u8 level:i4 layout:u4 used:u8 chunk:u4 members:u4
bitmap:i4 new_level:u4 reshaped:u8 delta:u4 new_layout:u4 new_chunk:u4 new_offset:i4
data_offset:u8 data_size:u8 super_offset:u8 rebuilt:u8 number:u4 corrected:u4 device:V16 flags:u1
bad_shift:u1 bad_size:u2 bad_offset:i4 updated:u8 events:u8 in_sync:u8 checksum:u4 roles:u4 block_size:u4 pad3:V28
"""
SUPER_1 = np.dtype([(name, f"<{kind}") for name, kind in (entry.split(":") for entry in _SUPER_1.split())])


@dataclass(frozen=True)
class Member:
    """What one disk's md superblock says. `role` is the position in the array, None where it has none."""

    disk: Disk
    array: str
    name: str
    level: int
    role: int | None
    members: int
    layout: int
    chunk: int
    data_offset: int
    data_size: int  # what the array may use of this member
    events: int
    version: str
    used: int = 0  # what an array with redundancy uses of each member
    state: str = "active"  # or spare, faulty, journal, rebuilding, replacement
    number: int = 0  # under which `roles` knows this device
    roles: tuple[int | None, ...] = ()  # by device number, what this superblock knows of all devices
    features: int = 0
    clean: bool = True
    created: int = 0
    bad: tuple[tuple[int, int], ...] = ()  # stretches of the disk that the array lists as bad, from and to
    notes: tuple[str, ...] = ()
    digest: str = field(default="", repr=False)  # of the superblock

    @property
    def called(self) -> str:
        return f"device {self.number}" if self.role is None else f"member {self.role}"

    @property
    def end(self) -> int:
        return self.data_offset + self.data_size

    def knows(self, other: "Member") -> bool:
        """Whether this superblock counts the other device as what that takes itself for."""
        return other.number < len(self.roles) and self.roles[other.number] == other.role


def member_of(disk: Disk) -> Member | None:
    """What the disk's md superblock says; None when none stands there. A damaged one raises Unreadable.

    A superblock 0.90 may be a partition's and yet stand where the whole disk's would: ask partitions too.
    """
    found, broken = list[Member](), list[Unreadable]()
    for look in (_version_1_2, _version_1_1, _version_1_0, _version_0_90):
        try:
            member = look(disk)
        except Unreadable as error:
            broken.append(error)
        else:
            found += [member] if member else []
    if not found and broken:
        raise broken[0]
    return _outermost(found, [error.detail for error in broken]) if found else None


def _outermost(found: Sequence[Member], notes: list[str]) -> Member:
    """Of several superblocks the newest, unless it lies inside: its data end before those of another at the disk's end.

    (An array whose members are arrays: the inner superblock shows through at the beginning of the outer member.)
    """
    newest = max(found, key=lambda m: m.created)
    around = [m for m in found if newest.version not in AT_END and m.version in AT_END and newest.end <= m.end]
    if around:
        return replace(max(around, key=lambda m: m.created), notes=tuple(notes))
    notes += [f"an older superblock {m.version} of array {m.array}" for m in found if m.array != newest.array]
    return replace(newest, notes=tuple(notes))


def _version_1_0(disk: Disk) -> Member | None:
    return _version_1(disk, "1.0", (disk.size // SECTOR - 16) // 8 * 8 * SECTOR)


def _version_1_1(disk: Disk) -> Member | None:
    return _version_1(disk, "1.1", 0)


def _version_1_2(disk: Disk) -> Member | None:
    return _version_1(disk, "1.2", 4096)


def _block(disk: Disk, at: int) -> bytes:
    """What may be a superblock; nothing where the disk has no room for one, or can't be read."""
    try:
        raw = disk.read(at, BLOCK) if 0 <= at <= disk.size - BLOCK else b""
    except Unreadable:
        return b""
    return raw if len(raw) == BLOCK else b""


def _version_1(disk: Disk, version: str, at: int) -> Member | None:
    raw = _block(disk, at)
    if not raw or struct.unpack_from("<II", raw) != (MAGIC, 1):
        return None
    fields: Any = np.frombuffer(raw, SUPER_1, 1)[0]
    sb = {name: value.tobytes() if value.dtype.kind == "V" else int(value) for name, value in _named_fields(fields)}
    length = 256 + 2 * sb["roles"]
    if length > BLOCK or _checksum_1(raw[:length], sb["checksum"]) != sb["checksum"]:
        raise Unreadable("damaged", f"the RAID superblock {version} at byte {at} does not hold its checksum")
    if sb["super_offset"] * SECTOR != at:
        return None  # of another device, which begins or ends elsewhere
    codes = struct.unpack_from(f"<{sb['roles']}H", raw, 256)
    member = _member_1(disk, version, sb, codes, hashlib.sha256(raw[:length]).hexdigest())
    _check(member, at, at + length)
    return replace(member, bad=_bad_blocks(disk, sb, at)) if member.features & BAD_BLOCKS else member


def _named_fields(record: Any) -> Iterator[tuple[str, Any]]:
    return ((name, record[name]) for name in SUPER_1.names or ())


def _checksum_1(raw: bytes, stored: int) -> int:
    """The sum of little-endian words without the checksum's own, an odd half word included, its carry added."""
    whole = len(raw) // 4 * 4
    total = int(np.frombuffer(raw[:whole], "<u4").sum(dtype=np.uint64)) - stored + int.from_bytes(raw[whole:], "little")
    return ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF


def _member_1(disk: Disk, version: str, sb: dict[str, Any], codes: Sequence[int], digest: str) -> Member:
    code = codes[sb["number"]] if sb["number"] < len(codes) else NO_ROLE
    known = not (sb["pad0"] or sb["pad3"].strip(b"\0"))
    uuid = sb["array"].hex()
    return Member(
        disk=disk, array=":".join(uuid[i : i + 8] for i in range(0, 32, 8)), name=_printable(sb["name"]),
        level=sb["level"], role=_role_1(code), members=sb["members"], layout=sb["layout"],
        chunk=sb["chunk"] * SECTOR, data_offset=sb["data_offset"] * SECTOR, data_size=sb["data_size"] * SECTOR,
        events=sb["events"], version=version, used=sb["used"] * SECTOR, state=_state_1(code, sb["features"]),
        number=sb["number"], roles=tuple(map(_role_1, codes)), features=sb["features"] | (0 if known else NOT_ZERO),
        clean=sb["in_sync"] == FINISHED, created=sb["created"] & (1 << 40) - 1, digest=digest,
    )  # fmt: skip


def _role_1(code: int) -> int | None:
    return code if code < NO_ROLE else None


def _state_1(code: int, features: int) -> str:
    if code >= NO_ROLE:
        return {FAULTY: "faulty", JOURNAL: "journal"}.get(code, "spare")
    if features & REPLACEMENT:
        return "replacement"
    return "rebuilding" if features & REBUILDING else "active"


def _printable(raw: bytes) -> str:
    text = raw.split(b"\0")[0].decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def _bad_blocks(disk: Disk, sb: dict[str, Any], at: int) -> tuple[tuple[int, int], ...]:
    """The list of a member's bad blocks: words of a 54-bit place and a 10-bit length, up to the first of all ones."""
    length, start = sb["bad_size"] * SECTOR, at + sb["bad_offset"] * SECTOR
    raw = disk.read(start, length) if 0 < length <= BLOCK and 0 <= start <= disk.size - length else b""
    if not raw or len(raw) != length or sb["bad_shift"] > 32:
        raise Unreadable("damaged", "the RAID member has a list of bad blocks which can't be read")
    unit, spans = SECTOR << sb["bad_shift"], []
    for (word,) in struct.iter_unpack("<Q", raw):
        if word == FINISHED:
            break
        spans.append(((word >> 10) * unit, ((word >> 10) + (word & 0x3FF)) * unit))
    return tuple(spans)


def _version_0_90(disk: Disk) -> Member | None:
    """All words are in the order of the machine that wrote them; only little-endian ones are read."""
    at = disk.size // ALIGNED_90 * ALIGNED_90 - ALIGNED_90
    raw = _block(disk, at)
    if raw and struct.unpack_from(">II", raw) == (MAGIC, 0):
        raise Unreadable("not supported", "a RAID superblock 0.90 written by a big-endian machine")
    if not raw or struct.unpack_from("<II", raw) != (MAGIC, 0):
        return None
    words = struct.unpack("<1024I", raw)
    if _fold(sum(words) - words[38]) != _fold(words[38]):
        raise Unreadable("damaged", f"the RAID superblock 0.90 at byte {at} does not hold its checksum")
    if words[2] not in (90, 91) or words[992] >= DISKS_90 or words[10] > DISKS_90:
        raise Unreadable("damaged", f"the RAID superblock at byte {at} has version 0.{words[2]}, {words[10]} members")
    member = _member_90(disk, words, at, hashlib.sha256(raw).hexdigest())
    _check(member, at, at)
    return member


def _fold(total: int) -> int:
    """32-bit words summed with carry, then folded to 16 bits: some machines stored no more."""
    total = ((total & 0xFFFFFFFF) + (total >> 32)) & 0xFFFFFFFF
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


def _member_90(disk: Disk, words: Sequence[int], at: int, digest: str) -> Member:
    roles = tuple(_role_90(words[128 + 32 * i : 160 + 32 * i]) for i in range(DISKS_90))
    number, level = words[992], words[7] - (words[7] >> 31 << 32)
    other = "faulty" if words[128 + 32 * number + 4] & 1 else "spare"
    return Member(
        disk=disk, array=":".join(f"{words[i]:08x}" for i in (5, 13, 14, 15)), name=f"md{words[11]}",
        level=level, role=roles[number], members=words[10], layout=words[64], chunk=words[65],
        data_offset=0, data_size=at, events=words[40] << 32 | words[39], version="0.90",
        used=words[8] * 1024, state=other if roles[number] is None else "active", number=number, roles=roles,
        features=RESHAPING if words[2] == 91 else 0, clean=bool(words[33] & 1), created=words[6], digest=digest,
    )  # fmt: skip


def _role_90(descriptor: Sequence[int]) -> int | None:
    """The position of a device that is in sync (bit 2) and not faulty (bit 0)."""
    return descriptor[3] if descriptor[4] & 0b101 == 0b100 else None


def _check(member: Member, start: int, end: int) -> None:
    """Raise Unreadable where a superblock, from `start` to `end`, says what can't be."""
    m, at_end, seated = member, member.version in AT_END, member.role is not None
    wrong = [
        f"{m.members} members" if not 0 < m.members <= MOST_MEMBERS else "",
        f"position {m.role} of {m.members}" if (m.role or 0) >= m.members and not m.features & RESHAPING else "",
        f"a chunk of {m.chunk} bytes" if m.level in CHUNKED and (not m.chunk or m.chunk % SECTOR) else "",
        f"data of {m.data_size} bytes" if not 0 < m.data_size <= LARGEST or m.data_offset > LARGEST else "",
        f"{m.used} used of {m.data_size} bytes" if m.level > 0 and seated and not 0 < m.used <= m.data_size else "",
        f"data up to byte {m.end}, over itself" if at_end and m.end > start else "",
        f"data from byte {m.data_offset} on, over itself" if not at_end and m.data_offset < end else "",
    ]
    if any(wrong):
        raise Unreadable("damaged", f"the RAID superblock {m.version} says {', '.join(filter(None, wrong))}")
    if m.data_offset >= m.disk.size:
        detail = f"the RAID member's data begin at byte {m.data_offset}, the disk ends at byte {m.disk.size}"
        raise Unreadable("truncated", detail)

"""What an LVM2 physical volume says of itself, and the text in which it describes its volume group.

A label in one of the first four sectors leads to metadata areas, each a ring with the group's description as text. All
of it carries checksums. The text is nested sections of `name = value`, read here without recursion and within bounds.

Sources: lib/format_text/layout.h, format-text.c and import_vsn1.c of LVM2; its manual vgcfgbackup(8); the libvslvm
project's "Logical Volume Manager (LVM) format". Numbers are little-endian, sectors have 512 bytes.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk

LABEL = struct.Struct("<8sQII8s")
LABEL_ID, LABEL_TYPE = b"LABELONE", b"LVM2 001"
LABEL_SECTORS = 4
CHECKED_FROM = 20  # of the label: after its own checksum
AREA = struct.Struct("<I16sIQQ")
AREA_SIZE, AREA_MAGIC = 512, b" LVM2 x[5A%r0N*>"
LOCATION = struct.Struct("<QQII")
IGNORED = 1  # a flag of a location: this copy is kept out of use
PLACE = struct.Struct("<QQ")
FIRST_CHECKSUM = 0xF597A6CF
LONGEST_TEXT = 8 << 20
DEEPEST, LONGEST_NAME = 8, 128

PV_HEADER = 40  # uuid and size, before the lists of areas

Value = int | str | list[int | str]
Section = dict[str, "Value | Section"]
TOKEN = re.compile(
    rb"""[ \t\r\n\0]+ | \#[^\n]*
    | (?P<text>"(?:[^"\\]|\\.)*") | (?P<word>[A-Za-z0-9_.+/@:-]+) | (?P<mark>[{}\[\]=,])""",
    re.DOTALL | re.VERBOSE,
)
NUMBER = re.compile(r"-?[0-9]{1,20}", re.ASCII)


@dataclass(frozen=True)
class Description:
    """A volume group as one physical volume's metadata describes it. `sequence` grows with each change."""

    name: str
    uuid: str
    sequence: int
    root: Section
    checksum: int


@dataclass(frozen=True)
class PhysicalVolume:
    """A disk of a volume group. `group` is the group's uuid, empty where this disk has no metadata of its own.

    `damage` says what of its metadata can't be read; its data may still be used through another disk's metadata.
    """

    disk: Disk
    uuid: str
    group: str
    described: Description | None = None
    damage: str = ""


def checksum(raw: bytes) -> int:
    """LVM's CRC-32: the usual polynomial, another beginning, and no inversion at the end."""
    return zlib.crc32(raw, FIRST_CHECKSUM ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def physical_volume_of(disk: Disk) -> PhysicalVolume | None:
    """What the disk's label says; None without a label. Raises Unreadable, reason `damaged`, for a broken label."""
    head = disk.read(0, LABEL_SECTORS * SECTOR)
    for number in range(len(head) // SECTOR):
        sector = head[number * SECTOR : (number + 1) * SECTOR]
        identity, stated, crc, offset, kind = LABEL.unpack_from(sector)
        if identity == LABEL_ID and kind == LABEL_TYPE:
            if crc != checksum(sector[CHECKED_FROM:]) or stated != number:
                raise Unreadable("damaged", f"the LVM2 label in sector {number} does not hold its checksum")
            return _labelled(disk, sector, offset)
    return None


def _labelled(disk: Disk, sector: bytes, offset: int) -> PhysicalVolume:
    if not LABEL.size <= offset <= SECTOR - PV_HEADER:
        raise Unreadable("damaged", f"the LVM2 label points to byte {offset} of its sector")
    uuid = _with_dashes(sector[offset : offset + 32])
    _, at = _places(sector, offset + PV_HEADER)  # data areas: where extents lie is said by the group's description
    areas, _ = _places(sector, at)
    found, damage = list[Description](), list[str]()
    for start, _ in areas:
        try:
            found += _descriptions_in(disk, start)
        except Unreadable as error:
            damage.append(f"the LVM2 metadata at byte {start}: {error.detail}")
    newest = max(found, key=lambda one: one.sequence, default=None)
    return PhysicalVolume(disk, uuid, newest.uuid if newest else "", newest, "; ".join(damage))


def _places(sector: bytes, at: int) -> tuple[list[tuple[int, int]], int]:
    """Offsets and sizes up to an offset of zero or the sector's end, and where the next list begins."""
    places = list[tuple[int, int]]()
    while at + PLACE.size <= len(sector):
        start, size = PLACE.unpack_from(sector, at)
        at += PLACE.size
        if not start:
            break
        places.append((start, size))
    return places, at


def _with_dashes(uuid: bytes) -> str:
    """As LVM prints a uuid: 6-4-4-4-4-4-6."""
    text = uuid.decode("ascii", "backslashreplace")
    return "-".join(text[a:b] for a, b in pairwise((0, 6, 10, 14, 18, 22, 26, len(text))))


def _descriptions_in(disk: Disk, start: int) -> Iterator[Description]:
    """The description that a metadata area holds now; nothing where it holds none, or one that is out of use."""
    head = disk.read(start, AREA_SIZE)
    if len(head) < AREA_SIZE:
        raise Unreadable("truncated", "the disk ends within it")
    crc, magic, version, place, size = AREA.unpack_from(head)
    if crc != checksum(head[4:]) or magic != AREA_MAGIC or version != 1 or place != start:
        raise Unreadable("damaged", "its header does not hold its checksum")
    offset, length, stated, flags = LOCATION.unpack_from(head, AREA.size)
    if not offset or flags & IGNORED:
        return
    if length > LONGEST_TEXT:
        raise Unreadable("too large", f"its text has {length} bytes; {LONGEST_TEXT} are allowed")
    if not AREA_SIZE <= offset < size or not length <= size - AREA_SIZE:
        raise Unreadable("damaged", f"its text of {length} bytes at {offset} lies outside of its {size} bytes")
    first = min(length, size - offset)
    text = disk.read(start + offset, first) + disk.read(start + AREA_SIZE, length - first)
    if len(text) != length or checksum(text) != stated:
        raise Unreadable("damaged", "its text does not hold its checksum")
    yield _described_by(text)


def _described_by(text: bytes) -> Description:
    root = parsed(text)
    groups = [(name, value) for name, value in root.items() if isinstance(value, dict)]
    if len(groups) != 1:
        raise Unreadable("damaged", f"its text describes {len(groups)} volume groups")
    ((name, group),) = groups
    return Description(name, words(group, "id"), number(group, "seqno"), group, checksum(text))


def parsed(text: bytes) -> Section:
    """The text's sections. Raises Unreadable, reason `damaged`, for anything that is not such a text."""
    root = Section()
    stack, tokens = [root], _tokens(text)
    for kind, token in tokens:
        if (kind, token) == ("mark", "}") and len(stack) > 1:
            stack.pop()
        elif kind == "word":
            if len(token) > LONGEST_NAME or token in stack[-1]:
                raise Unreadable(
                    "damaged", f"its text gives the name {token[:LONGEST_NAME]!r} twice, or it is too long"
                )
            if next(tokens, None) == ("mark", "="):
                stack[-1][token] = _value(tokens)
            else:  # whatever opens a section; LVM writes nothing but a brace
                stack[-1][token] = section = Section()
                stack.append(section)
        else:
            raise Unreadable("damaged", f"its text has {token[:80]!r} where a name belongs")
        if len(stack) > DEEPEST:
            raise Unreadable("damaged", f"its text nests deeper than {DEEPEST}")
    if len(stack) > 1:
        raise Unreadable("damaged", "its text ends within a section")
    return root


def _tokens(text: bytes) -> Iterator[tuple[str, str]]:
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match:
            raise Unreadable("damaged", f"its text can't be read at byte {at}")
        at = match.end()
        if match.lastgroup:
            yield match.lastgroup, match[match.lastgroup].decode("utf-8", "backslashreplace")


def _value(tokens: Iterator[tuple[str, str]]) -> Value:
    kind, text = next(tokens, ("mark", ""))
    if kind != "mark":
        return _scalar(kind, text)
    entries = list[int | str]()
    for kind, entry in tokens if text == "[" else ():
        if (kind, entry) == ("mark", "]"):
            return entries
        if kind != "mark":
            entries.append(_scalar(kind, entry))
        elif entry != ",":
            break
    raise Unreadable("damaged", "its text has a list without an end")


def _scalar(kind: str, token: str) -> int | str:
    if kind == "text":
        return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)
    return int(token) if NUMBER.fullmatch(token) else token


def number(section: Section, name: str) -> int:
    """A whole number that is not negative. Raises Unreadable, reason `damaged`, where there is none."""
    value = section.get(name)
    if not isinstance(value, int) or value < 0:
        raise Unreadable("damaged", f"the group's description has no number {name}")
    return value


def words(section: Section, name: str) -> str:
    value = section.get(name)
    if not isinstance(value, str):
        raise Unreadable("damaged", f"the group's description has no {name}")
    return value


def listed(section: Section, name: str) -> list[int | str]:
    """A list, empty where there is none."""
    value = section.get(name, [])
    return value if isinstance(value, list) else []


def sections(section: Section, name: str = "") -> dict[str, Section]:
    """The sections within this one, or within the one of this name; none where it is absent."""
    inside = section.get(name, {}) if name else section
    return {key: value for key, value in inside.items() if isinstance(value, dict)} if isinstance(inside, dict) else {}

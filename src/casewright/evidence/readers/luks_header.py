"""What the header of a LUKS1 or LUKS2 volume says: the cipher, where the data lies, and the key slots.

LUKS2 keeps its header twice, each copy with a checksum and a sequence number; of those that hold, the newest counts.
Nothing here has been proven by a key: a header is believed only as far as its numbers are possible.

Sources: LUKS On-Disk Format Specification 1.2.3 (one binary header); LUKS2 On-Disk Format Specification 1.1 (a binary
header and an area of JSON). Numbers are big-endian, lengths and places are bytes.
"""

import base64
import hashlib
import hmac
import json
import re
import struct
from dataclasses import dataclass
from typing import Any

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk
from casewright.evidence.readers.luks_crypto import (
    HASHES,
    MOST_MATERIAL,
    Derivation,
    check_cipher,
    hash_called,
)

MAGIC, SECOND_MAGIC = b"LUKS\xba\xbe", b"SKUL\xba\xbe"
HEADER_1 = struct.Struct(">6sH32s32s32sII20s32sI40s")
SLOT_1 = struct.Struct(">II32sII")
ENABLED_1, DIGEST_1, SLOTS_1 = 0x00AC71F3, 20, 8
HEADER_2 = struct.Struct(">6sHQQ48s32s64s40s48sQ184s64s")
BINARY_2 = 4096
CHECKSUM_AT = HEADER_2.size - 64
SIZES_2 = tuple(1 << bits for bits in range(14, 23))
"""How long a LUKS2 header may be, and so the places at which its second copy may stand."""
SLOTS_2 = 32
LARGEST = 1 << 60
NUMBERED = re.compile(r"[0-9]{1,4}", re.ASCII)


@dataclass(frozen=True)
class Digest:
    """What tells whether a volume key is the right one."""

    derivation: Derivation
    value: bytes

    def fits(self, key: bytes) -> bool:
        return hmac.compare_digest(self.derivation.derive(key, len(self.value)), self.value)


@dataclass(frozen=True)
class Slot:
    """Where the volume key of `holds` bytes lies: split, then encrypted under a key of `key_size` bytes."""

    number: int
    derivation: Derivation
    encryption: str
    key_size: int
    start: int
    stripes: int
    hash: str
    holds: int
    priority: int = 1


@dataclass(frozen=True)
class Header:
    """`size` is None where the data goes on to the disk's end; `tweak` is added to the numbers of sectors of 512 bytes.

    `refused` says for each key slot that can't be tried why not.
    """

    version: int
    encryption: str
    start: int
    size: int | None
    sector_size: int
    tweak: int
    digest: Digest
    slots: tuple[Slot, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"LUKS{self.version}, {self.encryption}"


def version_of(disk: Disk) -> int | None:
    """The version that a header at the disk's beginning claims; None where there is none."""
    head = disk.read(0, 8)
    return int.from_bytes(head[6:]) if head[:6] == MAGIC and len(head) == 8 else None


def second_header_of(disk: Disk) -> bool:
    """Whether a whole second header of LUKS2 stands where one may stand."""
    return any(_holds(_copy_at(disk, at)) for at in SIZES_2)


def header_of(disk: Disk) -> Header:
    """Raises Unreadable: `damaged` where no copy of the header holds, `not supported` for what we can't decrypt."""
    version = version_of(disk)
    if version == 1:
        return _header_1(disk)
    if version in (2, None):
        return _header_2(disk)
    raise Unreadable("not supported", f"LUKS version {version} is not supported")


def _header_1(disk: Disk) -> Header:
    raw = disk.read(0, HEADER_1.size + SLOTS_1 * SLOT_1.size)
    if len(raw) < HEADER_1.size + SLOTS_1 * SLOT_1.size:
        raise Unreadable("truncated", "the disk ends within its LUKS1 header")
    _, _, cipher, mode, spec, start, key_size, value, salt, rounds, _ = HEADER_1.unpack_from(raw)
    encryption, name = f"{_word(cipher)}-{_word(mode)}", _word(spec)
    check_cipher(encryption, key_size)
    slots, refused = list[Slot](), list[str]()
    for number in range(SLOTS_1):
        active, slot_rounds, slot_salt, at, stripes = SLOT_1.unpack_from(raw, HEADER_1.size + number * SLOT_1.size)
        if active == ENABLED_1:
            try:
                derivation = Derivation("pbkdf2", slot_salt, slot_rounds, name)
                slot = Slot(number, derivation, encryption, key_size, at * SECTOR, stripes, name, key_size)
                slots.append(_possible(slot, disk))
            except Unreadable as error:
                refused.append(f"key slot {number} was not tried: {error.detail}")
    _check_start(start * SECTOR, len(raw), disk)
    digest = Digest(Derivation("pbkdf2", salt, rounds, name), value)
    return Header(1, encryption, start * SECTOR, None, SECTOR, 0, digest, tuple(slots), tuple(refused))


def _word(field: bytes) -> str:
    return field.split(b"\0")[0].decode("ascii", "backslashreplace")


def _possible(slot: Slot, disk: Disk) -> Slot:
    """The slot, if its key material can lie on the disk; hostile headers ask for gigabytes of it."""
    check_cipher(slot.encryption, slot.key_size)
    hash_called(slot.hash)
    length = slot.stripes * slot.holds
    if not 0 < length <= MOST_MATERIAL:
        raise Unreadable("damaged", f"its key would be split over {slot.stripes} stripes")
    if not SECTOR <= slot.start <= disk.size - length:
        raise Unreadable("truncated", f"its key material at byte {slot.start} is not on the disk")
    return slot


def _check_start(start: int, least: int, disk: Disk) -> None:
    if start < least:
        raise Unreadable("not supported", "this is a detached LUKS header: the data it opens lies on another disk")
    if start >= disk.size:
        raise Unreadable("truncated", f"the encrypted data begins at byte {start}, and the disk ends at {disk.size}")


@dataclass(frozen=True)
class _Copy:
    """One copy of a LUKS2 header: its binary part with the area of JSON after it."""

    raw: bytes
    at: int

    @property
    def sequence(self) -> int:
        return int(HEADER_2.unpack_from(self.raw)[3])


def _copy_at(disk: Disk, at: int) -> _Copy | None:
    """What stands here as a copy of the header, None where nothing claims to be one."""
    head = disk.read(at, BINARY_2)
    if len(head) < BINARY_2 or not head.startswith(SECOND_MAGIC if at else MAGIC):
        return None
    _, version, size, *_, place, _, _ = HEADER_2.unpack_from(head)
    if version != 2 or size not in SIZES_2 or place != at or at not in (0, size):
        return None
    return _Copy(head + disk.read(at + BINARY_2, size - BINARY_2), at)


def _holds(copy: _Copy | None) -> bool:
    """Whether the copy's checksum holds over all that it says it covers."""
    if copy is None:
        return False
    fields = HEADER_2.unpack_from(copy.raw)
    name, stated = _word(fields[5]), fields[-1]
    if len(copy.raw) != fields[2] or name not in HASHES:
        return False
    blanked = copy.raw[:CHECKSUM_AT] + bytes(64) + copy.raw[HEADER_2.size :]
    found = hashlib.new(hash_called(name), blanked).digest()
    return bool(found == stated[: len(found)])


def _header_2(disk: Disk) -> Header:
    first = _copy_at(disk, 0)
    # A whole first header says where the second one is; elsewhere may lie one of an earlier format of the disk.
    places = (len(first.raw),) if first and _holds(first) else SIZES_2
    whole = [copy for copy in (first, *(_copy_at(disk, at) for at in places)) if copy and _holds(copy)]
    if not whole:
        raise Unreadable("damaged", "a LUKS2 header of which no copy holds its checksum")
    newest = max(whole, key=lambda copy: (copy.sequence, -copy.at))
    notes = ("read from the second header, the first is damaged or older",) if newest.at else ()
    return _Json(newest, disk).header(notes)


class _Json:
    """The area of JSON of a LUKS2 header, whose every value is checked on its way out."""

    def __init__(self, copy: _Copy, disk: Disk) -> None:
        self._disk, self._length = disk, len(copy.raw)
        try:
            self._root = json.loads(copy.raw[BINARY_2:].split(b"\0")[0])
        except (ValueError, RecursionError) as error:
            raise Unreadable("damaged", f"the LUKS2 header's metadata is not JSON: {error}"[:300]) from error

    def header(self, notes: tuple[str, ...]) -> Header:
        self._check_requirements()
        name, segment = self._segment()
        encryption, sector_size = _text(segment, "encryption"), _number(segment, "sector_size")
        start, tweak = _number(segment, "offset"), _number(segment, "iv_tweak")
        size = None if segment.get("size") == "dynamic" else _number(segment, "size")
        digest, bound = self._digest(name)
        keyslots = {number: slot for number, slot in self._section("keyslots").items() if number in bound}
        if len(keyslots) > SLOTS_2:
            raise Unreadable("damaged", f"a LUKS2 header with {len(keyslots)} key slots")
        check_cipher(encryption, sector_size=sector_size)
        _check_start(start, 2 * self._length, self._disk)
        if size == 0 or (size or 0) % sector_size:
            raise Unreadable("damaged", f"a LUKS2 segment of {size} bytes in sectors of {sector_size}")
        slots, refused = self._slots(keyslots)
        return Header(2, encryption, start, size, sector_size, tweak, digest, slots, refused, notes)

    def _check_requirements(self) -> None:
        required = self._section("config").get("requirements", {})
        asked = required.get("mandatory", []) if isinstance(required, dict) else [str(required)]
        if asked:
            names = ", ".join(map(str, asked))
            raise Unreadable("not supported", f"LUKS2 that requires {names:.200} is not supported")

    def _segment(self) -> tuple[str, dict[str, Any]]:
        segments = self._section("segments")
        if len(segments) > 1:
            raise Unreadable("not supported", f"LUKS2 with {len(segments)} segments: its reencryption is not finished")
        name, segment = _one(set(segments), "data segment"), next(iter(segments.values()))
        if segment.get("type") != "crypt":
            raise Unreadable("not supported", f"a LUKS2 segment of type {segment.get('type')!r:.80} is not supported")
        if "integrity" in segment:
            raise Unreadable("not supported", f"LUKS2 with integrity {segment['integrity']!r:.80} is not supported")
        return name, segment

    def _digest(self, segment: str) -> tuple[Digest, set[str]]:
        """The digest of the key that opens this segment, and the slots that hold that key."""
        ours = {
            name: digest for name, digest in self._section("digests").items() if segment in _names(digest, "segments")
        }
        digest = ours[_one(set(ours), "digest for its data")]
        if digest.get("type") != "pbkdf2":
            raise Unreadable("not supported", f"a LUKS2 digest of type {digest.get('type')!r:.80} is not supported")
        value = _bytes(digest, "digest")
        if not DIGEST_1 <= len(value) <= 64:
            raise Unreadable("damaged", f"a LUKS2 digest of {len(value)} bytes")
        return Digest(_derivation(digest), value), _names(digest, "keyslots")

    def _slots(self, keyslots: dict[str, dict[str, Any]]) -> tuple[tuple[Slot, ...], tuple[str, ...]]:
        slots, refused = list[Slot](), list[str]()
        for number in sorted(keyslots, key=int):
            try:
                slots.append(_slot(int(number), keyslots[number], self._disk))
            except Unreadable as error:
                refused.append(f"key slot {number} was not tried: {error.detail}")
        return tuple(sorted(slots, key=lambda slot: -slot.priority)), tuple(refused)

    def _section(self, name: str) -> dict[str, dict[str, Any]]:
        section = _part(self._root, name)
        if name != "config" and not all(NUMBERED.fullmatch(k) and isinstance(v, dict) for k, v in section.items()):
            raise Unreadable("damaged", f"the LUKS2 header's {name} are not numbered objects")
        return section


def _slot(number: int, slot: dict[str, Any], disk: Disk) -> Slot:
    if slot.get("type") != "luks2":
        raise Unreadable("not supported", f"a slot of type {slot.get('type')!r:.80} is not supported")
    area, split, kdf = (_part(slot, name) for name in ("area", "af", "kdf"))
    if area.get("type") != "raw" or split.get("type") != "luks1":
        raise Unreadable(
            "not supported", f"a slot with area {area.get('type')!r:.40} and split {split.get('type')!r:.40}"
        )
    found = Slot(
        number,
        _derivation(kdf),
        _text(area, "encryption"),
        _number(area, "key_size"),
        _number(area, "offset"),
        _number(split, "stripes"),
        _text(split, "hash"),
        _number(slot, "key_size"),
        _number(slot, "priority") if "priority" in slot else 1,
    )
    return _possible(found, disk)


def _derivation(kdf: dict[str, Any]) -> Derivation:
    kind, salt = _text(kdf, "type"), _bytes(kdf, "salt")
    if kind == "pbkdf2":
        return Derivation(kind, salt, _number(kdf, "iterations"), _text(kdf, "hash"))
    if kind in ("argon2i", "argon2id"):
        return Derivation(kind, salt, _number(kdf, "time"), "", _number(kdf, "memory"), _number(kdf, "cpus"))
    return Derivation(kind, salt, 1)


def _one(found: set[Any], what: str) -> Any:
    if len(found) != 1:
        raise Unreadable("damaged", f"the LUKS2 header names {len(found) or 'no'} {what}")
    return next(iter(found))


def _part(value: Any, name: str) -> dict[str, Any]:
    part = value.get(name) if isinstance(value, dict) else None
    if not isinstance(part, dict):
        raise Unreadable("damaged", f"the LUKS2 header has no {name}")
    return part


def _text(value: dict[str, Any], name: str) -> str:
    if not isinstance(text := value.get(name), str):
        raise Unreadable("damaged", f"the LUKS2 header has no {name}")
    return text


def _number(value: dict[str, Any], name: str) -> int:
    """A number below 2^60; LUKS2 writes those that may need 64 bits as text."""
    number = value.get(name)
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 20:
        number = int(number)
    if type(number) is not int or not 0 <= number < LARGEST:
        raise Unreadable("damaged", f"the LUKS2 header's {name} is {number!r:.80}")
    return number


def _bytes(value: dict[str, Any], name: str) -> bytes:
    try:
        return base64.b64decode(_text(value, name), validate=True)
    except ValueError as error:
        raise Unreadable("damaged", f"the LUKS2 header's {name} is not base64") from error


def _names(value: dict[str, Any], name: str) -> set[str]:
    names = value.get(name)
    if not isinstance(names, list) or not all(isinstance(entry, str) for entry in names):
        raise Unreadable("damaged", f"the LUKS2 header's {name} are not a list of names")
    return set(names)

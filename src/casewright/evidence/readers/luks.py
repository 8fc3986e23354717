"""A LUKS volume, opened by a secret that the examiner has given, as the disk inside it.

Nothing is guessed and nothing is weakened: a secret opens a volume if it would have opened it on the seized server. It
may be a key file (its bytes as they are), a passphrase (a file's bytes without the line's end), or the volume key
itself, as `cryptsetup luksDump --dump-volume-key` writes it or as it was found in memory.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR, Disk
from casewright.evidence.readers.luks_crypto import RUN, Sectors, key_sizes, merged
from casewright.evidence.readers.luks_header import BINARY_2, Header, Slot, header_of, second_header_of, version_of

LONGEST = 300  # seconds that all tries on one volume may take, by the same estimate everywhere
ADVICE = "Give a passphrase or key file with: casewright intake --unlock FILE"


@dataclass(frozen=True)
class Unlocked:
    """The disk inside a volume; `said` is how it was opened: "LUKS2, aes-xts-plain64, key slot 1"."""

    disk: Disk
    said: str


@dataclass
class Decrypted:
    """The data of a volume. A read that meets the end of the disk below, short of `size`, raises Unreadable."""

    disk: Disk
    start: int
    size: int
    sector_size: int
    tweak: int
    sectors: Sectors

    def read(self, offset: int, length: int) -> bytes:
        end = min(offset + length, self.size)
        at, parts = offset - offset % self.sector_size, list[bytes]()
        while at < end:
            run = min(RUN, -(-(end - at) // self.sector_size) * self.sector_size)
            parts.append(self.sectors.decrypt(self._sealed(at, run), at // SECTOR + self.tweak))
            at += run
        skipped = offset % self.sector_size
        return b"".join(parts)[skipped : skipped + max(0, end - offset)]

    def _sealed(self, at: int, length: int) -> bytes:
        raw = self.disk.read(self.start + at, length)
        if len(raw) != length:
            raise Unreadable("truncated", f"the encrypted volume ends at byte {at + len(raw)} of {self.size}")
        return raw


def is_luks(disk: Disk) -> bool:
    """Whether the disk begins with a LUKS header, or had one: its place is zeroed and a whole second one follows.

    A second header behind something else proves nothing: the disk may have been formatted anew.
    """
    if version_of(disk) is not None:
        return True
    head = disk.read(0, BINARY_2)
    return len(head) == BINARY_2 and not any(head) and second_header_of(disk)


def unlock(disk: Disk, secrets: Sequence[bytes]) -> Unlocked:
    """The data of this volume, for the first of the secrets that opens it.

    Raises Unreadable: `encrypted` if none does, `damaged`, `truncated` or `not supported` for the volume as such.
    """
    header = header_of(disk)
    notes = list(header.refused)
    key, slot = _volume_key(header, disk, secrets, notes)
    if key is None:
        raise Unreadable("encrypted", _locked(header, len(secrets), notes))
    sectors = Sectors(header.encryption, key, header.sector_size)
    there = (disk.size - header.start) // header.sector_size * header.sector_size
    size = there if header.size is None else header.size
    said = ", ".join(
        [str(header), "the volume key itself" if slot is None else f"key slot {slot.number}", *header.notes]
    )
    return Unlocked(Decrypted(disk, header.start, size, header.sector_size, header.tweak, sectors), said)


def _volume_key(
    header: Header, disk: Disk, secrets: Sequence[bytes], notes: list[str]
) -> tuple[bytes | None, Slot | None]:
    """The volume key and the slot it came from. What could not be tried, and why, is added to the notes."""
    left = float(LONGEST)
    for secret, slot in _tries(header, secrets):
        left -= _cost(header, slot)
        if left < 0:
            notes.append(f"trying all keys would take more than about {LONGEST} seconds, give fewer at a time")
            break
        try:
            key = secret if slot is None else _key_in(slot, disk, secret)
        except Unreadable as error:
            notes.append(f"key slot {slot.number if slot else '-'} can't be read: {error.detail}")
            continue
        if header.digest.fits(key):
            return key, slot
    return None, None


def _tries(header: Header, secrets: Sequence[bytes]) -> Iterator[tuple[bytes, Slot | None]]:
    """What to try in turn: each reading of each secret on each slot; without a slot, as the volume key itself."""
    for secret in _readings(secrets):
        if len(secret) in key_sizes(header.encryption):
            yield secret, None
        for slot in header.slots:
            yield secret, slot


def _readings(secrets: Sequence[bytes]) -> Iterator[bytes]:
    """Each secret as a key file, then as a line of text without its end; none twice."""
    readings = dict[bytes, None]()
    for secret in secrets:
        readings |= dict.fromkeys([secret, secret.removesuffix(b"\n"), secret.removesuffix(b"\n").removesuffix(b"\r")])
    yield from readings


def _cost(header: Header, slot: Slot | None) -> float:
    digest = header.digest.derivation.seconds(len(header.digest.value))
    return digest + (slot.derivation.seconds(slot.key_size) if slot else 0)


def _key_in(slot: Slot, disk: Disk, secret: bytes) -> bytes:
    """What the slot holds if the secret is right; if not, bytes that no digest fits."""
    length = slot.stripes * slot.holds
    padded = -(-length // SECTOR) * SECTOR
    sealed = disk.read(slot.start, padded)
    if len(sealed) != padded:
        raise Unreadable("truncated", f"the disk ends within its key material at byte {slot.start}")
    material = Sectors(slot.encryption, slot.derivation.derive(secret, slot.key_size)).decrypt(sealed, 0)
    return merged(material[:length], slot.holds, slot.stripes, slot.hash)


def _locked(header: Header, given: int, notes: Sequence[str]) -> str:
    kinds = ", ".join(dict.fromkeys(slot.derivation.kind for slot in header.slots))
    count = len(header.slots) + len(header.refused)
    slots = f"{count or 'no'} key slot{'' if count == 1 else 's'}" + (f" ({kinds})" if kinds else "")
    tried = {0: "no key was given", 1: "the key given does not open it"}.get(
        given, f"none of the {given} keys given opens it"
    )
    said = "; ".join([f"{header}, {slots}", tried, *dict.fromkeys(notes)])
    return f"{said}. {ADVICE}"

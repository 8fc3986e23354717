"""The cryptography of LUKS: keys from secrets, the anti-forensic merge, and sectors in bulk.

Each sector is encrypted by itself, with a start value made of its number. `one_by_one` is the definition: one cipher a
sector. `Sectors.decrypt` gives the same bytes from a few calls over many sectors: all start values in one call, their
doublings in GF(2^128) and all exclusive-ors in numpy, all blocks in one call of AES-ECB. With sectors of 512 bytes that
is about five times as fast for XTS, twenty times for CBC.

Sources: LUKS On-Disk Format Specification 1.2.3 (sections 2.4 and 3); IEEE 1619-2007 for XTS; NIST SP 800-38A for CBC;
drivers/md/dm-crypt.c of the Linux kernel for plain, plain64 and essiv; RFC 8018 for PBKDF2; RFC 9106 for Argon2.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.argon2 import Argon2i, Argon2id

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import SECTOR

HASHES = {
    **{name: name for name in ("sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160")},
    **{f"sha3-{bits}": f"sha3_{bits}" for bits in (224, 256, 384, 512)},
}
MODES = ("xts-plain64", "xts-plain", "cbc-essiv:sha256", "cbc-plain64", "cbc-plain")
KEY_SIZES = {"xts": (32, 64), "cbc": (16, 24, 32)}
SECTOR_SIZES = (512, 1024, 2048, 4096)
BLOCK = 16
RUN = 128 << 10  # bytes at once: more, and the memory for them is asked of the system anew each time
FEW, LONG = 16, 4096
SLOWEST = 60  # seconds that one try of one key slot may take, by the speeds below
ROUNDS_A_SECOND, KIB_A_SECOND = 2_000_000, 1_000_000  # PBKDF2 and Argon2 on one core of an ordinary computer
MOST_MEMORY = 1 << 20  # KiB: what cryptsetup itself allows by default
MOST_LANES = 16
MOST_MATERIAL = 4 << 20  # bytes of one key slot: 16 times what cryptsetup writes

Words = npt.NDArray[np.uint64]
Octets = npt.NDArray[np.uint8]


def hash_called(name: str) -> str:
    """Python's name of a hash in a header. Raises Unreadable, reason `not supported`, where there is none."""
    known = HASHES.get(name, "")
    if known not in hashlib.algorithms_available:
        raise Unreadable("not supported", f"the hash {name!r:.80} is not supported")
    return known


@dataclass(frozen=True)
class Derivation:
    """How a key is made of a secret. `memory` in KiB and `lanes` count for Argon2 only.

    One that asks for more than an honest header would is refused when it is made, not when it is used.
    """

    kind: str  # pbkdf2, argon2i or argon2id
    salt: bytes
    rounds: int
    hash: str = ""
    memory: int = 0
    lanes: int = 0

    def __post_init__(self) -> None:
        if self.kind not in ("pbkdf2", "argon2i", "argon2id"):
            raise Unreadable("not supported", f"key derivation by {self.kind!r:.80} is not supported")
        if self.kind == "pbkdf2":
            hash_called(self.hash)
        elif not 1 <= self.lanes <= MOST_LANES or len(self.salt) < 8 or self.memory < 8 * self.lanes:
            raise Unreadable("damaged", f"no {self.kind} has {self.lanes} lanes in {self.memory} KiB")
        if self.memory > MOST_MEMORY:
            raise Unreadable("too large", f"it asks for {self.memory} KiB of memory; {MOST_MEMORY} are allowed")
        if self.rounds < 1:
            raise Unreadable("damaged", f"key derivation of {self.rounds} rounds")
        self.seconds(max(KEY_SIZES["xts"]))

    def seconds(self, length: int) -> float:
        """An estimate, the same on every computer. Past `SLOWEST`, it raises Unreadable, reason `too large`."""
        if self.kind == "pbkdf2":
            cost = self.rounds * -(-length // hashlib.new(hash_called(self.hash)).digest_size) / ROUNDS_A_SECOND
            most = f"{SLOWEST * ROUNDS_A_SECOND} rounds of PBKDF2"
        else:
            cost = self.rounds * self.memory / KIB_A_SECOND
            most = f"{SLOWEST * KIB_A_SECOND // MOST_MEMORY} passes over {MOST_MEMORY} KiB"
        if cost > SLOWEST:
            asked = f"{self.rounds} rounds of {self.kind}" + (f" over {self.memory} KiB" if self.memory else "")
            raise Unreadable("too large", f"it asks for {asked}; at most {most} are allowed, about {SLOWEST} seconds")
        return cost

    def derive(self, secret: bytes, length: int) -> bytes:
        """`length` bytes of key. Raises Unreadable where the process may not use the memory that Argon2 asks for."""
        if self.kind == "pbkdf2":
            return hashlib.pbkdf2_hmac(hash_called(self.hash), secret, self.salt, self.rounds, length)
        function = Argon2i if self.kind == "argon2i" else Argon2id
        try:
            made = function(
                salt=self.salt, length=length, iterations=self.rounds, lanes=self.lanes, memory_cost=self.memory
            )
            return bytes(made.derive(secret))
        except MemoryError as error:
            raise Unreadable("too large", f"{self.kind} asks for {self.memory} KiB of memory") from error


def merged(material: bytes, size: int, stripes: int, hash_name: str) -> bytes:
    """The key of `size` bytes that was split over `stripes` stripes, so that losing any of them loses the key."""
    name, key = hash_called(hash_name), material[:size]
    for at in range(size, size * stripes, size):
        mixed = int.from_bytes(_diffused(key, name)) ^ int.from_bytes(material[at : at + size])
        key = mixed.to_bytes(size)
    return key


def _diffused(block: bytes, name: str) -> bytes:
    """Each digest-sized piece of a block replaced by the hash of its number (32 bits, big-endian) and itself."""
    step = hashlib.new(name).digest_size
    pieces = [
        hashlib.new(name, number.to_bytes(4) + block[at : at + step]).digest()
        for number, at in enumerate(range(0, len(block), step))
    ]
    return b"".join(pieces)[: len(block)]


class Sectors:
    """Decrypts sectors of `sector_size` bytes. Numbers count units of 512 bytes, whatever the size of a sector.

    Raises Unreadable, reason `not supported`, for a cipher that is not one of AES in `MODES`.
    """

    def __init__(self, encryption: str, key: bytes, sector_size: int = SECTOR) -> None:
        check_cipher(encryption, len(key), sector_size)
        _, chaining, numbering = encryption.split("-")
        self._size, self._chaining, self._wide = sector_size, chaining, numbering != "plain"
        half = len(key) // 2 if chaining == "xts" else len(key)
        self._blocks = Cipher(algorithms.AES(key[:half]), modes.ECB())  # noqa: S305  XTS and CBC are made of it
        second = key[half:] if chaining == "xts" else hashlib.sha256(key).digest() if "essiv" in numbering else b""
        self._starts = Cipher(algorithms.AES(second), modes.ECB()) if second else None  # noqa: S305
        self._key = key
        shape = (RUN // sector_size, sector_size // BLOCK, 2)
        # Kept from run to run: to ask for fresh memory each time costs more than the decryption.
        self._mask: Words = np.empty(shape, "<u8")
        self._bare: Words = np.empty(shape, "<u8")
        self._opened: Octets = np.empty(RUN + BLOCK, np.uint8)

    def decrypt(self, ciphertext: bytes, first: int) -> bytes:
        """Whole sectors, of which the first has this number."""
        runs = range(0, len(ciphertext), RUN)
        return b"".join(self._run(ciphertext[at : at + RUN], first + at // SECTOR) for at in runs)

    def _run(self, ciphertext: bytes, first: int) -> bytes:
        # The library's own XTS wins where sectors are long or few: preparing a run of them takes as long as 16.
        if self._chaining == "xts" and (self._size == LONG or len(ciphertext) <= FEW * self._size):
            return self.one_by_one(ciphertext, first)
        return self.in_bulk(ciphertext, first)

    def in_bulk(self, ciphertext: bytes, first: int) -> bytes:
        """Up to `RUN` bytes of whole sectors, in a few calls."""
        count = len(ciphertext) // self._size
        mask, bare = self._mask[:count], self._bare[:count]
        sealed: Words = np.frombuffer(ciphertext, "<u8").reshape(mask.shape)
        if self._chaining == "xts":
            set_doublings(self._start_values(count, first), mask)
            np.bitwise_xor(sealed, mask, out=bare)
        else:
            mask[:, 0], mask[:, 1:], bare = self._start_values(count, first), sealed[:, :-1], sealed
        source = bare.reshape(-1).view(np.uint8).data
        self._blocks.decryptor().update_into(source, self._opened.data)
        opened = self._opened[: len(ciphertext)].view("<u8").reshape(mask.shape)
        opened ^= mask
        return opened.tobytes()

    def one_by_one(self, ciphertext: bytes, first: int) -> bytes:
        """The same by the book, one cipher a sector."""
        return b"".join(
            self._one(first + at // SECTOR).decryptor().update(ciphertext[at : at + self._size])
            for at in range(0, len(ciphertext), self._size)
        )

    def _one(self, number: int) -> Cipher[modes.XTS] | Cipher[modes.CBC]:
        start = (number % (1 << (64 if self._wide else 32))).to_bytes(BLOCK, "little")
        if self._chaining == "xts":
            return Cipher(algorithms.AES(self._key), modes.XTS(start))
        if self._starts:
            start = self._starts.encryptor().update(start)
        return Cipher(algorithms.AES(self._key), modes.CBC(start))

    def _start_values(self, count: int, first: int) -> Words:
        """(sector, 2): each sector's number, encrypted where the mode says so."""
        numbers: Words = np.zeros((count, 2), "<u8")
        numbers[:, 0] = np.arange(count, dtype="<u8") * np.uint64(self._size // SECTOR)
        numbers[:, 0] += np.uint64(first % (1 << 64))
        if not self._wide:
            numbers[:, 0] &= np.uint64(0xFFFFFFFF)
        if not self._starts:
            return numbers
        sealed = self._starts.encryptor().update(numbers.tobytes())
        return np.frombuffer(sealed, "<u8").reshape(count, 2)


def key_sizes(encryption: str) -> tuple[int, ...]:
    """The sizes that this cipher's key may have. Raises Unreadable for a cipher that `Sectors` does not have."""
    cipher, _, mode = encryption.partition("-")
    if cipher != "aes" or mode not in MODES:
        raise Unreadable("not supported", f"the cipher {encryption!r:.80} is not supported")
    return KEY_SIZES[mode[:3]]


def check_cipher(encryption: str, key_size: int | None = None, sector_size: int = SECTOR) -> None:
    """Raises Unreadable for a cipher, key size or sector size that `Sectors` does not have."""
    if key_size not in (None, *key_sizes(encryption)):
        raise Unreadable("not supported", f"{encryption} with a key of {key_size} bytes is not supported")
    if sector_size not in SECTOR_SIZES:
        raise Unreadable("not supported", f"encrypted sectors of {sector_size} bytes are not supported")


def set_doublings(start: Words, values: Words) -> None:
    """Fills (sector, block, 2) with each sector's start value times α^block in GF(2^128), as XTS counts its blocks.

    What is there is multiplied by α^step to give the next `step` blocks; past 32, the bits carried over would not fit.
    """
    values[:, 0], done, blocks = start, 1, values.shape[1]
    while done < blocks:
        step = min(done, 32)
        _times(values[:, done - step : done], step, values[:, done : done + step])
        done += step


def _times(values: Words, power: int, out: Words) -> None:
    """Multiplies by α^power, for powers up to 32, modulo x^128 + x^7 + x^2 + x + 1."""
    low, high = values[..., 0], values[..., 1]
    carried = high >> np.uint64(64 - power)
    first = (low << np.uint64(power)) ^ carried
    for bit in (1, 2, 7):
        first ^= carried << np.uint64(bit)
    out[..., 0] = first
    out[..., 1] = (high << np.uint64(power)) | (low >> np.uint64(64 - power))

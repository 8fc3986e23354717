"""Encrypted volumes: made by cryptsetup, their data encrypted by the book, and held against what we read.

cryptsetup writes headers and key slots into plain files without the kernel's help. The data behind a header is written
here, one cipher a sector, under the volume key that cryptsetup itself reads out.
"""

import hashlib
import json
import resource
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers import luks
from casewright.evidence.readers.luks import is_luks, unlock
from casewright.evidence.readers.luks_crypto import MODES, Derivation, Sectors

needs_cryptsetup = pytest.mark.skipif(not shutil.which("cryptsetup"), reason="needs cryptsetup")
PASSPHRASE = b"glasshouse at the harbour"
CHEAP = ("--pbkdf-force-iterations", "1000")
CHEAP_2 = ("--pbkdf", "pbkdf2", *CHEAP)
MIB = 1 << 20


class Bytes:
    """A disk in memory."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.size = raw, len(raw)

    def read(self, offset: int, length: int) -> bytes:
        return self.raw[offset : offset + length]


def cryptsetup(*arguments: str | Path) -> None:
    subprocess.run(["cryptsetup", "-q", *map(str, arguments)], check=True, capture_output=True)


class Volume:
    """A file that cryptsetup has formatted, with a passphrase in key slot 0."""

    def __init__(self, folder: Path, *arguments: str, size: int = 18 * MIB) -> None:
        self.path, self.folder = folder / "volume.img", folder
        self.path.write_bytes(bytes(size))
        self.secret = folder / "secret"
        self.secret.write_bytes(PASSPHRASE)
        cryptsetup("luksFormat", *arguments, self.path, self.secret)

    @property
    def raw(self) -> bytes:
        return self.path.read_bytes()

    def key(self) -> bytes:
        """The volume key, as cryptsetup reads it out."""
        found = self.folder / "volume-key"
        found.unlink(missing_ok=True)
        cryptsetup("luksDump", "--dump-volume-key", "--volume-key-file", found, "--key-file", self.secret, self.path)
        return found.read_bytes()

    def add_key(self, new: bytes, *arguments: str) -> None:
        added = self.folder / "added"
        added.write_bytes(new)
        cryptsetup("luksAddKey", "--key-file", self.secret, *CHEAP_2, *arguments, self.path, added)

    def fill(self, cipher: str, sector: int, start: int) -> bytes:
        """Encrypts a pattern from byte `start` to the end, and returns it."""
        raw, key = bytearray(self.raw), self.key()
        plain = pattern(len(raw) - start)
        for at in range(0, len(plain), sector):
            encryptor = by_the_book(cipher, key, at // 512).encryptor()
            raw[start + at : start + at + sector] = encryptor.update(plain[at : at + sector])
        self.path.write_bytes(raw)
        return plain


def by_the_book(cipher: str, key: bytes, number: int) -> Cipher[Any]:
    """One sector's cipher, written from dm-crypt's manual."""
    if cipher.endswith("plain"):
        number &= 0xFFFFFFFF
    start = number.to_bytes(16, "little")
    if "xts" in cipher:
        return Cipher(algorithms.AES(key), modes.XTS(start))
    if "essiv" in cipher:
        start = Cipher(algorithms.AES(hashlib.sha256(key).digest()), modes.ECB()).encryptor().update(start)
    return Cipher(algorithms.AES(key), modes.CBC(start))


def pattern(size: int) -> bytes:
    return hashlib.shake_256(b"stolen museum scans").digest(size)


def refusal(raw: bytes, *secrets: bytes) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        unlock(Bytes(raw), secrets)
    return caught.value.reason, caught.value.detail


def with_metadata(raw: bytes, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The volume with its LUKS2 metadata changed, in both copies, each with a checksum that holds."""
    changed = bytearray(raw)
    (size,) = struct.unpack_from(">Q", raw, 8)
    metadata = json.loads(raw[4096:size].split(b"\0")[0])
    change(metadata)
    text = json.dumps(metadata).encode()
    return bytes(with_text(changed, text.ljust(size - 4096, b"\0"), size))


def with_text(raw: bytearray, text: bytes, size: int) -> bytearray:
    for at in (0, size):
        raw[at + 4096 : at + size] = text
        raw[at + 448 : at + 512] = bytes(64)
        raw[at + 448 : at + 480] = hashlib.sha256(raw[at : at + size]).digest()
    return raw


FORMATS = [
    ("LUKS1, aes-xts-plain64", 512, ("--type", "luks1", *CHEAP)),
    ("LUKS1, aes-cbc-essiv:sha256", 512,
     ("--type", "luks1", "-c", "aes-cbc-essiv:sha256", "-s", "256", "-h", "sha1", *CHEAP)),
    ("LUKS1, aes-cbc-plain64", 512,
     ("--type", "luks1", "-c", "aes-cbc-plain64", "-s", "192", "-h", "ripemd160", *CHEAP)),
    ("LUKS1, aes-xts-plain", 512, ("--type", "luks1", "-c", "aes-xts-plain", "-s", "256", "-h", "sha512", *CHEAP)),
    ("LUKS2, aes-xts-plain64", 512, ("--type", "luks2", "--sector-size", "512", *CHEAP_2)),
    ("LUKS2, aes-xts-plain64", 4096, ("--type", "luks2", "--sector-size", "4096", "-h", "sha512", *CHEAP_2)),
    ("LUKS2, aes-cbc-essiv:sha256", 2048,
     ("--type", "luks2", "-c", "aes-cbc-essiv:sha256", "-s", "128", "--sector-size", "2048", *CHEAP_2)),
    ("LUKS2, aes-xts-plain64", 4096,
     ("--type", "luks2", "--pbkdf", "argon2id", "--pbkdf-force-iterations", "4", "--pbkdf-memory", "32768")),
    ("LUKS2, aes-xts-plain64", 4096,
     ("--type", "luks2", "--pbkdf", "argon2i", "--pbkdf-force-iterations", "4", "--pbkdf-memory", "32768",
      "--pbkdf-parallel", "2")),
]  # fmt: skip


@needs_cryptsetup
@pytest.mark.parametrize(("said", "sector", "arguments"), FORMATS)
def test_a_volume_opens_with_its_passphrase_and_reads_as_it_was_written(
    tmp_path: Path, said: str, sector: int, arguments: tuple[str, ...]
) -> None:
    volume = Volume(tmp_path, *arguments)
    start = 16 * MIB if "LUKS2" in said else struct.unpack_from(">I", volume.raw, 104)[0] * 512
    plain = volume.fill(said.split(", ")[1], sector, start)
    opened = unlock(Bytes(volume.raw), [b"not this one", PASSPHRASE + b"\n"])
    assert opened.said == f"{said}, key slot 0"
    assert opened.disk.size == len(plain)
    assert opened.disk.read(0, len(plain)) == plain
    for offset, length in ((0, 1), (511, 2), (4095, 5000), (MIB - 3, 70_000), (len(plain) - 7, 100), (len(plain), 9)):
        assert opened.disk.read(offset, length) == plain[offset : offset + length]


@needs_cryptsetup
def test_a_key_file_is_used_with_every_byte_it_has(tmp_path: Path) -> None:
    volume = Volume(tmp_path, "--type", "luks2", *CHEAP_2)
    key_file = hashlib.sha512(b"key file").digest() + b"\0\n"
    volume.add_key(key_file)
    assert unlock(Bytes(volume.raw), [key_file]).said == "LUKS2, aes-xts-plain64, key slot 1"
    assert refusal(volume.raw, key_file[:-2])[0] == "encrypted"


@needs_cryptsetup
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_end_of_a_passphrase_s_line_is_not_part_of_it(tmp_path: Path, end: bytes) -> None:
    volume = Volume(tmp_path, "--type", "luks1", *CHEAP)
    assert unlock(Bytes(volume.raw), [PASSPHRASE + end]).said == "LUKS1, aes-xts-plain64, key slot 0"


@needs_cryptsetup
@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_the_volume_key_itself_opens_a_volume_even_when_its_key_slots_are_erased(tmp_path: Path, kind: str) -> None:
    volume = Volume(tmp_path, "--type", kind, *(CHEAP if kind == "luks1" else CHEAP_2))
    key = volume.key()
    cryptsetup("luksErase", volume.path)
    assert unlock(Bytes(volume.raw), [key]).said.endswith(", the volume key itself")
    assert "no key slots; the key given does not open it" in refusal(volume.raw, PASSPHRASE)[1]


@needs_cryptsetup
def test_a_volume_that_stays_locked_says_what_would_open_it(tmp_path: Path) -> None:
    volume = Volume(tmp_path, "--type", "luks2", *CHEAP_2)
    volume.add_key(b"second")
    advice = "Give a passphrase or key file with: casewright intake --unlock FILE"
    slots = "LUKS2, aes-xts-plain64, 2 key slots (pbkdf2)"
    assert refusal(volume.raw) == ("encrypted", f"{slots}; no key was given. {advice}")
    assert refusal(volume.raw, b"a") == ("encrypted", f"{slots}; the key given does not open it. {advice}")
    assert refusal(volume.raw, b"a", b"b") == (
        "encrypted", f"{slots}; none of the 2 keys given opens it. {advice}"
    )  # fmt: skip


@needs_cryptsetup
@pytest.mark.parametrize("place", [100, 460, 4100])
def test_a_damaged_first_header_gives_way_to_the_second(tmp_path: Path, place: int) -> None:
    raw = bytearray(Volume(tmp_path, "--type", "luks2", *CHEAP_2).raw)
    raw[place] ^= 1
    said = unlock(Bytes(bytes(raw)), [PASSPHRASE]).said
    assert said.endswith("key slot 0, read from the second header, the first is damaged or older")
    raw[16384 + place] ^= 1
    assert refusal(bytes(raw), PASSPHRASE) == ("damaged", "a LUKS2 header of which no copy holds its checksum")


@needs_cryptsetup
def test_the_newer_of_two_headers_counts(tmp_path: Path) -> None:
    volume = Volume(tmp_path, "--type", "luks2", *CHEAP_2)
    before = volume.raw
    volume.add_key(b"added later")
    torn = before[:16384] + volume.raw[16384:]
    assert "key slot 1, read from the second header" in unlock(Bytes(torn), [b"added later"]).said


@needs_cryptsetup
def test_a_zeroed_header_is_found_by_its_second_copy_but_not_under_a_newer_file_system(tmp_path: Path) -> None:
    raw = Volume(tmp_path, "--type", "luks2", *CHEAP_2).raw
    zeroed = bytes(4096) + raw[4096:]
    assert is_luks(Bytes(raw))
    assert is_luks(Bytes(zeroed))
    assert unlock(Bytes(zeroed), [PASSPHRASE]).disk.size == len(raw) - 16 * MIB
    assert not is_luks(Bytes(zeroed[:1080] + b"\x53\xef" + zeroed[1082:]))


def test_other_disks_are_not_taken_for_luks() -> None:
    assert not is_luks(Bytes(b""))
    assert not is_luks(Bytes(b"LUKS\xba\xbe"))
    assert not is_luks(Bytes(bytes(MIB)))
    assert not is_luks(Bytes(pattern(MIB)))


@needs_cryptsetup
def test_a_reencryption_that_was_interrupted_is_refused_by_name(tmp_path: Path) -> None:
    volume = Volume(tmp_path, "--type", "luks2", *CHEAP_2, size=40 * MIB)
    cryptsetup("reencrypt", "--init-only", "--key-file", volume.secret, volume.path)
    assert refusal(volume.raw, PASSPHRASE) == (
        "not supported",
        "LUKS2 that requires online-reencrypt-v2 is not supported",
    )
    asked = with_metadata(volume.raw, lambda m: m["config"].pop("requirements"))
    assert refusal(asked, PASSPHRASE) == ("not supported", "LUKS2 with 3 segments: its reencryption is not finished")


@needs_cryptsetup
@pytest.mark.parametrize("kind", ["luks1", "luks2"])
def test_a_detached_header_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    header, data, secret = tmp_path / "header.img", tmp_path / "data.img", tmp_path / "secret"
    header.write_bytes(bytes(20 * MIB))
    data.write_bytes(bytes(MIB))
    secret.write_bytes(PASSPHRASE)
    cheap = CHEAP if kind == "luks1" else CHEAP_2
    cryptsetup("luksFormat", "--type", kind, *cheap, "--header", header, data, secret)
    reason, detail = refusal(header.read_bytes(), PASSPHRASE)
    assert (reason, "detached LUKS header" in detail) == ("not supported", True)


@needs_cryptsetup
def test_ciphers_hashes_and_versions_that_are_not_ours_are_refused_by_name(tmp_path: Path) -> None:
    raw = Volume(tmp_path, "--type", "luks1", *CHEAP).raw

    def changed(place: int, field: bytes) -> tuple[str, str]:
        return refusal(raw[:place] + field + raw[place + len(field) :], PASSPHRASE)

    assert changed(8, b"serpent\0") == ("not supported", "the cipher 'serpent-xts-plain64' is not supported")
    assert changed(40, b"lrw-benbi\0\0\0") == ("not supported", "the cipher 'aes-lrw-benbi' is not supported")
    assert changed(72, b"whirlpool\0") == ("not supported", "the hash 'whirlpool' is not supported")
    assert changed(108, b"\0\0\0\x21") == ("not supported", "aes-xts-plain64 with a key of 33 bytes is not supported")
    assert changed(6, b"\0\3") == ("not supported", "LUKS version 3 is not supported")


@needs_cryptsetup
def test_luks2_features_that_are_not_ours_are_refused_by_name(tmp_path: Path) -> None:
    raw = Volume(tmp_path, "--type", "luks2", *CHEAP_2).raw

    def changed(**fields: object) -> str:
        reason, detail = refusal(with_metadata(raw, lambda m: m["segments"]["0"].update(fields)), PASSPHRASE)
        return f"{reason}: {detail}"

    assert "not supported: a LUKS2 segment of type 'linear'" in changed(type="linear")
    assert "not supported: LUKS2 with integrity" in changed(integrity={"type": "hmac(sha256)"})
    assert "not supported: the cipher 'capi:xts(aes)-plain64'" in changed(encryption="capi:xts(aes)-plain64")
    assert "not supported: encrypted sectors of 513 bytes" in changed(sector_size=513)
    assert "truncated: the encrypted data begins at byte" in changed(offset=str(1 << 50))


@needs_cryptsetup
def test_sectors_are_counted_from_the_tweak_on(tmp_path: Path) -> None:
    volume = Volume(tmp_path, "--type", "luks2", "--sector-size", "512", *CHEAP_2)
    plain = volume.fill("aes-xts-plain64", 512, 16 * MIB)
    moved = with_metadata(volume.raw, lambda m: m["segments"]["0"].update(offset=str(17 * MIB), iv_tweak="2048"))
    assert unlock(Bytes(moved), [PASSPHRASE]).disk.read(0, MIB) == plain[MIB:]


@needs_cryptsetup
def test_a_cut_volume_gives_what_is_there_and_says_where_it_ends(tmp_path: Path) -> None:
    volume = Volume(tmp_path, "--type", "luks2", "--sector-size", "512", *CHEAP_2)
    plain = volume.fill("aes-xts-plain64", 512, 16 * MIB)
    sized = with_metadata(volume.raw, lambda m: m["segments"]["0"].update(size=str(8 * MIB)))
    opened = unlock(Bytes(sized), [PASSPHRASE])
    assert opened.disk.size == 8 * MIB
    assert opened.disk.read(MIB, MIB) == plain[MIB:]
    with pytest.raises(Unreadable, match="ends at byte 2097152 of 8388608"):
        opened.disk.read(MIB, MIB + 1)


@needs_cryptsetup
@pytest.mark.parametrize(
    ("kdf", "why"),
    [
        ({"iterations": 10**12}, "it asks for 1000000000000 rounds of pbkdf2; at most 120000000 rounds of PBKDF2"),
        ({"type": "argon2id", "time": 4, "memory": 1 << 22, "cpus": 4}, "4194304 KiB of memory; 1048576 are allowed"),
        ({"type": "argon2id", "time": 4000, "memory": 1 << 20, "cpus": 4}, "at most 57 passes over 1048576 KiB"),
        ({"type": "argon2id", "time": 4, "memory": 32768, "cpus": 4000}, "no argon2id has 4000 lanes in 32768 KiB"),
        ({"iterations": 0}, "key derivation of 0 rounds"),
        ({"type": "scrypt"}, "key derivation by 'scrypt' is not supported"),
        ({"hash": "md5"}, "the hash 'md5' is not supported"),
        ({"salt": "?"}, "salt is not base64"),
    ],
)
def test_a_key_slot_that_asks_too_much_is_passed_over_and_said_while_another_opens(
    tmp_path: Path, kdf: dict[str, Any], why: str
) -> None:
    volume = Volume(tmp_path, "--type", "luks2", *CHEAP_2)
    volume.add_key(b"second")
    raw = with_metadata(volume.raw, lambda m: m["keyslots"]["0"]["kdf"].update(kdf))
    assert unlock(Bytes(raw), [b"second"]).said == "LUKS2, aes-xts-plain64, key slot 1"
    reason, detail = refusal(raw, PASSPHRASE)
    assert reason == "encrypted"
    assert "key slot 0 was not tried: " in detail
    assert why in detail


@needs_cryptsetup
def test_a_luks1_slot_of_four_thousand_million_rounds_or_stripes_is_not_tried(tmp_path: Path) -> None:
    raw = Volume(tmp_path, "--type", "luks1", *CHEAP).raw
    slot = 208
    rounds = raw[: slot + 4] + b"\xff" * 4 + raw[slot + 8 :]
    assert "asks for 4294967295 rounds of pbkdf2" in refusal(rounds, PASSPHRASE)[1]
    stripes = raw[: slot + 44] + b"\xff" * 4 + raw[slot + 48 :]
    assert "its key would be split over 4294967295 stripes" in refusal(stripes, PASSPHRASE)[1]
    outside = raw[: slot + 40] + b"\xff" * 4 + raw[slot + 44 :]
    assert "its key material at byte 2199023255040 is not on the disk" in refusal(outside, PASSPHRASE)[1]


@needs_cryptsetup
def test_keys_that_would_take_too_long_together_are_said_not_to_have_been_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = Volume(tmp_path, "--type", "luks1", *CHEAP).raw
    monkeypatch.setattr(luks, "LONGEST", 0.01)
    keys = [f"wrong {number}".encode() for number in range(50)]
    reason, detail = refusal(raw, *keys, PASSPHRASE)
    assert reason == "encrypted"
    assert "trying all keys would take more than about 0.01 seconds, give fewer at a time" in detail


HOSTILE: list[bytes | Callable[[dict[str, Any]], object]] = [
    b"", b"null", b"[]", b"{}", b"[" * 12_000, b'{"config": ' + b"9" * 10_000 + b"}", b"\xff\xfe",
    lambda m: m.pop("segments"),
    lambda m: m["segments"].clear(),
    lambda m: m["segments"]["0"].update(offset=-1),
    lambda m: m["segments"]["0"].update(size="0"),
    lambda m: m["segments"]["0"].update(size="1000"),
    lambda m: m["segments"]["0"].update(sector_size=True),
    lambda m: m["segments"]["0"].pop("iv_tweak"),
    lambda m: m["segments"]["0"].update(iv_tweak="9" * 20),
    lambda m: m["digests"].clear(),
    lambda m: m["digests"].update({"1": m["digests"]["0"]}),
    lambda m: m["digests"]["0"].update(segments="0"),
    lambda m: m["digests"]["0"].update(digest=""),
    lambda m: m["digests"]["0"].update(iterations=1 << 59),
    lambda m: m["keyslots"].update({"9" * 5000: {}}),
    lambda m: m["keyslots"].update({"one": {}}),
]  # fmt: skip


@needs_cryptsetup
def test_metadata_that_makes_no_sense_ends_in_a_refusal(tmp_path: Path) -> None:
    raw = Volume(tmp_path, "--type", "luks2", *CHEAP_2).raw
    for hostile in HOSTILE:
        if isinstance(hostile, bytes):
            changed = bytes(with_text(bytearray(raw), hostile.ljust(16384 - 4096, b"\0"), 16384))
        else:
            changed = with_metadata(raw, hostile)
        assert refusal(changed, PASSPHRASE)[0] in ("damaged", "too large"), hostile


@needs_cryptsetup
@settings(max_examples=200)
@given(data=st.data())
def test_any_bytes_in_a_header_open_or_refuse_and_nothing_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind = data.draw(st.sampled_from(["luks1", "luks2"]))
    raw = bytearray(_small(kind, tmp_path_factory))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, 592 if kind == "luks1" else 5300))] = data.draw(st.integers(0, 255))
    if kind == "luks2" and data.draw(st.booleans()):
        raw = with_text(raw, bytes(raw[4096:16384]), 16384)
    try:
        opened = unlock(Bytes(bytes(raw)), [b"never this one"])
    except Unreadable:
        return
    assert opened.disk.size >= 0


_KEPT = dict[str, bytes]()


def _small(kind: str, folders: pytest.TempPathFactory) -> bytes:
    if kind not in _KEPT:
        _KEPT[kind] = Volume(folders.mktemp(kind), "--type", kind, *(CHEAP if kind == "luks1" else CHEAP_2)).raw
    return _KEPT[kind]


@settings(max_examples=80)
@given(
    mode=st.sampled_from(MODES),
    sector=st.sampled_from([512, 1024, 2048, 4096]),
    wide=st.integers(0, 2),
    count=st.integers(0, 32),
    first=st.one_of(
        st.integers(0, 1 << 20),
        st.integers((1 << 32) - 20, (1 << 32) + 20),
        st.integers((1 << 64) - 20, (1 << 64) + 20),
    ),
    seed=st.binary(min_size=1, max_size=8),
)
def test_many_sectors_at_once_decrypt_as_each_by_itself(
    mode: str, sector: int, wide: int, count: int, first: int, seed: bytes
) -> None:
    key = hashlib.shake_256(seed).digest(((32, 64, 64) if "xts" in mode else (16, 24, 32))[wide])
    sealed = hashlib.shake_256(b"sealed" + seed).digest(count * sector)
    sectors = Sectors(f"aes-{mode}", key, sector)
    opened = sectors.one_by_one(sealed, first)
    assert sectors.in_bulk(sealed, first) == opened
    assert sectors.decrypt(sealed, first) == opened


def test_xts_gives_the_standard_s_vectors() -> None:
    """IEEE 1619-2007, annex B, vectors 4 and 5: sectors 0 and 1 of 512 bytes each, encrypted twice over."""
    key = bytes.fromhex("2718281828459045235360287471352631415926535897932384626433832795")
    plain = bytes(range(256)) * 2
    sectors = Sectors("aes-xts-plain64", key)
    once = Cipher(algorithms.AES(key), modes.XTS(bytes(16))).encryptor().update(plain)
    assert once.hex().startswith("27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89c")
    assert sectors.in_bulk(once, 0) == sectors.one_by_one(once, 0) == plain
    twice = Cipher(algorithms.AES(key), modes.XTS((1).to_bytes(16, "little"))).encryptor().update(once)
    assert twice.hex().startswith("264d3ca8512194fec312c8c9891f279fefdd608d0c027b60483a3fa811d65ee5")
    assert sectors.in_bulk(twice, 1) == sectors.one_by_one(twice, 1) == once


def test_argon2_that_asks_for_more_memory_than_the_process_may_use_is_refused() -> None:
    derivation = Derivation("argon2id", bytes(16), 1, memory=1 << 20, lanes=1)
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), before[1]))
    try:
        with pytest.raises(Unreadable, match="argon2id asks for 1048576 KiB of memory"):
            derivation.derive(PASSPHRASE, 64)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)

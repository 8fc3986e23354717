"""Seals are minisign signatures: stock minisign agrees with us, and no byte of them can change."""

import shutil
import subprocess
from pathlib import Path

import pytest

from casewright.model.errors import BrokenSeal, Refused
from casewright.vault.keys import SealKey, verify_signature

needs_minisign = pytest.mark.skipif(not shutil.which("minisign"), reason="minisign is not installed")


@needs_minisign
def test_stock_minisign_accepts_our_signature(tmp_path: Path) -> None:
    key = SealKey.from_seed(b"test")
    (tmp_path / "m").write_bytes(b"manifest")
    (tmp_path / "m.minisig").write_bytes(key.sign(b"manifest", "case 7"))
    command = ["minisign", "-V", "-m", str(tmp_path / "m"), "-P", key.public]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Trusted comment: case 7" in result.stdout


@needs_minisign
def test_we_accept_a_key_that_stock_minisign_made(tmp_path: Path) -> None:
    made = ["minisign", "-G", "-W", "-p", str(tmp_path / "k.pub"), "-s", str(tmp_path / "k.key")]
    subprocess.run(made, check=True, capture_output=True)
    key = SealKey.load(tmp_path / "k.key")
    assert key.public == (tmp_path / "k.pub").read_text().splitlines()[1]
    assert verify_signature(b"x", key.sign(b"x", "c"), key.public) == "c"


def test_any_changed_byte_of_a_signature_is_caught() -> None:
    key = SealKey.from_seed(b"test")
    signature = key.sign(b"manifest", "case 7")
    for at in range(len(signature)):
        for mask in (0x01, 0x20, 0x07):
            changed = bytearray(signature)
            changed[at] ^= mask
            with pytest.raises(BrokenSeal):
                verify_signature(b"manifest", bytes(changed), key.public)


def test_the_same_key_and_bytes_give_the_same_signature() -> None:
    assert SealKey.from_seed(b"a").sign(b"x", "c") == SealKey.from_seed(b"a").sign(b"x", "c")
    assert SealKey.from_seed(b"a").public != SealKey.from_seed(b"b").public


def test_a_new_key_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "home" / "seal.key"
    key = SealKey.load_or_create(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SealKey.load_or_create(path).public == key.public


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "seal.key").write_text("hello")
    with pytest.raises(Refused, match="not a minisign secret key"):
        SealKey.load(tmp_path / "seal.key")

"""Encrypting a sealed package to its recipients, with age."""

import io
import tarfile
from pathlib import Path

import pyrage

from casewright.model.errors import UsageError
from casewright.vault.disk import write_atomically


def encrypt_package(bag: Path, recipients: list[str], out: Path) -> Path:
    """`OUT/CC.tar.age`: the bag as a tar, encrypted to every recipient (age1...). Raises UsageError for a bad key."""
    try:
        keys = [pyrage.x25519.Recipient.from_str(key) for key in recipients]
    except pyrage.RecipientError as error:
        raise UsageError(f"a recipient's key is no age key: {error}.") from error
    out.mkdir(parents=True, exist_ok=True)
    target = out / f"{bag.name}.tar.age"
    write_atomically(target, pyrage.encrypt(packed(bag), keys))
    return target


def packed(bag: Path) -> bytes:
    """The bag as a tar without times, owners or modes of this machine."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(p for p in bag.rglob("*") if p.is_file()):
            info = tarfile.TarInfo(f"{bag.name}/{path.relative_to(bag).as_posix()}")
            info.size, info.mode = path.stat().st_size, 0o644
            archive.addfile(info, io.BytesIO(path.read_bytes()))
    return sink.getvalue()

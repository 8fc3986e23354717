"""The tree of harmless files that every test image holds, and the listing of what a mounted file system gives.

Runs inside the virtual machine on the system's own Python, so it needs the standard library only.
"""

import hashlib
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

MIB = 1 << 20
TEXT = b"The harbour master counts the boats at dusk, and writes their names into a blue book.\n"
LONG_NAME = b"n" * 251 + b".txt"
UMLAUTS = "Grüße aus Köln.txt".encode()
INVALID = b"caf\xe9.txt"


def plant(folder: Path, pictures: Path, without: Collection[str] = (), small: bool = False) -> None:
    """Write the tree into `folder`.

    `without` names what the file system can't hold: "invalid" (a name that is not UTF-8), "symlink", "hard link".
    A `small` tree has 30 tiny files instead of 300 and a ledger of 30,000 bytes: under encryption nothing compresses.
    """
    top = os.fsencode(folder)
    for path, content in files(pictures, small):
        if path != INVALID or "invalid" not in without:
            _write(os.path.join(top, path), content)
    with open(os.path.join(top, b"sparse.bin"), "wb") as sparse:
        sparse.write(b"A" * 4096)
        sparse.seek(2 * MIB)
        sparse.write(b"B" * 4096)
    if "hard link" not in without:
        os.link(os.path.join(top, b"letters/ledger.csv"), os.path.join(top, b"ledger-again.csv"))
    if "symlink" not in without:
        os.symlink(b"letters/harbour.txt", os.path.join(top, b"harbour-link"))


def files(pictures: Path, small: bool = False) -> Iterator[tuple[bytes, bytes]]:
    """Path and content of every plain file."""
    yield b"empty", b""
    yield b"one-byte", b"x"
    yield b"letters/harbour.txt", (TEXT * 60)[:5000]
    yield b"letters/ledger.csv", b"".join(b"%06d,boat,%04d\n" % (i, i % 97) for i in range(20_000))[: _ledger(small)]
    yield b"letters/" + UMLAUTS, "Viele Grüße!\n".encode()
    yield b"a/b/c/d/e/f/deep.txt", b"six folders down\n"
    yield INVALID, b"a name in Latin-1\n"
    yield LONG_NAME, b"a name of 255 bytes\n"
    for name in ("rings.jpg", "grid.png"):
        yield b"pictures/" + name.encode(), (pictures / name).read_bytes()
    for i in range(30 if small else 300):
        yield b"many/%03d.txt" % i, b"tiny file %03d\n" % i


def _ledger(small: bool) -> int:
    return 30_000 if small else 300_000


def _write(path: bytes, content: bytes) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def listing(folder: Path) -> list[dict[str, Any]]:
    """What the mounted file system gives below `folder`, by path."""
    top = os.fsencode(folder)
    found = []
    for parent, folders, names in os.walk(top):
        for name in folders + names:
            path = os.path.join(parent, name)
            found.append({"path_hex": os.path.relpath(path, top).hex(), **_seen(path)})
    return sorted(found, key=lambda entry: str(entry["path_hex"]))


def _seen(path: bytes) -> dict[str, Any]:
    if os.path.islink(path):
        target = os.readlink(path)
        return {"kind": "symlink", "size": len(target), "target_hex": target.hex()}
    if os.path.isdir(path):
        return {"kind": "directory", "size": 0}
    with open(path, "rb") as file:
        content = file.read()
    return {"kind": "file", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

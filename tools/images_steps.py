"""Steps that the recipes share: running a program, mounting, planting the tree, writing down what a mount gives.

Runs inside the virtual machine: standard library only, programs from the host's Debian.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from images_tree import listing, plant

OUT = Path("/run/out")
PICTURES = OUT / "pictures"
POINT = Path("/run/mounted")
HOLDS = {
    "ext2": (), "ext4": (), "xfs": (), "btrfs": (),
    "vfat": ("invalid", "symlink", "hard link"), "exfat": ("invalid", "symlink", "hard link"),
    "ntfs": ("invalid", "symlink"),
}  # fmt: skip
MOUNT_OPTIONS = {"vfat": "iocharset=utf8", "exfat": "iocharset=utf8", "ntfs": "streams_interface=windows,compression"}
MOUNT_TYPES = {"ntfs": "fuse.ntfs-3g"}

Volume = dict[str, Any]
Recipe = Callable[[list[str]], list[Volume]]


@dataclass(frozen=True)
class ImageSet:
    """What one machine makes: `disks` are sizes in MiB; the fixtures are all disks but those `left_out`."""

    kind: str
    disks: tuple[int, ...]
    make: Recipe
    secrets: Sequence[str | dict[str, str]] = ()
    refused: str | None = None
    left_out: Collection[int] = field(default=())


def run(*command: str | Path, stdin: bytes | None = None) -> str:
    """A program's output; whoever fails says why on the console."""
    done = subprocess.run(list(map(str, command)), input=stdin, capture_output=True)
    if done.returncode:
        sys.exit(f"{command}: {done.returncode}\n{done.stdout.decode()}\n{done.stderr.decode()}")
    return done.stdout.decode(errors="replace")


@contextmanager
def mounted(device: str, system: str, more: str = "") -> Iterator[Path]:
    """The file system's top folder while it is mounted."""
    POINT.mkdir(exist_ok=True)
    options = ",".join(filter(None, (MOUNT_OPTIONS.get(system, ""), more))) or "defaults"
    if system == "ntfs":
        run("ntfs-3g", "-o", options, device, POINT)
    else:
        run("mount", "-t", system, "-o", options, device, POINT)
    try:
        yield POINT
    finally:
        os.sync()
        run("umount", POINT)


def format_as(system: str, device: str, *options: str) -> None:
    """Make a file system, quietly and without asking."""
    quiet = {
        "ext2": ["-q", "-F"],
        "ext4": ["-q", "-F"],
        "xfs": ["-q", "-f"],
        "btrfs": ["-q", "-f"],
        "ntfs": ["-Q", "-F"],
    }
    if system == "xfs":  # else mkfs.xfs wants 300 MB: the switch of the kernel developers' own small tests
        os.environ.update(TEST_DIR="/run", TEST_DEV=device, QA_CHECK_FS="1")
    run(f"mkfs.{system}", *quiet.get(system, []), *options, device)


def filled(device: str, system: str, *options: str, name: str = "", small: bool = False) -> Volume:
    """Make a file system, plant the tree, and list it."""
    format_as(system, device, *options)
    with mounted(device, system, "noinit_itable" if small and system == "ext4" else "") as top:
        plant(top, PICTURES, HOLDS[system], small)
    return listed(device, system, name)


def listed(device: str, system: str, name: str = "", more: str = "") -> Volume:
    """What a read-only mount gives."""
    with mounted(device, system, ",".join(filter(None, ("ro", more)))) as top:
        return {"name": name, "system": system, "tree": listing(top)}


def described(path: bytes, content: bytes) -> dict[str, Any]:
    return {"path_hex": path.hex(), "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def place_of(device: str, content: bytes) -> int:
    """Byte at which this content stands on the device, in one piece and once."""
    with open(device, "rb") as disk:
        raw = disk.read()
    at = raw.find(content)
    if at < 0 or raw.find(content, at + 1) >= 0:
        sys.exit(f"{content[:40]!r}... does not stand once on {device}")
    return at

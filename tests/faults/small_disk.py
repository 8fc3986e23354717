"""A disk that is really full: a small tmpfs in a mount namespace of its own, which needs no rights on the machine."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

BALLAST = "ballast"


def on_a_small_disk(folder: Path, megabytes: int, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a program that finds a disk of this size at `folder`; it is gone when the program ends."""
    mount = 'mount -t tmpfs -o size="$1"m none "$2" && shift 2 && exec "$@"'
    program = [sys.executable, "-m", module, str(folder), *arguments]
    command = ["unshare", "-rm", "sh", "-c", mount, "sh", str(megabytes), str(folder), *program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@cache
def why_not() -> str:
    """Why no small disk can be made here; empty when it can."""
    try:
        tried = subprocess.run(
            ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return "unshare (util-linux) is not installed"
    return f"no disk can be mounted here: {tried.stderr.strip()}" if tried.returncode else ""


def fill(disk: Path, leave: int = 0) -> None:
    """Take all room on the disk but for `leave` bytes."""
    with (disk / BALLAST).open("ab", buffering=0) as ballast:
        for size in (1 << 20, 1 << 12):
            while (free := os.statvfs(disk)).f_bavail * free.f_bsize - leave >= size:
                ballast.write(bytes(size))


def empty(disk: Path) -> None:
    (disk / BALLAST).unlink(missing_ok=True)

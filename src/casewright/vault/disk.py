"""Bytes that must be on the disk before anyone is told, and how it is known that a disk may have lost others.

What is not synced may be lost by a power cut, whole or in part, and in any order; a name may be there before its bytes.
So: bytes first, then their name, then the folder that holds the name (https://lwn.net/Articles/457667/).
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def boot_id() -> str:
    """Names this start of the machine; empty where the system does not say."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text("utf-8").strip()
    return ""


def of_this_boot(folder: Path) -> Path:
    """The folder, emptied if the machine was started anew since: any part of what was in it may be lost."""
    name = folder / "boot"
    if not (name.is_file() and name.read_text("utf-8", "replace") == boot_id() != ""):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        name.write_text(boot_id(), "utf-8")
    return folder


def sync_file(path: Path) -> None:
    _sync(path, os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_tree(folder: Path) -> None:
    """Everything in the folder, and the folder itself."""
    for inside, _, files in os.walk(folder, topdown=False):
        for name in files:
            sync_file(Path(inside, name))
        sync_folder(Path(inside))


def _sync(path: Path, flags: int) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def writing_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to write into that stands at `path` when all of it is on the disk, and not at all when anything fails."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """The file holds either its old bytes or all the new ones, whatever happens."""
    with writing_atomically(path) as file:
        file.write(data)


def append_durably(path: Path, data: bytes) -> None:
    """The bytes stand at the file's end, on the disk. When they can't be written, the file is as it was."""
    fresh = not path.exists()
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    size, rest = os.fstat(handle).st_size, memoryview(data)
    try:
        while rest:
            rest = rest[os.write(handle, rest) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise
    finally:
        os.close(handle)
    if fresh:
        sync_folder(path.parent)


def write_secret(path: Path, data: bytes) -> None:
    """A new file for its owner only, whole and on the disk. Raises FileExistsError when there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)

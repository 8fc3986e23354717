"""What a worker of a cluster holds for the length of a run: sealed bytes and parts of tables, by their SHA-256.

A folder that nobody else may enter, `casewright-cache-UID/RUN` in `$CASEWRIGHT_CACHE` or the system's temporary folder.
Bytes come into it through their digest only. The run removes it at its end; of a run that was killed it goes when the
next one begins on the same machine: whoever works in a folder holds its lock, and the kernel lets go of the lock of
whoever is dead.
"""

import fcntl
import os
import shutil
import socket
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from casewright.model.errors import Missing
from casewright.vault.store import Store

FOLDER, LOCK = "CASEWRIGHT_CACHE", ".lock"
MOST = 64 << 30
"""Bytes above which what was not used for longest is let go of."""
LOOK_EVERY = 1 << 30
"""Bytes that a process brings until it looks again at how much there is."""

Fetch = Callable[[str], tuple[str, Iterator[bytes]]]
"""The bytes that should have this SHA-256, and where they come from."""


class Cache(Store):
    """A store that brings what it lacks, and takes nothing whose digest is another."""

    def __init__(self, root: Path, fetch: Fetch, most: int = MOST) -> None:
        super().__init__(root)
        self._fetch, self._most, self._brought = fetch, most, 0

    def has(self, sha256: str) -> bool:
        return self.path_of(sha256).is_file()

    def locate(self, sha256: str) -> Path:
        path = self.path_of(sha256)
        with self._alone(sha256):
            if not path.is_file():
                where, chunks = self._fetch(sha256)
                self.take(sha256, chunks, f"reached the worker {socket.gethostname()} from {where}")
        return path

    def take(self, sha256: str, chunks: Iterable[bytes], came: str) -> None:
        try:
            super().take(sha256, chunks, came)
        except OSError as error:
            raise Missing(
                f"the worker {socket.gethostname()} cannot keep {sha256} in {self.root}: {error.strerror or error}. "
                f"Make room there, or set {FOLDER} to a folder that has some, and run again."
            ) from error
        self._brought += self.path_of(sha256).stat().st_size
        self._let_go()

    @contextmanager
    def _alone(self, sha256: str) -> Iterator[None]:
        """One process of this machine brings it; the others wait and find it there."""
        with (self.root / f".{sha256[:2]}").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _let_go(self) -> None:
        """Remove what was brought first, down to three quarters; whoever has it open goes on reading it."""
        if self._brought < min(LOOK_EVERY, self._most // 4):
            return
        self._brought = 0
        found = sorted((p.stat().st_mtime_ns, p.stat().st_size, p) for p in self.root.glob("[0-9a-f][0-9a-f]/*"))
        total = sum(size for _, size, _ in found)
        for _, size, path in found if total > self._most else ():
            if total <= self._most * 3 // 4:
                return
            path.unlink(missing_ok=True)
            total -= size


def own_folder() -> Path:
    """This user's folder for caches. Raises Missing when somebody else could look into it or put something there."""
    path = Path(os.environ.get(FOLDER) or tempfile.gettempdir()) / f"casewright-cache-{os.getuid()}"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise Missing(f"{path} is not yours alone, so no evidence is put there. Remove it, or set {FOLDER}.")
    return path


def hold(folder: Path) -> int:
    """Make the folder this process's for as long as it lives, together with others of the same run; gives the lock's
    handle. Whatever killed runs left beside it is removed."""
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_SH)
    for other in folder.parent.iterdir():
        if other != folder and not _held(other):
            shutil.rmtree(other, ignore_errors=True)
    return handle


def _held(folder: Path) -> bool:
    try:
        with (folder / LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held; or about to be; or none of ours
        return True
    return False

"""Threads that hash what the store holds: file by file, and side by side once there is much to hash.

MD5 of one file takes as long as its SHA-1 and SHA-256 together. Of many files at once it takes a quarter of that
(`kernels/md5.py`), but the kernel is slow to import, so it is used when there is enough to hash.
"""

import hashlib
import os
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from casewright.engine.steps import HASHES, Digests
from casewright.model.errors import BrokenSeal, CasewrightError
from casewright.vault.store import Store

NEAR = 1 << 18
"""Bytes that stay in a core's own cache while three digests take them."""
ROOM, PIECE = 16, 1 << 17
"""So many files side by side, and so many bytes of each at a time."""
FEW = 4
"""Fewer files than this are faster one by one."""
LARGE = 64 << 20
"""Bytes from which on a file is hashed by itself: side by side each takes longer, and a killed run loses them all."""
MUCH = 1 << 30
"""Bytes asked for in one process from which on the import of the kernel pays."""


@dataclass
class _File:
    """A file to be hashed. What goes wrong with it is told to whoever waits for the answer."""

    store: Store
    sealed: str
    answer: "Future[Digests]" = field(default_factory=Future)
    size: int = 0

    def open(self, names: Sequence[str]) -> bool:
        self._digests = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        try:
            self._file = self.store.open(self.sealed)
        except (OSError, CasewrightError) as error:
            self.fail(error)
            return False
        return True

    def read(self, place: memoryview) -> int:
        """Fill the place as far as the file goes; the digests take it. Returns how many bytes there were."""
        try:
            length = int(self._file.readinto(place))  # type: ignore[attr-defined]  # typeshed's BinaryIO lacks it
        except OSError as error:
            self.fail(error)
            return 0
        for one in self._digests.values():
            one.update(place[:length])
        self.size += length
        return length

    def finish(self, **more: str) -> None:
        self._file.close()
        found = {name: one.hexdigest() for name, one in self._digests.items()} | more
        if self.answer.done():
            return
        if found["sha256"] == self.sealed:
            self.answer.set_result(Digests(**found, size=self.size))
        else:
            where = f"store/{self.sealed[:2]}/{self.sealed[2:]}"
            self.fail(BrokenSeal(f"{where}: bytes were changed: they now hash to {found['sha256']}"))

    def fail(self, error: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)


class Hashing:
    """Takes files in the order in which they are asked for. From `much` bytes on the kernel is used."""

    def __init__(self, threads: int, much: int = MUCH) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="casewright-hash")
        self._waiting: deque[_File] = deque()
        self._cheap = much

    def ask(self, store: Store, sealed: str, size: int) -> "Future[Digests]":
        """The digests to come of the file that the store has under this SHA-256; BrokenSeal where it is another."""
        file = _File(store, sealed)
        self._cheap -= size
        if size >= LARGE:
            self._pool.submit(_alone, file)
        else:
            self._waiting.append(file)
            self._pool.submit(self._serve)
        return file.answer

    def _serve(self) -> None:
        """Hash files until none waits."""
        while file := self._next():
            if self._cheap <= 0 and len(self._waiting) >= FEW:
                self._side_by_side(file)
            else:
                _alone(file)

    def _next(self) -> _File | None:
        """The file that waits longest and is still wanted."""
        while self._waiting:
            try:
                file = self._waiting.popleft()
            except IndexError:  # another thread took it
                return None
            if file.answer.set_running_or_notify_cancel():
                return file
        return None

    def _side_by_side(self, first: _File) -> None:
        """Hash this file and those that wait, until none does."""
        files: dict[int, _File] = {-1: first}
        try:
            self._go_on(files)
        except BaseException as error:  # a defect of ours: nobody may wait for an answer that never comes
            for file in files.values():
                file.fail(error)
            raise

    def _go_on(self, files: dict[int, _File]) -> None:
        from casewright.kernels.md5 import Md5  # noqa: PLC0415  slow to import

        md5, free = Md5(ROOM, PIECE), list(range(ROOM))
        coming: _File | None = files.pop(-1)
        while coming or files:
            while coming:
                if coming.open(("sha256", "sha1")):
                    files[free[-1]] = coming
                    md5.begin(free.pop())
                coming = self._next() if free else None
            lengths = {place: file.read(md5.places[place]) for place, file in files.items()}
            for place, digest in md5.take(lengths).items():
                files.pop(place).finish(md5=digest)
                free.append(place)
            coming = self._next() if free else None


def _alone(file: _File) -> None:
    if file.open(HASHES):
        place = memoryview(bytearray(NEAR))
        while file.read(place) == NEAR:
            pass
        file.finish()


HASHING = Hashing(os.cpu_count() or 1)

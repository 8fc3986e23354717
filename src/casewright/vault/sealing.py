"""Sealing sources into the store, file by file, so that a run which is killed loses seconds of it.

What is sealed is remembered in `store/tmp/sealing/` by path, size, time of change and inode, and a large file's copy
and digest are put away every second. The folder goes when the source is sealed as a whole. `verify` rests on none of
it: it hashes what the store holds.
"""

import errno
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from casewright.model.errors import Missing
from casewright.vault.disk import of_this_boot
from casewright.vault.store import CHUNK, Checkpoint, Store, Writer

PUT_AWAY_EVERY = 1.0
PUT_AWAY_FROM = 64 << 20
"""Bytes from which on a file is worth going on with in its middle."""
FEW = 64
"""So many files are put on the disk one by one; where there are more, the whole disk is told once, at the end."""

OURS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What only the disk of the case can say, which is written to; the source is read."""

Tell = Callable[[int], None]
"""Is told how many bytes were sealed since it was told last."""


@dataclass(frozen=True)
class _Mark:
    """A source file as it is now; another mark is another file."""

    path: bytes
    size: int
    changed: int
    inode: int

    @property
    def key(self) -> str:
        return f"{self.path.hex()} {self.size} {self.changed} {self.inode}"


class Sealing:
    """Seals the files of one source after the other. Used by one thread, with the case's lock held."""

    def __init__(self, store: Store, tell: Tell = lambda size: None) -> None:
        self._store, self._tell = store, tell
        self._folder = of_this_boot(store.sealing_folder)
        self._base = sqlite3.connect(self._folder / "journal.sqlite", isolation_level=None)
        self._base.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "CREATE TABLE IF NOT EXISTS sealed (key TEXT PRIMARY KEY, sha256 TEXT);"
            "CREATE TABLE IF NOT EXISTS partial (key TEXT, size INTEGER, state BLOB); BEGIN"
        )
        self._committed = time.monotonic()
        self._files = 0

    def seal(self, path: Path, copy: bool) -> tuple[str, int]:
        """SHA-256 and size of the file, whose bytes are in the store now; or, without `copy`, a pointer to it.

        Raises Missing when it cannot be read to its end, or changes meanwhile.
        """
        try:
            mark = _mark(path)
            known = self._base.execute("SELECT sha256 FROM sealed WHERE key = ?", (mark.key,)).fetchone()
            if known and (self._store.holds(known[0], mark.size) if copy else self._store.has(known[0])):
                self._tell(mark.size)
                return known[0], mark.size
            sha256 = self._work(path, mark, copy)
            if _mark(path) != mark:
                raise Missing(f"{path} changed while it was being sealed. Seal a copy that nothing writes to.")
        except OSError as error:
            if error.errno in OURS:
                raise
            raise Missing(
                f"{path} cannot be read: {error.strerror or error}. Nothing was sealed. If the disk is failing, image "
                "it first with a program that maps bad sectors."
            ) from error
        self._base.execute("INSERT OR REPLACE INTO sealed VALUES (?, ?)", (mark.key, sha256))
        self._commit(PUT_AWAY_EVERY)
        return sha256, mark.size

    def finish(self) -> None:
        """All files of the source are sealed: put them on the disk for good, and forget how they came there."""
        self.close()
        if self._files > FEW:
            os.sync()
        shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        self._commit(0)
        self._base.execute("COMMIT")
        self._base.close()

    def _work(self, path: Path, mark: _Mark, copy: bool) -> str:
        partial = self._folder / "partial"
        again = self._half_done(mark, partial, copy)
        writer = Writer(self._store, partial if copy else None, ("sha256",), again)
        self._tell(writer.size)
        try:
            with path.open("rb", buffering=0) as file:
                file.seek(writer.size)
                self._through(file, writer, mark)
        except BaseException:
            self._put_away(mark, writer)
            writer.close()
            raise
        self._files += 1
        sha256 = writer.keep(durable=self._files <= FEW)
        if not copy:
            self._store.point_to(path, sha256, mark.size)
        return sha256

    def _through(self, file: BinaryIO, writer: Writer, mark: _Mark) -> None:
        saved = time.monotonic()
        for chunk in _chunks(file):
            writer.write(chunk)
            self._tell(len(chunk))
            if writer.size >= PUT_AWAY_FROM and time.monotonic() - saved >= PUT_AWAY_EVERY:
                self._put_away(mark, writer)
                saved = time.monotonic()

    def _put_away(self, mark: _Mark, writer: Writer) -> None:
        if writer.size >= PUT_AWAY_FROM and (checkpoint := writer.checkpoint()):
            self._base.execute("DELETE FROM partial")
            self._base.execute(
                "INSERT INTO partial VALUES (?, ?, ?)", (mark.key, checkpoint.size, checkpoint.states[0])
            )
        self._commit(0)

    def _half_done(self, mark: _Mark, partial: Path, copy: bool) -> Checkpoint | None:
        row = self._base.execute("SELECT size, state FROM partial WHERE key = ?", (mark.key,)).fetchone()
        if row is None or (copy and not (partial.is_file() and partial.stat().st_size >= row[0])):
            return None
        return Checkpoint(row[0], [row[1]])

    def _commit(self, every: float) -> None:
        if time.monotonic() - self._committed >= every:
            self._base.execute("COMMIT")
            self._base.execute("BEGIN")
            self._committed = time.monotonic()


def _mark(path: Path) -> _Mark:
    found = path.stat()
    return _Mark(os.fsencode(path.resolve()), found.st_size, found.st_mtime_ns, found.st_ino)


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk

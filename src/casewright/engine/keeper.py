"""Takes what a child sends into the store, file after file, with the digests that hash lists use."""

import time
from collections.abc import Callable
from concurrent.futures import Future

from casewright.engine.hashing import HASHING
from casewright.engine.steps import COMMIT_EVERY, HASHES, Digests, Journal
from casewright.vault.store import Store, Writer

CHECKPOINT_FROM = 64 << 20
"""Bytes from which on a file is worth a checkpoint in its middle."""
AHEAD_UP_TO = 16 << 20
"""Bytes up to which a file is hashed on the mere chance that it will be kept."""


class Keeper:
    """Takes bytes into the store, file after file, with the three digests that hash lists use.

    With a journal, a large file's progress is put away every second, and taken up again. Content that is `sealed`
    already is not written once more: a thread hashes it where it lies, while the next file comes.
    """

    def __init__(self, store: Store, journal: Journal | None = None) -> None:
        self._store, self._journal = store, journal
        self._writer: Writer | None = None
        self._step, self._sealed, self._size, self._saved = 0, "", -1, 0.0
        self._taken_up = -1
        self._ahead: dict[str, Future[Digests]] = {}

    def look_ahead(self, sealed: str, size: int) -> None:
        """The file that the store has under this SHA-256 is likely to be kept soon: threads hash it already."""
        if size <= AHEAD_UP_TO and sealed not in self._ahead:
            self._ahead[sealed] = HASHING.ask(self._store, sealed, size)

    def begin(self, step: int, sealed: str = "", size: int = -1) -> None:
        """A file begins; `sealed`, unless empty, is the SHA-256 under which the store has it; `size`, if known."""
        if self._writer and self._taken_up != step:
            raise ValueError("a file begins while another is not at its end")
        is_there = sealed in self._ahead or (sealed and self._store.has(sealed))
        self._step, self._sealed, self._size = step, sealed if is_there else "", size

    def take_up(self, step: int) -> int:
        """Go on with the file of this step where a killed run left it; returns how many bytes it has."""
        again = self._journal.half_done(step) if self._journal else None
        if again and self._journal:
            self._writer = Writer(self._store, self._journal.partial_file, HASHES, again)
        self._taken_up = step
        return again.size if again else 0

    def write(self, chunk: bytes) -> None:
        if self._sealed:
            return
        self._writer = writer = self._writer or self._fresh()
        writer.write(chunk)
        if self._journal and self._is_large(writer) and time.monotonic() - self._saved >= COMMIT_EVERY:
            self._journal.put_away(self._step, writer)
            self._saved = time.monotonic()

    def keep(self) -> Callable[[], Digests]:
        """The file ends. Its digests may still be computed when this returns."""
        if self._sealed:
            under_way = self._ahead.pop(self._sealed, None)
            return (under_way or HASHING.ask(self._store, self._sealed, self._size)).result
        writer, self._writer = self._writer or self._fresh(), None
        sha256 = writer.keep()
        found = Digests(sha256, writer.digests["sha1"].hexdigest(), writer.digests["md5"].hexdigest(), writer.size)
        return lambda: found

    def discard(self) -> None:
        """Forget a file that is not finished, unless a later run can go on with it."""
        for under_way in self._ahead.values():
            under_way.cancel()
        if self._writer and self._is_large(self._writer):
            self._writer.close()
        elif self._writer:
            self._writer.discard()

    def _is_large(self, writer: Writer) -> bool:
        """Enough of the file is there to be gone on with, and its size was announced, so that it stands aside."""
        return self._journal is not None and min(self._size, writer.size) >= CHECKPOINT_FROM

    def _fresh(self) -> Writer:
        large = self._journal is not None and self._size >= CHECKPOINT_FROM
        path = self._journal.partial_file if self._journal and large else self._store.fresh_path()
        return Writer(self._store, path, HASHES, resumable=large)

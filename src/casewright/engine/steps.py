"""The steps of a unit: how work that takes hours is taken up again, and what a child died of is passed over.

A streaming stage does its unit in numbered steps, in an order that its evidence alone decides. The journal keeps, for
each step that kept bytes, their digests and what the stage noted; so a run that goes on after a kill walks the same
way again and reads no content twice. A step that killed a child is passed over by the next one, and becomes a
set-aside row.
"""

import hashlib
import itertools
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from casewright.model.errors import BrokenSeal
from casewright.vault.store import CHUNK, Checkpoint, Store, Writer

HASHES = ("sha256", "sha1", "md5")
COMMIT_EVERY = 1.0
"""Seconds between two commits of the journal: what a killed run can lose, and a second more in its readers."""
CHECKPOINT_FROM = 64 << 20
"""Bytes from which on a file is worth a checkpoint in its middle."""

NEAR = 1 << 18
"""Bytes that stay in a core's own cache while three digests take them."""
AHEAD_UP_TO = 16 << 20
"""Bytes up to which a file is hashed on the mere chance that it will be kept."""


@dataclass(frozen=True)
class Digests:
    """The digests of some bytes, lower-case hex, and how many bytes there were."""

    sha256: str
    sha1: str
    md5: str
    size: int

    @property
    def json(self) -> str:
        return f'{{"sha256": "{self.sha256}", "sha1": "{self.sha1}", "md5": "{self.md5}", "size": {self.size}}}'


@dataclass(frozen=True)
class Kept:
    """Bytes that a step kept: their digests, which may still be on their way, and what the stage noted about them."""

    _digests: Callable[[], Digests]
    note: Any

    @property
    def digests(self) -> Digests:
        return self._digests()


class Blobs(Protocol):
    """Sealed bytes by SHA-256. `put` is for stages that unpack evidence (`keeps_bytes`); it streams."""

    def open(self, sha256: str) -> BinaryIO: ...

    def put(self, chunks: Iterable[bytes]) -> Digests: ...


def _whole(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


Read = Callable[[int], Iterator[bytes]]
"""The chunks of some content from a byte on."""


class Steps(Protocol):
    """What a streaming stage says while it works."""

    def begin(self) -> str | None:
        """The next step begins. Returns why it must be passed over, if an earlier child died of it."""

    def keep(self, read: Read, note: Callable[[], Any], sealed: str | None = None, bound: int = 0) -> Kept:
        """Keep the content of this step. `note` is asked when the content was read, and answers in JSON's values.

        When an earlier run kept it, nothing is read, and its digests and its note come back. `sealed`: the SHA-256 of
        content that the store holds already, and that is hashed here only. `bound`: so many bytes are expected, and
        processor time is given anew while they come; what is unpacked has no such bound.
        """

    def soon(self, hashes: Iterable[str]) -> None:
        """Sealed bytes that will be opened next, in this order. A hint: it saves waiting."""

    def recall(self) -> Any:
        """What an earlier run noted in this step; None when it noted nothing."""

    def remember(self, note: Any) -> None:
        """Note in this step what a later run need not find out again."""

    def alive(self) -> None:
        """Work goes on inside a long step: time limits begin anew."""


class FreshSteps:
    """Steps of work that runs in one go."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    def begin(self) -> str | None:
        return None

    def keep(self, read: Read, note: Callable[[], Any], sealed: str | None = None, bound: int = 0) -> Kept:
        for _ in read(0) if sealed else ():
            pass  # what is noted is found out by reading
        digests = self._blobs.put(_whole(self._blobs.open(sealed)) if sealed else read(0))
        return Kept(lambda: digests, note())

    def soon(self, hashes: Iterable[str]) -> None:
        pass

    def recall(self) -> Any:
        return None

    def remember(self, note: Any) -> None:
        pass

    def alive(self) -> None:
        pass


class Journal:
    """What a unit's children did so far, in a small database in a folder beside the unit. Used by one thread.

    The parent writes it; what it holds came from a child that parses evidence, and goes back to such a child only.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._base = sqlite3.connect(folder / "journal.sqlite", isolation_level=None)
        self.partial_file = folder / "partial"
        self._base.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
            "CREATE TABLE IF NOT EXISTS kept (step INTEGER PRIMARY KEY, value BLOB);"
            "CREATE TABLE IF NOT EXISTS passed (step INTEGER PRIMARY KEY, reason TEXT);"
            "CREATE TABLE IF NOT EXISTS partial (step INTEGER, size INTEGER, states BLOB);"
            "BEGIN"
        )
        self._committed = time.monotonic()

    def keep(self, step: int, digests: Digests | None, note: Any) -> None:
        record = f"[{digests.json if digests else 'null'}, {json.dumps(note)}]"
        self._base.execute("INSERT OR REPLACE INTO kept VALUES (?, ?)", (step, record))
        self.tick()

    def kept(self, step: int) -> tuple[Digests | None, Any] | None:
        row = self._base.execute("SELECT value FROM kept WHERE step = ?", (step,)).fetchone()
        if row is None:
            return None
        digests, note = json.loads(row[0])
        return Digests(**digests) if digests else None, note

    def pass_over(self, step: int, reason: str) -> None:
        self._base.execute("INSERT OR REPLACE INTO passed VALUES (?, ?)", (step, reason))
        self.commit()

    def passed_over(self) -> dict[int, str]:
        return dict(self._base.execute("SELECT step, reason FROM passed").fetchall())

    @property
    def begun(self) -> bool:
        """Whether there is anything to go on from."""
        return bool(
            self._base.execute("SELECT EXISTS (SELECT 1 FROM kept UNION ALL SELECT 1 FROM partial)").fetchone()[0]
        )

    def put_away(self, step: int, writer: Writer) -> None:
        """Remember how far the file of a step has come."""
        if checkpoint := writer.checkpoint():
            self._base.execute("DELETE FROM partial")
            self._base.execute(
                "INSERT INTO partial VALUES (?, ?, ?)", (step, checkpoint.size, b"".join(checkpoint.states))
            )
            self.commit()

    def half_done(self, step: int) -> Checkpoint | None:
        row = self._base.execute("SELECT size, states FROM partial WHERE step = ?", (step,)).fetchone()
        if row is None or not self.partial_file.is_file() or self.partial_file.stat().st_size < row[0]:
            return None
        cuts = (0, 112, 208, 300)
        return Checkpoint(row[0], [row[1][a:b] for a, b in itertools.pairwise(cuts)])

    def tick(self) -> None:
        if time.monotonic() - self._committed >= COMMIT_EVERY:
            self.commit()

    def commit(self) -> None:
        self._base.execute("COMMIT")
        self._base.execute("BEGIN")
        self._committed = time.monotonic()

    def close(self) -> None:
        self._base.execute("COMMIT")
        self._base.close()


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
            self._ahead[sealed] = _HASHING.submit(_hash_sealed, self._store, sealed)

    def begin(self, step: int, sealed: str = "", size: int = -1) -> None:
        """A file begins; `sealed`, unless empty, is the SHA-256 under which the store has it; `size`, if known."""
        if self._writer and self._taken_up != step:
            raise ValueError("a file begins while another is not at its end")
        self._step, self._sealed, self._size = step, sealed if sealed and self._store.has(sealed) else "", size

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
            return (under_way or _HASHING.submit(_hash_sealed, self._store, self._sealed)).result
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


_HASHING = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="casewright-hash")


def _hash_sealed(store: Store, sealed: str) -> Digests:
    """All digests of what the store holds. Raises BrokenSeal when it is not what was sealed."""
    digests = [hashlib.new(name, usedforsecurity=False) for name in HASHES]
    size = 0
    with store.open(sealed) as file:
        while chunk := file.read(NEAR):
            size += len(chunk)
            for one in digests:
                one.update(chunk)
    sha256, sha1, md5 = (one.hexdigest() for one in digests)
    if sha256 != sealed:
        raise BrokenSeal(f"store/{sealed[:2]}/{sealed[2:]}: bytes were changed: they now hash to {sha256}")
    return Digests(sha256, sha1, md5, size)

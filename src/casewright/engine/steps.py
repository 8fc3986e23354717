"""The steps of a unit: how work that takes hours is taken up again, and what a child died of is passed over.

A streaming stage does its unit in numbered steps, in an order that its evidence alone decides. The journal keeps, for
each step that kept bytes, their digests and what the stage noted; so a run that goes on after a kill walks the same
way again and reads no content twice. A step that killed a child is passed over by the next one, and becomes a
set-aside row.
"""

import itertools
import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from casewright.vault.disk import of_this_boot
from casewright.vault.store import CHUNK, Checkpoint, Writer

HASHES = ("sha256", "sha1", "md5")
COMMIT_EVERY = 1.0
"""Seconds between two commits of the journal: what a killed run can lose, and a second more in its readers."""


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
        of_this_boot(folder)
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

    def forget(self) -> None:
        """Nothing that was found out counts: it was read from a disk that failed."""
        self._base.execute("DELETE FROM kept")
        self._base.execute("DELETE FROM partial")
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

"""The content-addressed store: sealed bytes by their SHA-256.

`store/ab/cdef...` holds the bytes, read-only. `store/ab/cdef....ref` stands for a source too large to copy: it holds
the path and size of the file, whose bytes are hashed again by `verify`. `store/tmp/` holds what is being written.
A store may know of another place where its bytes are too; what it lacks it then brings from there.
"""

import hashlib
import itertools
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import BinaryIO, Protocol

from casewright.model.errors import BrokenSeal, Missing
from casewright.vault.disk import boot_id, sync_file, sync_folder, write_atomically
from casewright.vault.hashing import digest, states_of

CHUNK = 1 << 20
SMALL = 1 << 20
"""Up to this many bytes a file waits in memory until its digest is known."""
BULK = 1 << 16
"""From this many bytes on a chunk is worth a second core."""


class Elsewhere(Protocol):
    """Another place that holds bytes by their digest; see `twin.py`."""

    def has(self, sha256: str) -> bool: ...

    def chunks(self, sha256: str) -> Iterator[bytes]: ...

    def check(self, sha256: str) -> None: ...

    def place(self, sha256: str) -> str: ...


class Store:
    """Sealed bytes under one folder. Writers hold the case's lock; readers need nothing."""

    _serial = itertools.count()

    def __init__(self, root: Path, elsewhere: Elsewhere | None = None) -> None:
        self.root, self.elsewhere = root, elsewhere

    def path_of(self, sha256: str) -> Path:
        return self.root / f"{sha256[:2]}/{sha256[2:]}"

    def has(self, sha256: str) -> bool:
        return self.is_here(sha256) or (self.elsewhere is not None and self.elsewhere.has(sha256))

    def is_here(self, sha256: str) -> bool:
        """Whether the bytes, or a pointer to them, are in this folder."""
        return self.path_of(sha256).is_file() or self._reference(sha256).is_file()

    def holds(self, sha256: str, size: int) -> bool:
        """Whether the bytes are there in their full length; a power cut can leave less."""
        try:
            return self.path_of(sha256).stat().st_size == size
        except FileNotFoundError:
            return self._reference(sha256).is_file()

    def locate(self, sha256: str) -> Path:
        """The file that holds the bytes: in the store, or the large source that was sealed where it lies. What is in
        neither is brought from elsewhere."""
        try:
            return self._found_here(sha256)
        except Missing as error:
            if not self.elsewhere:
                raise
            self._bring(sha256, self.elsewhere, error)
        return self.path_of(sha256)

    def vouch(self, sha256: str) -> None:
        """Raise Missing or BrokenSeal unless the bytes are here, or are whole where the store would bring them from."""
        try:
            self._found_here(sha256)
        except Missing:
            if not self.elsewhere:
                raise
            self.elsewhere.check(sha256)

    def take(self, sha256: str, chunks: Iterable[bytes], came: str) -> None:
        """Keep the bytes under this digest. Raises BrokenSeal, and keeps nothing, when they have another.

        `came` says how they came here.
        """
        fresh, digest = self.fresh_path(), hashlib.sha256()
        try:
            with fresh.open("xb") as file:
                for chunk in chunks:
                    digest.update(chunk)
                    file.write(chunk)
            if digest.hexdigest() != sha256:
                raise BrokenSeal(f"sealed bytes {sha256} {came} as {digest.hexdigest()}. They are not used.")
            fresh.chmod(0o444)
            target = self.path_of(sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)

    def _bring(self, sha256: str, elsewhere: Elsewhere, lacking: Missing) -> None:
        if not elsewhere.has(sha256):
            raise Missing(f"{lacking} Nor is it at {elsewhere.place(sha256)}.") from lacking
        try:
            self.take(sha256, elsewhere.chunks(sha256), f"came from {elsewhere.place(sha256)}")
        except OSError as error:
            raise Missing(f"{elsewhere.place(sha256)} cannot be kept in {self.root}: {error.strerror}.") from error

    def _found_here(self, sha256: str) -> Path:
        path = self.path_of(sha256)
        if path.is_file():
            return path
        try:
            reference = json.loads(self._reference(sha256).read_text("utf-8"))
        except FileNotFoundError as error:
            raise Missing(
                f"sealed bytes {sha256} are not in {self.root}. Restore the store, or intake again."
            ) from error
        source = Path(os.fsdecode(bytes.fromhex(reference["path"])))
        if not source.is_file():
            raise Missing(f"the sealed source {source} is not there. Attach the disk that holds it.")
        if source.stat().st_size != reference["size"]:
            raise BrokenSeal(f"{source} has {source.stat().st_size} bytes, {reference['size']} were sealed.")
        return source

    def open(self, sha256: str) -> BinaryIO:
        try:
            return self.path_of(sha256).open("rb")
        except FileNotFoundError:
            return self.locate(sha256).open("rb")

    def writer(self) -> "Writer":
        return Writer(self, self.fresh_path())

    def fresh_path(self) -> Path:
        """A path in `tmp/` that no other writer has."""
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{os.getpid()}-{next(self._serial)}"

    def put(self, chunks: Iterable[bytes], durable: bool = False) -> str:
        """Keep the bytes; returns their SHA-256. `durable`: they are on the disk when this returns."""
        writer = self.writer()
        try:
            for chunk in chunks:
                writer.write(chunk)
            return writer.keep(durable)
        finally:
            writer.discard()

    def point_to(self, source: Path, sha256: str, size: int) -> None:
        """Let a large source count as sealed where it lies; its bytes have this digest."""
        record = {"path": os.fsencode(source.resolve()).hex(), "size": size}
        target = self._reference(sha256)
        self.shelf(target)
        write_atomically(target, json.dumps(record, sort_keys=True).encode() + b"\n")

    @property
    def sealing_folder(self) -> Path:
        """Where a source is on its way into the store; see `sealing.py`."""
        return self.root / "tmp" / "sealing"

    def objects(self) -> Iterator[str]:
        """Every SHA-256 that the store claims to hold, in order."""
        for folder in sorted(p for p in self.root.glob("[0-9a-f][0-9a-f]") if p.is_dir()):
            names = {p.name.removesuffix(".ref") for p in folder.iterdir()}
            yield from (folder.name + name for name in sorted(names))

    def shelf(self, target: Path) -> None:
        """The folder for a file of the store, on the disk."""
        if not target.parent.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            sync_folder(self.root)

    def begin(self) -> None:
        """Remove what a killed writer left, but for what a later sealing goes on with. Hold the case's lock.

        What is unpacked is told to the disk once, when its stage ends. Where a writer never came to its end and the
        machine was started anew since, files of that time are hashed: those that did not reach the disk go.
        """
        (self.root / "tmp").mkdir(parents=True, exist_ok=True)
        if self._writing.exists() and self._writing.read_text("utf-8", "replace") != boot_id():
            self._drop_unwritten(self._writing.stat().st_mtime_ns)
            self._writing.unlink()
        if not self._writing.exists():
            write_atomically(self._writing, boot_id().encode())
        for path in (self.root / "tmp").glob("*"):
            if path not in (self.sealing_folder, self._writing):
                path.unlink()

    def end(self) -> None:
        """All that was put into the store is on the disk."""
        self._writing.unlink(missing_ok=True)

    @property
    def _writing(self) -> Path:
        """There while somebody writes: names the machine's start, and dates the first file that it may have lost."""
        return self.root / "tmp" / "writing"

    def may_lack(self, sha256: str) -> bool:
        """Whether these bytes came into the store before a power cut, and were on the disk for nobody to rely on."""
        try:
            since, boot = self._writing.stat().st_mtime_ns, self._writing.read_text("utf-8", "replace")
        except FileNotFoundError:
            return False
        return boot != boot_id() and self.path_of(sha256).stat().st_mtime_ns >= since

    def _drop_unwritten(self, since: int) -> None:
        for path in (self.path_of(sha256) for sha256 in self.objects()):
            if path.is_file() and path.stat().st_mtime_ns >= since:
                with path.open("rb") as file:
                    found = hashlib.file_digest(file, "sha256").hexdigest()
                if found != path.parent.name + path.name:
                    path.unlink()

    def _reference(self, sha256: str) -> Path:
        return self.root / sha256[:2] / (sha256[2:] + ".ref")


class Writer:
    """Bytes on their way into the store, hashed as they come by every digest in `hashes`.

    A file appears at `path` only when there are more than SMALL bytes; fewer wait in memory until it is known whether
    the store has them. `again` takes up what a killed writer put away: how many bytes of the file at `path` count, and
    the states of the digests over them. Without a path the bytes are hashed only.
    """

    def __init__(
        self,
        store: Store,
        path: Path | None,
        hashes: Sequence[str] = ("sha256",),
        again: "Checkpoint | None" = None,
        resumable: bool = True,
    ) -> None:
        self._store, self.path, self.size = store, path, again.size if again else 0
        self._waiting: list[bytes] = []
        self._file = self._taken_up(path, again.size) if path and again else None
        states = again.states if again else [None] * len(hashes)
        self.digests = {name: digest(name, state, resumable) for name, state in zip(hashes, states, strict=True)}

    def write(self, chunk: bytes) -> None:
        first, *others = self.digests.values()
        # MD5 takes as long as the other two together: it gets a core of its own
        running = [_HASHING.submit(other.update, chunk) for other in others[-1:]] if len(chunk) >= BULK else []
        if self.path:
            self._put(chunk)
        first.update(chunk)
        for other in others[: len(others) - len(running)]:
            other.update(chunk)
        for one in running:
            one.result()
        self.size += len(chunk)

    def checkpoint(self) -> "Checkpoint | None":
        """What a later writer needs to go on from here, on the disk; None where digests have no state."""
        if self.path:
            os.fdatasync(self._opened().fileno())
        states = states_of(list(self.digests.values()))
        return Checkpoint(self.size, states) if states else None

    def keep(self, durable: bool = False) -> str:
        sha256 = self.digests["sha256"].hexdigest()
        if not self.path:
            return sha256
        target = self._store.path_of(sha256)
        if target.is_file() and target.stat().st_size == self.size:
            self.discard()
            if durable:
                sync_file(target)
                sync_folder(target.parent)
            return sha256
        file = self._opened()
        if durable:
            os.fsync(file.fileno())
        file.close()
        try:
            self.path.replace(target)
        except FileNotFoundError:
            self._store.shelf(target)
            self.path.replace(target)
        if durable:
            sync_folder(target.parent)
        return sha256

    def close(self) -> None:
        """Leave the file as it is, for a later writer to go on with."""
        if self._file:
            self._file.close()

    def discard(self) -> None:
        """Forget the bytes, unless they were kept."""
        if self._file and self.path:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def _put(self, chunk: bytes) -> None:
        if self._file:
            _write_all(self._file, chunk)
            return
        self._waiting.append(chunk)
        if self.size + len(chunk) > SMALL:
            self._opened()

    def _opened(self) -> RawIOBase:
        """The file, with all that was waiting in it; it is never writable by name."""
        if self._file is None:
            assert self.path
            self.path.unlink(missing_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
            self._file = os.fdopen(handle, "wb", buffering=0)
            _write_all(self._file, b"".join(self._waiting))
            self._waiting.clear()
        return self._file

    @staticmethod
    def _taken_up(path: Path, size: int) -> RawIOBase:
        path.chmod(0o644)
        file = path.open("r+b", buffering=0)
        path.chmod(0o444)
        file.truncate(size)
        file.seek(size)
        return file


@dataclass(frozen=True)
class Checkpoint:
    """How far a writer had come: bytes that are written and hashed, and the digests' states."""

    size: int
    states: Sequence[bytes]


_HASHING = ThreadPoolExecutor(2, thread_name_prefix="casewright-md5")


def _write_all(file: RawIOBase, chunk: bytes) -> None:
    """An unbuffered file may take less than it was given at once."""
    written = file.write(chunk) or 0
    while written < len(chunk):
        written += file.write(memoryview(chunk)[written:]) or 0


def hash_of(chunks: Iterable[bytes]) -> str:
    """SHA-256 of bytes that come in pieces."""
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()

"""The content-addressed store: sealed bytes by their SHA-256.

`store/ab/cdef...` holds the bytes, read-only. `store/ab/cdef....ref` stands for a source too large to copy: it holds
the path and size of the file, whose bytes are hashed again by `verify`. `store/tmp/` holds what is being written.
"""

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from casewright.model.errors import BrokenSeal, Missing

CHUNK = 1 << 20


class Store:
    """Sealed bytes under one folder. Writers hold the case's lock; readers need nothing."""

    _serial = itertools.count()

    def __init__(self, root: Path) -> None:
        self.root = root

    def path_of(self, sha256: str) -> Path:
        return self.root / sha256[:2] / sha256[2:]

    def has(self, sha256: str) -> bool:
        return self.path_of(sha256).is_file() or self._reference(sha256).is_file()

    def locate(self, sha256: str) -> Path:
        """The file that holds the bytes: in the store, or the large source that was sealed where it lies."""
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
        return self.locate(sha256).open("rb")

    def writer(self) -> "Writer":
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return Writer(self, folder / f"{os.getpid()}-{next(self._serial)}")

    def put(self, chunks: Iterable[bytes], durable: bool = False) -> str:
        """Keep the bytes; returns their SHA-256. `durable`: they are on the disk when this returns."""
        writer = self.writer()
        try:
            for chunk in chunks:
                writer.write(chunk)
            return writer.keep(durable)
        finally:
            writer.discard()

    def refer(self, source: Path) -> str:
        """Seal a large source where it lies: hash it, and keep a pointer to it."""
        with source.open("rb") as file:
            sha256, size = hashlib.file_digest(file, "sha256").hexdigest(), file.tell()
        record = {"path": os.fsencode(source.resolve()).hex(), "size": size}
        target = self._reference(sha256)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, json.dumps(record, sort_keys=True).encode() + b"\n")
        return sha256

    def objects(self) -> Iterator[str]:
        """Every SHA-256 that the store claims to hold, in order."""
        for folder in sorted(p for p in self.root.glob("[0-9a-f][0-9a-f]") if p.is_dir()):
            names = {p.name.removesuffix(".ref") for p in folder.iterdir()}
            yield from (folder.name + name for name in sorted(names))

    def clean(self) -> None:
        """Remove what a killed writer left; call with the case's lock held."""
        shutil.rmtree(self.root / "tmp", ignore_errors=True)

    def _reference(self, sha256: str) -> Path:
        return self.root / sha256[:2] / (sha256[2:] + ".ref")


class Writer:
    """Bytes on their way into the store, hashed as they come."""

    def __init__(self, store: Store, path: Path) -> None:
        self._store, self._path = store, path
        self._file = path.open("wb")
        self.sha256, self.size = hashlib.sha256(), 0

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.sha256.update(chunk)
        self.size += len(chunk)

    def keep(self, durable: bool = False) -> str:
        self._file.flush()
        if durable:
            os.fsync(self._file.fileno())
        self._file.close()
        sha256 = self.sha256.hexdigest()
        target = self._store.path_of(sha256)
        if target.is_file() and target.stat().st_size == self.size:
            self._path.unlink()
            return sha256
        target.parent.mkdir(parents=True, exist_ok=True)
        self._path.chmod(0o444)
        self._path.replace(target)
        if durable:
            sync_folder(target.parent)
        return sha256

    def discard(self) -> None:
        """Forget the bytes, unless they were kept."""
        self._file.close()
        self._path.unlink(missing_ok=True)


def chunks_of(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_atomically(path: Path, data: bytes) -> None:
    """The file holds either its old bytes or all the new ones, whatever happens."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)

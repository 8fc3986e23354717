"""Archives and compressed files: zip, tar, gzip, bzip2, xz, and those inside each other.

Nothing is ever written under a member's own name: names, symlinks and absolute paths are data. Caps on ratio, bytes,
depth and number of members hold for an archive with all that is nested in it.
"""

import bz2
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable, utc

ARCHIVES = frozenset(
    ("application/zip", "application/x-tar", "application/gzip", "application/x-bzip2", "application/x-xz")
)
REFUSED = {
    "application/x-7z-compressed": "7-Zip archives are not read yet",
    "application/vnd.rar": "RAR archives are not read yet",
}
SINGLE: dict[str, Callable[[Any], Any]] = {
    "application/gzip": lambda file: gzip.GzipFile(fileobj=file),
    "application/x-bzip2": bz2.BZ2File,
    "application/x-xz": lzma.LZMAFile,
}
DAMAGE = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


@dataclass
class Budget:
    """What an outermost archive may still unpack; shared with everything nested in it."""

    packed: int
    ratio: int
    bytes_left: int
    members_left: int
    spent: int = field(default=0)

    def charge(self, amount: int) -> None:
        """Raises Unreadable when unpacking goes beyond what the settings allow."""
        self.spent += amount
        if self.spent > self.bytes_left:
            raise Unreadable("too large", f"unpacks to more than {self.bytes_left} bytes")
        if self.spent > max(self.packed, 1) * self.ratio + CHUNK:
            raise Unreadable("too large", f"unpacks to more than {self.ratio} times its size: an archive bomb")

    def member(self) -> None:
        self.members_left -= 1
        if self.members_left < 0:
            raise Unreadable("too many", "holds more members than the settings allow")


def members(mime: str, file: BinaryIO, name: bytes, budget: Budget) -> Iterator[Entry | Problem]:
    """The members of an archive. `name` is the archive's own, for formats that hold one nameless file."""
    try:
        if mime == "application/zip":
            yield from _zip(file, budget)
        elif mime == "application/x-tar":
            yield from _tar(file, budget)
        else:
            yield Entry(_inner_name(name), "file", -1, _unpacked(SINGLE[mime], file, budget))
    except Unreadable as error:
        yield Problem(b"", error.reason, error.detail)
    except DAMAGE as error:
        yield Problem(b"", "damaged archive", f"{type(error).__name__}: {str(error)[:200]}")


def _inner_name(name: bytes) -> bytes:
    base = name.rpartition(b"/")[2]
    for ending, plain in ((b".tgz", b".tar"), (b".gz", b""), (b".bz2", b""), (b".xz", b"")):
        if base.lower().endswith(ending) and len(base) > len(ending):
            return base[: -len(ending)] + plain
    return base + b".unpacked"


def _unpacked(unpack: Callable[[Any], Any], file: BinaryIO, budget: Budget) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        file.seek(0)
        yield from _charged(unpack(file), budget)

    return read


def _charged(file: Any, budget: Budget) -> Iterator[bytes]:
    """Unpacked bytes, charged to the budget; what comes before damage is given out before Unreadable is raised."""
    done = 0
    while True:
        try:
            chunk = file.read(1 << 16)
        except DAMAGE as error:
            detail = f"{done} bytes were unpacked, then: {type(error).__name__}: {str(error)[:200]}"
            raise Unreadable("truncated" if isinstance(error, EOFError) else "damaged", detail) from error
        if not chunk:
            return
        budget.charge(len(chunk))
        done += len(chunk)
        yield chunk


def _zip(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        if "container.description" in names or "information.turtle" in names:
            raise Unreadable("not supported", "this is an AFF4 image, which is not read yet; it is no mere ZIP archive")
        for info in archive.infolist():
            budget.member()
            path = _zip_name(info)
            if info.is_dir():
                yield Entry(path, "directory")
            elif info.flag_bits & 0x1:
                yield Problem(path, "encrypted", f"a member of {info.file_size} bytes that needs a password")
            else:
                yield Entry(path, "file", info.file_size, _zip_chunks(archive, info, budget), modified=_zip_time(info))


def _zip_name(info: zipfile.ZipInfo) -> bytes:
    """The name's raw bytes: zipfile decodes names without the UTF-8 flag as code page 437, which loses nothing."""
    encoding = "utf-8" if info.flag_bits & 0x800 else "cp437"
    return info.orig_filename.encode(encoding, "surrogatepass" if encoding == "utf-8" else "replace")


def _zip_time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)  # noqa: DTZ001  zip times name no zone; kept as they stand
    except ValueError:
        return None


def _zip_chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        try:
            member = archive.open(info)
        except DAMAGE as error:
            raise Unreadable("damaged", f"{type(error).__name__}: {str(error)[:200]}") from error
        with member:
            yield from _charged(member, budget)

    return read


def _tar(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    with tarfile.open(fileobj=file, mode="r:", errors="surrogateescape") as archive:
        for info in archive:
            budget.member()
            path = info.name.encode("utf-8", "surrogateescape")
            kind = "file" if info.isreg() else "directory" if info.isdir() else "symlink" if info.issym() else "special"
            chunks = _tar_chunks(archive, info, budget) if kind == "file" else lambda: iter(())
            yield Entry(path, kind, info.size if kind == "file" else 0, chunks, modified=utc(info.mtime))


def _tar_chunks(archive: tarfile.TarFile, info: tarfile.TarInfo, budget: Budget) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        member = archive.extractfile(info)
        if member is None:
            raise Unreadable("damaged", "the member has no bytes")
        yield from _charged(member, budget)

    return read

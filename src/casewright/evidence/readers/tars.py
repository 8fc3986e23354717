"""Tar archives: headers by the standard library, bytes read from where they stand."""

import tarfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable, utc
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import Span

TYPES = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink"}


def tar_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in their order, then a problem if the archive goes on behind what can be read.

    tarfile ends quietly at a header it cannot read, and so would lose all that follows.
    """
    files: dict[bytes, tarfile.TarInfo] = {}
    with tarfile.open(fileobj=file, mode="r:", encoding="utf-8", errors="surrogateescape") as archive:
        for info in archive:
            budget.member()
            yield _member(archive, file, info, files, budget)
        end = archive.offset
    if rest := _unread(file, end):
        yield Problem(b"", "damaged archive", rest)


def _member(
    archive: tarfile.TarFile, file: BinaryIO, info: tarfile.TarInfo, files: dict[bytes, tarfile.TarInfo], budget: Budget
) -> Entry | Problem:
    path = info.name.encode("utf-8", "surrogateescape")
    target = info
    if info.size < 0:
        raise Unreadable("damaged archive", f"the member at byte {info.offset} says that it has {info.size} bytes")
    if info.islnk():
        linked = files.get(info.linkname.encode("utf-8", "surrogateescape"))
        if linked is None:
            return Problem(
                path, "content elsewhere", f"a hard link to {info.linkname!r}, which does not come before it"
            )
        target = linked
    elif not info.isreg():
        if info.size and info.type not in TYPES:
            return Problem(path, "not supported", f"a tar member of type {info.type!r} with {info.size} bytes")
        return Entry(path, TYPES.get(info.type, "special"), modified=utc(info.mtime))
    files[path] = target
    return Entry(path, "file", target.size, _chunks(archive, file, target, budget), modified=utc(info.mtime))


def _chunks(
    archive: tarfile.TarFile, file: BinaryIO, info: tarfile.TarInfo, budget: Budget
) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        plain = _sparse(archive, info) if info.issparse() else Span(file, info.offset_data, info.size).chunks()
        yield from budget.charged(plain)

    return read


def _sparse(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Iterator[bytes]:
    """A sparse member with its holes as zeros."""
    member = archive.extractfile(info)
    while member:
        try:
            chunk = member.read(1 << 16)
        except (tarfile.TarError, OSError, ValueError) as error:
            raise Unreadable("truncated", str(error)) from error
        if not chunk:
            return
        yield chunk


def _unread(file: BinaryIO, at: int) -> str:
    """What stands behind the last member that is not the zeros an archive ends with; empty when nothing does."""
    size = file.seek(0, 2)
    file.seek(at)
    while chunk := file.read(CHUNK):
        if chunk.strip(b"\0"):
            return f"it can be read up to byte {at} of {size}; what follows is no tar member"
    return ""

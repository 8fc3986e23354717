"""Archives and compressed files: zip, 7z, tar, cpio, ar, gzip, bzip2, xz, lzma, zstd, and those inside each other.

Nothing is ever written under a member's own name: names, symlinks and absolute paths are data. Caps on ratio, bytes,
depth and number of members hold for an archive with all that is nested in it.
"""

import struct
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import BinaryIO

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import BROKEN, CODECS, Codec, Span, unpacked
from casewright.evidence.readers.sevenzip import seven_zip_members
from casewright.evidence.readers.tars import ar_members, cpio_members, tar_members
from casewright.evidence.readers.zips import zip_members

READERS: Mapping[str, Callable[[BinaryIO, Budget], Iterator[Entry | Problem]]] = {
    "application/zip": zip_members,
    "application/x-tar": tar_members,
    "application/x-7z-compressed": seven_zip_members,
    "application/x-cpio": cpio_members,
    "application/x-archive": ar_members,
}
ARCHIVES = frozenset((*READERS, *CODECS))
IMAGE = "is a disk image inside an exhibit, and is not opened there; seal it as an exhibit of its own"
REFUSED: Mapping[str, str] = {
    "application/vnd.rar": "RAR archives are not read",
    "application/x-arj": "ARJ archives are not read",
    "application/vnd.ms-cab-compressed": "CAB archives are not read",
    "application/x-rpm": "RPM packages are not read",
    "application/x-squashfs": "SquashFS images are not read",
    "application/x-compress": "files packed by compress (.Z) are not read",
    "application/x-lz4": "LZ4 files are not read",
    "application/x-lzip": "lzip files are not read",
    "application/x-lzop": "lzop files are not read",
    "application/x-iso9660-image": f"this {IMAGE} (ISO 9660)",
    "application/x-ewf": f"this {IMAGE}",
    "application/x-qemu-disk": f"this {IMAGE} (QCOW2)",
    "application/x-vmdk-disk": f"this {IMAGE} (VMDK)",
    "application/x-vhd-disk": f"this {IMAGE} (VHD)",
}
# what the standard library's readers raise over hostile archives
DAMAGE = (*BROKEN, tarfile.TarError, struct.error, RuntimeError, LookupError, ArithmeticError)
ENDINGS = ((b".tgz", b".tar"), (b".tbz2", b".tar"), (b".txz", b".tar"), (b".tlz", b".tar"), (b".tzst", b".tar"),
           (b".gz", b""), (b".bz2", b""), (b".xz", b""), (b".lzma", b""), (b".zst", b""))  # fmt: skip


def members(mime: str, file: BinaryIO, name: bytes, budget: Budget) -> Iterator[Entry | Problem]:
    """The members of an archive. `name` is the archive's own, for formats that hold one nameless file."""
    try:
        for one in _members(mime, file, name, budget):
            yield replace(one, chunks=partial(_guarded, one.chunks)) if isinstance(one, Entry) else one
    except Unreadable as error:
        yield Problem(b"", error.reason, error.detail)
    except DAMAGE as error:
        yield Problem(b"", "damaged archive", f"{type(error).__name__}: {str(error)[:200]}")


def _members(mime: str, file: BinaryIO, name: bytes, budget: Budget) -> Iterator[Entry | Problem]:
    if mime in READERS:
        return READERS[mime](file, budget)
    return iter([_only(file, CODECS[mime], name, budget)])


def _guarded(chunks: Callable[[], Iterator[bytes]]) -> Iterator[bytes]:
    try:
        yield from chunks()
    except DAMAGE as error:
        raise Unreadable("damaged", f"{type(error).__name__}: {str(error)[:200]}") from error


def _only(file: BinaryIO, codec: Codec, name: bytes, budget: Budget) -> Entry:
    span = Span(file, 0, file.seek(0, 2))
    return Entry(_inner_name(name), "file", -1, lambda: budget.charged(unpacked(span, codec)))


def _inner_name(name: bytes) -> bytes:
    base = name.rpartition(b"/")[2]
    for ending, plain in ENDINGS:
        if base.lower().endswith(ending) and len(base) > len(ending):
            return base[: -len(ending)] + plain
    return base + b".unpacked"

"""ZIP archives: the list of members from the standard library, their bytes from our own unpacking.

Format: PKWARE APPNOTE 6.3.10.
"""

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, BinaryIO

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import BZIP2, DEFLATE, Span, unpacked

STORED, DEFLATED, BZIPPED = 0, 8, 12
UTF8_FLAG, ENCRYPTED_FLAG = 0x800, 0x1
AFF4 = {"container.description", "information.turtle"}


def zip_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in the order of the central directory. Raises zipfile's errors when that cannot be read."""
    with zipfile.ZipFile(_RawNames(file)) as archive:
        infos = archive.infolist()
    if AFF4 & {info.filename for info in infos}:
        raise Unreadable("not supported", "this is an AFF4 image, which is not read yet; it is no mere ZIP archive")
    for info in infos:
        budget.member()
        yield _member(file, info, budget)


def _member(file: BinaryIO, info: zipfile.ZipInfo, budget: Budget) -> Entry | Problem:
    path = _name(info)
    if path.endswith(b"/") and info.file_size == 0:
        return Entry(path, "directory")
    if stat.S_ISLNK(info.external_attr >> 16):
        return Entry(path, "symlink")
    if info.flag_bits & ENCRYPTED_FLAG:
        return Problem(path, "encrypted", f"a member of {info.file_size} bytes that needs a password")
    if info.compress_type not in (STORED, DEFLATED, BZIPPED):
        return Problem(path, "not supported", f"ZIP compression method {info.compress_type} is not read yet")
    return Entry(path, "file", info.file_size, _chunks(file, info, budget), modified=_time(info))


def _name(info: zipfile.ZipInfo) -> bytes:
    """The name's raw bytes: code page 437 gives every byte a character, so it loses none."""
    return info.orig_filename.encode("utf-8" if info.flag_bits & UTF8_FLAG else "cp437", "surrogatepass")


def _time(info: zipfile.ZipInfo) -> datetime | None:
    try:
        return datetime(*info.date_time)  # noqa: DTZ001  zip times name no zone; kept as they stand
    except ValueError:
        return None


def _chunks(file: BinaryIO, info: zipfile.ZipInfo, budget: Budget) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        span = _packed(file, info)
        plain = span.chunks() if info.compress_type == STORED else unpacked(span, _codec(info))
        crc = size = 0
        for chunk in budget.charged(plain):
            crc, size = zlib.crc32(chunk, crc), size + len(chunk)
            yield chunk
        if (crc, size) != (info.CRC, info.file_size):
            raise Unreadable("damaged", f"{size} bytes were unpacked; checksum or size is not what the archive says")

    return read


def _codec(info: zipfile.ZipInfo) -> Any:
    return DEFLATE if info.compress_type == DEFLATED else BZIP2


def _packed(file: BinaryIO, info: zipfile.ZipInfo) -> Span:
    """Where the member's packed bytes lie, by its local header."""
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise Unreadable("damaged", f"no member begins at byte {info.header_offset}, where the archive says")
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return Span(file, info.header_offset + 30 + names, info.compress_size)


class _RawNames:
    """The archive's file as zipfile sees it, with the "name is UTF-8" flag of the central directory cleared.

    A single name that says it is UTF-8 and is not makes zipfile give up the whole archive.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1) -> bytes:
        raw = self._file.read(size)
        if not raw.startswith(b"PK\x01\x02"):
            return raw
        patched, at = bytearray(raw), 0
        while patched[at : at + 4] == b"PK\x01\x02":
            patched[at + 9 : at + 10] = bytes(b & 0xF7 for b in patched[at + 9 : at + 10])
            lengths = (int.from_bytes(patched[at + i : at + i + 2], "little") for i in (28, 30, 32))
            at += 46 + sum(lengths)
        return bytes(patched)

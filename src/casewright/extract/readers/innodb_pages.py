"""Pages of an InnoDB tablespace: their size, their sums, which are in use, and what kinds of tablespace are not read.

Source of the format: MySQL Internals Manual, "InnoDB Page Structure"; Jeremy Cole, "The basics of InnoDB space file
layout"; MariaDB Knowledge Base, "InnoDB Page Flushing" and "innodb_checksum_algorithm" (full_crc32 since 10.5).
"""

from typing import BinaryIO

import numpy as np

HEADER, TRAILER = 38, 8
FLAGS, SPACE_SIZE = HEADER + 16, HEADER + 8
DESCRIPTORS = HEADER + 112
INDEX, SDI, SPACE_HEADER, INSTANT = 17855, 17853, 8, 18
BLOB, SDI_BLOB, LOB_FIRST, LOB_DATA, LOB_INDEX = 10, 18, 24, 23, 22
UNDO_HEADERS = (6, 21)
NO_PAGE = 0xFFFFFFFF
FULL_SUM, ZIP, PAGE_SIZE, ENCRYPTED, HAS_SDI, COMPRESSED = 0x10, 0x1E, 0x3C0, 1 << 13, 1 << 14, 1 << 16
"""Bits of the flags. With a sum over the whole page, MariaDB has the size of pages in the lowest bits, and how they are
compressed in three above it."""
NO_SUM = 0xDEADBEEF
SIZES = (4096, 8192, 16384, 32768, 65536)


class Damaged(ValueError):  # noqa: N818  data, not a defect
    """Bytes that can't be what they should be; the message says what."""


class Refused(Damaged):
    """A tablespace of a kind that is not read."""


def number(raw: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(raw[at : at + size], "big")


def page_size(flags: int) -> int:
    """The size of pages by a tablespace's flags; 0 for what no tablespace has."""
    shift = flags & 15 if flags & FULL_SUM else (flags & PAGE_SIZE) >> 6
    size = 16384 if not shift and not flags & FULL_SUM else 512 << shift
    return size if size in SIZES else 0


class Pages:
    """The pages of a tablespace, numbered from 0. Raises Damaged, or Refused, when it can't be read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.seek(0)
        head = file.read(HEADER + 112)
        self.flags = number(head, FLAGS)
        self.size, self.space = page_size(self.flags), number(head, HEADER)
        if len(head) < HEADER + 112 or number(head, 24, 2) != SPACE_HEADER or not self.size:
            raise Damaged("no header of an InnoDB tablespace")
        self.length = file.seek(0, 2)
        self.in_file, self.declared = self.length // self.size, number(head, SPACE_SIZE)
        self.has_sdi = bool(self.flags & HAS_SDI) and not self.flags & FULL_SUM
        self.followed, self._descriptors = 0, dict[int, bytes]()
        self._refuse()

    def _refuse(self) -> None:
        full = self.flags & FULL_SUM
        if self.space == 0:
            raise Refused("the system tablespace (ibdata1), whose tables and undo logs are not read")
        if not full and self.flags & ZIP:
            raise Refused("a tablespace with ROW_FORMAT=COMPRESSED, which is not read")
        if (full and self.flags >> 5 & 7) or (not full and self.flags & COMPRESSED):
            raise Refused("a tablespace with compressed pages, which is not read")
        third = self._raw(3)
        kind = number(third, 24, 2)
        if kind in (14, 16, 34354):
            raise Refused("a tablespace with compressed pages, which is not read")
        keyed = number(third, 0) if full else number(third, 26)
        if kind in (15, 17, 37401) or (keyed and not self.has_sdi) or (not full and self.flags & ENCRYPTED):
            raise Refused("an encrypted tablespace, which is not read")
        if kind in UNDO_HEADERS:
            raise Refused("an undo tablespace, which is not read")

    def _raw(self, which: int) -> bytes:
        self._file.seek(which * self.size)
        return self._file.read(self.size)

    def page(self, which: int) -> bytes:
        """The page with this number. Raises Damaged when it is cut off, another's, or its sum does not hold."""
        if not 0 <= which < self.in_file:
            raise Damaged(f"there is no page {which}: the file ends before it")
        raw = self._raw(which)
        if not any(raw[:HEADER]) and not any(raw):
            return raw
        if number(raw, 4) != which or number(raw, 34) != self.space:
            raise Damaged(f"page {which} is not this tablespace's, or another page of it")
        if not self._holds(raw):
            raise Damaged(f"the sum of page {which} does not hold")
        return raw

    def _holds(self, raw: bytes) -> bool:
        """Whether a page's sum is right by one of the ways in which servers have made them."""
        from casewright.kernels.pagesums import crc32c, folded  # noqa: PLC0415  slow to import

        page = np.frombuffer(raw, np.uint8)
        if self.flags & FULL_SUM:
            return int(crc32c(page[:-4])) == number(raw, self.size - 4)
        stored, at_end = number(raw, 0), number(raw, self.size - TRAILER)
        if raw[20:24] != raw[-4:]:
            return False
        if stored == NO_SUM and at_end == NO_SUM:
            return True
        if int(crc32c(page[4:26])) ^ int(crc32c(page[HEADER:-TRAILER])) == stored:
            return True
        return (int(folded(page[4:26])) + int(folded(page[HEADER:-TRAILER]))) & NO_PAGE == stored

    def in_use(self, which: int) -> bool:
        """Whether a page belongs to an index, by the bits of its extent; true where they can't be read."""
        first = which - which % self.size
        if first not in self._descriptors:
            self._descriptors[first] = self._raw(first)
        extent = (1 << 20) // self.size if self.size < 16384 else 64
        entry = 24 + extent // 4
        at = DESCRIPTORS + (which - first) // extent * entry + 24 + which % extent // 4
        raw = self._descriptors[first]
        return at >= len(raw) or not raw[at] >> which % extent % 4 * 2 & 1

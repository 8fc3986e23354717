"""Pages of a SQLite database: where each stands now, in the file itself or in a log beside it.

Source: https://www.sqlite.org/fileformat2.html, sections 1.3, 1.4 and 4 (write-ahead log), and 3 (rollback journal).
The log is taken as SQLite takes it: frames whose salt and running checksum hold, up to the last that commits; a
journal that was not cleared holds the pages as they were before a change that never came to its end.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from casewright.extract.reader import Beside
from casewright.extract.readers.sqlite_record import ENCODINGS, Damaged, Text

MAGIC = b"SQLite format 3\0"
WAL_MAGIC = {0x377F0682: "<", 0x377F0683: ">"}
JOURNAL_MAGIC = bytes.fromhex("d9d505f920a163d7")
WAL_HEADER, FRAME_HEADER = 32, 24


@dataclass(frozen=True)
class Place:
    """Where the bytes of a page stand: in the file with this suffix, or in the database itself."""

    beside: str
    start: int


@dataclass
class Log:
    """What a log beside the database holds: pages as they are now, and pages as they were or would have been."""

    present: dict[int, Place] = field(default_factory=dict)
    others: list[tuple[int, Place]] = field(default_factory=list)


class Pages:
    """The pages of a database, numbered from 1. Raises Damaged when its header is none."""

    def __init__(self, file: BinaryIO, beside: Beside) -> None:
        self._files = {"": file}
        head = _at(file, 0, 100)
        size = int.from_bytes(head[16:18], "big")
        self.size = 65536 if size == 1 else size
        if head[:16] != MAGIC or self.size < 512 or self.size & (self.size - 1):
            raise Damaged("no header of a SQLite database")
        self.log = Log()
        for suffix, read in (("-wal", _wal), ("-journal", _journal)):
            other = beside.open(suffix)
            if other is not None and not self.log.present:
                self._files[suffix] = other
                self.log = read(other, self.size)
        head = self.page(1)[:100]
        self.usable = self.size - head[20]
        self.text = Text(ENCODINGS.get(int.from_bytes(head[56:60], "big") or 1, "utf-8"))
        self.freelist = int.from_bytes(head[32:36], "big")
        if self.usable < 480:
            raise Damaged("its pages leave no room for content")
        self.in_file = file.seek(0, 2) // self.size

    @property
    def most_bytes(self) -> int:
        """More than any record can have."""
        return (self.in_file + len(self.log.present)) * self.size

    def place(self, number: int) -> Place:
        return self.log.present.get(number) or Place("", (number - 1) * self.size)

    def page(self, number: int) -> bytes:
        """The page as it is now. Raises Damaged when there is none with this number, or not all of it."""
        return self.at(self.place(number))

    def at(self, place: Place) -> bytes:
        """The page at a place."""
        if place.start < 0:
            raise Damaged("there is no page 0")
        raw = _at(self._files[place.beside], place.start, self.size)
        if len(raw) < self.size:
            raise Damaged(f"the page at byte {place.start} is cut off")
        return raw

    def superseded(self) -> Iterator[tuple[int, Place]]:
        """Pages as they were: in the file below a log's newer ones, and what else the log holds."""
        for number in sorted(self.log.present):
            if number <= self.in_file:
                yield number, Place("", (number - 1) * self.size)
        yield from self.log.others


def _at(file: BinaryIO, start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)


def _wal(file: BinaryIO, size: int) -> Log:
    """The write-ahead log; one of another page size, or with no header, tells nothing."""
    log, head = Log(), _at(file, 0, WAL_HEADER)
    if len(head) < WAL_HEADER or struct.unpack(">I", head[:4])[0] not in WAL_MAGIC:
        return log
    order = WAL_MAGIC[struct.unpack(">I", head[:4])[0]]
    if struct.unpack(">I", head[8:12])[0] not in (size, size % 65536):
        return log
    state = _sum(head[:24], order, (0, 0))
    holds = state == struct.unpack(">II", head[24:32])
    waiting = list[tuple[int, Place]]()
    for start in range(WAL_HEADER, file.seek(0, 2) - FRAME_HEADER - size + 1, FRAME_HEADER + size):
        frame = _at(file, start, FRAME_HEADER + size)
        number, commits = struct.unpack(">II", frame[:8])
        page = number, Place("-wal", start + FRAME_HEADER)
        if holds and frame[8:16] == head[16:24]:
            state = _sum(frame[:8] + frame[FRAME_HEADER:], order, state)
            holds = state == struct.unpack(">II", frame[16:24])
        else:
            holds = False
        if not holds:
            log.others += [*waiting, page]
            waiting = []
            continue
        waiting.append(page)
        if commits:
            log.others += [(n, log.present[n]) for n, _ in waiting if n in log.present]
            log.present.update(waiting)
            waiting = []
    log.others += waiting
    return log


def _sum(raw: bytes, order: str, state: tuple[int, int]) -> tuple[int, int]:
    """The running checksum of the log over whole pairs of 32-bit words."""
    one, two = state
    words = iter(struct.unpack(f"{order}{len(raw) // 4}I", raw))
    for word in words:
        one = (one + word + two) & 0xFFFFFFFF
        two = (two + next(words) + one) & 0xFFFFFFFF
    return one, two


def _journal(file: BinaryIO, size: int) -> Log:
    """The rollback journal: hot while its header stands, so that its pages are what counts; otherwise they are old."""
    log, end, start = Log(), file.seek(0, 2), 0
    while (header := _journal_header(file, start, size)) and start < end:
        records, nonce, sector = header
        start += sector
        for _ in range(records):
            found = _journaled(file, start, size, nonce)
            if found is None:
                return log
            log.present.setdefault(*found)
            start += 8 + size
        start += -start % sector
    if start == 0:
        starts = range(512, end - 8 - size + 1, 8 + size)
        log.others = [(int.from_bytes(_at(file, at, 4), "big"), Place("-journal", at + 4)) for at in starts]
    return log


def _journal_header(file: BinaryIO, start: int, size: int) -> tuple[int, int, int] | None:
    """Records that follow, the seed of their checksums, and the sector size."""
    head = _at(file, start, 28)
    if len(head) < 28 or head[:8] != JOURNAL_MAGIC:
        return None
    records, nonce, _, sector, page_size = struct.unpack(">5I", head[8:])
    if page_size != size or not 512 <= sector <= 65536:
        return None
    return records, nonce, sector


def _journaled(file: BinaryIO, start: int, size: int, nonce: int) -> tuple[int, Place] | None:
    """The page in a record of the journal, when its checksum holds: of every 200th byte, from the end."""
    raw = _at(file, start, 8 + size)
    if len(raw) < 8 + size:
        return None
    check = (nonce + sum(raw[4 + at] for at in range(size - 200, 0, -200))) & 0xFFFFFFFF
    if check != int.from_bytes(raw[-4:], "big"):
        return None
    return int.from_bytes(raw[:4], "big"), Place("-journal", start + 4)

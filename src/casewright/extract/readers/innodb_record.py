"""Records of InnoDB: where they stand on a page of an index, and their fields.

Source of the format: MySQL Internals Manual, "InnoDB Record Structure" and "InnoDB Page Structure"; Jeremy Cole, "The
physical structure of records in InnoDB"; MariaDB Knowledge Base, "Instant ADD COLUMN for InnoDB" (records that say how
many columns they have more than the table had once).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

from casewright.extract.readers.innodb_blobs import REFERENCE, Outside
from casewright.extract.readers.innodb_columns import Field
from casewright.extract.readers.innodb_pages import HEADER, INDEX, INSTANT, SDI, TRAILER, Damaged, number

Value = bytes | Outside | None

RECORDS = HEADER + 56
FIRST, LAST, HEAP = RECORDS + 5, RECORDS + 18, RECORDS + 26
"""Of compact pages: where the records begin and end that stand before all others and behind them, and those between."""
OLD_FIRST, OLD_LAST, OLD_HEAP = RECORDS + 7, RECORDS + 22, RECORDS + 31
LEAST, DELETED, ADDED_BITS = 0x10, 0x20, 0xC0
"""Marks of a record: the first of its level, deleted, and (MySQL 8) of another number of columns than the table has."""
ORDINARY, INSIDE, LONGER = 0, 1, 4


@dataclass(frozen=True)
class Shape:
    """The fields of a table's records. `core`: how many of them the shortest records have; `defaults`: what a record
    has where it lacks them."""

    fields: Sequence[Field]
    core: int
    defaults: Sequence[Value] = ()

    @classmethod
    def of(cls, fields: Sequence[Field]) -> "Shape":
        return cls(fields, len(fields))

    @cached_property
    def plan(self) -> list[tuple[bool, int | None, bool]]:
        """Of each field whether it may be NULL, how long it is, and whether it may take two bytes to say so."""
        return [(field.nullable, field.fixed, field.long) for field in self.fields]

    @cached_property
    def nulls(self) -> list[int]:
        """How many bytes say what is NULL, in a record of so many fields."""
        counts = accumulate((field.nullable for field in self.fields), initial=0)
        return [(count + 7) // 8 for count in counts]


@dataclass(frozen=True, slots=True)
class Record:
    """A record's values, by field, and its bytes: from `start` to `end` on its page."""

    values: list[Value]
    start: int
    end: int
    origin: int
    marked: bool = False


class Leaf:
    """A page of an index. Raises Damaged when it is none."""

    def __init__(self, raw: bytes) -> None:
        if number(raw, 24, 2) not in (INDEX, SDI, INSTANT):
            raise Damaged("no page of an index")
        self.raw, self.size = raw, len(raw)
        self.slots, self.top, heap = (number(raw, HEADER + at, 2) for at in (0, 2, 4))
        self.compact, self.heap = bool(heap & 0x8000), heap & 0x7FFF
        self.free, self.garbage, self.count = (number(raw, HEADER + at, 2) for at in (6, 8, 16))
        self.level, self.index = number(raw, HEADER + 26, 2), number(raw, HEADER + 28, 8)
        self.begins = HEAP if self.compact else OLD_HEAP
        self.bound = self.size - TRAILER - 2 * self.slots
        if not self.begins <= self.top <= self.bound:
            raise Damaged("the head of a page of an index makes no sense")

    def following(self, at: int) -> int:
        """The place of the record after the one at `at`; 0 where none is."""
        step = number(self.raw, at - 2, 2)
        if not self.compact or not step:
            return step
        return at + step & (self.size - 1 if self.size < 65536 else 0xFFFF)

    def chain(self) -> Iterator[int]:
        """The places of the records that stand, in order. Raises Damaged where the order breaks."""
        at, last = (FIRST, LAST) if self.compact else (OLD_FIRST, OLD_LAST)
        for _ in range(self.count):
            at = self.following(at)
            if not self.begins < at < self.top:
                raise Damaged("a record is followed by none")
            yield at
        if self.following(at) != last:
            raise Damaged("the records of a page go on where they should end")

    def freed(self) -> Iterator[int]:
        """The places of the records that were given up, as far as their list makes sense."""
        at, seen = self.free, set[int]()
        while self.begins < at < self.bound and at not in seen:
            seen.add(at)
            yield at
            at = self.following(at)

    def marks(self, at: int) -> int:
        """The marks of the record at a place."""
        return self.raw[at - 5 if self.compact else at - 6] & 0xF0

    def rows(self, shape: Shape) -> Iterator[Record]:
        """The records that are rows, in order, without the one that may tell before them what older rows lack. Raises
        Damaged where they break off."""
        for at in self.chain():
            if not self.marks(at) & LEAST:
                yield self.record(at, shape)

    def record(self, at: int, shape: Shape) -> Record:
        """The record at a place. Raises Damaged."""
        try:
            return self._compact(at, shape) if self.compact else self._old(at, shape)
        except IndexError as error:
            raise Damaged("a record reaches beyond its page") from error

    def _compact(self, at: int, shape: Shape) -> Record:
        raw, marks, kind = self.raw, self.raw[at - 5], self.raw[at - 3] & 7
        if kind not in (ORDINARY, LONGER) or marks & ADDED_BITS:
            raise Damaged("a record of another kind than rows are")
        place, count = at - 6, shape.core
        if kind == LONGER:
            more, place = raw[place], place - 1
            if more & 0x80:
                more, place = more & 0x7F | raw[place] << 7, place - 1
            count = min(len(shape.fields), count + 1 + more)
        nulls, bit = place, 1
        place -= shape.nulls[count]
        values, end = list[Value](), at
        for nullable, fixed, long in shape.plan if count == len(shape.fields) else shape.plan[:count]:
            if nullable:
                null = raw[nulls] & bit
                bit <<= 1
                if bit == 256:
                    nulls, bit = nulls - 1, 1
                if null:
                    values.append(None)
                    continue
            if fixed is None:
                length, place = raw[place], place - 1
                if length & 0x80 and long:
                    begin, elsewhere = end, length & 0x40
                    length, place = (length & 0x3F) << 8 | raw[place], place - 1
                    if elsewhere:
                        end = begin + length
                        values.append(_outside(raw[begin:end]))
                        continue
            else:
                length = fixed
            values.append(raw[end : end + length])
            end += length
        return self._whole(Record(values, place + 1, end, at, bool(marks & DELETED)), shape)

    def _old(self, at: int, shape: Shape) -> Record:
        """ROW_FORMAT=REDUNDANT: each field says where it ends."""
        raw, marks = self.raw, self.raw[at - 6]
        count, size = (number(raw, at - 4, 2) >> 1) & 0x3FF, 1 if raw[at - 3] & 1 else 2
        if not shape.core <= count <= len(shape.fields):
            raise Damaged(f"a record has {count} fields, and the table {len(shape.fields)}")
        null, outside = (0x80, 0) if size == 1 else (0x8000, 0x4000)
        values, begin = list[Value](), 0
        for which, field in enumerate(shape.fields[:count], 1):
            end = number(raw, at - 6 - size * which, size)
            value = raw[at + begin : at + (end & ~(null | outside))]
            begin = end & ~(null | outside)
            if field.fixed is not None and not end & (null | outside) and len(value) != field.fixed:
                raise Damaged("a record's fields are not as long as they must be")
            values.append(None if end & null else _outside(value) if end & outside else value)
        start = at - 6 - size * count
        return self._whole(Record(values, start, at + begin, at, bool(marks & DELETED)), shape)

    def _whole(self, record: Record, shape: Shape) -> Record:
        """With what it lacks. Raises Damaged when it does not stand on its page."""
        if record.start < self.begins or record.end > self.bound:
            raise Damaged("a record reaches beyond its page")
        lacking = len(record.values) - len(shape.fields)
        record.values.extend(shape.defaults[lacking:] if lacking else ())
        return record


def _outside(value: bytes) -> Outside:
    if len(value) < REFERENCE:
        raise Damaged("a long value does not say where the rest is")
    return Outside(value[:-REFERENCE], value[-REFERENCE:])


def overlap(records: Sequence[Record]) -> bool:
    """Whether two records share bytes, which they do when the fields are not the table's."""
    ordered = sorted(records, key=lambda r: r.start)
    return any(one.end > other.start for one, other in pairwise(ordered))

"""Table definitions (`.frm`) that MySQL up to 5.7 and every MariaDB keep beside a table's rows.

Source of the format: MySQL Internals Manual, "MySQL .frm File Format", and what MariaDB adds behind the header (columns
of types that are plug-ins'). Columns, keys and the members of ENUM and SET are read; defaults and the rest are not.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from casewright.extract.readers.innodb_columns import Column, Key, Keys, NoTableError, Table, clustered
from casewright.extract.readers.mysql_charsets import in_utf8
from casewright.extract.readers.mysql_collations import BINARY, CHARSETS, Charset, charset_of

MAGIC = b"\xfe\x01"
LIMIT = 8 << 20
HEADER, FORM, FIELD = 64, 288, 17
TYPE_INFO = 130
"""What MariaDB says of the columns whose type is a plug-in's."""
TYPES: Mapping[int, str] = {
    1: "tinyint", 2: "smallint", 3: "int", 4: "float", 5: "double", 7: "timestamp", 8: "bigint", 9: "mediumint",
    11: "time", 12: "datetime", 13: "year", 14: "date", 15: "varchar", 16: "bit", 17: "timestamp", 18: "datetime",
    19: "time", 246: "decimal", 247: "enum", 248: "set", 249: "tinyblob", 250: "mediumblob", 251: "longblob",
    252: "blob", 254: "char", 255: "geometry",
}  # fmt: skip
OLD_TIMES, TIMES = (7, 11, 12), {17: 20, 18: 20, 19: 11}
"""The width from which a time with fractions begins, with its point."""
WIDE = {7: 19, 11: 10, 12: 19}
WHOLE = ("tinyint", "smallint", "int", "bigint", "mediumint")
NO_DECIMALS = 31
SIGNED, ZEROFILL, MAYBE_NULL = 1, 4, 0x8000
UNIQUE, FULL_TEXT, SPATIAL = 1, 128, 1024
HASHED = 5
"""How MariaDB keeps keys that are too long: by a hash that no record holds."""
HASH = b"DB_ROW_HASH_"
VIRTUAL, PACKED = 0, 24
"""A column's marks: computed when it is read; compressed by itself (MariaDB)."""
PERIOD = 4
"""The columns of MariaDB's system versioning that say from when to when a row stood."""


def read_frm(raw: bytes, name: str) -> Table:
    """The table that these bytes define. Raises NoTableError."""
    if raw[:2] != MAGIC:
        raise NoTableError("no definition of a table")
    try:
        return _Definition(raw).table(name)
    except (IndexError, struct.error) as error:
        raise NoTableError("the definition is cut off") from error


@dataclass
class _Definition:
    raw: bytes
    kinds: dict[int, str] = field(default_factory=dict)
    ended: int | None = None

    def __post_init__(self) -> None:
        length = self._two(4)
        self.version = self._four(51)
        self._form = self._four(HEADER + length)
        form = self._form
        self._count, screens = self._two(form + 258), self._two(form + 260)
        self._fields = form + FORM + screens
        self._names = self._fields + FIELD * self._count
        self._members = self._names + self._two(form + 268)
        self._virtual = self._members + self._two(form + 274) + self._two(form + 284)
        self._virtual_end = self._virtual + self._two(form + 286)
        if self.raw[HEADER : HEADER + 1] != b"/":
            self._own_types(HEADER, HEADER + length)

    def _two(self, at: int) -> int:
        return int(struct.unpack_from("<H", self.raw, at)[0])

    def _four(self, at: int) -> int:
        return int(struct.unpack_from("<I", self.raw, at)[0])

    def table(self, name: str) -> Table:
        names = self._listed(self._names)[0]
        if len(names) != self._count:
            raise NoTableError("the definition names another number of columns than it has")
        sets, at = list[list[bytes]](), self._members
        for _ in range(self._two(self._form + 270)):
            members, at = self._listed(at)
            sets.append(members)
        virtual = {number for number, one in enumerate(names) if one.startswith(HASH)}.union(self._computed())
        columns = tuple(
            self._column(number, one.decode("utf-8", "backslashreplace"), sets, number in virtual)
            for number, one in enumerate(names)
        )
        keys, searched = self._keys(columns)
        return Table(name, columns, clustered(columns, keys), searched, ended=self.ended)

    def _listed(self, at: int) -> tuple[list[bytes], int]:
        """Names, each behind the byte that stands before the first, and the place after the zero that ends them."""
        sign = self.raw[at]
        end = self.raw.find(bytes([sign, 0]), at)
        if end < 0:
            raise NoTableError("a list of names has no end")
        return self.raw[at + 1 : end].split(bytes([sign])), end + 2

    def _own_types(self, at: int, end: int) -> None:
        """Types of plug-ins by the column's number, and when rows ended, from the pieces behind MariaDB's header."""
        while at < end:
            kind, length, at = self.raw[at], self.raw[at + 1], at + 2
            if not length:
                length, at = self._two(at), at + 2
            if kind == PERIOD:
                self.ended = self._two(at + 2)
            if kind == TYPE_INFO:
                place = at
                while place < at + length:
                    number, size = self.raw[place], self.raw[place + 1]
                    self.kinds[number] = self.raw[place + 2 : place + 2 + size].decode("ascii", "replace")
                    place += 2 + size
            at += length

    def _computed(self) -> Iterator[int]:
        """Columns that are computed when they are read (MariaDB since 10.2)."""
        at = self._virtual + 16
        while self._virtual_end > at:
            kind, number, text, name = struct.unpack_from("<BHHB", self.raw, at)
            if kind == VIRTUAL:
                yield number
            at += 6 + text + name

    def _column(self, number: int, name: str, sets: list[list[bytes]], virtual: bool) -> Column:
        """One of the columns: 17 bytes say what it is."""
        _, length, _, flags, unireg, high, which, code, low, _ = struct.unpack_from(
            "<3sH3sHBBBBBH", self.raw, self._fields + FIELD * number
        )
        kind = self.kinds.get(number) or TYPES.get(code)
        if code == 245 and 50700 <= self.version < 50800:
            kind = "json"
        computed = unireg & 128 and self.version < 100000
        if self.version >= 100000 and unireg == PACKED:
            raise NoTableError(f"column {name} is compressed, which is not read")
        if kind is None or computed or (code in OLD_TIMES and length > WIDE[code]):
            raise NoTableError(f"column {name} is of a type ({code}) that is not read")
        charset = charset_of(low + (high << 8) or BINARY) if code not in (255, 16) else CHARSETS["binary"]
        if charset is None:
            raise NoTableError(f"column {name} has collation {low + (high << 8)}, which is not known")
        signed = bool(flags & SIGNED) or kind not in (*WHOLE, "float", "double", "decimal")
        made = Column(name, _kind(kind, charset), _numbers(kind, code, length, flags, charset), not signed, (), charset,
                      bool(flags & MAYBE_NULL), virtual, code in OLD_TIMES,
                      bool(flags & ZEROFILL) and kind in WHOLE)  # fmt: skip
        if kind in ("enum", "set"):
            members = tuple(in_utf8(member, charset.name) for member in sets[which - 1])
            if not which or charset.least > 1:
                raise NoTableError(f"the members of column {name} are not read")
            return Column(name, kind, (), False, members, charset, made.nullable, virtual)
        return made

    def _keys(self, columns: tuple[Column, ...]) -> tuple[Keys, bool]:
        """The unique keys, and whether there is a full-text one."""
        at = self._two(6)
        count = self.raw[at]
        if count & 0x80:
            count = (self.raw[at + 1] << 7) | (count & 0x7F)
        at, found, searched = at + 6, Keys(), False
        every = list[tuple[int, Key, int]]()
        for _ in range(count):
            flags, _, parts, algorithm, _ = struct.unpack_from("<HHBBH", self.raw, at)
            at += 8
            key = tuple(self._part(at + 9 * part, columns) for part in range(parts))
            every.append((flags ^ UNIQUE, key, algorithm))
            at += 9 * parts
        names = self._listed(at)[0] if count else []
        for name, (flags, key, algorithm) in zip(names, every, strict=False):
            searched |= bool(flags & FULL_TEXT)
            if flags & UNIQUE and not flags & (FULL_TEXT | SPATIAL) and algorithm != HASHED:
                found.append((name == b"PRIMARY", key))
        return found, searched

    def _part(self, at: int, columns: tuple[Column, ...]) -> tuple[int, int]:
        """A column of a key, and the bytes that it is cut to."""
        number, _, _, _, length = struct.unpack_from("<HHBHH", self.raw, at)
        place = (number & 0x3FFF) - 1
        if not 0 <= place < len(columns):
            raise NoTableError("a key has a column that the table has not")
        return place, columns[place].cut(length)


def _kind(kind: str, charset: Charset) -> str:
    """The type's name: what is binary and what is text differs by the character set only."""
    binary = charset.name == "binary"
    if kind in ("char", "varchar"):
        return kind.replace("char", "binary") if binary else kind
    return kind if binary else kind.replace("blob", "text")


def _numbers(kind: str, code: int, length: int, flags: int, charset: Charset) -> tuple[int, ...]:
    """What stands in the parentheses of the type."""
    decimals = flags >> 8 & 63
    if kind == "decimal":
        return length - (decimals > 0) - (flags & SIGNED), decimals
    if kind in ("float", "double"):
        return () if decimals == NO_DECIMALS else (length, decimals)
    if code in TIMES:
        return (length - TIMES[code],) if length > TIMES[code] else ()
    if kind in ("char", "varchar"):
        return (length // charset.most,)
    return (length,) if kind in ("bit", *WHOLE) else ()

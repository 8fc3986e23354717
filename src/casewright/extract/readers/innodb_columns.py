"""What is known of an InnoDB table before its rows are read: columns, keys, and in which order a record has them.

MySQL Reference Manual, "Data Type Storage Requirements", "Clustered and Secondary Indexes": a record of the clustered
index has the key's columns, then the transaction and the place of its undo record, then the other columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from casewright.extract.readers.mysql_collations import CHARSETS, Charset

INTEGERS = {"tinyint": 1, "smallint": 2, "mediumint": 3, "int": 4, "bigint": 8}
TEXTS = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set")
BIG = ("tinytext", "text", "mediumtext", "longtext", "tinyblob", "blob", "mediumblob", "longblob", "json", "geometry")
FIXED = {"float": 4, "double": 8, "date": 3, "year": 1, "uuid": 16, "inet6": 16, "inet4": 4, **INTEGERS}
TEMPORAL = {"time": 3, "datetime": 5, "timestamp": 4}
OLD_TEMPORAL = {"time": 3, "datetime": 8, "timestamp": 4}
DIGITS = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
"""Bytes that so many digits of a DECIMAL take."""
BINARY = CHARSETS["binary"]
CUT = ("char", "varchar", "binary", "varbinary", *BIG[:8], "geometry")
"""Types that a key may take the beginning of."""
LONG_FIELD = 255
Key = tuple[tuple[int, int], ...]
"""Places of columns, each with the bytes that it is cut to; 0: whole."""
Keys = list[tuple[bool, Key]]
"""Unique keys, and of each whether it is the primary one."""


class NoTableError(ValueError):
    """A definition that can't be read; the message says what was met."""


@dataclass(frozen=True)
class Column:
    """A column as declared. `numbers`: what stands in the parentheses of its type; `old`: its times are in the form
    from before MySQL 5.6; `virtual`: computed when it is read, and nowhere stored."""

    name: str
    type: str
    numbers: tuple[int, ...] = ()
    unsigned: bool = False
    members: tuple[bytes, ...] = ()
    charset: Charset = BINARY
    nullable: bool = True
    virtual: bool = False
    old: bool = False
    zerofill: bool = False

    @property
    def declared(self) -> str:
        """The type as CREATE TABLE has it."""
        inside = ",".join(map(str, self.numbers))
        if self.members:
            inside = ",".join(
                "'" + m.decode("utf-8", "backslashreplace").replace("'", "''") + "'" for m in self.members
            )
        return self.type + (f"({inside})" if inside else "") + " unsigned" * self.unsigned + " zerofill" * self.zerofill

    @property
    def fixed(self) -> int | None:
        """How many bytes every value takes; None where each says it."""
        number = self.numbers[0] if self.numbers else 0
        if self.type in TEMPORAL:
            return OLD_TEMPORAL[self.type] if self.old else TEMPORAL[self.type] + (number + 1) // 2
        if self.type == "decimal":
            return decimal_size(*self.numbers)
        if self.type in ("binary", "bit"):
            return number if self.type == "binary" else (number + 7) // 8
        if self.type == "char":
            return number * self.charset.most if self.charset.least == self.charset.most else None
        return self._of_members if self.members else FIXED.get(self.type)

    @property
    def _of_members(self) -> int:
        """How many bytes a member takes, or a bit for each of them."""
        if self.type == "enum":
            return 1 if len(self.members) < 256 else 2
        size = (len(self.members) + 7) // 8
        return size if size < 5 else 8

    @property
    def most(self) -> int:
        """The most bytes that a value may take within the record; 0 where there is no bound."""
        if self.type in BIG:
            return 0
        return self.fixed or (self.numbers[0] if self.numbers else 1) * self.charset.most

    def cut(self, size: int) -> int:
        """The bytes that a key of so many takes of it; 0 for all of them."""
        return size if size and self.type in CUT and (not self.most or size < self.most) else 0


def decimal_size(precision: int, scale: int) -> int:
    """Bytes of a DECIMAL: nine digits take four, fewer take less, before and behind the point."""
    parts = (precision - scale, scale)
    return sum(part // 9 * 4 + DIGITS[part % 9] for part in parts)


@dataclass(frozen=True)
class Field:
    """A field of a record. `column`: its place in the table, None for what InnoDB adds; `fixed`: its bytes, None where
    the record says how many; `long`: it may take two bytes to say so."""

    column: int | None
    fixed: int | None
    long: bool = False
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """A table as its source declares it. `key`: of the clustered index; empty where InnoDB numbers the rows itself.
    `searched`: full text is, by a number that InnoDB adds to each row; `root`: the index's first page; `ended`: the
    column that says since when a row is history, where a table keeps some."""

    name: str
    columns: tuple[Column, ...]
    key: Key = ()
    searched: bool = False
    root: int = 3
    foreign: tuple[tuple[str, str, str], ...] = ()
    ended: int | None = None
    fields: tuple[Field, ...] = ()

    @property
    def primary(self) -> str | None:
        """The key's column, if it is one."""
        return self.columns[self.key[0][0]].name if len(self.key) == 1 and not self.key[0][1] else None

    @property
    def key_fields(self) -> int:
        """How many fields of a record are its key."""
        return len(self.key) or 1

    def laid_out(self, *, searched: bool | None = None) -> "Table":
        """The same with the order of its fields. `searched`: its full text is, by a number that InnoDB adds last."""
        added = self.searched if searched is None else searched
        fields = [self._field(place, cut) for place, cut in self.key] or [Field(None, 6)]
        fields += [Field(None, 6), Field(None, 7)]
        whole = {place for place, cut in self.key if not cut}
        fields += [self._field(n, 0) for n, c in enumerate(self.columns) if n not in whole and not c.virtual]
        if added and all(c.name != "FTS_DOC_ID" for c in self.columns):
            fields.append(Field(None, 8))
        return replace(self, fields=tuple(fields))

    def _field(self, place: int, cut: int) -> Field:
        column = self.columns[place]
        long = column.most > LONG_FIELD or column.type in BIG
        if cut:
            return Field(None, None if column.fixed is None else cut, long)
        return Field(place, column.fixed, long, column.nullable)


def clustered(columns: Sequence[Column], keys: Keys) -> Key:
    """Which key rows are kept by: the primary one, or the first that is unique, whole and never null; else none."""
    for primary, parts in keys:
        if primary:
            return parts
    for _, parts in keys:
        if parts and all(not cut and not columns[place].nullable for place, cut in parts):
            return parts
    return ()

"""What a reader of records gives: the contract in which formats and mapping meet.

A reader goes once over a database in whatever form it was seized, executes nothing of it, and yields pieces in the
order in which they stand there. Rows come as columns, many at a time. What can't be read is a `Broken` piece with its
place; bytes that hold no rows are `Skipped`. So every byte, or page, of the source is accounted for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

LIVE, WAL, FREED = "live", "wal", "freed"


@dataclass(frozen=True)
class Schema:
    """A table as its source declares it. `columns`: (name, type as declared, lower case). `foreign`: (column, other
    table, its column). Tables of a second database or schema are called `database.table`."""

    table: str
    columns: tuple[tuple[str, str], ...]
    primary: str | None = None
    foreign: tuple[tuple[str, str, str], ...] = ()
    span_start: int = 0
    span_length: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.columns)


@dataclass(frozen=True)
class Rows:
    """Rows of one table, as columns of equal length n.

    - `values`: one Arrow `binary` array a column. NULL is null. Text is UTF-8 where its source says in which
      character set it is written, otherwise its raw bytes, as are characters that the set does not have; numbers, dates
      and times stand as they are written; true and false are 1 and 0; blobs are their bytes.
    - `span_start`, `span_length`: Arrow `int64`, the bytes of each row in the item; where the row stands compressed,
      the bytes of the block that holds it.
    - `row`: Arrow `int64`, the number of each row in its table, from 1, where spans do not tell rows apart; else None.
    - `origin`: of all these rows. `LIVE`; `WAL`, from a page that a log beside the database replaced or never
      committed; or `FREED`, from pages or gaps that the database has given up.
    - `beside`: the suffix of the file beside the item that the spans are in (`-wal`), or nothing for the item itself.
    """

    table: str
    columns: tuple[str, ...]
    values: tuple[Any, ...]
    span_start: Any
    span_length: Any
    row: Any = None
    origin: str = LIVE
    beside: str = ""

    def __len__(self) -> int:
        return len(self.span_start)

    def each(self) -> Iterator[tuple[tuple[bytes | None, ...], int, int, int | None]]:
        """The values of each row, where its bytes begin, how many they are, and its number."""
        numbers = [None] * len(self) if self.row is None else self.row.to_pylist()
        values = zip(*(column.to_pylist() for column in self.values), strict=True)
        yield from zip(values, self.span_start.to_pylist(), self.span_length.to_pylist(), numbers, strict=True)


@dataclass(frozen=True)
class Skipped:
    """Bytes that hold no rows, by their first words."""

    what: str
    span_start: int
    span_length: int


@dataclass(frozen=True)
class Broken:
    """Bytes that can't be read, and why: `truncated` when nothing follows them, otherwise `unreadable`. `beside`: as
    in `Rows`."""

    reason: str
    detail: str
    span_start: int
    span_length: int
    beside: str = ""


class Beside(Protocol):
    """Opens files that belong to a database and lie beside it. `name`: the item's own, without its folder."""

    @property
    def name(self) -> bytes: ...

    def open(self, suffix: str) -> BinaryIO | None:
        """The file whose name is the item's with `suffix` after it, or None when the exhibit holds none."""

    def open_named(self, name: bytes) -> BinaryIO | None:
        """The file with this name in the item's folder, or None when the exhibit holds none."""


class Nothing:
    """Nothing lies beside the item, and nothing is known of its name."""

    name = b""

    def open(self, suffix: str) -> BinaryIO | None:
        return None

    def open_named(self, name: bytes) -> BinaryIO | None:
        return None


Piece = Schema | Rows | Skipped | Broken
Reader = Callable[[BinaryIO, Beside], Iterator[Piece]]

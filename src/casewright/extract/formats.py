"""Which form of database has which reader."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from casewright.engine.stage import Context
from casewright.extract.reader import Beside, Piece, Reader
from casewright.extract.readers.mysql import read_mysql
from casewright.extract.readers.postgres import read_postgres
from casewright.extract.readers.postgres_archive import read_postgres_archive
from casewright.extract.readers.sqlite import read_sqlite

SQL_TEXT, ACCESS_LOG = "text/x-sql-dump", "text/x-access-log"
POSTGRES_ARCHIVE = "application/x-postgresql-dump"
SQLITE, INNODB = "application/vnd.sqlite3", "application/x-innodb"

HEAD = 1 << 16
POSTGRES = re.compile(
    rb"^-- PostgreSQL database|^COPY [^;]{1,9999} FROM stdin;|^SET (?:client_encoding|search_path) ", re.MULTILINE
)


def read_sql_text(file: BinaryIO, beside: Beside | None = None) -> Iterator[Piece]:
    """A dump as SQL, by whichever server's program wrote it."""
    head = file.read(HEAD)
    file.seek(0)
    return read_postgres(file, beside) if POSTGRES.search(head) else read_mysql(file, beside)


READERS: Mapping[str, Reader] = {
    SQL_TEXT: read_sql_text,
    POSTGRES_ARCHIVE: read_postgres_archive,
    SQLITE: read_sqlite,
}
"""By the media type of the item."""

KERNELS = ("casewright.kernels.sqlrows",)
"""Compiled code that a child must have before it begins."""
FILE_A_TABLE = frozenset({INNODB})
"""Forms in which a database is a folder of files, one a table; their TIMESTAMPs are in UTC."""


class Siblings:
    """The files beside an item: of the same exhibit and volume, with a name that begins with the item's whole name."""

    def __init__(self, context: Context, item: Mapping[str, Any]) -> None:
        self._context, self._item = context, item
        self.opened = dict[str, Mapping[str, Any]]()

    def open(self, suffix: str) -> BinaryIO | None:
        found = self.named((self._item["path"] or b"") + suffix.encode())
        if found is None:
            return None
        self.opened[suffix] = found
        return self._context.open(found["sha256"])

    def named(self, path: bytes) -> Mapping[str, Any] | None:
        """The row of `items` for the file with this path; one that stands before one that was deleted."""
        found = self._context.sql(
            "SELECT item, sha256, name FROM items WHERE exhibit = $exhibit AND path = $path "
            "AND parent IS NOT DISTINCT FROM $parent AND volume IS NOT DISTINCT FROM $volume "
            "ORDER BY deleted, item LIMIT 1",
            {"path": path, **{name: self._item[name] for name in ("exhibit", "parent", "volume")}},
        )  # fmt: skip
        row: Mapping[str, Any] | None = next(iter(found.to_pylist()), None)
        return row


def table_file(path: bytes | None, table: str) -> bytes:
    """The file that holds a table, beside another of the same database: characters that are no letter, digit, `_` or
    `$` are written as `@` and four hex digits."""
    name = "".join(c if c.isascii() and (c.isalnum() or c in "_$") else f"@{ord(c):04x}" for c in table)
    return (path or b"").rpartition(b"/")[0] + b"/" * (b"/" in (path or b"")) + name.encode() + b".ibd"


def quoted(names: Iterable[str]) -> str:
    """Names of ours as a list in SQL."""
    return ", ".join(f"'{name}'" for name in names)

"""Which form of database and of log has which reader."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from casewright.engine.stage import Context
from casewright.extract.log import LogReader
from casewright.extract.logs.access import read_access
from casewright.extract.logs.application import read_application
from casewright.extract.logs.errors import read_errors
from casewright.extract.logs.json_access import read_json_access
from casewright.extract.logs.syslog import read_syslog
from casewright.extract.reader import Beside, Piece, Reader
from casewright.extract.readers.innodb import read_innodb
from casewright.extract.readers.mysql import read_mysql
from casewright.extract.readers.postgres import read_postgres
from casewright.extract.readers.postgres_archive import read_postgres_archive
from casewright.extract.readers.sqlite import read_sqlite

SQL_TEXT = "text/x-sql-dump"
POSTGRES_ARCHIVE = "application/x-postgresql-dump"
SQLITE = "application/vnd.sqlite3"
TABLESPACE = "application/x-innodb-tablespace"
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
    TABLESPACE: read_innodb,
}
"""By the media type of the item."""

ACCESS_LOG, JSON_ACCESS_LOG = "text/x-access-log", "text/x-access-log+json"
SYSTEM_LOG, ERROR_LOG = "text/x-syslog", "text/x-error-log"
DATABASE, APPLICATION = "database", "application log"
LOG_FORMS: Mapping[str, str] = {
    ACCESS_LOG: "access log",
    JSON_ACCESS_LOG: "JSON access log",
    SYSTEM_LOG: "system log",
    ERROR_LOG: "error log",
}
"""What logs are called, by the media type of the item."""
LOG_READERS: Mapping[str, LogReader] = {
    "access log": read_access,
    "JSON access log": read_json_access,
    "system log": read_syslog,
    "error log": read_errors,
    APPLICATION: read_application,
}

KERNELS = ("casewright.kernels.sqlrows", "casewright.kernels.pagesums", "casewright.kernels.addresses")
"""Compiled code that a child must have before it begins."""


class Siblings:
    """The files beside an item: of the same exhibit and volume, in its folder."""

    def __init__(self, context: Context, item: Mapping[str, Any]) -> None:
        self._context, self._item = context, item
        self.opened = dict[str, Mapping[str, Any]]()
        path: bytes = item["path"] or b""
        self.name = path.rpartition(b"/")[2]
        self._folder = path.removesuffix(self.name)

    def open(self, suffix: str) -> BinaryIO | None:
        """The file whose name is the item's with this suffix; `opened` keeps its row of `items`."""
        row = self._found(self.name + suffix.encode())
        if row is None:
            return None
        self.opened[suffix] = row
        return self._context.open(row["sha256"])

    def open_named(self, name: bytes) -> BinaryIO | None:
        """The file with this name."""
        row = self._found(name)
        return None if row is None else self._context.open(row["sha256"])

    def _found(self, name: bytes) -> Mapping[str, Any] | None:
        """The item with this name; one that stands before one that was deleted."""
        found = self._context.sql(
            "SELECT item, sha256, name FROM items WHERE exhibit = $exhibit AND path = $path "
            "AND parent IS NOT DISTINCT FROM $parent AND volume IS NOT DISTINCT FROM $volume "
            "ORDER BY deleted, item LIMIT 1",
            {"path": self._folder + name, **{name: self._item[name] for name in ("exhibit", "parent", "volume")}},
        )  # fmt: skip
        rows: list[Mapping[str, Any]] = found.to_pylist()
        return rows[0] if rows else None


def quoted(names: Iterable[str]) -> str:
    """Names of ours as a list in SQL."""
    return ", ".join(f"'{name}'" for name in names)

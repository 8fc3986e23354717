"""A large case's rows, laid down anew so that a page finds its few without reading the rest.

`tables/.review/NAME/index.duckdb` is made from the tables alone and named by all that decides it: the digests of those
that it reads, and the SELECTs. It is sealed as the engine seals finished units, checked when the room opens, and can be
deleted; while there is none, pages are found in the tables themselves.
"""

import fcntl
import hashlib
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import duckdb

from casewright.engine.query import Reader
from casewright.engine.seals import fresh_beside, seal
from casewright.engine.tables import TableFolder
from casewright.link.judge import TAKEN_BACK
from casewright.model.tables import TABLES, Table
from casewright.review.derived import COPIED, DERIVED

FOLDER, FILE, LOCK = ".review", "index.duckdb", ".lock"
WORTH_IT, TOO_MANY = 200_000, 40_000_000
"""Rows: of all tables below which none is made; of one table above which it is read where it is."""
MEMORY = "1500MB"
TOGETHER = 8_192
"""Rows that are looked through together where a table lies in the order of what is asked for: fewer make the index
larger, more make every question slower."""
UNPACKED = {"said": " USING COMPRESSION uncompressed"}
"""In which words are looked for, all of it each time: to unpack it takes as long as to look."""
READ = sorted({*COPIED, *(word for one in DERIVED.values() for word in re.findall(r"\w+", one.sql) if word in TABLES)})
"""The tables that it is made of. A word of a SELECT that only looks like a table costs a digest, no more."""


def index_of(tables: Path) -> Path:
    """Where the index of these tables would be."""
    folder = TableFolder(tables)
    said = [f"{name} {folder.digest(name)}" for name in READ]
    said += [f"{name} {derived}" for name, derived in DERIVED.items()]
    said += [f"{name} {columns}" for name, columns in COPIED.items()]
    said += [duckdb.__version__, f"{TOGETHER}{UNPACKED}"]
    return tables / FOLDER / hashlib.sha256("\n".join(said).encode()).hexdigest()[:20]


def is_large(tables: Path) -> bool:
    folder = TableFolder(tables)
    return sum(part.rows for name in TABLES for part in folder.parts(name)) >= WORTH_IT


def build(tables: Path, index: Path) -> None:
    """Make it beside its place, seal it, put it there, and remove what was made of former tables."""
    index.parent.mkdir(exist_ok=True)
    with (index.parent / LOCK).open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if index.is_dir():
            return
        fresh = fresh_beside(index)
        builder = _Builder(tables, fresh)
        builder.fill()
        builder.close()
        shutil.rmtree(fresh / "sorting", ignore_errors=True)
        seal(fresh, index, ())
        for other in index.parent.iterdir():
            if other != index and other.is_dir():
                shutil.rmtree(other, ignore_errors=True)


class Indexed(Reader):
    """A reader that knows the derived lists too, and takes what the index has from there; without one, from the
    tables."""

    def __init__(self, tables: Path, index: Path | None = None) -> None:
        self._index = index
        super().__init__(tables)

    def _open_first(self) -> None:
        self._held: set[str] = set()
        if self._index:
            self._connection.execute(f"SET memory_limit = '{MEMORY}'")
            self._connection.execute(f"ATTACH '{_quoted(self._index / FILE)}' AS ready (READ_ONLY)")
            self._held = {name for (name,) in self._connection.execute(HELD).fetchall()}

    def _view(self, table: Table, folder: TableFolder) -> None:
        if table.name in self._held:
            self._take(table.name)
        else:
            super()._view(table, folder)

    def _take(self, name: str) -> None:
        self._connection.execute(f"CREATE VIEW {name} AS SELECT * FROM ready.{name}")  # noqa: S608  ours

    def _open_more(self) -> None:
        for sql in STANDING:
            self._connection.execute(sql)
        self._strange = super().strange()
        if self._strange:
            return  # another version's tables: nobody reads them
        for name, derived in DERIVED.items():
            if name in self._held:
                self._take(name)
            else:
                self._connection.execute(f"CREATE VIEW {name} AS {derived.sql}")

    def strange(self) -> list[str]:
        return self._strange

    def stand(self, rows: list[tuple[str, str | None, str]]) -> None:
        """Take judgements over, later ones in place of earlier: subject, item where it is a medium's, verdict. What
        a medium's group is, is looked up once and for all."""
        if self._strange:
            return
        columns = dict(zip(SAID, map(list, zip(*rows, strict=True)), strict=True))
        self._connection.execute(TAKE_OVER, columns)  # as lists: Arrow would import pandas to make an array


HELD = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'ready'"
STANDING = (
    "CREATE TABLE said (subject VARCHAR PRIMARY KEY, item VARCHAR, verdict VARCHAR, work_group VARCHAR)",
    f"CREATE VIEW standing AS SELECT * FROM said WHERE verdict <> '{TAKEN_BACK}'",  # noqa: S608  ours
)
"""What was decided, as the journal tells it."""
SAID = ["subject", "item", "verdict"]
TAKE_OVER = """
INSERT OR REPLACE INTO said SELECT f.subject, f.item, f.verdict, w.work_group
FROM (SELECT unnest($subject) AS subject, unnest($item::VARCHAR[]) AS item, unnest($verdict) AS verdict) f
LEFT JOIN worklist w ON w.item = f.item
"""


class _Builder(Reader):
    def __init__(self, tables: Path, fresh: Path) -> None:
        self._fresh, self._folder = fresh, TableFolder(tables)
        super().__init__(tables)

    def _open_more(self) -> None:
        (self._fresh / "sorting").mkdir()
        run: Any = self._connection.execute
        run(f"SET temp_directory = '{_quoted(self._fresh / 'sorting')}'")
        run(f"SET memory_limit = '{MEMORY}'")
        run(f"ATTACH '{_quoted(self._fresh / FILE)}' AS ready (ROW_GROUP_SIZE {TOGETHER})")

    def fill(self) -> None:
        for name, (order, *keys) in COPIED.items():
            if sum(part.rows for part in self._folder.parts(name)) <= TOO_MANY:
                self._lay(name, f"FROM {name}", order, keys)
        for name, derived in DERIVED.items():
            self._lay(name, derived.sql, derived.order, derived.keys)
        self._connection.execute("CHECKPOINT ready")

    def _lay(self, name: str, sql: str, order: str, keys: Any) -> None:
        asked = self._connection.sql(sql)
        columns = (f'"{column}" {kind}{UNPACKED.get(column, "")}'
                   for column, kind in zip(asked.columns, asked.types, strict=True))  # fmt: skip
        self._connection.execute(f"CREATE TABLE ready.{name} ({', '.join(columns)})")
        self._connection.execute(f"INSERT INTO ready.{name} SELECT * FROM ({sql}) ORDER BY {order}")  # noqa: S608  ours
        for key in keys:
            self._connection.execute(f"CREATE INDEX {name}_{key} ON ready.{name} ({key})")


def _quoted(path: Path) -> str:
    return str(path.resolve()).replace("'", "''")


if __name__ == "__main__":
    build(Path(sys.argv[1]), index_of(Path(sys.argv[1])))

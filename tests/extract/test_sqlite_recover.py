"""Deleted rows of SQLite, beside what `sqlite3`'s own `.recover` finds in the same file: all of those, and none that
was never written.

Debian's `sqlite3` has the command only where its library was built for it; `recovered/` keeps a database and what the
command (the shell of 3.40.1 on the library of 3.54.1) said of it, so that the comparison is made everywhere.
"""

import gzip
import io
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from casewright.extract.reader import FREED, LIVE, Rows
from casewright.extract.readers.sqlite import read_sqlite

KEPT = Path(__file__).parent / "recovered"
TABLES = {
    "users": "CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT NOT NULL, since INT)",
    "files": "CREATE TABLE files (path TEXT NOT NULL, owner INT, digest BLOB)",
}
Row = tuple[object, ...]


def written() -> dict[str, list[Row]]:
    """Every row that ever was, without the numbers that SQLite gives."""
    return {
        "users": [(f"nick-{n}-{'x' * (n % 40)}", 1_500_000_000 + n) for n in range(900)],
        "files": [(f"/scans/{n % 7}/{n}.jpg", n % 900 + 1, n.to_bytes(16, "big")) for n in range(900)],
    }


def made(path: Path) -> None:
    """A database from which rows went in every way: pages at a time, one by one, and changed in place."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA page_size = 1024; PRAGMA secure_delete = OFF; PRAGMA synchronous = OFF;")
    connection.execute("BEGIN")
    rows = written()
    for table, statement in TABLES.items():
        connection.execute(statement)
        marks = "NULL, ?, ?" if table == "users" else "?, ?, ?"
        connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows[table])
    connection.execute("COMMIT")
    connection.execute("DELETE FROM users WHERE uid BETWEEN 300 AND 800")
    connection.execute("DELETE FROM files WHERE owner < 500")
    connection.execute("DELETE FROM users WHERE uid % 9 = 0")
    connection.close()


def recovered(statements: str) -> set[Row]:
    """The rows that `.recover` found outside of tables."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(statements)
    fields = [f"c{n}" for n in range(3)]
    found = connection.execute(f"SELECT nfield, {', '.join(fields)} FROM lost_and_found").fetchall()
    return {row[1 : row[0] + 1] for row in found}


def ours(raw: bytes, *origins: str) -> dict[str, set[tuple[bytes | None, ...]]]:
    found: dict[str, set[tuple[bytes | None, ...]]] = {name: set() for name in TABLES}
    for piece in read_sqlite(io.BytesIO(raw)):
        if isinstance(piece, Rows) and piece.origin in origins:
            found[piece.table] |= {values for values, *_ in piece.each()}
    return {"users": {row[1:] for row in found["users"]}, "files": found["files"]}


def as_contract(row: Row) -> tuple[bytes | None, ...]:
    return tuple(v if v is None or isinstance(v, bytes) else str(v).encode() for v in row)


def by_recover(path: Path) -> str:
    if (program := shutil.which("sqlite3")) is None:
        pytest.skip("sqlite3 is not installed")
    done = subprocess.run([program, str(path), ".recover"], capture_output=True, text=True, check=False)
    if "lost_and_found" not in done.stdout:
        pytest.skip("this sqlite3 was built without what .recover needs")
    return done.stdout


@pytest.mark.parametrize("kept", [True, False])
def test_as_many_deleted_rows_come_back_as_sqlites_own_recovery_finds(kept: bool, tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    if kept:
        path.write_bytes(gzip.decompress((KEPT / "site.db.gz").read_bytes()))
        statements = gzip.decompress((KEPT / "recover.sql.gz").read_bytes()).decode()
    else:
        made(path)
        statements = by_recover(path)
    raw = path.read_bytes()
    was = {name: set(map(as_contract, rows)) for name, rows in written().items()}
    live, freed = ours(raw, LIVE), ours(raw, FREED)
    theirs = {as_contract(row) for row in recovered(statements)}
    for name in TABLES:
        gone = was[name] - live[name]
        own = freed[name] & gone
        found = {row[-len(next(iter(gone))) :] for row in theirs} & gone
        assert freed[name] <= was[name], "none is made up"
        assert found
        assert own >= found, f"{name}: {len(own)} of {len(gone)} beside {len(found)}"

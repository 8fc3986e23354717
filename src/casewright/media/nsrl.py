"""NSRL's Reference Data Set, RDSv3: a SQLite database of known software files, which need no look.

A release has a hundred gigabytes and more, so it is not loaded: the case's digests are looked up in it, through its own
index where it has one, else in one pass. SQLite itself reads it, from the descriptor of the sealed file (a VFS of apsw,
read-only), since a release's `FILE` may be a table or a view. It is told to trust nothing in the file, and runs in a
child that has no rights. Source: NIST, "RDSv3 Publication" (2022): tables METADATA and FILE with sha256, sha1 and md5
in upper-case hex.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import apsw

from casewright.media.lists import HEX, Alive
from casewright.model.errors import Refused

SQLITE = b"SQLite format 3\0"
NAME = "casewright-sealed"
STEPS = 1_000_000
"""Of SQLite's virtual machine, between two signs of life."""
MOST_BEATS = 1000
"""So many for any file, however small."""
NOT_OURS = (
    apsw.SQLError, apsw.CorruptError, apsw.NotADBError, apsw.IOError, apsw.FullError, apsw.CantOpenError,
    apsw.AuthError, apsw.InterruptError, apsw.TooBigError, apsw.ReadOnlyError, apsw.ConstraintError, apsw.MismatchError,
)  # fmt: skip
"""What SQLite says of a file, and not of us."""
Digests = tuple[str, str | None, str | None, str | None]
"""Of an item: its id, SHA-256, SHA-1 and MD5."""


@dataclass(frozen=True)
class Harmless:
    """An item that the database has: the strongest digest that both have, its name there, and the row if it has one."""

    item: str
    method: str
    name: str | None
    row: int | None


def look_up(file: BinaryIO, name: str, items: Sequence[Digests], alive: Alive) -> list[Harmless]:
    """Which of the items the database has. Every digest that a row has must be the item's. Raises Refused when the file
    is cut off, damaged, or no RDSv3."""
    size = _check_size(file, name)
    most = MOST_BEATS + (size // 10 + 1000 * len(items)) // STEPS
    sealed = _Sealed(file)
    try:
        base = apsw.Connection("sealed", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI, vfs=NAME)
        try:
            return _look_up(base, name, items, _Beats(alive, most))
        finally:
            base.close()
    except (*NOT_OURS, UnicodeDecodeError) as error:
        raise Refused(f"{name} is damaged, and nothing of it was used: {error}. Get it again.") from error
    finally:
        sealed.unregister()


def _look_up(base: Any, name: str, items: Sequence[Digests], beats: "_Beats") -> list[Harmless]:
    _trust_nothing(base, beats)
    table, columns = _table(base, name)
    best: dict[str, Harmless] = {}
    for one in _candidates(base, table, columns, items):
        known = best.get(one.item)
        if known is None or _order(one) < _order(known):
            best[one.item] = one
    return [best[item] for item in sorted(best)]


def _order(one: Harmless) -> tuple[int, int, str]:
    return list(HEX).index(one.method), one.row or 0, one.name or ""


@dataclass
class _Beats:
    """Signs of life, and an end to a view that has none: so many beats are more than the file's rows can need."""

    alive: Alive
    most: int

    def __call__(self) -> bool:
        self.alive()
        self.most -= 1
        return self.most < 0


def _trust_nothing(base: Any, beats: _Beats) -> None:
    base.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    base.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    base.config(apsw.SQLITE_DBCONFIG_ENABLE_TRIGGER, 0)
    base.execute("PRAGMA temp_store = MEMORY; PRAGMA automatic_index = OFF; PRAGMA cell_size_check = ON")
    base.set_progress_handler(beats, STEPS)


def _table(base: Any, name: str) -> tuple[str, set[str]]:
    """The table or view that has digests, as its name is written, and its columns; one with an index if there is."""
    sql = "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND lower(name) IN ('file', 'metadata')"
    found = []
    for (table,) in list(base.execute(sql)):
        columns = {str(row[1]).lower() for row in base.execute(f"PRAGMA table_info({_quoted(table)})")}
        if columns & HEX.keys():
            indexed = any(_has_index(base, table, column) for column in HEX)
            found.append((not indexed, table, columns))
    if found:
        return min(found, key=lambda one: one[:2])[1:]
    raise Refused(f"{name} is a SQLite database but no RDSv3: neither FILE nor METADATA has digests.")


def _candidates(base: Any, table: str, columns: set[str], items: Sequence[Digests]) -> Iterator[Harmless]:
    """Rows that agree in one digest, and in no other one disagree."""
    held = {item[0]: dict(zip(HEX, item[1:], strict=True)) for item in items}
    indexed = [column for column in HEX if column in columns and _has_index(base, table, column)]
    searched = indexed[:1] or [column for column in HEX if column in columns][:1]
    digests = ", ".join(f"f.{c}" if c in columns else "NULL" for c in HEX)
    named = "f.file_name" if "file_name" in columns else "NULL"
    source, row = _quoted(table), "f.rowid" if _has_rows(base, table) else "NULL"
    base.execute("CREATE TEMP TABLE wanted (digest TEXT PRIMARY KEY, item TEXT) WITHOUT ROWID")
    for column in searched:
        for item, digest in ((i, d[column]) for i, d in held.items() if d[column]):
            assert digest is not None
            many = [(digest, item), (digest.upper(), item)]
            base.executemany("INSERT OR IGNORE INTO wanted VALUES (?, ?)", many)
        outer = f"wanted w CROSS JOIN {source} f" if indexed else f"{source} f CROSS JOIN wanted w"
        sql = f"SELECT w.digest, {row}, {named}, {digests} FROM {outer} ON f.{column} = w.digest"  # noqa: S608  quoted
        yield from _agreeing(base.execute(sql), column, held)


def _agreeing(rows: Any, column: str, held: dict[str, dict[str, str | None]]) -> Iterator[Harmless]:
    by_digest: dict[str, list[str]] = {}
    for item, digests in held.items():
        by_digest.setdefault(digests[column] or "", []).append(item)
    for digest, row, named, *said in rows:
        stored = {name: str(value).lower() for name, value in zip(HEX, said, strict=True) if value}
        for item in by_digest[str(digest).lower()]:
            if all(held[item][name] in (value, None) for name, value in stored.items()):
                yield Harmless(item, column, None if named is None else str(named), row)


def _has_index(base: Any, table: str, column: str) -> bool:
    """Whether the table can be searched by this column; a view says nothing of its indexes."""
    for _, index, *_ in list(base.execute(f"PRAGMA index_list({_quoted(table)})")):
        first = next(iter(base.execute(f"PRAGMA index_info({_quoted(index)})")), None)
        if first and str(first[2]).lower() == column:
            return True
    return False


def _has_rows(base: Any, table: str) -> bool:
    try:
        return next(iter(base.execute(f"SELECT rowid FROM {_quoted(table)} LIMIT 1")), [None])[0] is not None  # noqa: S608
    except apsw.SQLError:
        return False


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _check_size(file: BinaryIO, name: str) -> int:
    """Bytes of the file. Its header says how many pages there are (https://www.sqlite.org/fileformat2.html, 1.3)."""
    file.seek(0)
    head = file.read(100)
    size = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big")
    whole = pages * (65536 if size == 1 else size)
    there = file.seek(0, os.SEEK_END)
    if len(head) < 100 or (head[24:28] == head[92:96] and there < whole):
        raise Refused(f"{name} is cut off, and nothing of it was used. Get it again.")
    return there


class _Sealed(apsw.VFS):
    """One file that is open already. There is no other, and none can be made."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        super().__init__(NAME, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:  # noqa: N802  SQLite's word
        if not flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            raise apsw.CantOpenError("nothing but the list can be opened")
        flags[1] = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB
        return _Reading(self._file)

    def xAccess(self, name: str, flags: int) -> bool:  # noqa: N802
        return False

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return name


class _Reading:
    """What SQLite asks of a file that it only reads."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802
        self._file.seek(offset)
        return self._file.read(amount)

    def xFileSize(self) -> int:  # noqa: N802
        return self._file.seek(0, os.SEEK_END)

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return int(apsw.SQLITE_IOCAP_IMMUTABLE)

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802
        return False

    def xLock(self, level: int) -> None:  # noqa: N802
        pass

    def xUnlock(self, level: int) -> None:  # noqa: N802
        pass

    def xSync(self, flags: int) -> None:  # noqa: N802
        pass

    def xClose(self) -> None:  # noqa: N802
        pass

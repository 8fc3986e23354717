"""SQLite databases are read from their pages as SQLite itself reads them, and give up what it no longer shows."""

import io
import random
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.extract.reader import FREED, LIVE, WAL, Broken, Piece, Rows, Schema, Skipped
from casewright.extract.readers.sqlite import read_sqlite
from casewright.extract.readers.sqlite_record import Damaged, signed, varint
from tests.extract.beside import Files

PAGE_SIZES = (512, 1024, 4096, 65536)


TABLES = (
    """CREATE TABLE "odd names" (id INTEGER PRIMARY KEY, "a ""b" TEXT, [c d] REAL, `e` NUMERIC, f BLOB, g, h BOOL)""",
    "CREATE TABLE pairs (b TEXT, n INT, a TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID",
    "CREATE TABLE sums (x INT, y INT AS (x * 2), z INT AS (x + 1) STORED, w TEXT)",
    "CREATE INDEX by_b ON pairs (n)",
)


def pieces_of(path: Path) -> list[Piece]:
    return list(read_sqlite(io.BytesIO(path.read_bytes()), Files(path)))


def rows_of(pieces: list[Piece], table: str, *origins: str) -> list[tuple[bytes | None, ...]]:
    found = list[tuple[bytes | None, ...]]()
    for piece in pieces:
        if isinstance(piece, Rows) and piece.table == table and piece.origin in (origins or (LIVE,)):
            found += zip(*(column.to_pylist() for column in piece.values), strict=True)
    return found


def as_contract(value: Any) -> bytes | None:
    if value is None or isinstance(value, bytes):
        return value
    return value.encode() if isinstance(value, str) else repr(value).encode()


def as_sqlite(path: Path, table: str) -> list[tuple[bytes | None, ...]]:
    """What SQLite shows of a copy of the database and the files beside it."""
    copy = path.with_name("copy.db")
    for suffix in ("", "-wal", "-journal"):
        if Path(f"{path}{suffix}").is_file():
            Path(f"{copy}{suffix}").write_bytes(Path(f"{path}{suffix}").read_bytes())
    connection = sqlite3.connect(copy)
    try:
        return [tuple(map(as_contract, row)) for row in connection.execute(f'SELECT * FROM "{table}"')]
    finally:
        connection.close()
        for made in path.parent.glob("copy.db*"):
            made.unlink()


def broken(pieces: list[Piece]) -> list[str]:
    return [piece.detail for piece in pieces if isinstance(piece, Broken)]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(tmp_path / "site.db", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    yield connection
    connection.close()


@pytest.mark.parametrize("size", PAGE_SIZES)
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
@pytest.mark.parametrize("vacuum", ["NONE", "FULL"])
def test_every_row_is_as_sqlite_shows_it(
    made: sqlite3.Connection, tmp_path: Path, size: int, encoding: str, vacuum: str
) -> None:
    made.executescript(f"PRAGMA page_size = {size}; PRAGMA encoding = '{encoding}'; PRAGMA auto_vacuum = {vacuum};")
    made.execute("BEGIN")
    for statement in TABLES:
        made.execute(statement)
    words = random.Random(7)
    for n in range(300):
        text = "".join(chr(words.choice((65, 233, 0x4E2D, 0x1F600))) for _ in range(words.randrange(40)))
        blob = words.randbytes(words.choice((0, 3, 300, 9000)) if n % 40 == 0 else 5)
        numeric, anything = (n, 1.5, "text", None)[n % 4], (None, n << 40, -n, text)[n % 4]
        odd = n * 7 - 50, text, n, numeric, blob, anything, n % 2
        made.execute('INSERT INTO "odd names" VALUES (?, ?, ?, ?, ?, ?, ?)', odd)
        made.execute("INSERT INTO pairs VALUES (?, ?, ?)", (text, n, f"{n:05}{'x' * (n % 7 * 100)}"))
        made.execute("INSERT INTO sums (x, w) VALUES (?, ?)", (n, text))
    made.execute("COMMIT")
    made.execute("ALTER TABLE pairs ADD COLUMN later TEXT DEFAULT 'none yet'")
    pieces = pieces_of(tmp_path / "site.db")
    assert not broken(pieces)
    for table in ("odd names", "pairs"):
        assert sorted(rows_of(pieces, table), key=str) == sorted(as_sqlite(tmp_path / "site.db", table), key=str)
        assert len(rows_of(pieces, table)) == 300
    shown = [(x, None, z, w) for x, _, z, w in as_sqlite(tmp_path / "site.db", "sums")]
    assert rows_of(pieces, "sums") == shown, "what is computed and not stored is not in the file"


def test_a_schema_names_types_and_keys(made: sqlite3.Connection, tmp_path: Path) -> None:
    made.executescript("""
        CREATE TABLE users (uid INTEGER PRIMARY KEY AUTOINCREMENT, mail VARCHAR(90) NOT NULL UNIQUE COLLATE NOCASE);
        CREATE TABLE coins (who INT REFERENCES users(uid) ON DELETE CASCADE, addr TEXT DEFAULT ('x,y)'), -- a comment, )
                            other INT, CONSTRAINT k FOREIGN KEY (other) REFERENCES users (uid));
        CREATE VIRTUAL TABLE found USING fts5 (words);
    """)
    schemas = {p.table: p for p in pieces_of(tmp_path / "site.db") if isinstance(p, Schema)}
    assert schemas["users"].columns == (("uid", "integer"), ("mail", "varchar(90)"))
    assert schemas["users"].primary == "uid"
    assert schemas["coins"].names == ("who", "addr", "other")
    assert schemas["coins"].foreign == (("who", "users", "uid"), ("other", "users", "uid"))
    skipped = [p.what for p in pieces_of(tmp_path / "site.db") if isinstance(p, Skipped)]
    assert any("VIRTUAL" in what for what in skipped)


def test_the_span_of_a_row_holds_its_bytes(made: sqlite3.Connection, tmp_path: Path) -> None:
    made.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT)")
    made.executemany("INSERT INTO users VALUES (?, ?)", [(n, f"nick-{n}") for n in range(500)])
    raw = (tmp_path / "site.db").read_bytes()
    for piece in pieces_of(tmp_path / "site.db"):
        if isinstance(piece, Rows) and piece.table == "users":
            for nick, start, length in zip(piece.values[1], piece.span_start, piece.span_length, strict=True):
                assert raw[start.as_py() :][: length.as_py()].endswith(nick.as_py())


def test_what_was_committed_to_the_log_counts_and_what_it_replaced_is_kept_apart(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT NOT NULL)")
    connection.executemany("INSERT INTO users VALUES (?, ?)", [(n, f"nick-{n}") for n in range(300)])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("UPDATE users SET nick = 'renamed' WHERE uid = 7")
    connection.execute("DELETE FROM users WHERE uid = 8")
    connection.execute("INSERT INTO users VALUES (1000, 'new')")
    pieces = pieces_of(path)
    shown = as_sqlite(path, "users")
    connection.close()
    assert not broken(pieces)
    assert sorted(rows_of(pieces, "users")) == sorted(shown)
    assert (b"7", b"nick-7") in rows_of(pieces, "users", WAL)
    assert (b"8", b"nick-8") in rows_of(pieces, "users", WAL)
    assert not set(rows_of(pieces, "users", WAL)) & set(shown), "nothing that stands is given twice"
    from_log = [p for p in pieces if isinstance(p, Rows) and p.beside == "-wal" and p.origin == LIVE]
    assert any(b"new" in p.values[1].to_pylist() for p in from_log), "its bytes stand in the log"


def test_what_a_log_holds_and_never_committed_is_recovered_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1; PRAGMA wal_autocheckpoint = 0;")
    connection.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT NOT NULL)")
    connection.execute("INSERT INTO users VALUES (1, 'stands')")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO users VALUES (?, ?)", [(n, f"nick-{n}" * 30) for n in range(2, 900)])
    pieces = pieces_of(path)
    connection.close()
    assert rows_of(pieces, "users") == [(b"1", b"stands")]
    lost = rows_of(pieces, "users", WAL)
    assert len(lost) > 500
    assert {values[1] for values in lost} <= {f"nick-{n}".encode() * 30 for n in range(2, 900)}


def test_a_change_that_never_came_to_its_end_is_taken_back_by_the_journal(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA cache_size = 1; CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT NOT NULL);")
    connection.executemany("INSERT INTO users VALUES (?, ?)", [(n, f"nick-{n}") for n in range(2000)])
    connection.execute("BEGIN")
    connection.execute("UPDATE users SET nick = 'changed-' || uid")
    Path(f"{path}.seized").write_bytes(path.read_bytes())
    Path(f"{path}.seized-journal").write_bytes(Path(f"{path}-journal").read_bytes())
    connection.rollback()
    connection.close()
    seized = Path(f"{path}.seized")
    pieces = pieces_of(seized)
    assert sorted(rows_of(pieces, "users")) == sorted(as_sqlite(seized, "users"))
    assert any((nick or b"").startswith(b"changed-") for _, nick in rows_of(pieces, "users", WAL))


def test_a_journal_that_is_cut_within_a_page_gives_what_it_holds_before(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT NOT NULL)")
    connection.execute("INSERT INTO users VALUES (1, 'amber')")
    connection.close()
    header = bytes.fromhex("d9d505f920a163d7") + b"\xff" * 4 + bytes(4) + struct.pack(">3I", 2, 512, 4096)
    Path(f"{path}-journal").write_bytes(header.ljust(512, b"\0") + bytes(1000))
    assert rows_of(pieces_of(path), "users") == [(b"1", b"amber")]


def test_a_page_of_the_log_that_can_not_be_read_is_said_to_stand_there(tmp_path: Path) -> None:
    path = tmp_path / "site.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, pic BLOB)")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("INSERT INTO users VALUES (1, zeroblob(9000))")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'users'")
    (piece,) = (p for p in pieces_of(path) if isinstance(p, Broken))
    frames = Path(f"{path}-wal").read_bytes()
    connection.close()
    assert piece.beside == "-wal"
    assert frames[piece.span_start - 24 :][:4] == (3).to_bytes(4, "big"), "behind the head of the frame of page 3"


@pytest.mark.parametrize("size", PAGE_SIZES)
def test_deleted_rows_on_freed_pages_come_back_marked(made: sqlite3.Connection, tmp_path: Path, size: int) -> None:
    made.executescript(f"PRAGMA page_size = {size}; PRAGMA secure_delete = OFF; PRAGMA synchronous = OFF;")
    made.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT NOT NULL, since INT)")
    made.execute("CREATE TABLE other (a INT, b INT, c INT, d TEXT)")
    rows = [(n, f"nick-{n}-" + "x" * 30, 1_500_000_000 + n) for n in range(8000)]
    made.execute("BEGIN")
    made.executemany("INSERT INTO users VALUES (?, ?, ?)", rows)
    made.execute("COMMIT")
    made.execute("DELETE FROM users WHERE uid >= 1000")
    path = tmp_path / "site.db"
    pieces = pieces_of(path)
    assert sorted(rows_of(pieces, "users")) == sorted(as_sqlite(path, "users"))
    lost = rows_of(pieces, "users", FREED)
    assert {row[1:] for row in lost} <= {tuple(map(as_contract, row[1:])) for row in rows[1000:]}, "none is made up"
    assert {row for row in lost if row[0]} <= {tuple(map(as_contract, row)) for row in rows[1000:]}
    assert len(lost) == len(set(lost))
    assert len(lost) > 0.8 * 7000


def test_rows_deleted_one_by_one_come_back_without_the_number_that_was_overwritten(
    made: sqlite3.Connection, tmp_path: Path
) -> None:
    made.execute("PRAGMA secure_delete = OFF")
    made.execute("CREATE TABLE files (id INTEGER PRIMARY KEY, owner INT NOT NULL, path TEXT NOT NULL, at INT)")
    made.execute("CREATE TABLE names (name TEXT NOT NULL, owner INT)")
    files = [(n, n * 3 + 7, f"/scans/{n}.jpg", 1_500_000_000 + n) for n in range(60)]
    made.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", files)
    made.executemany("INSERT INTO names VALUES (?, ?)", [(f"name-of-{n}", n) for n in range(60)])
    gone = (3, 4, 5, 20, 40, 59)
    made.executemany("DELETE FROM files WHERE id = ?", [(n,) for n in gone])
    made.executemany("DELETE FROM names WHERE owner = ?", [(n,) for n in (7, 30)])
    pieces = pieces_of(tmp_path / "site.db")
    lost = rows_of(pieces, "files", FREED)
    assert {row[1:] for row in lost} == {tuple(map(as_contract, files[n][1:])) for n in gone}
    assert set(rows_of(pieces, "names", FREED)) == {(b"name-of-7", b"7"), (b"name-of-30", b"30")}


def test_a_file_that_is_none_of_a_database_is_one_broken_piece() -> None:
    for raw in (b"", b"SQLite format 3\0", b"SQLite format 3\0" + bytes(4000), b"x" * 5000):
        (piece,) = read_sqlite(io.BytesIO(raw))
        assert isinstance(piece, Broken)
        assert piece.span_length == len(raw)


@pytest.fixture(scope="module")
def seized(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sqlite") / "site.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA page_size = 1024")
    connection.execute("CREATE TABLE users (uid INTEGER PRIMARY KEY, nick TEXT, about BLOB)")
    connection.executemany("INSERT INTO users VALUES (?, ?, ?)", [(n, f"n{n}", b"b" * (n * 9)) for n in range(300)])
    connection.execute("DELETE FROM users WHERE uid % 5 = 0")
    connection.commit()
    connection.close()
    return path.read_bytes()


@settings(max_examples=60)
@given(st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=12), st.floats(0, 1))
def test_damage_ends_in_rows_or_reasons(seized: bytes, hits: list[tuple[float, int]], left: float) -> None:
    raw = bytearray(seized)
    for where, value in hits:
        raw[100 + int(where * (len(raw) - 101))] = value
    cut = 600 + int(left * (len(raw) - 600))
    pieces = list(read_sqlite(io.BytesIO(bytes(raw[:cut]))))
    whole = set(rows_of(list(read_sqlite(io.BytesIO(seized))), "users"))
    found = rows_of(pieces, "users")
    assert set(found) >= whole or broken(pieces) or set(found) - whole, "what is lost is said, or changed"


def test_pages_that_lead_in_a_circle_end(seized: bytes) -> None:
    raw = bytearray(seized)
    for page in range(1024, len(raw), 1024):
        if raw[page] == 5:
            raw[page + 8 : page + 12] = (page // 1024 + 1).to_bytes(4, "big")
    pieces = list(read_sqlite(io.BytesIO(bytes(raw))))
    assert any("two places" in detail for detail in broken(pieces))


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_numbers_of_variable_length_come_back(number: int) -> None:
    left, parts = number % (1 << 64), list[int]()
    if left >> 56:
        parts, left = [left & 0xFF], left >> 8
        parts = [left >> shift & 0x7F | 0x80 for shift in range(49, -1, -7)] + parts
    else:
        parts = [left & 0x7F]
        while left := left >> 7:
            parts.insert(0, left & 0x7F | 0x80)
    assert signed(varint(bytes(parts), 0)[0]) == number
    with pytest.raises(Damaged):
        varint(bytes(parts[:-1]), 0)

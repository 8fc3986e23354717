"""What a table has given up comes back marked: all that stands deleted, nothing twice, nothing that never was."""

import random
import struct
import time
from collections import Counter
from pathlib import Path

import pytest

from casewright.extract.reader import FREED, Rows
from tests.extract.mariadb_server import Row, Server
from tests.extract.tablespaces import broken_of, pieces_of, rows_of, summed

CREATE = "CREATE TABLE t (uid int PRIMARY KEY, nick varchar(40) NOT NULL, mail varchar(90), joined int, bio text)"
FORMS = ["dynamic", "compact", "redundant"]
PAGE = 16384


class Site:
    """A table of users that is written to, and all that was ever in it."""

    def __init__(self, server: Server, form: str, seed: int) -> None:
        self._server, self._dice = server, random.Random(seed)
        self.now, self.ever = dict[int, tuple[object, ...]](), set[tuple[object, ...]]()
        server.sql(f"DROP TABLE IF EXISTS t; {CREATE} ROW_FORMAT={form}")

    def _made(self, uid: int) -> tuple[object, ...]:
        dice = self._dice
        text = ["".join(dice.choice("abcdefgh äß") for _ in range(dice.randint(3, most))) for most in (20, 60, 200)]
        bio = None if dice.random() < 0.2 else text[2]
        row = (uid, f"{uid}-{text[0]}.", text[1], dice.randint(1, 10**9), bio)
        self.now[uid] = row
        self.ever.add(row)
        return row

    def insert(self, count: int) -> str:
        first = max(self.now, default=0) + 1
        places = self._dice.sample(range(first, first + 3 * count), count)
        return "".join(f"INSERT INTO t VALUES ({_written(self._made(uid))});\n" for uid in places)

    def delete(self, count: int) -> str:
        gone = self._dice.sample(sorted(self.now), count)
        return "".join(f"DELETE FROM t WHERE uid = {uid};\n" for uid in gone if self.now.pop(uid))

    def update(self, count: int) -> str:
        changed = self._dice.sample(sorted(self.now), count)
        return "".join(f"REPLACE INTO t VALUES ({_written(self._made(uid))});\n" for uid in changed)

    def run(self, *statements: str) -> None:
        self._server.sql("".join(statements))


def _written(row: tuple[object, ...]) -> str:
    return ",".join("NULL" if v is None else str(v) if isinstance(v, int) else f"'{v}'" for v in row)


def _read(row: Row) -> tuple[object, ...]:
    uid, nick, mail, joined, bio = row.values()
    return (int(uid or 0), (nick or b"").decode(), (mail or b"").decode(), int(joined or 0), bio and bio.decode())


def check(site: Site, path: Path) -> list[tuple[object, ...]]:
    """What was given up; the rows that stand are those that should."""
    pieces = pieces_of(path)
    assert not broken_of(pieces)
    assert sorted(map(_read, rows_of(pieces))) == sorted(site.now.values())
    found = [_read(row) for row in rows_of(pieces, FREED)]
    assert len(found) == len(set(found))
    assert set(found) <= site.ever - set(site.now.values())
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_row_that_was_deleted_and_not_purged_comes_back(mariadb: Server, tmp_path: Path, form: str) -> None:
    site = Site(mariadb, form, 5)
    site.run(site.insert(1500))
    before = set(site.now.values())
    with mariadb.looked_at():
        site.run(site.delete(400))
        found = check(site, mariadb.copied("t", tmp_path))
    assert set(found) == before - set(site.now.values())


@pytest.mark.parametrize("form", FORMS)
def test_changes_deletes_and_what_was_purged_invent_nothing(mariadb: Server, tmp_path: Path, form: str) -> None:
    site = Site(mariadb, form, 6)
    with mariadb.looked_at():
        site.run(site.insert(800), site.delete(300), site.update(200), site.insert(300))
        check(site, mariadb.copied("t", tmp_path))
    site.run(site.delete(600), site.insert(100), site.update(100))
    check(site, mariadb.copied("t", tmp_path))


@pytest.mark.parametrize("form", FORMS)
def test_rows_that_moved_when_pages_were_split_or_joined_are_no_others(
    mariadb: Server, tmp_path: Path, form: str
) -> None:
    site = Site(mariadb, form, 7)
    site.run(site.insert(2000))
    assert not check(site, mariadb.copied("t", tmp_path))


def test_a_server_that_was_killed_leaves_its_deleted_rows(mariadb: Server, tmp_path: Path) -> None:
    """Pages as the disk has them at this moment: some were not written yet, so less stands; what is read holds."""
    site = Site(mariadb, "dynamic", 8)
    site.run(site.insert(1000))
    with mariadb.looked_at():
        site.run(site.delete(200))
        mariadb.sql("SET GLOBAL innodb_max_dirty_pages_pct = 0; SET GLOBAL innodb_max_dirty_pages_pct_lwm = 0")
        for _ in range(100):  # until the server has written pages, which it does when it likes
            for name in ("t.ibd", "t.frm"):
                (tmp_path / name).write_bytes((mariadb.data / "site" / name).read_bytes())
            pieces = pieces_of(tmp_path / "t.ibd")
            assert {_read(row) for row in (*rows_of(pieces), *rows_of(pieces, FREED))} <= site.ever
            if rows_of(pieces, FREED):
                return
            time.sleep(0.5)
    pytest.fail("the server wrote no page")


@pytest.mark.parametrize("form", FORMS)
def test_rows_on_a_pages_list_of_free_records_come_back(mariadb: Server, tmp_path: Path, form: str) -> None:
    """As MySQL purges: it takes a record out of the order, puts it on the list, and leaves its bytes."""
    site = Site(mariadb, form, 9)
    site.run(site.insert(400))
    with mariadb.looked_at():
        site.run(site.delete(100))
        path = mariadb.copied("t", tmp_path)
    whole = check(site, path)
    purge(path)
    assert set(check(site, path)) == set(whole)


@pytest.mark.parametrize("form", FORMS)
def test_long_values_of_deleted_rows_come_back_while_their_pages_are_theirs(
    mariadb: Server, tmp_path: Path, form: str
) -> None:
    mariadb.sql(f"DROP TABLE IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY, b longblob) ROW_FORMAT={form}; "
                "INSERT INTO t SELECT seq, repeat(char(64 + seq), 30000) FROM seq_1_to_20")  # fmt: skip
    with mariadb.looked_at():
        mariadb.sql("DELETE FROM t WHERE id % 4 = 1")
        path = mariadb.copied("t", tmp_path)
    found = {row["id"]: row["b"] for row in rows_of(pieces_of(path), FREED)}
    assert found == {b"%d" % n: bytes([64 + n]) * 30000 for n in range(1, 21, 4)}
    purge(path)
    pieces = pieces_of(path)
    assert not rows_of(pieces, FREED)
    assert {b.detail for b in broken_of(pieces)} == {
        "a row that was given up of t: a long value's pages were used again"
    }
    assert len(broken_of(pieces)) == len(found)


def purge(path: Path) -> None:
    """Put all deleted records of a tablespace on the lists of their pages."""
    raw, sizes = path.read_bytes(), Counter[int]()
    for piece in pieces_of(path):
        if isinstance(piece, Rows) and piece.origin == FREED:
            for _, start, length, _ in piece.each():
                sizes[start // PAGE] += length
    path.write_bytes(b"".join(_purged(raw[at : at + PAGE], sizes[at // PAGE]) for at in range(0, len(raw), PAGE)))


def _purged(page: bytes, size: int) -> bytes:
    """A page of rows whose deleted records, of this size, are on its list of free ones."""
    raw = bytearray(page)
    kind, level = (struct.unpack_from(">H", raw, at)[0] for at in (24, 64))
    if kind != 17855 or level:
        return page
    compact = raw[42] & 0x80
    mark, at, last = (5, 99, 112) if compact else (6, 101, 116)

    def following(at: int) -> int:
        step = int(struct.unpack_from(">H", raw, at - 2)[0])
        return (at + step) % PAGE if compact and step else step

    def lead(at: int, to: int) -> None:
        struct.pack_into(">H", raw, at - 2, (to - at) % 65536 if compact and to else to)

    while (here := following(at)) != last:
        if not raw[here - mark] & 0x20:
            at = here
            continue
        lead(at, following(here))
        lead(here, int(struct.unpack_from(">H", raw, 44)[0]))
        struct.pack_into(">H", raw, 44, here)
        count = struct.unpack_from(">H", raw, 54)[0]
        struct.pack_into(">H", raw, 54, count - 1)
    struct.pack_into(">H", raw, 46, struct.unpack_from(">H", raw, 46)[0] + size)
    return summed(bytes(raw))

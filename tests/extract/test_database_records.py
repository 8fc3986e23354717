"""Rows of any database as ours: what a database has given up is kept apart from what stands."""

import io
from collections import deque
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from casewright.extract.database_records import DatabaseRecords
from casewright.extract.formats import Siblings
from casewright.extract.mapping import read_mapping
from casewright.extract.reader import FREED, LIVE, WAL, Broken, Rows, Schema
from casewright.extract.records import Records
from tests.world import context, digests_of, rows_of

MAPPING = b'format = 1\n[accounts]\ntable = "users"\nnative = "uid"\nusername = "nick"\nemail = "mail"\n'
USERS = ("uid", "nick", "mail")
ITEM = {"item": "item-1", "sha256": "ab", "name": "site.db", "exhibit": "e", "path": b"site.db", "parent": None,
        "volume": 0}  # fmt: skip
WAL_ITEM = {"item": "item-2", "sha256": "cd", "name": "site.db-wal"}


def users(*rows: tuple[str | None, ...], origin: str = LIVE, beside: str = "", numbered: bool = False) -> Rows:
    columns = [pa.array([v if v is None else v.encode() for v in c], pa.binary()) for c in zip(*rows, strict=True)]
    starts = pa.array([100 if numbered else 100 * n for n, _ in enumerate(rows, 1)], pa.int64())
    numbers = pa.array(range(1, len(rows) + 1), pa.int64()) if numbered else None
    lengths = pa.array([50] * len(rows), pa.int64())
    return Rows("users", USERS, tuple(columns), starts, lengths, numbers, origin, beside)


def owner(natives: Iterable[str]) -> list[str]:
    return [f"acct-{native}" for native in natives]


def read(*pieces: Rows | Broken) -> Records:
    records = Records(read_mapping(MAPPING, "m"), "UTC", 0)
    database = DatabaseRecords(
        records, ITEM, ("accounts", "former_values"), lambda natives: [f"acct-{n}" for n in natives]
    )
    schema = Schema("users", tuple((name, "text") for name in USERS), "uid")
    deque(database.read([schema, *pieces], {"-wal": WAL_ITEM}), maxlen=0)
    return records


def told(records: Records, table: str, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row[c] for c in columns) for row in rows_of(records.table(table))]


def test_a_row_that_was_given_up_is_an_account_when_no_standing_row_has_its_key() -> None:
    records = read(users(("7", "grey", "g@example.org"), origin=FREED), users(("1", "amber", "a@example.org")))
    assert told(records, "accounts", "native", "origin") == [("1", "live"), ("7", "freed")]
    assert not told(records, "former_values", "value")


def test_what_stood_in_a_row_before_is_told_beside_it_and_overwrites_nothing() -> None:
    old = users(("1", "amber", "old@example.org"), origin=WAL, beside="-wal")
    records = read(old, users(("1", "amber", "a@example.org")))
    assert told(records, "accounts", "username", "email") == [("amber", "a@example.org")]
    assert told(records, "former_values", "account", "column", "value", "origin", "item") == [
        ("acct-1", "email", "old@example.org", "wal", "item-2")
    ]


def test_a_given_up_copy_of_a_standing_row_adds_nothing() -> None:
    records = read(users(("1", "amber", None)), users(("1", "amber", None), origin=FREED))
    assert records.table("accounts").num_rows == 1
    assert records.table("former_values").num_rows == 0
    (tally,) = records.tallies()
    assert (tally.received, tally.done, tally.nothing) == (2, 1, 1)


def test_what_a_given_up_row_tells_is_done_and_a_part_of_the_log_is_set_aside_as_the_logs() -> None:
    old = users(("1", "amber", "old@example.org"), origin=FREED)
    broken = Broken("unreadable", "a page", 4096, 512, "-wal")
    records = read(users(("1", "amber", "a@example.org")), old, broken)
    (tally,) = records.tallies()
    assert (tally.received, tally.done, tally.nothing) == (3, 2, 0)
    assert [(a.subject, a.span_start) for a in records.aside] == [("item-2", 4096)]


def test_rows_that_share_a_span_are_told_apart_by_their_number() -> None:
    records = read(users(("1", "amber", None), ("2", "grey", None), numbered=True))
    rows = rows_of(records.table("accounts"))
    assert [(r["span_start"], r["row"]) for r in rows] == [(100, 1), (100, 2)]
    assert len({r["account"] for r in rows}) == 2


def test_a_file_beside_the_database_is_found_by_its_suffix_and_a_standing_one_goes_first() -> None:
    gone, stands = b"gone", b"stands"
    rows = [
        {"item": f"item-{n}", "exhibit": "e", "path": path, "volume": 0, "sha256": digests_of(raw).sha256, "deleted": d}
        for n, (path, raw, d) in enumerate([(b"site.db-wal", gone, True), (b"site.db-wal", stands, False)])
    ]
    siblings = Siblings(context({"items": rows}, [gone, stands]), ITEM)
    found = siblings.open("-wal")
    assert isinstance(found, io.BytesIO)
    assert found.read() == stands
    assert siblings.opened["-wal"]["item"] == "item-1"
    assert siblings.open("-journal") is None

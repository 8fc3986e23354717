"""Logs, selectors, times and mappings."""

import io
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.extract.columns import sample
from casewright.extract.log import Given, Line, Quiet, Unreadable
from casewright.extract.logs.access import read_access, request_of
from casewright.extract.mapping import read_mapping
from casewright.extract.propose import propose
from casewright.extract.readers.mysql import read_mysql
from casewright.extract.selectors import find_selectors
from casewright.extract.stages import STAGES
from casewright.extract.values import ip_of, time_of
from casewright.model.errors import Refused
from tests.world import context, digests_of, rows_of

LOG = (
    b'192.0.2.1 - amber [10/Oct/2017:13:55:36 +0200] "GET /media/1.jpg HTTP/1.1" 200 2326 "-" "Mozilla \\"x\\""\n'
    b"\n"
    b'2001:db8::1 - - [10/Oct/2017:23:55:36 -0700] "POST /login HTTP/1.0" 302 -\n'
    b"half a li\n"
    b'192.0.2.1 - \\xE2\\x80\\x8Fx [99/Oct/2017:13:55:36 +0200] "GET / HTTP/1.1" 200 1 "-" "-"\n'
)


def test_log_times_become_utc_by_the_zone_that_the_log_names() -> None:
    first, second = (request_of(line) for line in (LOG.splitlines()[0], LOG.splitlines()[2]))
    assert first is not None
    assert second is not None
    assert (first.time, first.rule, first.user) == (datetime(2017, 10, 10, 11, 55, 36), "log, its own +02:00", "amber")
    assert (second.time, second.user, second.ip) == (datetime(2017, 10, 11, 6, 55, 36), None, "2001:db8::1")


def test_a_log_tells_of_named_users_counts_the_rest_and_says_what_it_can_not_read() -> None:
    named, *bad, quiet = read_access(io.BytesIO(LOG), Given())
    assert quiet == Quiet(2)
    assert isinstance(named, Line)
    assert LOG[named.span_start : named.span_length] == LOG.splitlines(keepends=True)[0]
    lines = [line for line in bad if isinstance(line, Line)]
    assert [line.said for line in lines] == [Unreadable("no combined log line"), Unreadable("no such time")]
    assert [line.number for line in lines] == [4, 5]


def test_a_request_that_is_no_http_is_a_line_all_the_same() -> None:
    found = request_of(b'192.0.2.9 - - [10/Oct/2017:13:55:36 +0200] "\\x16\\x03\\x01" 400 150 "-" "-"')
    assert found is not None
    assert (found.method, found.status) == ("", 400)


@pytest.mark.parametrize(
    ("value", "zone", "offset", "expected"),
    [
        (b"2018-01-02 03:04:05", "UTC", 0, datetime(2018, 1, 2, 3, 4, 5)),
        (b"2018-07-02 03:04:05", "Europe/Amsterdam", 0, datetime(2018, 7, 2, 1, 4, 5)),
        (b"2018-01-02 03:04:05", "UTC", 3600, datetime(2018, 1, 2, 4, 4, 5)),
        (b"1514862245", "Asia/Seoul", 0, datetime(2018, 1, 2, 3, 4, 5)),
        (b"1514862245000", "UTC", 0, datetime(2018, 1, 2, 3, 4, 5)),
        (b"1514862245000000", "UTC", 0, datetime(2018, 1, 2, 3, 4, 5)),
        (b"1514862245.25", "UTC", 0, datetime(2018, 1, 2, 3, 4, 5, 250_000)),
        (b"2018-01-02 03:04:05.5+01", "Asia/Seoul", 0, datetime(2018, 1, 2, 2, 4, 5, 500_000)),
        (b"2018-01-02 03:04:05-03:30", "UTC", 0, datetime(2018, 1, 2, 6, 34, 5)),
        (b"1890-01-02 03:04:05+00:19:32", "UTC", 0, datetime(1890, 1, 2, 2, 44, 33)),
        (b"2018-01-02T03:04:05Z", "Asia/Seoul", 0, datetime(2018, 1, 2, 3, 4, 5)),
        (b"2018-10-28 02:30:00", "Europe/Amsterdam", 0, datetime(2018, 10, 28, 0, 30)),
        (b"2018-03-25 02:30:00", "Europe/Amsterdam", 0, datetime(2018, 3, 25, 1, 30)),
        (b"0000-00-00 00:00:00", "UTC", 0, None),
        (b"17", "UTC", 0, None),
        (None, "UTC", 0, None),
        (b"9" * 400, "UTC", 0, None),
    ],
)
def test_times_say_by_themselves_what_they_are(
    value: bytes | None, zone: str, offset: int, expected: datetime | None
) -> None:
    assert time_of(value, zone, offset).time == expected


@pytest.mark.parametrize(
    ("value", "zone", "offset", "rule"),
    [
        (b"2018-01-02 03:04:05", "Asia/Seoul", 0, "database, taken as Asia/Seoul"),
        (b"2018-01-02 03:04:05", "UTC", -90, "database, taken as UTC; clock -90 s"),
        (b"2018-01-02 03:04:05+01", "Asia/Seoul", 0, "database, its own +01"),
        (b"1514862245", "Asia/Seoul", 0, "database, Unix seconds"),
        (b"1514862245123", "Asia/Seoul", 0, "database, Unix milliseconds"),
        (b"2018-10-28 02:30:00", "Europe/Amsterdam", 0,
         "database, taken as Europe/Amsterdam, the first of two such hours"),
        (b"2018-03-25 02:30:00", "Europe/Amsterdam", 0,
         "database, taken as Europe/Amsterdam, an hour that the clocks skipped"),
    ],
)  # fmt: skip
def test_each_time_names_the_rule_that_made_it_utc(value: bytes, zone: str, offset: int, rule: str) -> None:
    assert time_of(value, zone, offset).rule == rule


@pytest.mark.parametrize(
    ("value", "ip"),
    [
        (b"192.0.2.44", "192.0.2.44"),
        (b"2001:db8::17", "2001:db8::17"),
        (b"\xc0\x00\x02\x2c", "192.0.2.44"),
        (bytes.fromhex("20010db8000000000000000000000017"), "2001:db8::17"),
        (b"3221226028", "192.0.2.44"),
        (b"0322122602812", "0322122602812"),
        (b"1" * 5000, "1" * 5000),
        (b"unknown", "unknown"),
        (b"abcd", "abcd"),
        (b"7", "7"),
        (None, None),
    ],
)
def test_addresses_of_machines_are_read_as_databases_pack_them(value: bytes | None, ip: str | None) -> None:
    assert ip_of(value) == ip


SELECTORS = (
    b"pay 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa or 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb, mail a.b+c@example.org; from "
    b"192.0.2.44:8080 and 999.1.1.1 and 2001:db8::17 at https://example.net/x?y=1), "
    b"bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080 "
    b"duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion "
    b"duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczaa.onion"
)


@given(st.integers(1, 200), st.integers(0, 9000))
def test_selectors_are_found_once_wherever_chunks_end(chunk: int, before: int) -> None:
    raw = b"." * before + SELECTORS
    hits = list(find_selectors(io.BytesIO(raw), chunk * 41))
    assert [(h.kind, h.value) for h in hits] == [
        ("bitcoin", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"), ("email", "a.b+c@example.org"), ("ip", "192.0.2.44"),
        ("ip", "2001:db8::17"), ("url", "https://example.net/x?y=1"),
        ("bitcoin", "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"),
        ("onion", "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"),
    ]  # fmt: skip
    for hit in hits:
        assert raw[hit.span_start : hit.span_start + hit.span_length] == hit.value.encode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[accounts]", "format = 1"),
        ("format = 1\n[accounts]\nnative='x'", "table"),
        ("format = 1\n[accounts]\ntable='u'", "needs the column native"),
        ("format = 1\n[acounts]\ntable='u'", "acounts"),
        ("format = 1\n[uploads]\ntable='u'\naccount='a'\nreference='r'", "no \\[accounts\\]"),
        ("format = 1\n[accounts]\ntable='u'\nnative=1", "in quotes"),
        ("format = 1\n[logs]\nuser='nobody'", "user must be one of"),
        ("\x00", "no mapping"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused_by_name(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read_mapping(text.encode(), "mapping.toml")


DUMP = b"""-- MariaDB dump 10.19
CREATE TABLE `members` (`mid` int NOT NULL, `handle` varchar(9), `e` varchar(30), PRIMARY KEY (`mid`));
INSERT INTO `members` VALUES (1,'amber','a@example.org'),(2,'=1+1','b@example.org'),(3,NULL,'c@example.org');
CREATE TABLE `coins` (`who` int, `a` varchar(80));
INSERT INTO `coins` VALUES (1,'1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa'),(2,'1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb');
"""


def test_an_unknown_schema_is_understood_by_what_its_columns_hold() -> None:
    text = propose(sample(read_mysql(io.BytesIO(DUMP.replace(b"fNb", b"fNa")))))
    mapping = read_mapping(text.encode(), "proposal")
    assert dict(mapping.sources["accounts"].columns) == {"native": "mid", "username": "handle", "email": "e"}


def test_a_row_without_a_good_address_is_set_aside_and_the_others_are_kept() -> None:
    rules = (b'format = 1\n[accounts]\ntable="members"\nnative="mid"\nusername="handle"\n'
             b'[deposit_addresses]\ntable="coins"\naccount="who"\naddress="a"\n')  # fmt: skip
    items = [
        {"item": f"item-{n}", "sha256": digests_of(DUMP).sha256, "mime": "text/x-sql-dump", "name": "d"} for n in (1, 2)
    ]
    files = [{"exhibit": "m", "sha256": digests_of(rules).sha256, "name": "m"}]
    world = context({"items": items, "mappings": files}, [DUMP, rules],
                    {"assumed_zone": "UTC", "clock_offset_seconds": 0})  # fmt: skip
    accounts = STAGES[0].work(world.table("items"), world)
    assert [r["username"] for r in rows_of(accounts.tables["accounts"])] == ["amber", "=1+1", None]
    world.tables = {**world.tables, "accounts": accounts.tables["accounts"]}
    output = STAGES[1].work(world.table("items"), world)
    assert [r["address"] for r in rows_of(output.tables["deposit_addresses"])] == ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"]
    (aside,) = output.set_aside
    assert "no Bitcoin address" in aside.detail
    assert DUMP[aside.span_start or 0 :].startswith(b"(2,'1A1z")
    tallies = {t.noun: (t.received, t.done, t.nothing) for t in output.tallies}
    assert tallies == {"items": (2, 1, 1), "database rows": (5, 1, 3), "mapped tables": (1, 1, 0)}


def test_a_dump_that_lacks_a_mapped_table_says_so() -> None:
    rules = (b'format = 1\n[accounts]\ntable="members"\nnative="mid"\n'
             b'[deposit_addresses]\ntable="gone"\naccount="a"\naddress="b"\n')  # fmt: skip
    items = [{"item": "item-1", "sha256": digests_of(DUMP).sha256, "mime": "text/x-sql-dump", "name": "d"}]
    files = [{"exhibit": "m", "sha256": digests_of(rules).sha256, "name": "m"}]
    world = context({"items": items, "mappings": files}, [DUMP, rules],
                    {"assumed_zone": "UTC", "clock_offset_seconds": 0})  # fmt: skip
    world.tables = {**world.tables, "accounts": STAGES[0].work(world.table("items"), world).tables["accounts"]}
    output = STAGES[1].work(world.table("items"), world)
    assert world.tables["accounts"].num_rows == 3
    assert [(a.reason, a.detail) for a in output.set_aside] == [
        ("missing table", "d has no table 'gone', which the mapping names for deposit_addresses")
    ]


def test_without_a_mapping_every_dump_is_set_aside_saying_so() -> None:
    items = [{"item": "item-1", "sha256": digests_of(DUMP).sha256, "mime": "text/x-sql-dump", "name": "d"}]
    world = context({"items": items}, [DUMP], {"assumed_zone": "UTC", "clock_offset_seconds": 0})
    output = STAGES[0].work(world.table("items"), world)
    assert [a.reason for a in output.set_aside] == ["no mapping"]

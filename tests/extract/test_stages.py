"""The room's stages: whose record a row is, when it was, and that every row is accounted for."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from casewright.engine.stage import Context, Output
from casewright.extract import stages
from casewright.extract.proposed import PROPOSAL
from casewright.extract.stages import ACCOUNTS, ACTIVITY, ADDRESSES, STAGES
from tests.world import context, digests_of, outputs_of, rows_of

BY_NAME = {stage.name: stage for stage in STAGES}
ADDRESS = ["1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
           "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"]  # fmt: skip
DUMP = f"""-- MariaDB dump
/*!40103 SET TIME_ZONE='+00:00' */;
CREATE TABLE `coins` (`who` int, `addr` varchar(90), `made` int);
INSERT INTO `coins` VALUES (1,'{ADDRESS[0]}',1514862245),(2,NULL,0),(9,'{ADDRESS[1]}',0),(3,'{ADDRESS[2]}',0);
CREATE TABLE `topups` (`who` int, `btc` decimal(16,8), `tx` char(64), `at` datetime, `kind` varchar(9));
INSERT INTO `topups` VALUES (1,0.00120000,'{"AB" * 32}','2018-07-02 03:04:05','in'),(1,-0.5,NULL,NULL,'out'),
(8,1,NULL,NULL,NULL),(1,'many',NULL,NULL,NULL);
CREATE TABLE `files` (`who` int, `path` varchar(90), `at` timestamp, `sum` char(32));
INSERT INTO `files` VALUES (1,'/m/1.jpg','2018-07-02 03:04:05','ABCDEF0123456789ABCDEF0123456789'),
(NULL,'/m/2.jpg','2018-07-02 03:04:05',NULL),(8,'/m/3.jpg',NULL,NULL),(1,'',NULL,NULL);
CREATE TABLE `seen` (`who` int, `at` datetime(3), `unix` int);
INSERT INTO `seen` VALUES (1,'2018-07-02 03:04:05.250',1514862245),(2,'0000-00-00 00:00:00',17);
CREATE TABLE `users` (`uid` int PRIMARY KEY, `nick` varchar(90), `since` datetime);
INSERT INTO `users` VALUES (1,'amber','2018-07-02 03:04:05'),(2,'=1+1',NULL),(3,'o''hara',NULL),(3,'again',NULL);
INSERT INTO `notes` VALUES (1),(2);
""".encode()
LOG = b"""192.0.2.1 - amber [10/Oct/2017:13:55:36 +0200] "POST /login?x=1 HTTP/1.1" 302 5 "-" "Agent"
192.0.2.1 - amber [10/Oct/2017:13:55:37 +0200] "GET /m/1.jpg HTTP/1.1" 200 5 "-" "Agent"
192.0.2.1 - amber [10/Oct/2017:13:55:37 +0200] "GET /m/1.jpg HTTP/1.1" 404 5 "-" "Agent"
192.0.2.1 - amber [10/Oct/2017:13:55:37 +0200] "GET /index HTTP/1.1" 200 5 "-" "Agent"
192.0.2.1 - ghost [10/Oct/2017:13:55:38 +0200] "GET /m/2.jpg HTTP/1.1" 206 5 "-" "Agent"
192.0.2.1 - amber [10/Oct/2017:13:55:39 +0200] "POST /login HTTP/1.1" 401 5 "-" "Agent"
192.0.2.1 - - [10/Oct/2017:13:55:39 +0200] "POST /login HTTP/1.1" 302 5 "-" "Agent"

cut o
"""
MAPPING = b"""format = 1
[accounts]
table = "users"
native = "uid"
username = "nick"
registered_at = "since"
[deposit_addresses]
table = "coins"
account = "who"
address = "addr"
created_at = "made"
[credits]
table = "topups"
account = "who"
amount = "btc"
txid = "tx"
time = "at"
note = "kind"
[uploads]
table = "files"
account = "who"
time = "at"
reference = "path"
md5 = "sum"
[logins]
table = "seen"
account = "who"
time = "at"
[logs]
login_paths = ["/login"]
download_paths = ["/m/"]
"""


def world(*contents: bytes, mapping: bytes = MAPPING, zone: str = "Europe/Amsterdam", offset: int = 0) -> Context:
    kinds = ["text/x-access-log" if b"[10/Oct" in c else "text/x-sql-dump" for c in contents]
    items = [
        {"item": f"item-{n}", "sha256": digests_of(c).sha256, "mime": m, "name": f"f{n}", "size": len(c)}
        for n, (c, m) in enumerate(zip(contents, kinds, strict=True))
    ]
    files = [{"exhibit": "m", "sha256": digests_of(mapping).sha256, "name": "m"}]
    return context({"items": items, "mappings": files}, [*contents, mapping],
                   {"assumed_zone": zone, "clock_offset_seconds": offset, "session_gap_minutes": 30})  # fmt: skip


def accounts_of(made: Context) -> Output:
    dumps = made.sql("SELECT * FROM items WHERE mime = 'text/x-sql-dump' ORDER BY item")
    made_of_them: Output = BY_NAME["accounts"].work(dumps, made)
    return made_of_them


def addresses_of(made: Context) -> Output:
    made.tables = {**made.tables, "accounts": accounts_of(made).tables["accounts"]}
    dumps = made.sql("SELECT * FROM items WHERE mime = 'text/x-sql-dump' ORDER BY item")
    output: Output = BY_NAME["addresses"].work(dumps, made)
    return output


def activity_of(made: Context) -> Output:
    """What `record_files`, `log_events` and `activity` make together, as one output."""
    made.tables = {**made.tables, "accounts": accounts_of(made).tables["accounts"]}
    outputs = list[Output]()
    for name, batch in (("record_files", "SELECT 1 LIMIT 0"),
                        ("log_events", "SELECT * FROM record_files WHERE form <> 'database' ORDER BY item"),
                        ("activity", "SELECT * FROM record_files ORDER BY item")):  # fmt: skip
        outputs += outputs_of(BY_NAME[name].work(made.sql(batch), made))
        made.tables = {**made.tables, **outputs[-1].tables}
    tables, aside = outputs[-1].tables, [a for o in outputs for a in o.set_aside]
    return Output({**tables, "log_events": outputs[1].tables["log_events"]}, aside,
                  [*outputs[0].tallies, *(t for o in outputs[1:] for t in o.tallies if t.noun != "items")])  # fmt: skip


def test_acts_beyond_what_one_part_holds_are_handed_over_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world(DUMP, LOG)
    whole = activity_of(made)
    monkeypatch.setattr(stages, "IN_ONE_PART", 1)
    made.tables = {**made.tables, "log_events": whole.tables["log_events"]}
    outputs: list[Output] = list(BY_NAME["activity"].work(made.sql("SELECT * FROM record_files ORDER BY item"), made))
    assert len(outputs) > 2
    assert [bool(output.tallies) for output in outputs] == [False] * (len(outputs) - 1) + [True]
    for name in ACTIVITY:
        assert rows_of(pa.concat_tables([output.tables[name] for output in outputs])) == rows_of(whole.tables[name])


def balances(output: Output) -> dict[str, tuple[int, int, int, int]]:
    away = Counter[str]()
    for aside in output.set_aside:
        away[aside.noun] += aside.count
    return {t.noun: (t.received, t.done, t.nothing, away[t.noun]) for t in output.tallies}


def found(output: Output, table: str) -> list[dict[str, Any]]:
    return rows_of(output.tables[table])


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    return {r["native"]: r["account"] for r in found(accounts_of(world(DUMP)), "accounts")}


def test_an_account_keeps_what_the_service_wrote(names: dict[str, str]) -> None:
    rows = found(accounts_of(world(DUMP)), "accounts")
    assert [(r["native"], r["username"]) for r in rows] == [("1", "amber"), ("2", "=1+1"), ("3", "o'hara")]
    assert len(set(names.values())) == 3


def test_a_second_row_with_the_same_key_is_set_aside_because_nobody_can_tell_whose_is_what() -> None:
    aside = [a for a in accounts_of(world(DUMP)).set_aside if "second account" in a.detail]
    assert len(aside) == 1
    start = aside[0].span_start or 0
    assert DUMP[start:].startswith(b"(3,'again'")


def test_an_address_belongs_to_its_account_or_is_set_aside_and_an_empty_one_is_nothing(names: dict[str, str]) -> None:
    output = addresses_of(world(DUMP))
    rows = found(output, "deposit_addresses")
    assert [(r["account"], r["address"]) for r in rows] == [(names["1"], ADDRESS[0]), (names["3"], ADDRESS[2])]
    (lost,) = [a for a in output.set_aside if a.reason == "no account"]
    assert ADDRESS[1] in lost.detail
    assert DUMP[lost.span_start or 0 :].startswith(b"(9,")


def test_no_row_is_lost_between_received_and_done() -> None:
    for output in (accounts_of(world(DUMP)), addresses_of(world(DUMP)), activity_of(world(DUMP, LOG))):
        for noun, (received, done, nothing, aside) in balances(output).items():
            assert received == done + nothing + aside, noun
    assert balances(accounts_of(world(DUMP)))["database rows"] == (20, 3, 16, 1)
    assert balances(activity_of(world(DUMP, LOG)))["log lines"] == (9, 4, 4, 1)


def test_a_copy_of_a_dump_doubles_nobody() -> None:
    once, twice = accounts_of(world(DUMP)), accounts_of(world(DUMP, DUMP))
    assert [found(twice, t) for t in ACCOUNTS] == [found(once, t) for t in ACCOUNTS]
    assert balances(twice)["items"] == (2, 1, 1, 0)


def test_times_follow_the_zone_of_their_column_and_the_clock_of_the_server() -> None:
    made = activity_of(world(DUMP, LOG, offset=60))
    (upload, *_) = found(made, "uploads")
    assert upload["time"] == datetime(2018, 7, 2, 3, 5, 5), "a TIMESTAMP, in UTC as the dump says"
    database, *from_log = found(made, "logins")
    assert database["time"] == datetime(2018, 7, 2, 1, 5, 5, 250_000), "a DATETIME, in summer time"
    assert database["zone"] == "database, taken as Europe/Amsterdam; clock +60 s"
    assert [(r["time"], r["zone"]) for r in from_log] == [
        (datetime(2017, 10, 10, 11, 56, 36), "log, its own +02:00; clock +60 s")
    ]
    (account, *_) = found(accounts_of(world(DUMP)), "accounts")
    assert account["registered_at"] == datetime(2018, 7, 2, 1, 4, 5)


def test_what_the_ledger_books_as_paid_in_is_a_credit_and_what_goes_out_is_none(names: dict[str, str]) -> None:
    output = addresses_of(world(DUMP))
    rows = found(output, "credits")
    assert [(r["account"], r["sats"], r["amount"], r["txid"], r["note"]) for r in rows] == [
        (names["1"], 120_000, "0.00120000", "ab" * 32, "in"), (None, 100_000_000, "1", None, None),
    ]  # fmt: skip
    assert rows[0]["time"] == datetime(2018, 7, 2, 1, 4, 5)
    assert "topups: 'many' is no amount" in {s.detail for s in output.set_aside}


@pytest.mark.parametrize(("declared", "unit", "sats"), [
    ("decimal(16,8)", "", 300_000_000), ("bigint", "", 3), ("bigint", "BTC", 300_000_000), ("double", "sat", 3),
])  # fmt: skip
def test_whole_numbers_are_satoshis_unless_the_mapping_says_otherwise(declared: str, unit: str, sats: int) -> None:
    dump = DUMP.replace(b"`btc` decimal(16,8)", f"`btc` {declared}".encode()).replace(b"0.00120000", b"3")
    mapping = MAPPING.replace(b'amount = "btc"', b'amount = "btc"\nunit = "%s"' % unit.encode())
    assert found(addresses_of(world(dump, mapping=mapping)), "credits")[0]["sats"] == sats


def test_amounts_of_other_currencies_are_no_credits() -> None:
    dump = DUMP.replace(b"'in'", b"'EUR'")
    mapping = MAPPING.replace(b'note = "kind"', b'currency = "kind"')
    assert [r["amount"] for r in found(addresses_of(world(dump, mapping=mapping)), "credits")] == ["1"]


def test_unix_times_need_no_zone() -> None:
    mapping = MAPPING.replace(b'[logins]\ntable = "seen"\naccount = "who"\ntime = "at"',
                              b'[logins]\ntable = "seen"\naccount = "who"\ntime = "unix"')  # fmt: skip
    (login, *_) = found(activity_of(world(DUMP, mapping=mapping)), "logins")
    assert (login["time"], login["zone"]) == (datetime(2018, 1, 2, 3, 4, 5), "database, Unix seconds")


def test_an_upload_is_its_accounts_or_nobodys_never_a_strangers(names: dict[str, str]) -> None:
    rows = found(activity_of(world(DUMP)), "uploads")
    assert [(r["account"], r["reference"]) for r in rows] == [
        (names["1"], "/m/1.jpg"), (None, "/m/2.jpg"), (None, "/m/3.jpg"),
    ]  # fmt: skip
    assert rows[0]["md5"] == "abcdef0123456789abcdef0123456789"


def test_a_log_names_accounts_by_what_its_user_field_holds(names: dict[str, str]) -> None:
    output = activity_of(world(DUMP, LOG))
    logins = [r for r in found(output, "logins") if r["kind"] == "log"]
    assert [(r["account"], r["ip"], r["agent"], r["row"]) for r in logins] == [(names["1"], "192.0.2.1", "Agent", 1)]
    downloads = found(output, "downloads")
    assert [(r["account"], r["reference"]) for r in downloads] == [(names["1"], "/m/1.jpg"), (None, "/m/2.jpg")]
    assert {(r["zone"], r["origin"]) for r in [*logins, *downloads]} == {("log, its own +02:00", "live")}


def test_a_refused_sign_in_puts_nobody_at_the_keyboard() -> None:
    refused = b"\n".join(line for line in LOG.splitlines() if b" 401 " in line) + b"\n"
    assert not [r for r in found(activity_of(world(DUMP, refused)), "logins") if r["kind"] == "log"]


def test_a_name_that_two_accounts_have_stands_for_neither() -> None:
    twins = DUMP.replace(b"'=1+1'", b"'amber'")
    output = activity_of(world(twins, LOG))
    assert {r["account"] for r in found(output, "downloads")} == {None}


def spans(output: Output, tables: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    for table in tables:
        for row in found(output, table):
            yield table, row


def test_every_row_says_where_its_bytes_stand() -> None:
    made = world(DUMP, LOG)
    contents = {"item-0": DUMP, "item-1": LOG}
    stages = (accounts_of(made), ACCOUNTS), (addresses_of(made), ADDRESSES), (activity_of(made), ACTIVITY)
    seen = [row for output, tables in stages for row in spans(output, tables)]
    assert {table for table, _ in seen} == {*ACCOUNTS, *ADDRESSES, *ACTIVITY} - {"former_values"}
    for table, row in seen:
        raw = contents[row["item"]][row["span_start"] : row["span_start"] + row["span_length"]]
        assert row["span_length"]
        told = (
            row.get("native")
            or row.get("address")
            or row.get("amount")
            or row.get("reference")
            or row.get("ip")
            or "2018"
        )
        assert told.encode() in raw, table


def test_the_same_bytes_give_the_same_ids_and_others_give_others() -> None:
    first, again = accounts_of(world(DUMP)), accounts_of(world(DUMP))
    assert first.tables["accounts"].equals(again.tables["accounts"])
    other = accounts_of(world(DUMP + b"\n"))
    assert not {r["account"] for r in found(first, "accounts")} & {r["account"] for r in found(other, "accounts")}


def test_without_a_mapping_logs_too_are_set_aside_saying_so() -> None:
    made = world(DUMP, LOG)
    made.tables = {**made.tables, "mappings": made.tables["mappings"].slice(0, 0)}
    output = activity_of(made)
    assert balances(output) == {"items": (2, 0, 0, 2)}
    assert {a.reason for a in output.set_aside} == {"no mapping"}


def test_a_mapping_may_say_which_database_is_the_services() -> None:
    made = world(DUMP, DUMP + b"-- older\n", mapping=b'databases = ["*1"]\n' + MAPPING)
    output = accounts_of(made)
    assert {r["item"] for r in found(output, "accounts")} == {"item-1"}
    assert balances(output)["items"] == (2, 1, 1, 0)


def test_a_proposal_without_a_dump_is_none() -> None:
    made = world(LOG)
    assert PROPOSAL.work(made.table("items"), made).tables["proposal"].num_rows == 0


def test_selectors_are_found_in_items_and_say_where() -> None:
    made = world(b"mail curator@example.org about " + ADDRESS[0].encode(), b"nothing here")
    (output,) = BY_NAME["selectors"].work(made.table("items"), made)
    assert [(r["kind"], r["value"], r["item"]) for r in found(output, "selectors")] == [
        ("email", "curator@example.org", "item-0"), ("bitcoin", ADDRESS[0], "item-0"),
    ]  # fmt: skip
    assert balances(output) == {"items": (2, 1, 1, 0)}


def test_sealing_anything_but_a_mapping_has_no_record_read_anew() -> None:
    """Lists, chains and returns come in one after the other; a dump of a million accounts is read once."""
    assert not [stage.name for stage in STAGES if {"exhibits", "exhibit_files"} & set(stage.reads)]

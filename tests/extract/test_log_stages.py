"""From logs to sign-ins and sessions, through the stages: whose they are, when, and each once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from casewright.engine.stage import Context
from casewright.extract.log import NO_YEAR
from casewright.extract.stages import STAGES
from casewright.model.tables import TABLES
from tests.extract.test_stages import DUMP, MAPPING
from tests.world import context, digests_of, outputs_of, rows_of

WORK = {stage.name: stage.work for stage in STAGES}
READ = ("items", "mappings", "accounts", "record_files", "log_events", "logins")
KINDS = {"sql": "text/x-sql-dump", "access": "text/x-access-log", "json": "text/x-access-log+json",
         "auth": "text/x-syslog", "error": "text/x-error-log", "app": "text/plain"}  # fmt: skip
APPLICATION = rb"""
[[logs.application]]
files = ["*app*"]
line = '''(?P<time>\S+) (?P<action>\w+) (?P<user>\S+) (?P<session>\S+)'''
user = "native"
login = ["in"]
logout = ["out"]
"""
AUTH = b"""Dec 31 23:50:00 vault sshd[9]: Accepted password for amber from 192.0.2.1 port 50022 ssh2
Jan  1 00:10:00 vault sshd[9]: pam_unix(sshd:session): session closed for user amber
Jan  1 00:20:00 vault sshd[9]: Accepted password for root from 192.0.2.2 port 50023 ssh2
"""


def line(at: str, asked: str = "GET /index", user: str = "amber", ip: str = "192.0.2.1", status: int = 200) -> bytes:
    return f'{ip} - {user} [10/Oct/2017:{at} +0200] "{asked} HTTP/1.1" {status} 5 "-" "Agent"\n'.encode()


class World:
    """A case with a dump and these logs, worked through. Names begin with what they are; `-dated` have a time."""

    def __init__(
        self, logs: Mapping[str, bytes], mapping: bytes = MAPPING + APPLICATION, gap: int = 30, offset: int = 0
    ):
        contents = {"sql": DUMP, **logs}
        items = [
            {"item": f"item-{n}", "sha256": digests_of(raw).sha256, "mime": KINDS[name.split("-")[0]], "name": name,
             "size": len(raw), "deleted": False, "modified": datetime(2018, 1, 1, 1) if "dated" in name else None}
            for n, (name, raw) in enumerate(contents.items())
        ]  # fmt: skip
        files = [{"exhibit": "m", "sha256": digests_of(mapping).sha256, "name": "m"}]
        params = {"assumed_zone": "UTC", "clock_offset_seconds": offset, "session_gap_minutes": gap}
        self.made: Context = context({"items": items, "mappings": files}, [*contents.values(), mapping], params)
        self.made.tables = {name: self.made.tables[name] for name in READ}
        self.aside: list[Any] = []
        self.tallies: dict[tuple[str, str], tuple[int, int, int]] = {}
        dumps = self.made.sql("SELECT * FROM items WHERE mime = 'text/x-sql-dump'")
        nothing = pa.table({})
        for name, batch in (("accounts", dumps), ("record_files", nothing), ("log_events", None), ("activity", None),
                            ("sessions", nothing)):  # fmt: skip
            for part in [batch] if batch is not None else self._files(name):
                self._work(name, part)

    def _files(self, stage: str) -> list[Any]:
        rows = self.made.sql(
            f"SELECT * FROM record_files WHERE form <> 'database' OR '{stage}' = 'activity' ORDER BY item"
        )
        return [rows.slice(n, 1) for n in range(len(rows))]

    def _work(self, name: str, batch: Any) -> None:
        (output,) = outputs_of(WORK[name](batch, self.made))
        held = {
            t: pa.concat_tables([self.made.tables.get(t, TABLES[t].empty()), rows]) for t, rows in output.tables.items()
        }
        self.made.tables = {**self.made.tables, **held}
        self.aside += output.set_aside
        for t in output.tallies:
            away = sum(a.count for a in output.set_aside if a.noun == t.noun)
            assert t.received == t.done + t.nothing + away, t
            before = self.tallies.get((name, t.noun), (0, 0, 0))
            self.tallies[name, t.noun] = (before[0] + t.received, before[1] + t.done, before[2] + t.nothing)

    def rows(self, table: str) -> list[dict[str, Any]]:
        return rows_of(self.made.table(table))

    def sessions(self, basis: str) -> list[tuple[Any, ...]]:
        """Who (name of the account or of the server's user), from when to when, how it ended."""
        names = {r["account"]: r["username"] for r in self.rows("accounts")}
        rows = [r for r in self.rows("sessions") if r["basis"] == basis]
        return [
            (names.get(r["account"]) or r["system_user"], r["started_at"], r["ended_at"], r["ended_by"]) for r in rows
        ]


def at(hour: int, minute: int = 0, second: int = 0, day: int = 10) -> datetime:
    return datetime(2017, 10, day, hour, minute, second)


def test_requests_of_one_user_without_a_long_gap_are_a_session_over_the_borders_of_files() -> None:
    older = line("13:00:00") + line("13:20:00") + line("13:21:00", user="=1+1")
    newer = line("13:45:00") + line("14:15:00") + line("14:45:01") + line("14:46:00", status=403)
    found = World({"access-1": older, "access": newer})
    assert found.sessions("requests") == [
        ("amber", at(11), at(12, 15), "no further request"), ("=1+1", at(11, 21), at(11, 21), "no further request"),
        ("amber", at(12, 45, 1), at(12, 45, 1), "no further request"),
    ]  # fmt: skip
    assert World({"access-1": older, "access": newer}, gap=31).sessions("requests")[0][2] == at(12, 45, 1)
    (first, *_) = found.rows("sessions")
    runs = {r["event"]: r for r in found.rows("log_events") if r["what"] == "requests"}
    assert [runs[s]["requests"] for s in first["sources"]] == [2, 2]
    assert [older[r["span_start"] :][: r["span_length"]] for s, r in runs.items() if s == first["sources"][0]] == [
        line("13:00:00") + line("13:20:00")
    ]


def test_other_addresses_agents_and_unknown_users_are_sessions_of_their_own() -> None:
    log = (
        line("13:00:00")
        + line("13:01:00", ip="192.0.2.2")
        + line("13:02:00", user="ghost")
        + line("13:03:00", user="g")
    )
    log += line("13:04:00").replace(b"Agent", b"Other") + line("13:05:00")
    assert [(name, begin) for name, begin, _, _ in World({"access": log}).sessions("requests")] == [
        ("amber", at(11)), ("amber", at(11, 1)), (None, at(11, 2)), (None, at(11, 3)), ("amber", at(11, 4)),
    ]  # fmt: skip


def test_the_servers_own_users_are_never_accounts_even_when_they_have_the_name() -> None:
    found = World({"auth-dated": AUTH})
    logins = [r for r in found.rows("logins") if r["kind"] == "log"]
    assert [(r["account"], r["system_user"], r["ip"], r["port"]) for r in logins] == [
        (None, "amber", "192.0.2.1", 50022), (None, "root", "192.0.2.2", 50023),
    ]  # fmt: skip
    assert {r["account"] for r in found.rows("sessions") + found.rows("log_events")} == {None}
    assert found.sessions("logged") == [
        ("amber", datetime(2017, 12, 31, 23, 50), datetime(2018, 1, 1, 0, 10), "session closed"),
        ("root", datetime(2018, 1, 1, 0, 20), None, None),
    ]


def test_a_session_begins_in_one_file_and_ends_in_another_and_the_clock_is_corrected_in_both() -> None:
    begin, end, _ = AUTH.splitlines(keepends=True)
    found = World({"auth-dated": end, "auth-dated-1": begin}, offset=-600)
    rule = "log, taken as UTC, year by the file's time; clock -600 s"
    (session,) = found.rows("sessions")
    assert (session["started_at"], session["ended_at"]) == (datetime(2017, 12, 31, 23, 40), datetime(2018, 1, 1))
    assert session["zone"] == rule
    assert {r["zone"] for r in found.rows("log_events")} == {rule}


def test_a_process_number_that_is_used_again_ends_no_older_session() -> None:
    first = AUTH.splitlines(keepends=True)[0]
    again = first.replace(b"Dec 31 23:50", b"Dec 31 23:55").replace(b"50022", b"60000").replace(b"amber", b"root")
    found = World({"auth-dated": first + again + AUTH.splitlines(keepends=True)[1]})
    assert [(who, ended) for who, _, ended, _ in found.sessions("logged")] == [
        ("amber", None), ("root", datetime(2018, 1, 1, 0, 10)),
    ]  # fmt: skip


def test_without_pam_a_connections_address_and_port_end_its_session() -> None:
    log = (
        AUTH.splitlines(keepends=True)[0]
        + b"Jan  1 00:05:00 vault sshd[11]: Disconnected from user amber 192.0.2.1 port 50022\n"
    )
    assert World({"auth-dated": log}).sessions("logged")[0][2:] == (datetime(2018, 1, 1, 0, 5), "disconnected")


def test_an_application_names_its_sessions_and_its_accounts() -> None:
    log = b"2017-10-10T11:00:00Z in 1 s1\n2017-10-10T11:00:01Z in 2 s2\n2017-10-10T12:00:00+00:00 out 1 s1\nelse\n"
    found = World({"app": log})
    assert found.sessions("logged") == [("amber", at(11), at(12), "out"), ("=1+1", at(11, 0, 1), None, None)]
    (first, _) = found.rows("sessions")
    assert first["zone"] == "log, its own Z; its end: log, its own +00:00"
    assert found.tallies["log_events", "log lines"] == (4, 3, 1)
    assert {r["form"] for r in found.rows("record_files")} == {"database", "application log"}


def test_an_application_log_that_no_pattern_fits_is_set_aside() -> None:
    found = World({"app": b"one\ntwo\n"})
    assert [(a.reason, a.noun) for a in found.aside if a.subject == "item-1"] == [("no line fits", "items")]


def test_a_database_that_keeps_when_a_sign_in_ended_has_sessions_too() -> None:
    mapping = MAPPING.replace(b'time = "at"\n[logs]', b'time = "at"\nended_at = "unix"\n[logs]')
    found = World({}, mapping)
    assert found.sessions("logged") == [
        ("amber", datetime(2018, 7, 2, 3, 4, 5, 250_000), datetime(2018, 1, 2, 3, 4, 5), "the database's record")
    ]
    (session,) = found.rows("sessions")
    assert session["zone"] == "database, taken as UTC; its end: database, Unix seconds"
    assert session["sources"] == [r["login"] for r in found.rows("logins")]


DAY = [line(f"13:00:0{n}", "POST /login") for n in range(3)] + [line("13:01:00", "GET /m/1.jpg")] * 2


@pytest.mark.parametrize("names", [("access", "access-1"), ("access-1", "access")])
def test_lines_that_two_logs_hold_count_once_and_as_often_as_in_the_one_that_has_most(names: tuple[str, str]) -> None:
    older, newer = b"".join(DAY[:4]), b"".join(DAY[1:]) + line("13:02:00", "GET /m/2.jpg")
    found = World(dict(zip(names, (older, newer), strict=True)))
    assert len([r for r in found.rows("logins") if r["kind"] == "log"]) == 3
    assert sorted(r["reference"] for r in found.rows("downloads")) == ["/m/1.jpg", "/m/1.jpg", "/m/2.jpg"]
    assert found.tallies["activity", "log events"] == (9, 6, 3)
    assert found.tallies["log_events", "log lines"] == (9, 9, 0)
    assert [(b, e) for _, b, e, _ in found.sessions("requests")] == [(at(11), at(11, 2))]


def test_a_copy_of_a_log_is_read_once_and_of_copies_the_one_that_says_when_it_was_written() -> None:
    found = World({"auth-packed": AUTH, "auth-dated": AUTH})
    assert [r["item"] for r in found.rows("record_files")] == ["item-0", "item-2"]
    assert found.tallies["record_files", "items"] == (3, 2, 1)
    assert len(found.sessions("logged")) == 2


def test_a_log_in_a_packed_file_was_written_when_that_was() -> None:
    begin = World({"auth-packed": AUTH})
    assert {a.detail for a in begin.aside if a.noun == "log lines"} == {f"auth-packed: {NO_YEAR.reason}"}
    rows = begin.rows("items")
    rows.append({"item": "packed", "sha256": "0", "mime": "application/gzip", "name": "auth.log.1.gz", "deleted": False,
                 "modified": datetime(2018, 1, 1, 1)})  # fmt: skip
    rows[1]["parent"] = "packed"
    begin.made.tables = {**begin.made.tables, "items": TABLES["items"].rows(rows)}
    files = begin.made.sql("SELECT 'item-1' AS item, 'system log' AS form")
    events = rows_of(WORK["log_events"](files, begin.made).tables["log_events"])
    assert [r["time"].year for r in events] == [2017, 2018, 2018]


def test_error_logs_are_read_and_hold_nothing() -> None:
    found = World(
        {"error": b'2018/11/03 04:05:06 [error] 9#9: *1 user "amber": password mismatch, client: 192.0.2.1\n#1\n'}
    )
    assert found.tallies["log_events", "log lines"] == (2, 0, 2)
    assert found.tallies["log_events", "items"] == (1, 0, 1)


def test_of_a_database_and_its_copy_the_one_under_the_services_path_is_read() -> None:
    found = World({"sql-2": DUMP}, b'databases = ["sql-2"]\n' + MAPPING)
    assert [r["item"] for r in found.rows("record_files")] == ["item-1"]
    assert {r["item"] for r in found.rows("accounts")} == {"item-1"}

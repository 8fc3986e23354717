"""Rows of a dump and lines of a log as rows of our tables, by a mapping."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from casewright.engine.stage import SetAside, Tally
from casewright.extract.dump import Broken, DumpReader, Row
from casewright.extract.logs import BLANK, BadLine, LogLine, log_lines
from casewright.extract.mapping import LogRules, Source
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.schema import Schema
from casewright.extract.values import text_of, time_of
from casewright.model.bitcoin import valid_address
from casewright.model.ids import make_id

PLURAL = {
    "accounts": "account",
    "deposit_addresses": "id",
    "logins": "login",
    "uploads": "upload",
    "downloads": "download",
}
GOT = frozenset((200, 206))


class Unfit(ValueError):  # noqa: N818  data, not a defect
    """A row that lacks what its table needs."""


@dataclass
class Records:
    """What the items of a batch gave: rows by table, what was set aside, and counts by noun."""

    rules: Rules
    zone: str
    offset: int
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    aside: list[SetAside] = field(default_factory=list)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def tallies(self) -> list[Tally]:
        nouns = sorted({noun for noun, _ in self.counts})
        return [Tally(n, self.counts[n, "received"], self.counts[n, "done"], self.counts[n, "nothing"]) for n in nouns]

    def count(self, noun: str, what: str) -> None:
        self.counts[noun, "received"] += 1
        if what != "set aside":
            self.counts[noun, what] += 1

    def put_aside(self, noun: str, item: str, reason: str, detail: str, place: Any) -> None:
        self.count(noun, "set aside")
        self.aside.append(SetAside(noun, item, reason, detail, span_start=place.span_start,
                                   span_length=place.span_length, row=getattr(place, "number", None)))  # fmt: skip

    def add(self, table: str, row: dict[str, Any]) -> None:
        self.rows.setdefault(table, []).append(row)


def read_dump(records: Records, item: Mapping[str, Any], file: BinaryIO, tables: tuple[str, ...], owner: Any) -> None:
    """All mapped rows of a dump for `tables`; `owner(native)` gives the account of a key, or None."""
    sources = {name: records.rules.sources[name] for name in tables if name in records.rules.sources}
    seen: set[str] = set()
    for piece in DumpReader(file).pieces():
        if isinstance(piece, Broken):
            records.put_aside("dump rows", item["item"], piece.reason, piece.detail, piece)
        elif isinstance(piece, Schema):
            seen.add(piece.table)
        elif isinstance(piece, Row):
            seen.add(piece.table)
            mapped = [name for name, source in sources.items() if source.table == piece.table]
            if not mapped:
                records.count("dump rows", "nothing")
            for name in mapped:
                _dump_row(records, item, piece, name, sources[name], owner)
    for name, source in sources.items():
        _check_table(records, item, name, source, source.table in seen)


def _check_table(records: Records, item: Mapping[str, Any], name: str, source: Source, found: bool) -> None:
    """A table that the mapping names and the dump lacks is said, so that no rows is not taken for nothing there."""
    records.count("mapped tables", "done" if found else "set aside")
    if not found:
        detail = f"{item['name']} has no table {source.table!r}, which the mapping names for {name}"
        records.aside.append(SetAside("mapped tables", item["item"], "missing table", detail))


def _dump_row(records: Records, item: Mapping[str, Any], row: Row, name: str, source: Source, owner: Any) -> None:
    values = dict(zip(row.columns, row.values, strict=True))
    try:
        if absent := [c for c in source.columns.values() if c not in values]:
            raise Unfit(f"the table has no column {absent[0]}")
        fields = {ours: values[column] for ours, column in source.columns.items()}
        made = MAKERS[name](records, fields, owner)
    except Unfit as error:
        records.put_aside("dump rows", item["item"], "unfit", f"{row.table}: {error}", row)
        return
    place = {"item": item["item"], "span_start": row.span_start, "span_length": row.span_length}
    key = make_id(PREFIX[name], item["sha256"], row.table, row.span_start)
    records.add(name, {PLURAL[name]: key, **made, **place})
    records.count("dump rows", "done")


def _account(records: Records, fields: Mapping[str, bytes | None], owner: Any) -> dict[str, Any]:
    native = _needed(fields, "native")
    return {
        "account": owner(native), "native": native, "username": text_of(fields.get("username")),
        "email": text_of(fields.get("email")), "registered_at": _time(records, fields, "registered_at"),
        "registered_ip": text_of(fields.get("registered_ip")),
    }  # fmt: skip


def _deposit(records: Records, fields: Mapping[str, bytes | None], owner: Any) -> dict[str, Any]:
    address = _needed(fields, "address")
    if valid_address(address) is None:
        raise Unfit(f"{address[:80]!r} is no Bitcoin address whose checksum holds")
    account = owner(_needed(fields, "account"))
    return {"account": account, "address": address, "created_at": _time(records, fields, "created_at")}


def _login(records: Records, fields: Mapping[str, bytes | None], owner: Any) -> dict[str, Any]:
    moment = _time(records, fields, "time")
    if moment is None:
        raise Unfit(f"{text_of(fields['time'])!r} is no time")
    return {"account": owner(_needed(fields, "account")), "time": moment, "zone": f"database, taken as {records.zone}",
            "ip": text_of(fields.get("ip")), "agent": text_of(fields.get("agent")), "kind": "database"}  # fmt: skip


def _transfer(records: Records, fields: Mapping[str, bytes | None], owner: Any) -> dict[str, Any]:
    return {
        "account": owner(_needed(fields, "account")), "time": _time(records, fields, "time"),
        "reference": _needed(fields, "reference"), "sha256": _hash(fields, "sha256"), "md5": _hash(fields, "md5"),
        "ip": text_of(fields.get("ip")),
    }  # fmt: skip


MAKERS: Mapping[str, Callable[[Records, Mapping[str, bytes | None], Any], dict[str, Any]]] = {
    "accounts": _account,
    "deposit_addresses": _deposit,
    "logins": _login,
    "uploads": _transfer,
    "downloads": _transfer,
}
PREFIX = {"accounts": "acct", "deposit_addresses": "deposit", "logins": "login", "uploads": "upload",
          "downloads": "download"}  # fmt: skip


def _needed(fields: Mapping[str, bytes | None], name: str) -> str:
    value = text_of(fields[name])
    if not value:
        raise Unfit(f"has no {name}")
    return value


def _time(records: Records, fields: Mapping[str, bytes | None], name: str) -> datetime | None:
    return time_of(fields.get(name), records.zone, records.offset)


def _hash(fields: Mapping[str, bytes | None], name: str) -> str | None:
    value = text_of(fields.get(name))
    return value.strip().lower() if value else None


def read_log(records: Records, item: Mapping[str, Any], file: BinaryIO, account_of: Mapping[str, str]) -> None:
    """Sign-ins and downloads of a log; `account_of` knows accounts by what the log's user field holds."""

    correction = timedelta(seconds=records.offset)
    for line in log_lines(file):
        if isinstance(line, BadLine) and line.reason == BLANK:
            records.count("log lines", "nothing")
            continue
        if isinstance(line, BadLine):
            records.put_aside("log lines", item["item"], "unreadable", f"{item['name']}: {line.reason}", line)
            continue
        kind = _meaning(line, records.rules.logs)
        if kind is None:
            records.count("log lines", "nothing")
            continue
        key = make_id(PREFIX[kind], item["sha256"], line.span_start)
        place = {"item": item["item"], "row": line.number, "span_start": line.span_start,
                 "span_length": line.span_length}  # fmt: skip
        common = {PLURAL[kind]: key, "account": account_of.get(line.user or ""), "time": line.time + correction,
                  "ip": line.ip, **place}  # fmt: skip
        if kind == "logins":
            records.add(kind, {**common, "zone": f"log, its own {line.zone}", "agent": line.agent, "kind": "log"})
        else:
            records.add(kind, {**common, "reference": line.path})
        records.count("log lines", "done")


def _meaning(line: LogLine, rules: LogRules) -> str | None:
    """What a request by a named user amounts to: a sign-in, a download, or nothing that is looked for."""
    if line.user is None:
        return None
    path = line.path.partition("?")[0]
    if path in rules.login_paths:
        return "logins"
    if line.method == "GET" and line.status in GOT and path.startswith(rules.download_paths):
        return "downloads"
    return None

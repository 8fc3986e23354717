"""Rows of a dump as rows of our tables, by a mapping."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

from casewright.engine.stage import SetAside
from casewright.extract.dump import Row
from casewright.extract.dump_fast import each_row, read_mysql
from casewright.extract.mapping import Source
from casewright.extract.reader import Broken, Schema, Skipped
from casewright.extract.records import KEYS, Records
from casewright.extract.values import text_of, time_of, zone_rule
from casewright.model.bitcoin import valid_address
from casewright.model.ids import make_id

IN_UTC = re.compile(r"""TIME_ZONE\s*=\s*['"]\+00:00['"]""", re.IGNORECASE)
Owner = Callable[[str], str | None]
Made = dict[str, Any] | None


class Unfit(ValueError):  # noqa: N818  data, not a defect
    """A row that lacks what its table needs."""


@dataclass
class Dump:
    """What was learnt of a dump so far: its tables' column types, and whether its TIMESTAMPs are in UTC."""

    item: Mapping[str, Any]
    owner: Owner
    types: dict[str, dict[str, str]] = field(default_factory=dict)
    stamps_in_utc: bool = False
    keys: set[str] = field(default_factory=set)

    def zone(self, table: str, column: str, assumed: str) -> str:
        """Zone of a column's written times. Dumps say that they hold TIMESTAMP in UTC; DATETIME is as stored."""
        stamp = self.types.get(table, {}).get(column, "").startswith("timestamp")
        return "UTC" if stamp and self.stamps_in_utc else assumed


@dataclass(frozen=True)
class Fields:
    """A row's values by our column, and the zone of each."""

    values: Mapping[str, bytes | None]
    zones: Mapping[str, str]
    offset: int

    def text(self, name: str) -> str | None:
        return text_of(self.values.get(name))

    def needed(self, name: str) -> str:
        if not (value := self.text(name)):
            raise Unfit(f"has no {name}")
        return value

    def time(self, name: str) -> datetime | None:
        return time_of(self.values[name], self.zones[name], self.offset) if name in self.values else None

    def digest(self, name: str) -> str | None:
        value = self.text(name)
        return value.strip().lower() if value else None


def read_dump(records: Records, item: Mapping[str, Any], file: BinaryIO, tables: tuple[str, ...], owner: Owner) -> None:
    """All mapped rows of a dump for `tables`; `owner(native)` gives the account of a key, or None.

    A row counts once for each of our tables that it fills.
    """
    sources = {name: records.rules.sources[name] for name in tables if name in records.rules.sources}
    dump, seen = Dump(item, owner), set[str]()
    for piece in read_mysql(file):
        if isinstance(piece, Broken):
            records.put_aside("dump rows", item["item"], piece.reason, piece.detail, piece)
        elif isinstance(piece, Skipped):
            dump.stamps_in_utc = dump.stamps_in_utc or bool(IN_UTC.search(piece.what))
        elif isinstance(piece, Schema):
            seen.add(piece.table)
            dump.types[piece.table] = dict(piece.columns)
        else:
            seen.add(piece.table)
            mapped = [name for name, source in sources.items() if source.table == piece.table]
            if not mapped:
                records.count("dump rows", "nothing", len(piece))
            for row in each_row(piece) if mapped else ():
                for name in mapped:
                    _dump_row(records, dump, row, name, sources[name])
    _without_account(records, dump)
    for name, source in sources.items():
        _check_table(records, item, name, source, source.table in seen)


def _without_account(records: Records, dump: Dump) -> None:
    """Deposit addresses whose account the dump does not hold (its rows may be cut off) are nobody's: set aside."""
    mine = [r for r in records.rows.get("deposit_addresses", []) if r["item"] == dump.item["item"]]
    lost = {r["id"]: r for r in mine if r["account"] not in dump.keys}
    for row in lost.values():
        detail = f"{row['address']} was given to an account that the dump does not hold"
        records.aside.append(SetAside("dump rows", row["item"], "no account", detail, span_start=row["span_start"],
                                      span_length=row["span_length"]))  # fmt: skip
        records.counts["dump rows", "done"] -= 1
    if lost:
        kept = [r for r in records.rows["deposit_addresses"] if r["id"] not in lost]
        records.rows["deposit_addresses"] = kept


def _check_table(records: Records, item: Mapping[str, Any], name: str, source: Source, found: bool) -> None:
    """A table that the mapping names and the dump lacks is said, so that no rows is not taken for nothing there."""
    records.count("mapped tables", "done" if found else "set aside")
    if not found:
        detail = f"{item['name']} has no table {source.table!r}, which the mapping names for {name}"
        records.aside.append(SetAside("mapped tables", item["item"], "missing table", detail))


def _dump_row(records: Records, dump: Dump, row: Row, name: str, source: Source) -> None:
    values = dict(zip(row.columns, row.values, strict=True))
    item = dump.item
    try:
        if absent := [c for c in source.columns.values() if c not in values]:
            raise Unfit(f"the table has no column {absent[0]}")
        zones = {ours: dump.zone(row.table, column, records.zone) for ours, column in source.columns.items()}
        fields = {ours: values[column] for ours, column in source.columns.items()}
        made = MAKERS[name](dump, Fields(fields, zones, records.offset))
    except Unfit as error:
        records.put_aside("dump rows", item["item"], "unfit", f"{row.table}: {error}", row)
        return
    if made is None:
        records.count("dump rows", "nothing")
        return
    place = {"item": item["item"], "span_start": row.span_start, "span_length": row.span_length}
    column, prefix = KEYS[name]
    key = make_id(prefix, item["sha256"], row.table, row.span_start)
    records.add(name, {column: key, **made, **place})
    records.count("dump rows", "done")


def _account(dump: Dump, fields: Fields) -> Made:
    native = fields.needed("native")
    account = dump.owner(native)
    if account is None or account in dump.keys:
        raise Unfit(f"a second account has the key {native[:80]!r}; what belongs to which can't be told")
    dump.keys.add(account)
    return {
        "account": account, "native": native, "username": fields.text("username"), "email": fields.text("email"),
        "registered_at": fields.time("registered_at"), "registered_ip": fields.text("registered_ip"),
    }  # fmt: skip


def _deposit(dump: Dump, fields: Fields) -> Made:
    """None for an account that was given no address."""
    address = fields.text("address")
    if not address:
        return None
    if valid_address(address) is None:
        raise Unfit(f"{address[:80]!r} is no Bitcoin address whose checksum holds")
    account = dump.owner(fields.needed("account"))
    return {"account": account, "address": address, "created_at": fields.time("created_at")}


def _login(dump: Dump, fields: Fields) -> Made:
    moment = fields.time("time")
    if moment is None:
        raise Unfit(f"{fields.text('time')!r} is no time")
    return {"account": _known(dump, fields), "time": moment, "ip": fields.text("ip"), "agent": fields.text("agent"),
            "zone": zone_rule(fields.values["time"], fields.zones["time"]), "kind": "database"}  # fmt: skip


def _transfer(dump: Dump, fields: Fields) -> Made:
    return {
        "account": _known(dump, fields), "time": fields.time("time"), "reference": fields.needed("reference"),
        "sha256": fields.digest("sha256"), "md5": fields.digest("md5"), "ip": fields.text("ip"),
    }  # fmt: skip


def _known(dump: Dump, fields: Fields) -> str | None:
    """The account, or None for a visitor without one."""
    key = fields.text("account")
    return dump.owner(key) if key else None


MAKERS: Mapping[str, Callable[[Dump, Fields], Made]] = {
    "accounts": _account,
    "deposit_addresses": _deposit,
    "logins": _login,
    "uploads": _transfer,
    "downloads": _transfer,
}

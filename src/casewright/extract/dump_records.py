"""Rows of a dump as rows of our tables, by a mapping."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import SetAside
from casewright.extract.mapping import Source
from casewright.extract.reader import Broken, Rows, Schema, Skipped
from casewright.extract.readers.mysql import each_row, read_mysql
from casewright.extract.readers.mysql_rows import Row
from casewright.extract.records import KEYS, Records
from casewright.extract.values import text_of, time_of, zone_rule
from casewright.model.bitcoin import valid_address
from casewright.model.ids import id_maker

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
class Plan:
    """How rows of one shape fill one of our tables: where each of our columns stands in them, and its zone."""

    table: str
    places: Mapping[str, int]
    zones: Mapping[str, str]
    offset: int
    absent: str | None
    key_of: Callable[[int], str]


def _plan(records: Records, dump: Dump, rows: Rows, name: str, source: Source) -> Plan:
    absent = next((column for column in source.columns.values() if column not in rows.columns), None)
    places = {ours: rows.columns.index(column) for ours, column in source.columns.items() if column in rows.columns}
    zones = {ours: dump.zone(rows.table, column, records.zone) for ours, column in source.columns.items()}
    key_of = id_maker(KEYS[name][1], dump.item["sha256"], rows.table)
    return Plan(name, places, zones, records.offset, absent, key_of)


class Fields:
    """A row's values by our column."""

    __slots__ = ("_plan", "_values")

    def __init__(self, plan: Plan, values: tuple[bytes | None, ...]) -> None:
        self._plan, self._values = plan, values

    def value(self, name: str) -> bytes | None:
        place = self._plan.places.get(name)
        return None if place is None else self._values[place]

    def text(self, name: str) -> str | None:
        return text_of(self.value(name))

    def needed(self, name: str) -> str:
        if not (value := self.text(name)):
            raise Unfit(f"has no {name}")
        return value

    def time(self, name: str) -> datetime | None:
        value = self.value(name)
        return None if value is None else time_of(value, self._plan.zones[name], self._plan.offset)

    def zone(self, name: str) -> str:
        return zone_rule(self.value(name), self._plan.zones[name])

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
                continue
            plans = [_plan(records, dump, piece, name, sources[name]) for name in mapped]
            for row in each_row(piece):
                for plan in plans:
                    _dump_row(records, dump, row, plan)
    _without_account(records, dump)
    for name, source in sources.items():
        _check_table(records, item, name, source, source.table in seen)


def _without_account(records: Records, dump: Dump) -> None:
    """Deposit addresses whose account the dump does not hold (its rows may be cut off) are nobody's: set aside."""
    rows = records.table("deposit_addresses")
    known = pc.is_in(rows.column("account"), pa.array(list(dump.keys), pa.string()))
    lost = pc.and_(pc.equal(rows.column("item"), dump.item["item"]), pc.invert(known))
    for row in rows.filter(lost).to_pylist():
        detail = f"{row['address']} was given to an account that the dump does not hold"
        records.aside.append(SetAside("dump rows", row["item"], "no account", detail, span_start=row["span_start"],
                                      span_length=row["span_length"]))  # fmt: skip
        records.counts["dump rows", "done"] -= 1
    records.replace("deposit_addresses", rows.filter(pc.invert(lost)))


def _check_table(records: Records, item: Mapping[str, Any], name: str, source: Source, found: bool) -> None:
    """A table that the mapping names and the dump lacks is said, so that no rows is not taken for nothing there."""
    records.count("mapped tables", "done" if found else "set aside")
    if not found:
        detail = f"{item['name']} has no table {source.table!r}, which the mapping names for {name}"
        records.aside.append(SetAside("mapped tables", item["item"], "missing table", detail))


def _dump_row(records: Records, dump: Dump, row: Row, plan: Plan) -> None:
    item = dump.item
    try:
        if plan.absent:
            raise Unfit(f"the table has no column {plan.absent}")
        made = MAKERS[plan.table](dump, Fields(plan, row.values))
    except Unfit as error:
        records.put_aside("dump rows", item["item"], "unfit", f"{row.table}: {error}", row)
        return
    if made is None:
        records.count("dump rows", "nothing")
        return
    place = {"item": item["item"], "span_start": row.span_start, "span_length": row.span_length}
    records.add(plan.table, {KEYS[plan.table][0]: plan.key_of(row.span_start), **made, **place})
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
            "zone": fields.zone("time"), "kind": "database"}  # fmt: skip


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

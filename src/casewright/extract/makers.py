"""What a row of each of our tables is made of, once a mapping says which column means what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from casewright.extract.mapping import Source
from casewright.extract.reader import Rows
from casewright.extract.records import KEYS
from casewright.extract.values import Moment, ip_of, text_of, time_of
from casewright.model.bitcoin import valid_address
from casewright.model.ids import id_maker

Owner = Callable[[str], str]
"""The id of the account with a native key."""
Made = dict[str, Any] | None


class Unfit(ValueError):  # noqa: N818  data, not a defect
    """A row that lacks what its table needs."""


@dataclass
class Database:
    """What was learnt of a database so far: its tables' column types, and whether its TIMESTAMPs are in UTC."""

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
    key_of: Callable[[int | str], str]


def plan(database: Database, rows: Rows, name: str, source: Source, assumed: str, offset: int, sha256: str) -> Plan:
    """The plan for these rows; `sha256` is that of the file in which they stand."""
    absent = next((column for column in source.columns.values() if column not in rows.columns), None)
    places = {ours: rows.columns.index(column) for ours, column in source.columns.items() if column in rows.columns}
    zones = {ours: database.zone(rows.table, column, assumed) for ours, column in source.columns.items()}
    return Plan(name, places, zones, offset, absent, id_maker(KEYS[name][1], sha256, rows.table))


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

    def ip(self, name: str) -> str | None:
        return ip_of(self.value(name))

    def time(self, name: str) -> Moment:
        """When, and what made that UTC."""
        return time_of(self.value(name), self._plan.zones.get(name, ""), self._plan.offset)

    def digest(self, name: str) -> str | None:
        value = self.text(name)
        return value.strip().lower() if value else None


def _account(database: Database, fields: Fields) -> Made:
    native = fields.needed("native")
    registered_at, zone = fields.time("registered_at")
    return {
        "account": database.owner(native), "native": native, "username": fields.text("username"),
        "email": fields.text("email"), "registered_at": registered_at, "zone": zone,
        "registered_ip": fields.ip("registered_ip"),
    }  # fmt: skip


def _deposit(database: Database, fields: Fields) -> Made:
    """None for an account that was given no address."""
    address = fields.text("address")
    if not address:
        return None
    if valid_address(address) is None:
        raise Unfit(f"{address[:80]!r} is no Bitcoin address whose checksum holds")
    account = database.owner(fields.needed("account"))
    created_at, zone = fields.time("created_at")
    return {"account": account, "address": address, "created_at": created_at, "zone": zone}


def _login(database: Database, fields: Fields) -> Made:
    time, zone = fields.time("time")
    if time is None:
        raise Unfit(f"{fields.text('time')!r} is no time")
    ended_at, zone_of_end = fields.time("ended_at")
    if ended_at and zone_of_end != zone:
        zone = f"{zone}; its end: {zone_of_end}"
    return {"account": _whose(database, fields), "time": time, "ended_at": ended_at,
            "ip": fields.ip("ip"), "agent": fields.text("agent"),
            "zone": zone, "kind": "database"}  # fmt: skip


def _transfer(database: Database, fields: Fields) -> Made:
    time, zone = fields.time("time")
    return {
        "account": _whose(database, fields), "time": time, "zone": zone,
        "reference": fields.needed("reference"), "sha256": fields.digest("sha256"), "md5": fields.digest("md5"),
        "ip": fields.ip("ip"),
    }  # fmt: skip


def _whose(database: Database, fields: Fields) -> str | None:
    """The account, or None for a visitor without one."""
    key = fields.text("account")
    return database.owner(key) if key else None


MAKERS: Mapping[str, Callable[[Database, Fields], Made]] = {
    "accounts": _account,
    "deposit_addresses": _deposit,
    "logins": _login,
    "uploads": _transfer,
    "downloads": _transfer,
}

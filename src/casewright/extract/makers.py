"""What rows of each of our tables are made of, once a mapping says which column means what: by columns, for all rows of
a batch at once."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.extract.mapping import Source
from casewright.extract.reader import Rows
from casewright.extract.value_columns import are_addresses, digests_of, ips_of, sats_of, texts_of, times_of

INTEGER = re.compile(r"(?:tiny|small|medium|big)?int|integer|serial|bigserial", re.I)
BITCOIN = ("BTC", "XBT", "BITCOIN")

Owner = Callable[[Iterable[str]], list[str]]
"""The ids of the accounts with these native keys."""
Made = dict[str, pa.Array]
"""Our columns, for every row of the batch."""


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


class Batch:
    """Rows of one shape on their way into one of our tables.

    `unfit`: why, for each row that lacks what the table needs. `empty`: rows that hold nothing for it. `former`: rows
    that tell of what stands elsewhere.
    """

    def __init__(self, database: Database, rows: Rows, source: Source, assumed: str, offset: int) -> None:
        self._database, self._rows, self._offset = database, rows, offset
        self._columns = source.columns
        self._unit = source.unit
        self._type = database.types.get(rows.table, {})
        self._zones = {name: database.zone(rows.table, column, assumed) for name, column in source.columns.items()}
        self.unfit = dict[int, str]()
        self.empty, self.former = np.zeros(len(rows), bool), list[int]()
        self.absent = next((column for column in source.columns.values() if column not in rows.columns), None)

    def __len__(self) -> int:
        return len(self._rows)

    def value(self, name: str) -> pa.Array:
        """The values of the column that is ours by this name; NULLs where the mapping has none."""
        if name not in self._columns:
            return pa.nulls(len(self), pa.binary())
        return self._rows.values[self._rows.columns.index(self._columns[name])]

    def text(self, name: str) -> pa.Array:
        return texts_of(self.value(name))

    def needed(self, name: str) -> pa.Array:
        texts = self.text(name)
        self.refuse(_lacking(texts), lambda _: f"has no {name}")
        return texts

    def ip(self, name: str) -> pa.Array:
        return ips_of(self.value(name))

    def time(self, name: str) -> tuple[pa.Array, pa.Array]:
        """When, and what made that UTC."""
        return times_of(self.value(name), self._zones.get(name, ""), self._offset)

    def sats(self, name: str) -> pa.Array:
        """Satoshis of amounts; NULL for what is none. Whole numbers are satoshis unless the mapping says otherwise."""
        whole = INTEGER.match(self._type.get(self._columns[name], ""))
        return sats_of(self.value(name), self._unit or ("sat" if whole else "BTC"))

    def digest(self, name: str) -> pa.Array:
        return digests_of(self.value(name))

    def owned(self, texts: pa.Array) -> pa.Array:
        """The accounts with these keys; NULL and nothing are nobody's."""
        there = _there(texts)
        owners = pa.array(self._database.owner(texts.filter(there).to_pylist()), pa.string())
        return pc.replace_with_mask(pa.nulls(len(self), pa.string()), there, owners)

    def refuse(self, rows: NDArray[np.bool_], why: Callable[[int], str]) -> None:
        """Call rows unfit, those that are not yet, and are not empty."""
        for row in np.flatnonzero(rows & ~self.empty).tolist():
            if row not in self.unfit:
                self.unfit[row] = why(row)

    def fit(self) -> NDArray[np.int64]:
        """The rows that become rows of ours."""
        whole = ~self.empty
        whole[[*self.unfit, *self.former]] = False
        return np.flatnonzero(whole)


def _there(texts: pa.Array) -> pa.Array:
    return pc.fill_null(pc.not_equal(texts, ""), False)


def _lacking(texts: pa.Array) -> NDArray[np.bool_]:
    lacking: NDArray[np.bool_] = ~_there(texts).to_numpy(zero_copy_only=False)
    return lacking


def _account(batch: Batch) -> Made:
    native = batch.needed("native")
    registered_at, zone = batch.time("registered_at")
    return {
        "account": batch.owned(native), "native": native, "username": batch.text("username"),
        "email": batch.text("email"), "registered_at": registered_at, "zone": zone,
        "registered_ip": batch.ip("registered_ip"),
    }  # fmt: skip


def _deposit(batch: Batch) -> Made:
    """Nothing for an account that was given no address."""
    address = batch.text("address")
    batch.empty = _lacking(address)
    batch.refuse(~are_addresses(address),
                 lambda row: f"{address[row].as_py()[:80]!r} is no Bitcoin address whose checksum holds")  # fmt: skip
    account = batch.owned(batch.needed("account"))
    created_at, zone = batch.time("created_at")
    return {"account": account, "address": address, "created_at": created_at, "zone": zone}


def _credit(batch: Batch) -> Made:
    """Nothing where money left the account, or was of another currency."""
    amount, sats = batch.needed("amount"), batch.sats("amount")
    currency = pc.utf8_upper(batch.text("currency"))
    other = pc.invert(pc.is_in(currency, pa.array([*BITCOIN, "", None], pa.string())))
    batch.empty = pc.or_(pc.fill_null(pc.less_equal(sats, 0), False), other).to_numpy(zero_copy_only=False)
    batch.refuse(pc.is_null(sats).to_numpy(zero_copy_only=False), lambda row: f"{amount[row].as_py()!r} is no amount")
    time, zone = batch.time("time")
    return {"account": batch.owned(batch.text("account")), "time": time, "zone": zone, "sats": sats, "amount": amount,
            "txid": batch.digest("txid"), "address": batch.text("address"), "note": batch.text("note")}  # fmt: skip


def _login(batch: Batch) -> Made:
    time, zone = batch.time("time")
    written = batch.text("time")
    batch.refuse(pc.is_null(time).to_numpy(zero_copy_only=False), lambda row: f"{written[row].as_py()!r} is no time")
    ended_at, zone_of_end = batch.time("ended_at")
    differs = pc.and_(pc.is_valid(ended_at), pc.fill_null(pc.not_equal(zone_of_end, zone), True))
    both = pc.binary_join_element_wise(zone, zone_of_end, "; its end: ")
    return {"account": batch.owned(batch.text("account")), "time": time, "ended_at": ended_at,
            "ip": batch.ip("ip"), "agent": batch.text("agent"), "zone": pc.if_else(differs, both, zone),
            "kind": constant("database", len(batch))}  # fmt: skip


def _transfer(batch: Batch) -> Made:
    time, zone = batch.time("time")
    return {
        "account": batch.owned(batch.text("account")), "time": time, "zone": zone,
        "reference": batch.needed("reference"), "sha256": batch.digest("sha256"), "md5": batch.digest("md5"),
        "ip": batch.ip("ip"),
    }  # fmt: skip


def constant(text: str, count: int) -> pa.Array:
    """The same for every row."""
    return pa.repeat(pa.scalar(text, pa.string()), count)


MAKERS: Mapping[str, Callable[[Batch], Made]] = {
    "accounts": _account,
    "deposit_addresses": _deposit,
    "credits": _credit,
    "logins": _login,
    "uploads": _transfer,
    "downloads": _transfer,
}

"""Rows of a database as rows of our tables, by a mapping."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from casewright.engine.stage import SetAside
from casewright.extract.makers import MAKERS, Batch, Database, Made, Owner, constant
from casewright.extract.mapping import Source
from casewright.extract.reader import LIVE, Broken, Piece, Rows, Schema, Skipped
from casewright.extract.records import KEYS, Records
from casewright.model.ids import IdMaker, make_id
from casewright.model.tables import TABLES

IN_UTC = re.compile(r"""TIME_ZONE\s*=\s*['"]\+00:00['"]""", re.IGNORECASE)
NOUN = "database rows"
TOLD = ("username", "email", "registered_at", "registered_ip")
"""What an account's row tells of it."""
SECOND = "a second account has the key {!r}; what belongs to which can't be told"


class Place(NamedTuple):
    """Where a row stands; `number` where spans do not tell rows apart."""

    item: str
    span_start: int
    span_length: int
    number: int | None
    origin: str


def _places(rows: Rows, within: Mapping[str, Any]) -> Callable[[int], Place]:
    """Where each of these rows stands."""

    def place(row: int) -> Place:
        number = None if rows.row is None else rows.row[row].as_py()
        return Place(within["item"], rows.span_start[row].as_py(), rows.span_length[row].as_py(), number, rows.origin)

    return place


class DatabaseRecords:
    """The mapped rows of one database.

    A row counts once for each of our tables that it fills. Rows that the database has given up come last: where a
    standing row has their key, they are what was written there before.
    """

    def __init__(self, records: Records, item: Mapping[str, Any], tables: tuple[str, ...], owner: Owner) -> None:
        self._records, self._item = records, item
        self._sources = {name: records.rules.sources[name] for name in tables if name in records.rules.sources}
        self._database = Database(owner)
        self._seen = set[str]()
        self._later, self._former = list[tuple[Rows, Mapping[str, Any]]](), list[tuple[dict[str, Any], Place]]()

    def read(self, pieces: Iterable[Piece], beside: Mapping[str, Mapping[str, Any]]) -> Iterator[None]:
        """Take everything that a reader gives, and stop after each piece: the rows so far may then be handed over.
        `beside`: rows of `items` for the files beside, by suffix."""
        for piece in pieces:
            if isinstance(piece, Broken):
                within = beside[piece.beside] if piece.beside else self._item
                self._records.put_aside(NOUN, within["item"], piece.reason, piece.detail, piece)
            elif isinstance(piece, Skipped):
                self._database.stamps_in_utc |= bool(IN_UTC.search(piece.what))
            elif isinstance(piece, Schema):
                self._seen.add(piece.table)
                self._database.types[piece.table] = dict(piece.columns)
            else:
                within = beside[piece.beside] if piece.beside else self._item
                self._rows(piece, within)
            yield
        for rows, within in self._later:
            self._fill(rows, within)
            yield
        self._tell_former()

    @property
    def missing(self) -> dict[str, Source]:
        """Our tables whose table is not in this database, though another that the mapping names is."""
        absent = {name: source for name, source in self._sources.items() if source.table not in self._seen}
        named = {source.table for source in self._records.rules.sources.values()}
        return absent if named & self._seen else {}

    @property
    def found(self) -> int:
        """How many of our tables have theirs in this database."""
        return sum(source.table in self._seen for source in self._sources.values())

    def _rows(self, rows: Rows, within: Mapping[str, Any]) -> None:
        self._seen.add(rows.table)
        if not any(source.table == rows.table for source in self._sources.values()):
            self._records.count(NOUN, "nothing", len(rows))
        elif rows.origin == LIVE:
            self._fill(rows, within)
        else:
            self._later.append((rows, within))

    def _fill(self, rows: Rows, within: Mapping[str, Any]) -> None:
        for name, source in self._sources.items():
            if source.table == rows.table:
                self._make(name, source, rows, within)

    def _make(self, name: str, source: Source, rows: Rows, within: Mapping[str, Any]) -> None:
        """Rows of one of our tables from rows of the database's."""
        records = self._records
        batch = Batch(self._database, rows, source, records.zone, records.offset)
        if batch.absent:
            batch.refuse(np.ones(len(rows), bool), lambda _: f"the table has no column {batch.absent}")
            made = {}
        else:
            made = MAKERS[name](batch)
        if name == "accounts" and made:
            self._keep_firsts(batch, made, rows, within)
        place = _places(rows, within)
        for row, why in sorted(batch.unfit.items()):
            records.put_aside(NOUN, within["item"], "unfit", f"{rows.table}: {why}", place(row))
        records.count(NOUN, "nothing", int(batch.empty.sum()))
        fit = batch.fit()
        records.count(NOUN, "done", len(fit))
        if len(fit):
            records.add_table(name, self._whole(name, made, rows, within, fit))

    def _whole(self, name: str, made: Made, rows: Rows, within: Mapping[str, Any], fit: NDArray[np.int64]) -> pa.Table:
        """The fit rows with their ids and places."""
        count, (key, prefix) = len(rows), KEYS[name]
        number = pa.nulls(count, pa.int64()) if rows.row is None else rows.row
        whole = {**made, "item": constant(within["item"], count), "span_start": rows.span_start,
                 "span_length": rows.span_length, "row": number, "origin": constant(rows.origin, count)}  # fmt: skip
        if key not in made:
            which = rows.span_start.to_pylist() if rows.row is None else [f"row {n}" for n in rows.row.to_pylist()]
            whole[key] = pa.array(IdMaker(prefix, within["sha256"], rows.table).many(which), pa.string())
        schema = TABLES[name].schema
        columns = [whole[c.name] if c.name in whole else pa.nulls(count, c.type) for c in schema]
        return pa.table(columns, schema=schema).take(fit)

    def _keep_firsts(self, batch: Batch, made: Made, rows: Rows, within: Mapping[str, Any]) -> None:
        """No row after the first with an account's key is an account. A given-up row with a key that stands says what
        was before; of two standing ones it can't be told what belongs to which."""
        keys, fit = self._database.keys, batch.fit()
        accounts = made["account"].take(fit).to_pylist()
        if keys.isdisjoint(accounts) and len(set(accounts)) == len(accounts):
            keys.update(accounts)
            return
        later = list[int]()
        for row, account in zip(fit.tolist(), accounts, strict=True):
            if account in keys:
                later.append(row)
            keys.add(account)
        if rows.origin == LIVE:
            batch.unfit |= {row: SECOND.format(made["native"][row].as_py()[:80]) for row in later}
            return
        batch.former, place = later, _places(rows, within)
        told = {column: made[column].take(later).to_pylist() for column in ("account", *TOLD)}
        self._former += [(dict(zip(told, values, strict=True)), place(row))
                         for row, *values in zip(later, *told.values(), strict=True)]  # fmt: skip

    def _tell_former(self) -> None:
        """What given-up rows say of accounts that stand, where it differs from the standing row."""
        if not self._former:
            return
        accounts = self._records.table("accounts")
        ids = pa.array(sorted({made["account"] for made, _ in self._former}), pa.string())
        standing = {
            row["account"]: row for row in accounts.filter(pc.is_in(accounts.column("account"), ids)).to_pylist()
        }
        for made, place in self._former:
            differing = [c for c in TOLD if made[c] is not None and made[c] != standing[made["account"]][c]]
            self._records.count(NOUN, "done" if differing else "nothing")
            for column in differing:
                self._records.add("former_values", {
                    "id": make_id("former", made["account"], column, place.item, place.span_start, place.number or 0),
                    "account": made["account"], "column": column, "value": str(made[column]), **_locus(place),
                })  # fmt: skip


def _locus(place: Place) -> dict[str, Any]:
    return {"item": place.item, "span_start": place.span_start, "span_length": place.span_length,
            "row": place.number, "origin": place.origin}  # fmt: skip


def settle(records: Records, tables: tuple[str, ...], known: pa.ChunkedArray) -> None:
    """Rows of accounts that are not known: a transfer or sign-in is nobody's, an address (rows may be cut off) set
    aside."""
    for name in tables:
        rows = records.table(name)
        strangers = pc.invert(pc.is_in(rows.column("account"), known, skip_nulls=False))
        if name == "deposit_addresses":
            for row in rows.filter(strangers).to_pylist():
                detail = f"{row['address']} was given to an account that the database does not hold"
                records.aside.append(SetAside(NOUN, row["item"], "no account", detail, span_start=row["span_start"],
                                              span_length=row["span_length"], row=row["row"]))  # fmt: skip
                records.counts[NOUN, "done"] -= 1
            rows = rows.filter(pc.invert(strangers))
        else:
            nobody = pa.nulls(len(rows), pa.string())
            place = rows.column_names.index("account")
            rows = rows.set_column(place, "account", pc.if_else(strangers, nobody, rows.column("account")))
        records.replace(name, rows.cast(TABLES[name].schema))

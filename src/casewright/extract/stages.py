"""The stages of the extract room."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Stage, Tally
from casewright.extract.database_records import DatabaseRecords, settle
from casewright.extract.folders import Folder
from casewright.extract.formats import ACCESS_LOG, KERNELS, READERS, Siblings, quoted
from casewright.extract.log_names import resolve_names
from casewright.extract.log_records import read_log
from casewright.extract.makers import Owner
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.mapping import read_mapping
from casewright.extract.records import Gathered, Records
from casewright.extract.selectors import PATTERNS, find_selectors
from casewright.model.ids import id_maker
from casewright.model.settings import Settings
from casewright.model.tables import TABLES

ACCOUNTS = ("accounts", "former_values")
ADDRESSES = ("deposit_addresses",)
ACTIVITY = ("logins", "uploads", "downloads")
LOGGED = ("logins", "downloads")
"""What lines of logs fill."""
Item = Mapping[str, Any]


def _rules(context: Context) -> Rules | None:
    """The mapping that counts, or None when none was accepted yet."""
    rows = context.sql(
        "SELECT sha256, name FROM exhibit_files WHERE role = 'mapping' ORDER BY exhibit, position"
    ).to_pylist()
    if not rows:
        return None
    with context.open(rows[0]["sha256"]) as file:
        return read_mapping(file.read(), rows[0]["name"])


def _fresh(batch: pa.Table, context: Context) -> Iterator[tuple[Item, bool]]:
    """Each item, and whether it is the first with its bytes: copies of a database or log are read once."""
    firsts = context.sql(
        "SELECT b.item FROM batch b WHERE b.item = (SELECT min(i.item) FROM items i WHERE i.sha256 = b.sha256)",
        batch=batch,
    )
    first = set(firsts.column("item").to_pylist())
    for row in batch.to_pylist():
        yield row, row["item"] in first


def _without_mapping(batch: pa.Table, tables: tuple[str, ...]) -> Output:
    detail = "no mapping was accepted yet; run: casewright extract"
    aside = [SetAside("items", item, "no mapping", detail) for item in batch.column("item").to_pylist()]
    tally = Tally("items", batch.num_rows, 0)
    return Output({name: TABLES[name].empty() for name in tables}, aside, [tally])


def accounts(batch: pa.Table, context: Context) -> Output:
    """Accounts, from databases."""
    return _records_of(batch, context, ACCOUNTS)


def addresses(batch: pa.Table, context: Context) -> Output:
    """The addresses that accounts were given, from databases."""
    return _records_of(batch, context, ADDRESSES)


def activity(batch: pa.Table, context: Context) -> Output:
    """Sign-ins, uploads and downloads, from databases and logs."""
    return _records_of(batch, context, ACTIVITY)


def _records_of(batch: pa.Table, context: Context, tables: tuple[str, ...]) -> Output:
    rules = _rules(context)
    if rules is None:
        return _without_mapping(batch, tables)
    records = Records(rules, context.params["assumed_zone"], context.params["clock_offset_seconds"])
    for item, fresh in _fresh(batch, context):
        taken = fresh and (item["mime"] not in READERS or rules.takes(item["name"]))
        records.count("items", "done" if taken else "nothing")
        if taken and item["mime"] in READERS:
            _read_database(records, item, context, tables)
        elif taken:
            with context.open(item["sha256"]) as file:
                read_log(records, item, file)
            resolve_names(records, LOGGED, rules.logs.user, context)
    if tables != ACCOUNTS:
        settle(records, tables, context.table("accounts").column("account"))
    return Output({name: records.table(name) for name in tables}, records.aside, records.tallies())


def _read_database(records: Records, item: Item, context: Context, tables: tuple[str, ...]) -> None:
    siblings, folder = Siblings(context, item), Folder(context, item)
    made = DatabaseRecords(records, item, tables, _owner(folder, records.rules))
    with context.open(item["sha256"]) as file:
        made.read(READERS[item["mime"]](file, siblings), siblings.opened)
    records.count("mapped tables", "done", made.found)
    missing = made.missing.items() if folder.speaks(records.rules) else ()
    for name, source in missing:
        if source.table in folder.tables:
            continue
        detail = f"{item['name']} has no table {source.table!r}, which the mapping names for {name}"
        records.count("mapped tables", "set aside")
        records.aside.append(SetAside("mapped tables", item["item"], "missing table", detail))


def _owner(folder: Folder, rules: Rules) -> Owner:
    """Gives the id of the account with a native key: it derives from the database's bytes, the table and the key."""
    source = rules.sources.get("accounts")
    table = source.table if source else ""
    return id_maker("acct", folder.bytes_of(table), table)


def selectors(batch: pa.Table, context: Context) -> Output:
    """Addresses, emails, IPs, URLs and onion services in every item that is neither media nor archive."""
    rows, found = Gathered("selectors"), 0
    for item in batch.to_pylist():
        made = {kind: id_maker("sel", item["item"], kind) for kind in PATTERNS}
        hits = 0
        with context.open(item["sha256"]) as file:
            for hit in find_selectors(file):
                hits += 1
                rows.add({"selector": made[hit.kind](hit.span_start), "kind": hit.kind, "value": hit.value,
                          "item": item["item"], "span_start": hit.span_start,
                          "span_length": hit.span_length})  # fmt: skip
        found += bool(hits)
    tally = Tally("items", batch.num_rows, found, batch.num_rows - found)
    return Output({"selectors": rows.table()}, [], [tally])


def _params(settings: Settings) -> Mapping[str, Any]:
    return {
        "assumed_zone": settings.extract.assumed_zone,
        "clock_offset_seconds": settings.extract.clock_offset_seconds,
    }


READS = ("items", "exhibits", "exhibit_files")
DATABASES = quoted(READERS)
NOT_SEARCHED = """mime NOT LIKE 'image/%' AND mime NOT LIKE 'video/%' AND mime NOT LIKE 'audio/%' AND mime NOT IN
('application/zip', 'application/gzip', 'application/x-tar', 'application/x-bzip2', 'application/x-xz')"""

STAGES = (
    Stage("accounts", 6, READS, ACCOUNTS, accounts, over="items", where=f"mime IN ({DATABASES})", order="item",
          batch=1, hostile=True, sees_all=True, params=_params, imports=KERNELS),
    Stage("addresses", 3, (*READS, "accounts"), ADDRESSES, addresses, over="items", where=f"mime IN ({DATABASES})",
          order="item", batch=1, hostile=True, sees_all=True, params=_params, imports=KERNELS),
    Stage("activity", 6, (*READS, "accounts"), ACTIVITY, activity, over="items",
          where=f"mime IN ({DATABASES}, '{ACCESS_LOG}')", order="item", batch=1, hostile=True, sees_all=True,
          params=_params, imports=KERNELS),
    Stage("selectors", 2, ("items",), ("selectors",), selectors, over="items", where=NOT_SEARCHED, order="item",
          batch=64, hostile=True),
)  # fmt: skip

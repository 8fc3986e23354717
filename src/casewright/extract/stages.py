"""The stages of the extract room."""

from collections.abc import Iterator

import pyarrow as pa

from casewright.engine.gathered import IN_ONE_PART
from casewright.engine.stage import Context, Output, SetAside, Stage
from casewright.extract.database_records import DatabaseRecords, settle
from casewright.extract.folders import Folder
from casewright.extract.formats import DATABASE, KERNELS, READERS, Siblings, quoted
from casewright.extract.log_stages import clock_params, log_events, log_params, session_params, sessions
from casewright.extract.logged import acts_of
from casewright.extract.makers import Owner
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.record_files import (
    Item,
    accepted_rules,
    items_of,
    record_files,
    records_for,
    without_mapping,
)
from casewright.extract.records import Records
from casewright.extract.selector_stage import SELECTORS
from casewright.extract.wallet_stage import WALLETS
from casewright.model.ids import IdMaker

ACCOUNTS = ("accounts", "former_values")
ADDRESSES = ("deposit_addresses", "credits")
ACTIVITY = ("logins", "uploads", "downloads")


def _fresh(batch: pa.Table, context: Context, rules: Rules) -> set[str]:
    """The items that are the first with their bytes, of those that are the service's: copies are read once."""
    copies = context.sql(
        "SELECT item, sha256, name FROM items SEMI JOIN batch USING (sha256) ORDER BY item", batch=batch
    )
    firsts: dict[str, str] = {}
    for row in copies.to_pylist():
        if rules.takes(row["name"]):
            firsts.setdefault(row["sha256"], row["item"])
    return set(firsts.values())


def accounts(batch: pa.Table, context: Context) -> Output:
    """Accounts, from databases."""
    return _records_of(batch, context, ACCOUNTS)


def addresses(batch: pa.Table, context: Context) -> Output:
    """The addresses that accounts were given, and what the service booked as paid in, from databases."""
    return _records_of(batch, context, ADDRESSES)


def _records_of(batch: pa.Table, context: Context, tables: tuple[str, ...]) -> Output:
    """Rows of a database in some of our tables."""
    rules = accepted_rules(context)
    if rules is None:
        return without_mapping(batch.column("item").to_pylist(), tables)
    records, fresh = records_for(rules, context), _fresh(batch, context, rules)
    for item in batch.to_pylist():
        taken = item["item"] in fresh
        records.count("items", "done" if taken else "nothing")
        if taken:
            for _ in _read_database(records, item, context, tables):
                pass
    if tables != ACCOUNTS:
        settle(records, tables, context.table("accounts").column("account"))
    return Output({name: records.table(name) for name in tables}, records.aside, records.tallies())


def activity(batch: pa.Table, context: Context) -> Iterator[Output]:
    """Sign-ins, uploads and downloads, from databases and logs. A large site has millions of them in one dump: they are
    handed over as they are read."""
    rules = accepted_rules(context)
    if rules is None:
        yield without_mapping([], ACTIVITY)
        return
    records = records_for(rules, context)
    for item in items_of(batch, context):
        records.count("items", "done")
        acts = (
            _read_database(records, item, context, ACTIVITY)
            if item["form"] == DATABASE
            else acts_of(item, records, context)
        )
        for _ in acts:
            if records.num_rows >= IN_ONE_PART:
                _settle_acts(records, item, context)
                yield Output({name: records.taken(name) for name in ACTIVITY})
        _settle_acts(records, item, context)
    yield Output({name: records.taken(name) for name in ACTIVITY}, records.aside, records.tallies())


def _settle_acts(records: Records, item: Item, context: Context) -> None:
    """Of the accounts that a database's rows name, those that it holds; logs were asked for theirs before."""
    if item["form"] == DATABASE:
        settle(records, ACTIVITY, context.table("accounts").column("account"))


def _read_database(records: Records, item: Item, context: Context, tables: tuple[str, ...]) -> Iterator[None]:
    siblings, folder = Siblings(context, item), Folder(context, item)
    made = DatabaseRecords(records, item, tables, _owner(folder, records.rules))
    with context.open(item["sha256"]) as file:
        yield from made.read(READERS[item["mime"]](file, siblings), siblings.opened)
    records.count("mapped tables", "done", made.found)
    missing = made.missing.items() if folder.speaks(records.rules) else ()
    for name, source in missing:
        if source.table in folder.tables:
            continue
        detail = f"{item['name']} has no table {source.table!r}, which the mapping names for {name}"
        records.count("mapped tables", "set aside")
        records.aside.append(SetAside("mapped tables", item["item"], "missing table", detail))


def _owner(folder: Folder, rules: Rules) -> Owner:
    """Gives the ids of the accounts with native keys: they derive from the database's bytes, the table and the key."""
    source = rules.sources.get("accounts")
    table = source.table if source else ""
    return IdMaker("acct", folder.bytes_of(table), table).many


READS = ("items", "mappings")
DATABASES = quoted(READERS)
KNOWN = {"accounts": ("account",)}
COPIES = "item = $key OR alike IN (SELECT alike FROM log_events WHERE item = $key)"
"""What a log says, and where other logs say the same."""

STAGES = (
    Stage("accounts", 6, READS, ACCOUNTS, accounts, over="items", where=f"mime IN ({DATABASES})", order="item",
          batch=1, hostile=True, sees_all=True, params=clock_params, imports=KERNELS),
    Stage("addresses", 4, (*READS, "accounts"), ADDRESSES, addresses, over="items", where=f"mime IN ({DATABASES})",
          order="item", batch=1, hostile=True, sees_all=True, params=clock_params, imports=KERNELS, columns=KNOWN),
    Stage("record_files", 1, READS, ("record_files",), record_files),
    Stage("log_events", 1, (*READS, "accounts", "record_files"), ("log_events",), log_events, over="record_files",
          where=f"form <> '{DATABASE}'", order="item", batch=1, hostile=True, params=log_params),
    Stage("activity", 8, (*READS, "accounts", "record_files", "log_events"), ACTIVITY, activity, over="record_files",
          order="item", batch=1, hostile=True, params=clock_params, imports=KERNELS, beside={"log_events": COPIES},
          columns=KNOWN),
    Stage("sessions", 1, ("log_events", "logins"), ("sessions",), sessions, params=session_params),
    SELECTORS,
    WALLETS,
)  # fmt: skip

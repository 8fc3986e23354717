"""The stages of the extract room."""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Stage, Tally
from casewright.extract.columns import MEDIA_NAME, sample
from casewright.extract.dump_records import Owner, read_dump
from casewright.extract.log_records import read_log
from casewright.extract.logs import LogLine, log_lines
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.mapping import read_mapping
from casewright.extract.propose import propose
from casewright.extract.readers.mysql import read_mysql
from casewright.extract.records import Gathered, Records
from casewright.extract.selectors import PATTERNS, find_selectors
from casewright.model.ids import id_maker
from casewright.model.settings import Settings
from casewright.model.tables import TABLES

DUMP, LOG = "text/x-sql-dump", "text/x-access-log"
ACCOUNTS, ACTIVITY = ("accounts", "deposit_addresses"), ("logins", "uploads", "downloads")
LOG_SAMPLE = 5_000


def _rules(context: Context) -> Rules | None:
    """The mapping that counts, or None when none was accepted yet."""
    rows = context.sql(
        "SELECT sha256, name FROM exhibit_files WHERE role = 'mapping' ORDER BY exhibit, position"
    ).to_pylist()
    if not rows:
        return None
    with context.open(rows[0]["sha256"]) as file:
        return read_mapping(file.read(), rows[0]["name"])


def _fresh(batch: pa.Table, context: Context) -> Iterator[tuple[dict[str, Any], bool]]:
    """Each item, and whether it is the first with its bytes: copies of a dump or log are read once."""
    first = {
        r["sha256"]: r["item"]
        for r in context.sql("SELECT sha256, min(item) AS item FROM items GROUP BY 1").to_pylist()
    }
    for row in batch.to_pylist():
        yield row, first[row["sha256"]] == row["item"]


def _finish(records: Records, tables: tuple[str, ...]) -> Output:
    return Output({name: records.table(name) for name in tables}, records.aside, records.tallies())


def _without_mapping(batch: pa.Table, tables: tuple[str, ...]) -> Output:
    detail = "no mapping was accepted yet; run: casewright extract"
    aside = [SetAside("items", item, "no mapping", detail) for item in batch.column("item").to_pylist()]
    tally = Tally("items", batch.num_rows, 0)
    return Output({name: TABLES[name].empty() for name in tables}, aside, [tally])


def accounts(batch: pa.Table, context: Context) -> Output:
    """Accounts and their deposit addresses, from dumps."""
    rules = _rules(context)
    if rules is None:
        return _without_mapping(batch, ACCOUNTS)
    records = Records(rules, context.params["assumed_zone"], context.params["clock_offset_seconds"])
    for item, fresh in _fresh(batch, context):
        records.count("items", "done" if fresh else "nothing")
        if fresh:
            owner = _owner(item["sha256"], rules)
            with context.open(item["sha256"]) as file:
                read_dump(records, item, file, ACCOUNTS, owner)
    return _finish(records, ACCOUNTS)


def _owner(sha256: str, rules: Rules, known: frozenset[str] | None = None) -> Owner:
    """Gives the id of the account with a native key: it derives from the dump's bytes, the table and the key.

    With `known`, only accounts among them have an id.
    """
    source = rules.sources.get("accounts")
    table = source.table if source else ""

    account_id = id_maker("acct", sha256, table)

    def account_of(native: str) -> str | None:
        account = account_id(native)
        return account if known is None or account in known else None

    return account_of


def activity(batch: pa.Table, context: Context) -> Output:
    """Sign-ins, uploads and downloads, from dumps and logs."""
    rules = _rules(context)
    if rules is None:
        return _without_mapping(batch, ACTIVITY)
    records = Records(rules, context.params["assumed_zone"], context.params["clock_offset_seconds"])
    known = context.sql(f"SELECT account, {rules.logs.user} AS name FROM accounts ORDER BY account").to_pylist()  # noqa: S608  one of three
    ids = frozenset(row["account"] for row in known)
    account_of = _unambiguous(known)
    for item, fresh in _fresh(batch, context):
        records.count("items", "done" if fresh else "nothing")
        if not fresh:
            continue
        with context.open(item["sha256"]) as file:
            if item["mime"] == DUMP:
                read_dump(records, item, file, ACTIVITY, _owner(item["sha256"], rules, ids))
            else:
                read_log(records, item, file, account_of)
    return _finish(records, ACTIVITY)


def _unambiguous(known: list[dict[str, Any]]) -> Mapping[str, str]:
    """Account by name; names that several accounts have stand for none."""
    times = Counter(row["name"] for row in known)
    return {row["name"]: row["account"] for row in known if row["name"] and times[row["name"]] == 1}


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


def proposal(batch: pa.Table, context: Context) -> Output:
    """A mapping proposed from the largest dump, with the logs' paths; one row of TOML, or none without a dump."""
    rows = sorted(batch.to_pylist(), key=lambda r: (-r["size"], r["item"]))
    pages, folders = Counter[str](), Counter[str]()
    for item in (r for r in rows if r["mime"] == LOG):
        with context.open(item["sha256"]) as file:
            for line in islice(log_lines(file), LOG_SAMPLE):
                if isinstance(line, LogLine) and line.user and line.path.startswith("/"):
                    path = line.path.partition("?")[0]
                    if MEDIA_NAME.search(path):
                        folders["/" + path[1:].partition("/")[0] + "/" if "/" in path[1:] else "/"] += 1
                    else:
                        pages[path] += 1
    texts = []
    for item in [r for r in rows if r["mime"] == DUMP][:1]:
        with context.open(item["sha256"]) as file:
            texts.append(propose(sample(read_mysql(file)), _often(pages), _often(folders)))
    return Output({"proposal": pa.table({"toml": pa.array(texts, pa.string())})})


def _often(counts: Counter[str]) -> list[str]:
    """Paths asked for more than once, the most frequent fifty."""
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return [path for path, times in ranked[:50] if times > 1]


def _params(settings: Settings) -> Mapping[str, Any]:
    return {
        "assumed_zone": settings.extract.assumed_zone,
        "clock_offset_seconds": settings.extract.clock_offset_seconds,
    }


KERNELS = ("casewright.kernels.sqlrows",)
READS = ("items", "exhibits", "exhibit_files")
NOT_SEARCHED = """mime NOT LIKE 'image/%' AND mime NOT LIKE 'video/%' AND mime NOT LIKE 'audio/%' AND mime NOT IN
('application/zip', 'application/gzip', 'application/x-tar', 'application/x-bzip2', 'application/x-xz')"""

STAGES = (
    Stage("accounts", 3, READS, ACCOUNTS, accounts, over="items", where=f"mime = '{DUMP}'", order="item", batch=1,
          hostile=True, sees_all=True, params=_params, imports=KERNELS),
    Stage("activity", 3, (*READS, "accounts"), ACTIVITY, activity, over="items",
          where=f"mime IN ('{DUMP}', '{LOG}')", order="item", batch=1, hostile=True, sees_all=True, params=_params,
          imports=KERNELS),
    Stage("selectors", 2, ("items",), ("selectors",), selectors, over="items", where=NOT_SEARCHED, order="item",
          batch=64, hostile=True),
)  # fmt: skip

PROPOSAL = Stage("proposal", 1, ("items",), (), proposal, over="items", where=f"mime IN ('{DUMP}', '{LOG}')",
                 order="item", hostile=True, imports=KERNELS)  # fmt: skip

"""The stages of logs: what their lines say, and the sessions that follow from it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally, shaped, sql_stage_text
from casewright.extract.formats import APPLICATION, LOG_READERS
from casewright.extract.log import Given
from casewright.extract.log_names import name_accounts
from casewright.extract.log_records import EVENTS, LogRecords
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.record_files import Item, accepted_rules, items_of, records_for, without_mapping
from casewright.model.settings import Settings
from casewright.model.tables import TABLES


def log_events(batch: pa.Table, context: Context) -> Output:
    """What the lines of logs say that somebody did."""
    rules = accepted_rules(context)
    if rules is None:  # and so no file is a record file
        return without_mapping([], (EVENTS,))
    records, parts = records_for(rules, context), [TABLES[EVENTS].empty()]
    for item in items_of(batch, context):
        made = LogRecords(records, item, timedelta(minutes=context.params["session_gap_minutes"]))
        with context.open(item["sha256"]) as file:
            made.read(LOG_READERS[item["form"]](file, _given(item, context, rules)))
        parts.append(name_accounts(records.taken(EVENTS), context))
        if item["form"] == APPLICATION and not made.understood:
            detail = f"no line of {item['name']} fits a pattern of [[logs.application]]"
            records.count("items", "set aside")
            records.aside.append(SetAside("items", item["item"], "no line fits", detail))
        else:
            records.count("items", "done" if made.events else "nothing")
    return Output({EVENTS: pa.concat_tables(parts)}, records.aside, records.tallies())


def _given(item: Item, context: Context, rules: Rules) -> Given:
    """What the log itself does not say. A member of a packed file was written when that was, as far as we know."""
    modified, parent = item["modified"], item["parent"]
    while modified is None and parent is not None:
        (row,) = context.sql("SELECT modified, parent FROM items WHERE item = $item", {"item": parent}).to_pylist()
        modified, parent = row["modified"], row["parent"]
    zone = context.params["assumed_zone"]
    return Given(zone, modified, rules.logs.year, rules.logs.applications_of(item["name"]))


def sessions(batch: pa.Table, context: Context) -> Output:
    """Sign-ins with their ends, and runs of requests."""
    gap = context.params["session_gap_minutes"]
    rows = shaped("sessions", context.sql(sql_stage_text(__file__, "sessions"), {"gap": gap}))
    return Output({"sessions": rows}, [], [Tally("sessions", rows.num_rows, rows.num_rows)])


def clock_params(settings: Settings) -> Mapping[str, Any]:
    """The settings by which times become UTC."""
    return {
        "assumed_zone": settings.extract.assumed_zone,
        "clock_offset_seconds": settings.extract.clock_offset_seconds,
    }


def session_params(settings: Settings) -> Mapping[str, Any]:
    """The settings by which requests become sessions."""
    return {"session_gap_minutes": settings.extract.session_gap_minutes}


def log_params(settings: Settings) -> Mapping[str, Any]:
    return {**clock_params(settings), **session_params(settings)}

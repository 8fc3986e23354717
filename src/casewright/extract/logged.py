"""What lines of logs say, as sign-ins, downloads and uploads: each once, also when several logs hold the line.

Rotated logs overlap, and backups hold the same log at other days. Lines that say the same in one log were written one
after the other and all count; in several logs they are the same lines, and count as often as in the log that has most.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from casewright.engine.stage import Context
from casewright.extract.log import DOWNLOAD, LOGIN, SYSTEM, UPLOAD
from casewright.extract.reader import LIVE
from casewright.extract.records import KEYS, Records
from casewright.model.ids import make_id

TABLE_OF = {LOGIN: "logins", DOWNLOAD: "downloads", UPLOAD: "uploads"}
PLACE = ("item", "span_start", "span_length", "row")
NOUN = "log events"


def acts_of(item: Mapping[str, Any], records: Records, context: Context) -> Iterator[None]:
    """Fill our tables from this log's rows of `log_events`, and stop now and then: the rows so far may then be handed
    over. What an earlier item holds too is nothing new."""
    found = context.sql(
        "SELECT e.*, EXISTS (SELECT 1 FROM log_events o WHERE o.alike = e.alike AND o.nth = e.nth AND o.item < e.item) "
        "AS is_told FROM log_events e WHERE item = $item AND what IN ('login', 'download', 'upload') "
        "ORDER BY row, event",
        {"item": item["item"]},
    )
    for batch in found.to_batches(1 << 14):
        for event in batch.to_pylist():
            records.count(NOUN, "nothing" if event["is_told"] else "done")
            if not event["is_told"]:
                table = TABLE_OF[event["what"]]
                records.add(table, _row(table, event))
        yield


def _row(table: str, event: Mapping[str, Any]) -> dict[str, Any]:
    key, prefix = KEYS[table]
    common = {key: make_id(prefix, event["event"]), **{name: event[name] for name in PLACE}, "origin": LIVE,
              **{name: event[name] for name in ("account", "time", "zone", "ip")}}  # fmt: skip
    if table != "logins":
        return {**common, "reference": event["reference"]}
    user = event["name"] if event["name_is"] == SYSTEM else None
    return {**common, "system_user": user, "port": event["port"], "agent": event["agent"], "kind": "log"}

"""The stage `not_locating`: networks that a person gave because their addresses locate nobody.

Tor exits, hosting and VPN ranges, proxies. Three forms, known by their content: a CSV with the columns `network`,
`kind`, `since`, `until`, `note` (all but the first may be missing); one network a line, `#` before remarks; and the
exit lists that the Tor project keeps of each hour (`ExitAddress IP DAY TIME`, metrics.torproject.org/collector.html),
of which each address counts for a day before and after it was seen: an exit of today says nothing of years ago.
"""

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

import pyarrow as pa

from casewright.engine.records import BadRecord, Record, read_records
from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.link.people import content_of, place_of
from casewright.link.return_mapping import day_of
from casewright.model.ids import make_id
from casewright.model.networks import network_of
from casewright.model.tables import TABLES

EXIT = re.compile(r"ExitAddress\s+(?P<network>\S+)\s+(?P<seen>\S+ \S+)\s*")
EXIT_LINES = ("ExitNode ", "Published ", "LastStatus ", "@type ", "Downloaded ")
"""What else stands in such a list."""
AROUND = timedelta(days=1)
STAMP = "%Y-%m-%d %H:%M:%S"
LONGEST_LINE = 4096
Row = dict[str, Any]


def not_locating(batch: pa.Table, context: Context) -> Output:
    """A row a network. Remarks, and lines that only tell of an exit, hold nothing to find."""
    rows: list[Row] = []
    aside: list[SetAside] = []
    received = 0
    for file in batch.to_pylist():
        for record in _records(content_of(file, context)):
            received += 1
            row = None if isinstance(record, BadRecord) else _row(record.fields)
            if row is not None and not isinstance(record, BadRecord):
                name = make_id("net", file["exhibit"], file["path"], record.row)
                kind = row["kind"] or file["name"]
                rows.append({"id": name, **row, "kind": kind, **place_of(file, record)})
                continue
            reason = record.reason if isinstance(record, BadRecord) else "names no network, or a day that is none"
            detail = f"{file['name']}, row {record.row}: {reason}"
            aside.append(SetAside("networks", file["exhibit"], "malformed", detail, span_start=record.span_start,
                                  span_length=record.span_length, row=record.row))  # fmt: skip
    tally = Tally("networks", received, len(rows))
    return Output({"not_locating": TABLES["not_locating"].rows(rows)}, aside, [tally])


def _records(raw: bytes) -> Iterator[Record | BadRecord]:
    first = raw[:LONGEST_LINE].decode("utf-8", "replace").lstrip("\ufeff").partition("\n")[0].lower()
    headed = "network" in [name.strip() for name in re.split("[,;\t|]", first)]
    return read_records(raw, ("network",)) if headed else _lines(raw)


def _lines(raw: bytes) -> Iterator[Record | BadRecord]:
    at = 0
    for number, line in enumerate(raw.splitlines(keepends=True), 1):
        text = line[:LONGEST_LINE].decode("utf-8", "replace").lstrip("\ufeff").partition("#")[0].strip()
        if text and not text.startswith(EXIT_LINES):
            found = EXIT.fullmatch(text)
            yield Record(_exit(**found.groupdict()) if found else {"network": text}, number, at, len(line))
        at += len(line)


def _exit(network: str, seen: str) -> Row:
    """An exit counts around the time at which it was seen; a time that is none stands as it is, and is refused."""
    try:
        time = datetime.strptime(seen, STAMP)  # noqa: DTZ007  UTC, as all our times
    except ValueError:
        return {"network": network, "kind": "Tor exit", "since": seen}
    since, until = ((time + step).strftime(STAMP) for step in (-AROUND, AROUND))
    return {"network": network, "kind": "Tor exit", "since": since, "until": until}


def _row(fields: Any) -> Row | None:
    network = network_of(fields["network"])
    since, until = (_time(fields.get(name) or "", name == "until") for name in ("since", "until"))
    if network is None or since is False or until is False:
        return None
    kind, note = ((fields.get(name) or "").strip() or None for name in ("kind", "note"))
    return {"network": network, "kind": kind, "since": since or None, "until": until or None, "note": note}


def _time(text: str, is_end: bool) -> Any:
    """A time or a whole day, UTC; None when there is none, False when it is no time."""
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip(), STAMP)  # noqa: DTZ007  UTC, as all our times
    except ValueError:
        day = day_of(text)
    if day is None:
        return False
    return datetime.combine(datetime.fromisoformat(day).date(), time.max if is_end else time.min)

"""The stage `service_book`: what the unit itself knows of services, beside what tags say.

A CSV that a person keeps: who a service is in law, where a request is served, on which basis, within how many days.
What stands here goes before tags. The last book that was given counts.
"""

from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.link.people import place_of, records_of
from casewright.model.tables import TABLES

COLUMNS = ("service", "legal_name", "jurisdiction", "serve_on", "legal_basis", "days", "note")
MOST_DAYS = 3650
Row = dict[str, Any]


def service_book(batch: pa.Table, context: Context) -> Output:
    """`service_book`: one row a service; of two about the same one, the last."""
    files = context.sql("SELECT * FROM exhibit_files WHERE role = 'services' ORDER BY exhibit, position").to_pylist()
    aside: list[SetAside] = []
    rows: dict[str, Row] = {}
    good = 0
    for file in files:
        for record in records_of(file, context, ("service",), aside):
            row = {name: (record.fields.get(name) or "").strip() or None for name in COLUMNS}
            place = place_of(file, record)
            if problem := _problem(row):
                where = {name: place[name] for name in ("span_start", "span_length", "row")}
                detail = f"{file['name']}, row {record.row}: {problem}"
                aside.append(SetAside("rows", file["exhibit"], "malformed", detail, **where))
                continue
            good += 1
            days = int(row["days"]) if row["days"] else None
            rows[str(row["service"]).casefold()] = {**row, "days": days, **place}
    tally = Tally("rows", good + len(aside), len(rows), good - len(rows))
    return Output({"service_book": TABLES["service_book"].rows(list(rows.values()))}, aside, [tally])


def _problem(row: Row) -> str:
    if not row["service"]:
        return "names no service"
    days = row["days"]
    if days and not (days.isascii() and days.isdigit() and 0 < int(days[:9]) <= MOST_DAYS):
        return f"{days[:40]!r} is no number of days"
    return ""

"""Returns of the services, and identity records of customers and earlier subjects."""

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from casewright.engine.records import BadRecord, Record, read_records
from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.link.return_forms import read_return
from casewright.link.return_mapping import FIELDS, ReturnMapping, day_of, moment_of, read_return_mapping
from casewright.model.errors import Refused
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

PRIOR_COLUMNS = ("case", "full_name")


def returns(batch: pa.Table, context: Context) -> Output:
    """Every row that a service sent back, verbatim; `born_on` is the day that its date of birth means."""
    rows: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    mappings = _mappings(context, aside)
    for file in batch.to_pylist():
        mapping = next((m for m in mappings if m.takes(file["name"])), ReturnMapping())
        for record in _good(file, read_return(content_of(file, context), mapping), aside):
            copied = {name: record.fields[name] or None for name in FIELDS}
            rows.append({"return_id": make_id("return", file["exhibit"], file["path"], record.row), **copied,
                         "born_on": day_of(copied["born"], mapping.dates),
                         "ip_at": moment_of(copied["ip_time"], mapping.dates), **place_of(file, record)})  # fmt: skip
    tally = Tally("rows", len(rows) + len(aside), len(rows))
    return Output({"returns": TABLES["returns"].rows(rows)}, aside, [tally])


def _mappings(context: Context, aside: list[SetAside]) -> list[ReturnMapping]:
    """The mappings of returns: those for certain files before those for all."""
    sql = "SELECT * FROM exhibit_files WHERE role = 'return mapping' ORDER BY exhibit, position"
    found = []
    for file in context.sql(sql).to_pylist():
        try:
            found.append(read_return_mapping(content_of(file, context), file["name"]))
        except Refused as refusal:
            aside.append(SetAside("rows", file["exhibit"], "malformed", str(refusal)))
    return sorted(found, key=lambda mapping: not mapping.files)


def content_of(file: dict[str, Any], context: Context) -> bytes:
    """The bytes of a sealed file."""
    with context.open(file["sha256"]) as opened:
        return opened.read()


def records_of(file: dict[str, Any], context: Context, needed: tuple[str, ...], aside: list[SetAside]) -> list[Record]:
    """The good rows of a sealed CSV; the others go to `aside`."""
    return _good(file, read_records(content_of(file, context), needed), aside)


def _good(file: dict[str, Any], found: Iterable[Record | BadRecord], aside: list[SetAside]) -> list[Record]:
    good = []
    for record in found:
        if isinstance(record, BadRecord):
            detail = f"{file['name']}, row {record.row}: {record.reason}"
            aside.append(SetAside("rows", file["exhibit"], "malformed", detail, span_start=record.span_start,
                                  span_length=record.span_length, row=record.row))  # fmt: skip
        else:
            good.append(record)
    return good


def place_of(file: dict[str, Any], record: Record) -> dict[str, Any]:
    """Where a record stands in its exhibit."""
    return {"exhibit": file["exhibit"], "path": file["path"], "row": record.row, "span_start": record.span_start,
            "span_length": record.span_length}  # fmt: skip


CUSTOMERS = """
SELECT coalesce(service, "reference", '?') AS service, customer, full_name, born, born_on, email, phone, country,
       exhibit, path, span_start, span_length, "row", return_id
FROM returns ORDER BY service, customer, exhibit, path, "row"
"""


def persons(batch: pa.Table, context: Context) -> Output:
    """One record for each customer of a service, as the first of their rows says, and one for each earlier subject.

    Rows without a customer number are a person each: strangers must never become one.
    """
    rows: dict[str, dict[str, Any]] = {}
    found = context.sql(CUSTOMERS).to_pylist()
    for customer in found:
        _add_customer(rows, customer)
    aside: list[SetAside] = []
    files = context.sql("SELECT * FROM exhibit_files WHERE role = 'prior' ORDER BY exhibit, position").to_pylist()
    earlier = [(file, record) for file in files for record in records_of(file, context, PRIOR_COLUMNS, aside)]
    for file, record in earlier:
        person = make_id("person", "prior", file["exhibit"], file["path"], record.row)
        copied = {n: record.fields.get(n) or None for n in ("full_name", "born", "email", "phone", "country", "note")}
        copied["born_on"] = day_of(copied["born"])
        rows[person] = {"person": person, "origin": "prior", "reference": record.fields["case"], **copied,
                        **place_of(file, record), "sources": []}  # fmt: skip
    received = len(found) + len(earlier)
    tally = Tally("rows", received + len(aside), len(rows), received - len(rows))
    return Output({"persons": TABLES["persons"].rows(list(rows.values()))}, aside, [tally])


def _add_customer(rows: dict[str, dict[str, Any]], row: dict[str, Any]) -> None:
    service, customer, source = row.pop("service"), row.pop("customer"), row.pop("return_id")
    person = make_id("person", "return", service, customer) if customer else make_id("person", "row", source)
    reference = f"{service}/{customer or '(no number)'}"
    rows.setdefault(person, {"person": person, "origin": "return", "reference": reference, **row, "sources": []})
    rows[person]["sources"].append(source)

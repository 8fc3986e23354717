"""Which items records are read from, and as what: by their kind, or by the paths that the mapping names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.extract.formats import APPLICATION, DATABASE, LOG_FORMS, READERS, quoted
from casewright.extract.mapping import Mapping as Rules
from casewright.extract.mapping import read_mapping
from casewright.extract.records import Records
from casewright.model.tables import TABLES

Item = Mapping[str, Any]
TEXTS = f"(mime LIKE 'text/%' OR mime = 'application/octet-stream') AND mime NOT IN ({quoted(READERS)})"
"""What may be an application's log."""


def accepted_rules(context: Context) -> Rules | None:
    """The mapping that counts, or None when none was accepted yet."""
    rows = context.table("mappings").to_pylist()
    if not rows:
        return None
    with context.open(rows[0]["sha256"]) as file:
        return read_mapping(file.read(), rows[0]["name"])


def without_mapping(items: Iterable[str], tables: Iterable[str]) -> Output:
    """Everything is set aside until a person has said what means what."""
    detail = "no mapping was accepted yet; run: casewright extract"
    aside = [SetAside("items", item, "no mapping", detail) for item in items]
    return Output({name: TABLES[name].empty() for name in tables}, aside, [Tally("items", len(aside), 0)])


def record_files(batch: pa.Table, context: Context) -> Output:
    """Each content once. Of copies of a log the one counts that says most of when it was written."""
    rules = accepted_rules(context)
    asked = f"mime IN ({quoted((*READERS, *LOG_FORMS))})"
    if rules and rules.logs.applications:
        asked = f"{asked} OR ({TEXTS})"
    found = context.sql(
        "SELECT item, sha256, mime, name FROM items "  # noqa: S608  ours
        f"WHERE {asked} ORDER BY mime NOT IN ({quoted(READERS)}) AND deleted, "
        f"mime NOT IN ({quoted(READERS)}) AND modified IS NULL, item"
    ).to_pylist()
    if rules is None:
        return without_mapping((row["item"] for row in found), ("record_files",))
    forms = [(row, form) for row in found if (form := _form(row, rules))]
    rows = sorted(_first_of_each(forms), key=lambda row: row["item"])
    looked_at = sum(row["mime"] in READERS or row["mime"] in LOG_FORMS for row in found)
    looked_at += sum(form == APPLICATION and row["mime"] not in LOG_FORMS for row, form in forms)
    tally = Tally("items", looked_at, len(rows), looked_at - len(rows))
    return Output({"record_files": TABLES["record_files"].rows(rows)}, [], [tally])


def _form(item: Item, rules: Rules) -> str | None:
    """What an item is read as. The mapping's word for a path goes before the kind of its content."""
    if item["mime"] in READERS:
        return DATABASE if rules.takes(item["name"]) else None
    return APPLICATION if rules.logs.applications_of(item["name"]) else LOG_FORMS.get(item["mime"])


def _first_of_each(forms: Iterable[tuple[Item, str]]) -> Iterator[dict[str, Any]]:
    seen = set[str]()
    for row, form in forms:
        if row["sha256"] not in seen:
            seen.add(row["sha256"])
            yield {"item": row["item"], "form": form}


def items_of(batch: pa.Table, context: Context) -> list[Item]:
    """The rows of `items` for rows of `record_files`, each with its form."""
    rows: list[Item] = context.sql(
        "SELECT i.*, b.form FROM batch b JOIN items i USING (item) ORDER BY item", batch=batch
    ).to_pylist()
    return rows


def records_for(rules: Rules, context: Context) -> Records:
    """Nothing gathered yet, by these rules and the case's clock."""
    return Records(rules, context.params["assumed_zone"], context.params["clock_offset_seconds"])

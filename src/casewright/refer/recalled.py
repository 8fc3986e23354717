"""What was recalled, as the next packages heed it: what is withdrawn is not there for them, and they say so to those
who had it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import Context, Output, Work
from casewright.model.tables import TABLES
from casewright.refer.recall import WITHDRAWAL, value_digest
from casewright.refer.sheet import Sheet

RECALLS = "recalls"
UNTOUCHED = ("recalls", "exhibits", "tallies")
STANDING = """
SELECT id FROM (SELECT unnest(items) AS id, form, number FROM recalls)
GROUP BY id HAVING max_by(form, number) = $form ORDER BY id
"""
"""The ids whose last recall is of this form: a correction after a withdrawal brings an item back."""
ELSE = {"links": ("from_id", "to_id"), "referrals": ("account", "person")}
"""Rows that say something of a withdrawn id although it is not their own."""


def without(context: Context, ids: list[str]) -> Context:
    """The same tables, without the rows that were withdrawn, and what ties anything to them."""
    if not ids:
        return context
    kept = {name: _kept(context, name, ids) for name in context.tables if name in TABLES and name not in UNTOUCHED}
    return replace(context, tables={**context.tables, **kept})


def withdrawn(context: Context) -> list[str]:
    found: list[str] = context.sql(STANDING, {"form": WITHDRAWAL}).column("id").to_pylist()
    return found


def _kept(context: Context, name: str, ids: list[str]) -> pa.Table:
    rows, key = context.table(name), TABLES[name].key
    for column in (key, *ELSE.get(name, ())):
        rows = _without(rows, column, ids)
    if key not in rows.column_names and any("/" in one for one in ids):  # an id that is put together, as work/item-...
        sql = f"SELECT * FROM {name} t WHERE NOT list_contains($ids, {key})"  # noqa: S608  ours
        rows = context.sql(sql, {"ids": ids}).cast(rows.schema)
    return rows


def _without(rows: pa.Table, column: str, ids: Collection[str]) -> pa.Table:
    if column not in rows.column_names:
        return rows
    return rows.filter(pc.invert(pc.is_in(rows.column(column), pa.array(sorted(ids), pa.string()))))


@dataclass(frozen=True)
class Heeding:
    """Work of a stage, as if what was withdrawn were not there. Withdrawn accounts count as nothing to find."""

    work: Work

    def __call__(self, batch: pa.Table, context: Context) -> Any:
        gone = withdrawn(context)
        values = withdrawn_values(context)
        if not gone and not values:
            return self.work(batch, context)
        less = without(context, gone)
        missing = context.table("accounts").num_rows - less.table("accounts").num_rows
        made = self.work(batch, less)
        if isinstance(made, Output):
            return _heeded(made, gone, values, missing)
        return (_heeded(output, gone, values, missing) for output in made)


def _heeded(output: Output, gone: Collection[str], values: Collection[str], missing: int) -> Output:
    tables = dict(output.tables)
    if "referrals" in tables:
        tables["referrals"] = _without(tables["referrals"], "referral", gone)
    if "figures" in tables and values:
        told = tables["figures"].select(["section", "subject", "label", "value"]).to_pylist()
        still = [value_digest(row) not in values for row in told]
        tables["figures"] = tables["figures"].filter(pa.array(still, pa.bool_()))
    tallies = [replace(t, received=t.received + missing, nothing=t.nothing + missing) if t.noun == "accounts" else t
               for t in output.tallies]  # fmt: skip
    return Output(tables, output.set_aside, tallies)


def withdrawn_values(context: Context) -> set[str]:
    """Digests of the single values that are withdrawn."""
    recalls = context.table("recalls").to_pylist()
    return {digest for row in recalls if row["form"] == WITHDRAWAL for digest in row["values"] or []}


def recalls_of(sheet: Sheet, recalls: Iterable[dict[str, object]]) -> None:
    """What was recalled from this country, for whoever reads the next package without having seen the notice."""
    for row in recalls:
        if row["country"] == sheet.country:
            words = "withdrawn" if row["form"] == WITHDRAWAL else "corrected"
            cells = {"notice": row["recall"], "what": words, "items": _joined(row["items"]), "why": row["why"],
                     "it should say": row["says"], "said in packages": _joined(row["packages"])}  # fmt: skip
            sheet.add_row(RECALLS, str(row["recall"]), cells, [f"{row['recall']}/{row['country']}"])


def _joined(several: object) -> str:
    return ", ".join(several) if isinstance(several, list) else ""

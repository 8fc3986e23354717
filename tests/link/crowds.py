"""Persons of an invented crowd as the stages see them."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from casewright.demo.crowd.crowd import Crowd, Entry
from casewright.engine.stage import Context
from casewright.link.forms import person_forms
from casewright.link.return_mapping import day_of
from casewright.link.suggest import suggestions
from casewright.model.settings import LinkSettings
from tests.world import context, rows_of

DEFAULT = LinkSettings().suggest_at


def row_of(entry: Entry) -> dict[str, Any]:
    fields = {name: value or None for name, value in asdict(entry.written).items()}
    origin = "prior" if entry.source == "prior" else "return"
    return {"person": entry.number, "origin": origin, "reference": entry.source, "born_on": day_of(fields["born"]),
            **fields, "sources": []}  # fmt: skip


def persons(told: Crowd) -> list[dict[str, Any]]:
    return [row_of(entry) for entry in (*told.customers, *told.priors)]


def suggested(rows: Iterable[Mapping[str, Any]], at: float = DEFAULT) -> dict[str, pa.Table]:
    """The tables of suggestions over these rows of `persons`."""
    world = context({"persons": [dict(row) for row in rows]}, params={"suggest_at": at})
    forms = person_forms(world.table("persons"), world).tables
    known = Context(world.params, {**world.tables, **forms}, world.blobs)
    return dict(suggestions(pa.table({}), known).tables)


def pairs(rows: Iterable[Mapping[str, Any]], at: float = DEFAULT) -> list[dict[str, Any]]:
    return rows_of(suggested(rows, at)["suggestions"])

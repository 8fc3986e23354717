"""Which rows rest on others, upwards: from an exhibit or a row to all that was made of it. `why` goes the other way."""

import pyarrow as pa

from casewright.engine.stage import Context
from casewright.model.errors import Refused
from casewright.model.tables import TABLES

OF_THE_CASE = frozenset(("exhibits", "exhibit_files", "tallies", "heuristics_measured", "figures"))
"""Tables whose rows are about the whole case: no exhibit's code passes over to them."""


def in_exhibit(name: str, context: Context) -> set[str]:
    """The exhibit itself, its items, and rows that were read from it. Raises Refused when there is no such exhibit."""
    exhibits = context.sql("SELECT exhibit FROM exhibits WHERE name = $name OR exhibit = $name", {"name": name})
    if not exhibits.num_rows:
        raise Refused(f"case.toml [refer.codes]: there is no exhibit {name!r}.")
    ids: set[str] = set(exhibits.column("exhibit").to_pylist())
    for table in _tables(context):
        if "exhibit" in TABLES[table].schema.names:
            ids |= _ids(context, table, "t.exhibit IN (SELECT id FROM known)", ids)
    for table in _tables(context):
        if "item" in TABLES[table].schema.names:
            ids |= _ids(context, table, "t.item IN (SELECT id FROM known)", ids)
    return ids


def resting(ids: set[str], context: Context) -> set[str]:
    """These rows and all that rest on them, over as many tables as it takes."""
    known = set(ids)
    while True:
        more: set[str] = set()
        for table in _tables(context):
            more |= _ids(context, table, "rests", known)
        if more <= known:
            return known
        known |= more


def _ids(context: Context, table: str, where: str, known: set[str]) -> set[str]:
    about = TABLES[table]
    given = pa.table({"id": pa.array(sorted(known), pa.string())})
    if where == "rests":
        sql = (f"SELECT DISTINCT id FROM (SELECT {about.key} AS id, unnest({about.sources}) AS source FROM {table} t) "  # noqa: S608
               "WHERE source IN (SELECT id FROM known)")  # fmt: skip
    else:
        sql = f"SELECT {about.key} AS id FROM {table} t WHERE {where}"  # noqa: S608  ours
    return set(context.sql(sql, known=given).column("id").to_pylist())


def _tables(context: Context) -> list[str]:
    return [name for name in context.tables if name in TABLES and name not in OF_THE_CASE]

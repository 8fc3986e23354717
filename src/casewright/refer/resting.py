"""Which rows rest on others, upwards: from an exhibit or a row to all that was made of it. `why` goes the other way."""

import pyarrow as pa

from casewright.engine.stage import Context
from casewright.model.errors import Refused
from casewright.model.tables import TABLES

OF_THE_CASE = frozenset(("exhibits", "exhibit_files", "tallies", "heuristics_measured", "figures"))
"""Tables whose rows are about the whole case: nothing of an exhibit passes over to them."""
PLACES = ("exhibit", "item")
"""Columns that say where a row was read."""
ABOUT = ("account", "person")
"""Columns that say whom a row tells of: it may quote their name, whatever it rests on."""
TOLD = {"links": ("from_id", "to_id"), "judgements": ("link",), "flags": ("subject",)}
NAMING = """
SELECT person AS id FROM persons UNION SELECT id FROM ladder WHERE person IS NOT NULL
UNION SELECT link FROM links WHERE kind IN ('account-person', 'person-prior')
UNION SELECT judgement FROM judgements JOIN links USING (link) WHERE kind IN ('account-person', 'person-prior')
UNION SELECT flag FROM flags WHERE subject IN (SELECT person FROM persons)
"""
"""Rows whose words may name a person, in whatever section they are printed."""


def exhibit_named(name: str, context: Context) -> str:
    """The exhibit's id, by its name or by itself. Raises Refused when there is none or several of that name."""
    found = context.sql("SELECT exhibit FROM exhibits WHERE name = $name OR exhibit = $name", {"name": name})
    if found.num_rows != 1:
        there = "no exhibit" if not found.num_rows else "more than one exhibit"
        raise Refused(f"case.toml [refer.codes]: there is {there} {name!r}. Its SHA-256 names it too.")
    return str(found.column("exhibit")[0].as_py())


def resting(one: str, context: Context) -> set[str]:
    """This row or exhibit, and all rows that rest on it, over as many tables as it takes."""
    edges = " UNION ALL ".join(f"({sql})" for sql in _edges(context))
    sql = f"""
    WITH RECURSIVE edges(id, source) AS MATERIALIZED ({edges}),
    reached(id) AS (SELECT id FROM begun UNION SELECT e.id FROM edges e JOIN reached r ON e.source = r.id)
    SELECT id FROM reached
    """  # noqa: S608  ours
    return set(context.sql(sql, begun=pa.table({"id": [one]})).column("id").to_pylist())


def naming(context: Context) -> set[str]:
    """Ids of all rows that may name a person."""
    return set(context.sql(NAMING).column("id").to_pylist())


def _edges(context: Context) -> list[str]:
    """For each table: its rows' ids, and what each rests on, stands in, or tells of."""
    found = ["SELECT NULL::VARCHAR, NULL::VARCHAR"]
    for name in context.tables:
        if name in TABLES and name not in OF_THE_CASE:
            table = TABLES[name]
            found.append(f"SELECT {table.key}, unnest({table.sources}) FROM {name} t")  # noqa: S608  ours
            places = [*PLACES, *ABOUT, *TOLD.get(name, ())]
            found += [f"SELECT {table.key}, t.{place} FROM {name} t WHERE t.{place} IS DISTINCT FROM {table.key}"  # noqa: S608
                      for place in places if place in table.schema.names]  # fmt: skip
    return found

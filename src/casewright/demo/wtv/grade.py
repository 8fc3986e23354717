"""Holding a large result against its truth. What is counted in millions is compared by a query over both tables, so
that no set of it is held."""

from pathlib import Path
from typing import Any

import duckdb

from casewright.demo.grade import Grade, Rows, activity, media, money

ACCOUNTS = """
SELECT count(*) FILTER (f.native IS NOT NULL AND e.native IS NOT NULL), count(*) FILTER (e.native IS NULL),
       count(*) FILTER (f.native IS NULL)
FROM (SELECT native, username FROM read_parquet($truth)) e
FULL JOIN (SELECT native, username FROM read_parquet($accounts)) f USING (native, username)
"""
DEPOSITS = """
SELECT count(*) FILTER (f.native IS NOT NULL AND e.native IS NOT NULL), count(*) FILTER (e.native IS NULL),
       count(*) FILTER (f.native IS NULL)
FROM (SELECT native, address FROM read_parquet($truth)) e
FULL JOIN (SELECT a.native, d.address FROM read_parquet($deposits) d JOIN read_parquet($accounts) a USING (account)) f
USING (native, address)
"""
CLUSTERS = """
WITH owned AS (
    SELECT c.cluster, count(*) AS known, count(DISTINCT o.owner) AS owners
    FROM read_parquet($clusters) c JOIN read_parquet($owners) o USING (address) GROUP BY c.cluster
),
whole AS (SELECT cluster, count(*) AS addresses FROM read_parquet($clusters) GROUP BY cluster)
SELECT coalesce(sum(known) FILTER (owners = 1 AND known = addresses), 0)::BIGINT,
       coalesce(sum(known) FILTER (owners > 1 OR known < addresses), 0)::BIGINT, 0
FROM owned JOIN whole USING (cluster)
"""
"""Right: addresses of a known owner in a cluster of theirs alone; wrong: beside those of others."""


def grade_large(truth: dict[str, Any], rows: Rows, tables: Path, folder: Path) -> list[Grade]:
    """A grade for each stage; `tables` is the case's, `folder` where the truth lies."""
    clusters = Grade("addresses in clusters", *_counts(CLUSTERS, tables, folder))
    return [*records(truth, rows, tables, folder), clusters, *media(truth["media"], rows), *money(truth, rows)]


def records(truth: dict[str, Any], rows: Rows, tables: Path, folder: Path) -> list[Grade]:
    """What the database and the logs say."""
    asked = {"accounts": ACCOUNTS, "deposit addresses": DEPOSITS}
    counted = [Grade(name, *_counts(sql, tables, folder)) for name, sql in asked.items()]
    return [*counted, *activity(truth, rows)]


def _counts(sql: str, tables: Path, folder: Path) -> tuple[int, int, int]:
    places = {"truth": folder / "accounts.parquet", "owners": folder / "owners.parquet"}
    names = {"accounts": "accounts", "deposits": "deposit_addresses", "clusters": "clusters"}
    places |= {name: tables / table / "*.parquet" for name, table in names.items()}
    bind = {name: str(path) for name, path in places.items() if f"${name}" in sql}
    with duckdb.connect(":memory:") as connection:
        (found,) = connection.execute(sql, bind).fetchall()
    return found  # type: ignore[no-any-return]

"""Whose a line of a log is: its user field holds a name, and accounts are looked up for all lines of a file at once."""

import pyarrow as pa
import pyarrow.compute as pc

from casewright.engine.stage import Context
from casewright.extract.records import Records
from casewright.model.tables import TABLES

MARK = "name:"


def named(name: str | None) -> str | None:
    """Stands for the account of a name until `resolve_names`."""
    return MARK + name if name else None


def resolve_names(records: Records, tables: tuple[str, ...], column: str, context: Context) -> None:
    """Put the accounts in the place of names. `column` of accounts (username, native or email) holds them; a name that
    several accounts have stands for none."""
    for table in tables:
        rows = records.table(table)
        place = rows.column_names.index("account")
        written = rows.column(place).combine_chunks().dictionary_encode()
        account_of = _accounts([n for n in written.dictionary.to_pylist() if n.startswith(MARK)], column, context)
        found = [account_of.get(n) if n.startswith(MARK) else n for n in written.dictionary.to_pylist()]
        accounts = pc.take(pa.array(found, pa.string()), written.indices)
        records.replace(table, rows.set_column(place, "account", accounts).cast(TABLES[table].schema))


def _accounts(names: list[str], column: str, context: Context) -> dict[str, str]:
    """Account by marked name."""
    if not names:
        return {}
    wanted = pa.table({"name": pa.array([name.removeprefix(MARK) for name in names], pa.string())})
    found = context.sql(
        f"SELECT {column} AS name, min(account) AS account FROM accounts "  # noqa: S608  one of three
        f"WHERE {column} IN (SELECT name FROM wanted) GROUP BY 1 HAVING count(*) = 1",
        wanted=wanted,
    )
    return {MARK + row["name"]: row["account"] for row in found.to_pylist()}

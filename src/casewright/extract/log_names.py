"""Whose a line of a log is: its user field holds a name, and accounts are looked up for all lines of a file at once."""

import pyarrow as pa

from casewright.engine.stage import Context
from casewright.extract.log_rules import USER_FIELDS
from casewright.model.tables import TABLES


def name_accounts(events: pa.Table, context: Context) -> pa.Table:
    """Rows of `log_events` with the accounts of their names, and counted among the rows of their file that are alike.

    A name that several accounts have stands for none; a user of the server itself is no account.
    """
    of_names = " UNION ALL ".join(_accounts_by(column) for column in USER_FIELDS)
    found = context.sql(
        f"WITH known AS ({of_names}) "  # noqa: S608  our columns
        "SELECT e.* REPLACE (k.account AS account, CASE WHEN e.alike IS NOT NULL THEN "
        "row_number() OVER (PARTITION BY e.alike ORDER BY e.row) END AS nth) "
        "FROM events e LEFT JOIN known k ON k.name_is = e.name_is AND k.name = e.name ORDER BY e.row, e.event",
        events=events,
    )
    return found.cast(TABLES["log_events"].schema)


def _accounts_by(column: str) -> str:
    return (
        f"SELECT '{column}' AS name_is, {column} AS name, min(account) AS account FROM accounts "  # noqa: S608  ours
        f"WHERE {column} IN (SELECT name FROM events WHERE name_is = '{column}') GROUP BY {column} HAVING count(*) = 1"
    )

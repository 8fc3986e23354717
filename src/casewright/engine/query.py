"""Read-only SQL over a case's tables."""

from collections.abc import Iterator, Mapping
from copy import copy
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import duckdb
import pyarrow as pa

from casewright.engine.tables import TableFolder
from casewright.model.errors import UsageError
from casewright.model.tables import TABLES, Table


def plain(value: Any) -> Any:
    """A value of a row as JSON has it: times end in Z (UTC), bytes are hex."""
    if isinstance(value, datetime):
        return value.isoformat() + "Z"
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"no JSON for {type(value).__name__}")


FEW = 2_000
"""An index is asked for so many values at once; for more the database reads the whole table."""


def among(column: str, name: str, count: int) -> str:
    """The condition that a column is one of so many values, which are bound as the list `$name`: few are compared one
    by one, so that an order or an index of the table serves them; many are joined."""
    return f"list_contains(${name}, {column})" if count <= FEW else f"{column} IN (SELECT unnest(${name}))"


class Reader:
    """A connection that sees every table of the contract, those not made yet as empty, and nothing else on the disk.

    Values go in by binding; external access and further configuration are switched off before any query runs.
    """

    def __init__(self, tables: Path) -> None:
        folder = TableFolder(tables)
        config = {
            "threads": 2,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(tables / ".spill"),
        }  # fmt: skip  never where one happens to stand
        self._connection = duckdb.connect(":memory:", config=config)
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._open_first()
        for table in TABLES.values():
            self._view(table, folder)
        self._open_more()
        allowed = str(tables.resolve()).replace("'", "''")
        self._connection.execute(f"SET allowed_directories = ['{allowed}/']")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def _view(self, table: Table, folder: TableFolder) -> None:
        files = [str((folder.root / table.name / p.file).resolve()) for p in folder.parts(table.name) if p.rows]
        if files:
            listed = ", ".join("'" + f.replace("'", "''") + "'" for f in files)
            self._connection.execute(f"CREATE VIEW {table.name} AS SELECT * FROM read_parquet([{listed}])")  # noqa: S608
        else:
            self._connection.register("empty", table.empty())
            self._connection.execute(f"CREATE TABLE {table.name} AS SELECT * FROM empty")  # noqa: S608  ours
            self._connection.unregister("empty")

    def _open_first(self) -> None:
        """What another room's reader opens before the tables, while it still can."""

    def _open_more(self) -> None:
        """What it makes of them."""

    def another(self) -> Self:
        """A reader of the same tables for another thread; both share what is held in memory."""
        twin = copy(self)
        twin._connection = self._connection.cursor()
        return twin

    def strange(self) -> list[str]:
        """Names of tables on the disk that lack a column of the contract: another version made them."""
        found = {table.name: set(self._connection.table(table.name).columns) for table in TABLES.values()}
        return [table.name for table in TABLES.values() if set(table.schema.names) - found[table.name]]

    def table(self, sql: str, bind: Mapping[str, Any] | None = None) -> pa.Table:
        """Result of one SELECT. Raises UsageError with the database's own words when the SQL is wrong."""
        try:
            statements = self._connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise UsageError("query takes one SELECT statement; a case is never changed by SQL.")
            return self._connection.sql(sql, params=bind or {}).to_arrow_table()
        except duckdb.Error as error:
            raise UsageError(f"the query cannot be run: {error}") from error

    def rows(self, sql: str, bind: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.table(sql, bind).to_pylist()
        return result

    def batches(self, sql: str, bind: Mapping[str, Any], size: int) -> Iterator[dict[str, Any]]:
        """Rows of one of our own SELECTs, `size` of them held at once. Ask nothing else before the last one came."""
        for batch in self._connection.sql(sql, params=bind).to_arrow_reader(size):
            yield from batch.to_pylist()

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

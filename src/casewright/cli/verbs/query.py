"""`casewright query`: read-only SQL over the case."""

import sys
from typing import Annotated

import typer

from casewright.cli.console import Voice
from casewright.cli.verbs.options import AsJson, CasePath
from casewright.engine.query import Reader
from casewright.vault.case import Case


def query(
    case: CasePath,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="One SELECT; '-' reads it from stdin.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Ask the tables a question in SQL.

    Nothing is ever changed by it."""
    voice = Voice(as_json)
    with Reader(Case(case).tables) as reader:
        result = reader.table(sys.stdin.read() if sql == "-" else sql)
    rows = result.to_pylist()
    voice.answer({"columns": result.schema.names, "rows": rows})
    voice.table(result.schema.names, [list(row.values()) for row in rows])
    if not as_json:
        voice.err.print(f"{len(rows)} rows")

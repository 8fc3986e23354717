"""Write docs/tables.md from the contract in casewright.model.tables; `just docs` runs it, and a test compares."""

from pathlib import Path

from casewright.model.tables import TABLES, Table

HEAD = """# Tables

Every table of a case, as `casewright query CASE "SELECT ..."` shows it. The columns are a contract: they may be added
to, not renamed. This page is written from `src/casewright/model/tables.py` by `just docs`.

Times are UTC. Satoshis are integers. Hashes are lower-case hex. `path` is raw bytes: names need not be text.
An *observation* says where it stands in the evidence (`item` or `exhibit`, then `span_start` and `span_length` in
bytes, or `row`); a *derived* row lists in `sources` the ids of the rows it rests on. `casewright why CASE ID` takes the
expression given as *id*.
"""


def section(table: Table) -> str:
    head = [f"## {table.name}", "", table.meaning, "", f"Id: `{table.key}`", "", "| column | type | meaning |"]
    lines = [*head, "|---|---|---|"]
    lines += [f"| `{c.name}` | {c.type} | {c.meaning} |" for c in table.columns]
    return "\n".join(lines) + "\n"


def text() -> str:
    return HEAD + "\n" + "\n".join(section(t) for t in TABLES.values())


if __name__ == "__main__":
    (Path(__file__).parents[1] / "docs" / "tables.md").write_text(text(), "utf-8")

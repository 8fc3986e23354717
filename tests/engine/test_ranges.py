"""A table is asked for an id only when its files can hold it."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from casewright.engine.query import FEW, Reader, among
from casewright.engine.ranges import Ranges
from casewright.engine.tables import TableFolder
from casewright.model.tables import TABLES

IDS = ("acct-b", "acct-m", "acct-y")


def row(name: str) -> dict[str, Any]:
    return {column.name: None for column in TABLES["accounts"].schema} | {"account": name}


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Accounts in two files."""
    folder, parts = TableFolder(tmp_path / "tables"), []
    for number, names in enumerate((IDS[:1], IDS[1:])):
        file = tmp_path / f"{number}.parquet"
        pq.write_table(TABLES["accounts"].rows([row(name) for name in names]), file)
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        parts.append(
            ({"file": f"part-{number:06}.parquet", "sha256": digest, "rows": len(names), "stage": "accounts"}, file)
        )
    run = {"table": "accounts", "format": 1, "stage": "accounts", "version": 1, "parts": [part for part, _ in parts]}
    folder.replace("accounts", run, [(str(part["file"]), file) for part, file in parts])
    return folder.root


def test_values_outside_of_every_file_are_left_out_and_unknown_ranges_leave_all(tables: Path) -> None:
    ranges, accounts = Ranges(TableFolder(tables)), TABLES["accounts"]
    wanted = ["acct-a", "acct-b", "acct-c", "acct-n", "acct-z", "pay-1"]
    assert ranges.within(accounts, "account", wanted) == ["acct-b", "acct-n"]
    assert ranges.within(accounts, "t.account", wanted) == ["acct-b", "acct-n"]
    assert ranges.within(accounts, "username", wanted) == wanted  # nothing but missing values: no range is written
    assert ranges.within(accounts, "'x/' || account", wanted) == wanted
    assert ranges.within(TABLES["payments"], "payment", wanted) == []  # there is no such table yet


@pytest.mark.parametrize("count", [2, FEW + 1])
def test_few_and_many_ids_find_the_same_rows(tables: Path, count: int) -> None:
    ids = [IDS[0], IDS[2], *(f"acct-none-{n}" for n in range(count - 2))]
    sql = f"SELECT account FROM accounts WHERE {among('account', 'ids', count)} ORDER BY account"
    assert [found["account"] for found in Reader(tables).rows(sql, {"ids": ids})] == [IDS[0], IDS[2]]

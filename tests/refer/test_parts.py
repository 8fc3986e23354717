"""A country too large for one package gets numbered ones: each whole, none lost, by one process or by several."""

import csv
import gzip
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pytest

from casewright.demo.referred import referred
from casewright.engine.query import Reader
from casewright.engine.stage import Context
from casewright.model.settings import Settings
from casewright.refer import package, placing
from casewright.refer.check import contents_problems
from casewright.refer.package import Order, write_packages
from casewright.refer.stages import STAGES
from tests.refer.test_package import text_of
from tests.refer.world import KEY, outputs_of, write_tables
from tests.world import MemoryBlobs

SETTINGS = Settings()


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Tables of 60 generated accounts in two countries, of which the larger needs three packages."""
    folder = tmp_path_factory.mktemp("cut")
    made = referred(60, ["US", "NL"])
    empty = pa.table({"event": pa.array([], pa.string())})
    ledger = {name: empty for stage in STAGES for name in stage.reads if name.startswith("ledger/")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(placing, "MOST_BYTES", 600_000)
        for stage in STAGES:
            taken = Context(stage.params(SETTINGS), {**made, **ledger}, MemoryBlobs())
            over = taken.sql(f"SELECT * FROM {stage.over} ORDER BY {stage.order}") if stage.over else pa.table({})
            made = {**made, **outputs_of(stage.work(over, taken))}
    write_tables(made, folder / "tables")
    names = sorted(set(made["figures"].column("package").to_pylist()))
    return folder, names


def written(folder: Path, names: list[str], target: Path, workers: int) -> dict[str, str]:
    target.mkdir()
    orders = [Order(name) for name in names]
    found = write_packages(orders, folder / "tables", [], SETTINGS, target, KEY, workers)
    return {order.name: digest for order, _, digest in found}


def test_every_account_stands_in_one_package_and_the_most_urgent_in_the_first(cut: tuple[Path, list[str]]) -> None:
    folder, names = cut
    american = [name for name in names if name.startswith("US")]
    assert american == [f"US-0{n}" for n in range(1, len(american) + 1)]
    assert len(american) > 2
    with Reader(folder / "tables") as reader:
        accounts = reader.rows(
            "SELECT package, count(*) AS n, min(value::INT) AS first, max(value::INT) AS last FROM figures "
            "WHERE section = 'accounts' AND label = 'priority' GROUP BY package ORDER BY package"
        )
        referred_to = reader.rows("SELECT count(*) AS n FROM referrals")[0]["n"]
        parts = [row["value"] for row in reader.rows("SELECT value FROM figures WHERE label = 'Part' ORDER BY package")]
        twice = reader.rows("SELECT figure FROM figures GROUP BY figure HAVING count(*) > 1")
    assert sum(row["n"] for row in accounts) == referred_to
    ranked = [row for row in accounts if row["package"] in american]
    assert all(one["last"] <= two["first"] for one, two in pairwise(ranked))
    assert any(words.startswith(f"1 of {len(american)}: subjects 1 to ") for words in parts)
    assert twice == []


def test_processes_and_one_process_write_the_same_bytes(cut: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, names = cut
    assert written(folder, names, tmp_path / "one", 1) == written(folder, names, tmp_path / "two", 2)
    for name in names:
        assert list(contents_problems(tmp_path / "one" / name / "data")) == []
    page = text_of(tmp_path / "one" / "US-02" / "data" / "referral.pdf").replace("\r\n", " ")
    assert "in order of priority" in page


def test_sheets_of_a_package_that_is_too_large_are_compressed(
    cut: tuple[Path, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One account's rows stay together, whatever they come to."""
    monkeypatch.setattr(package, "MOST_BYTES", 600_000)
    monkeypatch.setattr(package, "_LARGE", 10_000)
    folder, _ = cut
    written(folder, ["US-01"], tmp_path / "out", 1)
    data = tmp_path / "out" / "US-01" / "data"
    with gzip.open(data / "figures.csv.gz", "rt", encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) > 100
    assert not (data / "figures.csv").exists()
    assert list(contents_problems(data)) == []

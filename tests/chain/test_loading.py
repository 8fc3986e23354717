"""The chain on the disk: every stage that maps it says what it says of one that is held, and keeps nothing old."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from casewright.chain import clusters, links, segments
from casewright.chain.stages import STAGES
from casewright.engine.parts import HeldPart, rows_at
from casewright.engine.runner import Runner
from casewright.engine.stage import Context, Output, Stage
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.engine.verify import verify_case
from casewright.evidence.sealed import STAGES as SEALED
from casewright.model.settings import CaseSettings, ChainSettings
from casewright.model.tables import TABLES
from casewright.vault.case import Case
from tests.chain.test_guard import KESTREL, TALLOW
from tests.chain.test_segments import seal
from tests.chain.world import COIN, Chain, address, follow
from tests.engine.test_runner import tree

LEFT_OUT = ("tags", "sought", "search", "follow")
MADE = ("payments", "change", "clusters", "cluster_reasons", "joined_services", "hops", "services")
DEPOSITS = {"acc-1": "dep", "acc-2": "dep two"}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts, stretches and pieces of a few rows each."""
    monkeypatch.setattr(segments, "SEGMENT", 4)
    monkeypatch.setattr(links, "PORTION", 3)
    monkeypatch.setattr(clusters, "PIECE", 2)


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case.create(tmp_path / "case", CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"))


def market() -> Chain:
    """Two exchanges, which one transaction joins wrongly, pay two accounts; the market gathers and cashes out."""
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN), ("hot two", COIN)), ("x", 2 * COIN))
    chain.pay(chain.mint(("tallow", COIN), ("tallow two", COIN), ("key", 7)), ("y", 2 * COIN))
    chain.pay(chain.mint(("hot two", 2 * COIN), ("tallow two", COIN)), ("z", 2 * COIN), ("hot three", COIN))
    one = chain.pay(chain.mint(("hot two", COIN)), ("dep", COIN - 400), ("hot", 300))
    two = chain.pay(chain.mint(("tallow", COIN)), ("dep two", COIN // 2), ("tallow", COIN // 3))
    gathered = chain.pay([one[0], two[0]], ("till", COIN), ("key", 5), ("data", 0))
    chain.pay([gathered[0], (b"\x07" * 32, 3)], ("tallow two", COIN // 2), ("till two", COIN // 2 - 10))
    return chain


def given(batch: pa.Table, context: Context) -> Output:
    accounts = [{"id": f"dep-{a}", "account": a, "address": address(n)} for a, n in DEPOSITS.items()]
    rows = {"deposit_addresses": accounts, "tags": [KESTREL, TALLOW], "wallet_addresses": []}
    return Output({name: TABLES[name].rows(some) for name, some in rows.items()})


GIVEN = Stage("given", 1, (), ("deposit_addresses", "tags", "wallet_addresses"), given)
PIPELINE = (*SEALED, GIVEN, *(stage for stage in STAGES if stage.name not in LEFT_OUT))


def run(case: Case, **chain: object) -> list[str]:
    """All stages of the room; the names of those that did something."""
    settings = replace(case.settings, chain=ChainSettings(network="regtest", **chain))  # type: ignore[arg-type]
    with case.writing():
        ready = Runner(TableFolder(case.tables), case.store, case.ledger, settings, PIPELINE, Inline())
        return [ran.stage for ran in ready.run([stage.name for stage in PIPELINE]) if not ran.skipped]


@pytest.mark.parametrize("layers", [("co-spend",), ("co-spend", "change", "tags")])
def test_stages_that_map_the_chain_say_what_they_say_of_one_that_is_held(
    case: Case, tmp_path: Path, layers: tuple[str, ...]
) -> None:
    chain = market()
    seal(case, tmp_path, chain.blocks)
    run(case, layers=layers)
    held = follow(chain, DEPOSITS, [KESTREL, TALLOW], layers=list(layers))
    for name in MADE:
        assert TableFolder(case.tables).load(name).to_pylist() == held[name], name
    assert all(held[name] for name in MADE)
    assert len(TableFolder(case.tables).parts("cluster_reasons")) > 1
    assert all(check.state == "holds" for check in verify_case(case))


def test_the_arrays_are_made_once_and_those_of_a_chain_that_grew_replace_them(case: Case, tmp_path: Path) -> None:
    chain = market()
    seal(case, tmp_path, chain.blocks)
    run(case)
    kept, before = case.tables / ".units" / "chain", tree(case.tables)
    names = {path.name for path in kept.iterdir()}
    assert len(names) == 3  # the chain, its clusters, their merges
    assert run(case, max_hops=3) == ["trace"]
    assert {path.name for path in kept.iterdir()} == names
    run(case)
    assert tree(case.tables) == before
    chain.mint(("late", COIN))
    seal(case, tmp_path, chain.blocks)
    run(case)
    now = {path.name for path in kept.iterdir()}
    assert len(now) == 3
    assert len(now & names) == 1  # nobody spent anything more: the merges are the same


def test_a_changed_byte_of_a_kept_array_is_noticed_and_the_array_made_again(case: Case, tmp_path: Path) -> None:
    seal(case, tmp_path, market().blocks)
    run(case)
    before = tree(case.tables)
    path = next((case.tables / ".units" / "chain").glob("*/sats.npy"))
    raw = bytearray(path.read_bytes())
    raw[-3] ^= 1
    path.write_bytes(raw)
    assert [check.what for check in verify_case(case) if check.state != "holds"] == [
        f"tables/{path.relative_to(case.tables)}"
    ]
    run(case, max_hops=3)
    run(case)
    assert tree(case.tables) == before


def test_rows_are_taken_by_their_places_in_whatever_order() -> None:
    parts = [HeldPart(pa.table({"n": [10 * part + row for row in range(3)]})) for part in range(4)]
    assert rows_at(parts, np.array([7, 0, 11, 7, 3]), ["n"])["n"].to_pylist() == [21, 0, 32, 21, 10]
    assert rows_at(parts, np.array([], np.int64), ["n"]).num_rows == 0

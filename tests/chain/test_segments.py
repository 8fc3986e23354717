"""A chain in segments on the disk: what grows is joined behind what was there, and a kill costs one segment."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from casewright.chain import joins, segments
from casewright.chain.heights import GENESIS
from casewright.chain.stages import CHAIN, STAGES
from casewright.engine.runner import Runner
from casewright.engine.stage import Progress
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.engine.verify import verify_case
from casewright.evidence.sealed import STAGES as SEALED
from casewright.kernels.blocks import sha256d
from casewright.model.errors import Refused
from casewright.model.settings import CaseSettings, ChainSettings
from casewright.vault.case import Case, SourceFile
from tests.chain.world import COIN, Chain, frame, mine, read, transaction
from tests.engine.test_runner import tree

A_SEGMENT = 4
BLOCKS = 16
BEFORE = [stage.name for stage in STAGES].index("blocks")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "SEGMENT", A_SEGMENT)


@pytest.fixture
def place(tmp_path: Path) -> Case:
    return Case.create(tmp_path / "case", CaseSettings("Glasshouse", "Museum Crimes Unit", "R. Example"))


def grown() -> list[bytes]:
    """Blocks of two transactions, each of which spends a coin of the block before and one of the first block."""
    chain = Chain()
    first = chain.mint(*((f"coin {n}", COIN) for n in range(BLOCKS)))
    last = first[:1]
    for number in range(1, BLOCKS):
        last = chain.pay([last[0], first[number]], (f"shop {number % 5}", COIN), ("key", 7), ("data", 0))
    return chain.blocks


class Stop(Exception):  # noqa: N818  what stands for a kill here
    pass


def seal(case: Case, tmp_path: Path, blocks: list[bytes], per_file: int = 3) -> None:
    """An exhibit of files with some blocks each."""
    files = tmp_path / "files"
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir()
    for start in range(0, len(blocks), per_file):
        (files / f"blk{start:05d}.dat").write_bytes(b"".join(map(frame, blocks[start : start + per_file])))
    with case.writing():
        case.seal_source([SourceFile(p, p.name.encode()) for p in sorted(files.iterdir())], "chain", "chain")


def run(case: Case, stop_at: int = -1) -> list[str]:
    """The chain's tables; returns what was told on the way."""
    told = list[str]()

    def watch(progress: Progress) -> None:
        if progress.stage == "blocks":
            told.append(progress.note)
            if len(told) == stop_at:
                raise Stop

    settings = replace(case.settings, chain=ChainSettings(network="regtest"))
    with case.writing():
        tables, pipeline = TableFolder(case.tables), (*SEALED, *STAGES[: BEFORE + 1])
        Runner(tables, case.store, case.ledger, settings, pipeline, Inline(), watch).run(["blocks"])
    return told


def made_of(case: Case) -> dict[str, int]:
    """The kept folders of the stage, each with the node of its seal: another one when it was made anew."""
    return {p.parent.name: p.stat().st_ino for p in (case.tables / ".units" / "blocks").glob("*/unit-*.json")}


def must_be(case: Case, blocks: list[bytes]) -> None:
    """The tables are those of all blocks in one file and one segment, but for where the blocks stand."""
    expected = read({"blk00000.dat": b"".join(map(frame, blocks))}).tables
    for name in CHAIN:
        place = [c for c in ("exhibit", "path", "span_start") if c in expected[name].column_names]
        assert TableFolder(case.tables).load(name).drop(place).equals(expected[name].drop(place)), name
    assert all(check.state == "holds" for check in verify_case(case))


def test_a_chain_that_grew_is_joined_behind_what_was_there(place: Case, tmp_path: Path) -> None:
    blocks = grown()
    seal(place, tmp_path, blocks[:12])
    run(place)
    before = made_of(place)
    seal(place, tmp_path, blocks)
    run(place)
    must_be(place, blocks)
    now = made_of(place)
    same = [name for name in before if now.get(name) == before[name]]
    whole = 12 * 2 // A_SEGMENT - 1  # the last one may have grown
    assert len(same) >= 3 * whole  # ids, holders and inputs; outputs only where nothing more was spent


def test_a_reorganisation_is_joined_anew_from_the_fork(place: Case, tmp_path: Path) -> None:
    blocks = grown()
    seal(place, tmp_path, blocks[:12])
    run(place)
    before = made_of(place)
    fork = Chain(blocks[:9], sha256d(blocks[8][:80]), 1_600_000_000)
    for number in range(6):
        fork.mint((f"rival {number}", COIN))
    seal(place, tmp_path, [*blocks[:12], *fork.blocks[9:]])
    run(place)
    must_be(place, [*blocks[:12], *fork.blocks[9:]])
    now = made_of(place)
    whole = 9 * 2 // A_SEGMENT - 1
    assert len([name for name in before if now.get(name) == before[name]]) >= 3 * whole


def test_a_spender_that_another_one_replaced_is_told_anew(place: Case, tmp_path: Path) -> None:
    """Numbers stay the same in both branches; ids do not."""
    chain = Chain()
    coins = chain.mint(*((f"coin {n}", COIN) for n in range(6)))
    for number in range(4):
        chain.pay(coins[number : number + 1], ("shop", COIN))
    base, tip = list(chain.blocks), chain.tip
    branches = []
    for payee in ("anna", "berta"):
        chain.blocks, chain.tip, chain.time = list(base), tip, 1_500_009_000
        chain.pay(coins[5:6], (payee, COIN))
        branches.append(list(chain.blocks))
    seal(place, tmp_path, branches[0])
    run(place)
    chain.mint(("late", COIN))
    seal(place, tmp_path, [*branches[0], *chain.blocks[-2:]])
    run(place)
    must_be(place, [*branches[0], *chain.blocks[-2:]])


def test_whatever_point_it_is_stopped_at_the_same_bytes_come_out(place: Case, tmp_path: Path) -> None:
    seal(place, tmp_path, grown())
    count, expected = len(run(place)), tree(place.tables)
    for stop_at in range(1, count, 7):
        for name in (*CHAIN, ".units/blocks"):
            shutil.rmtree(place.tables / name)
        with pytest.raises(Stop):
            run(place, stop_at)
        before = made_of(place)
        run(place)
        assert before.items() <= made_of(place).items()
        assert tree(place.tables) == expected
    assert all(check.state == "holds" for check in verify_case(place))


def test_without_any_block_there_are_tables_all_the_same(place: Case, tmp_path: Path) -> None:
    stale = mine(GENESIS["regtest"], [transaction([(bytes(32), 0xFFFFFFFF)], [("x", 1)])])
    seal(place, tmp_path, [stale[:60]])
    run(place)
    assert all(len(TableFolder(place.tables).load(name)) == 0 for name in CHAIN)


def test_more_outputs_than_can_be_numbered_are_refused_with_the_way_out(
    place: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main chain has more than 32 bits can count."""
    seal(place, tmp_path, grown())
    monkeypatch.setattr(joins, "MOST_OUTPUTS", 76)  # 16 of them first, then 4 a block
    with pytest.raises(Refused, match=r"hold 76 outputs; one case can number 75\. .*--targeted"):
        run(place)
    monkeypatch.setattr(joins, "MOST_OUTPUTS", 77)
    run(place)

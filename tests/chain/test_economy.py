"""Invented economies, whose truth is known to the last coin, through all stages of the room: what is said is nearly
always true, what could be known is mostly found, and nothing is attributed through a CoinJoin."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from casewright.chain.coinjoin import coinjoin_rule
from casewright.chain.loading import chain_of
from casewright.chain.shapes import spending
from casewright.demo.economies.files import block_file, columns, deposit_addresses, tag_pack, write_economy
from casewright.demo.economies.grading import Grades, grade
from casewright.demo.economies.truth import Truth, truth_of
from casewright.demo.economies.world import Size, World, tell
from casewright.engine.stage import Context
from tests.chain.case import run_stages
from tests.world import context

SMALL, SEEDS, MAX_HOPS = Size(people=100, ticks=80, acts=14, harsh=True), (1, 2), 6
PLACES = {"exhibit", "path", "span_start", "span_length", "row"}
GRADED = ("clusters", "payments", "services")


@dataclass(frozen=True)
class Told:
    """One economy: as it was made, its truth, what the stages made of it, and their grades."""

    world: World
    truth: Truth
    tables: dict[str, pa.Table]
    grades: Grades

    def rows(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.tables[name].to_pylist()
        return found


@pytest.fixture(scope="module")
def economies() -> list[Told]:
    found = []
    for seed in SEEDS:
        world = tell(seed, SMALL)
        files = {"blk00000.dat": block_file(world.ledger)}, {"economy.yaml": tag_pack(world).encode()}
        tables, truth = run_stages(*files, deposit_addresses(world)), truth_of(world)
        rows = {name: tables[name].to_pylist() for name in GRADED}
        found.append(Told(world, truth, tables, grade(truth, rows, MAX_HOPS)))
    return found


def test_the_same_seed_tells_the_same_economy(economies: list[Told]) -> None:
    again = tell(SEEDS[0], SMALL)
    assert block_file(again.ledger) == block_file(economies[0].world.ledger)
    assert block_file(economies[1].world.ledger) != block_file(again.ledger)


def test_it_can_be_written_as_a_case_gets_it(economies: list[Told], tmp_path: Path) -> None:
    write_economy(economies[0].world, tmp_path)
    names = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert names == ["bitcoin/blocks/blk00000.dat", "tags/economy.tagpack.yaml"]
    assert (tmp_path / names[0]).read_bytes() == block_file(economies[0].world.ledger)


def test_its_columns_are_what_the_stage_reads_from_its_blocks(economies: list[Told]) -> None:
    for told in economies:
        made = columns(told.world.ledger)
        for name, table in made.items():
            kept = [c for c in table.column_names if c not in PLACES]
            assert told.tables[name].select(kept).equals(table.select(kept)), name
        chain = chain_of(*(made[n] for n in ("blocks", "transactions", "inputs", "outputs")))
        assert chain.sats.tolist() == told.world.ledger.sats


def test_every_payment_to_the_market_is_found_and_no_other(economies: list[Told]) -> None:
    for told in economies:
        found = {(f"{p['txid']}:{p['vout']}", p["account"], p["sats"]) for p in told.rows("payments")}
        assert found == {(p.outpoint, p.account, p.sats) for p in told.truth.payments}


def test_what_strangers_signed_together_is_named_and_little_else(economies: list[Told]) -> None:
    named: Counter[str] = Counter()
    for told in economies:
        joint = {d.txid[::-1].hex() for d in told.world.ledger.deeds if d.joint}
        base = context()
        for txid, shape in spending(Context({}, {**base.tables, **told.tables}, base.blobs)):
            one = "several" if txid in joint else "one"
            named[f"{one}, {'named' if coinjoin_rule(shape) else 'not named'}"] += told.truth.kinds[txid] != "Stonewall"
    assert named["several, named"] > 15
    assert named["several, not named"] == 0
    assert named["one, named"] <= named["one, not named"] // 500


def test_nothing_is_attributed_through_a_coinjoin(economies: list[Told]) -> None:
    for told in economies:
        assert [f for f in told.grades.false if "CoinJoin" in f.why] == []


def test_strong_attributions_are_all_true_and_others_nearly_all(economies: list[Told]) -> None:
    scores = sum((told.grades for told in economies), Grades()).scores
    for direction in ("back", "forward"):
        assert scores[f"{direction}: said with confidence strong"].wrong == 0
        assert scores[f"{direction}: said with confidence strong"].right > 0
        assert scores[f"{direction}: with a share of a twentieth or more"].precision > 0.85
        assert scores[f"{direction}: all"].precision > 0.9
    assert scores["back: all"].recall > 0.6
    assert scores["forward: all"].recall > 0.4  # the story ends before many a deposit was swept


def test_only_what_no_shape_shows_joins_owners(economies: list[Told]) -> None:
    """PayJoins put a merchant and a customer together; nothing else does."""
    for told in economies:
        scores = told.grades.scores["clusters: pairs of addresses"]
        assert scores.precision > 0.99
        assert all("merchant" in owners for owners in told.grades.mixed_clusters)


def test_all_that_is_false_is_explained(economies: list[Told]) -> None:
    for told in economies:
        assert [f for f in told.grades.false if "nothing that explains it" in f.why] == []


def test_a_made_up_attribution_and_a_made_up_merge_cost_their_grade(economies: list[Told]) -> None:
    """The grader itself: somebody's service named for a payment that came from a miner or a mix, and two owners'
    addresses put together."""
    told = economies[0]
    rows = {name: told.rows(name) for name in GRADED}
    unknown = next(p for p in told.truth.payments if not p.origins)
    number = next(r["payment"] for r in rows["payments"] if f"{r['txid']}:{r['vout']}" == unknown.outpoint)
    true = next(r for r in rows["services"] if r["direction"] == "back")
    rows["services"].append({**true, "payment": number, "confidence": "strong", "hops": 1})
    owners = told.truth.owners
    one, two = (next(r for r in rows["clusters"] if owners[r["address"]] == f"person {n}") for n in (1, 2))
    two["cluster"] = one["cluster"]
    again = grade(told.truth, rows, MAX_HOPS)
    assert len(again.false) == len(told.grades.false) + 1
    assert again.scores["back: said with confidence strong"].wrong == 1
    assert "person 1 + person 2" in again.mixed_clusters
    assert again.scores["clusters: pairs of addresses"].wrong > told.grades.scores["clusters: pairs of addresses"].wrong


def test_change_is_the_payers_own_and_somebody_else_is_paid(economies: list[Told]) -> None:
    for told in economies:
        ledger = told.world.ledger
        for deed in ledger.deeds:
            changes = told.truth.changes.get(deed.txid[::-1].hex(), [])
            payers = {ledger.owner(c) for c in deed.spends}
            owners = [ledger.owner(c) for c in deed.makes]
            assert all(owners[vout] in payers for vout in changes)
            assert not changes or {*owners} - payers - {"data"}

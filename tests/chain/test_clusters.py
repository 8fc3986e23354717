"""Wallets by co-spending: who is joined, who is not, and the transactions that prove it."""

from random import Random
from typing import Any

import numpy as np
import pytest

from casewright.chain.clusters import clusters
from casewright.chain.coinjoin import coinjoin_rule
from casewright.chain.columns import Chain as Columns
from casewright.chain.payjoin import POSSIBLE, UNNECESSARY, payjoin_doubts
from casewright.chain.screen import coinjoins, shape_of
from casewright.chain.wallets import co_spent
from casewright.demo.mixes.kinds import COINJOINS, HARD, Maker
from casewright.kernels.blocks import display
from casewright.kernels.unionfind import UnionFind, path_between
from casewright.model.ids import make_id
from tests.chain.dice import alone, thrown
from tests.chain.shapes import shape as ordinary
from tests.chain.shapes import shape_of as shape_of_made
from tests.chain.world import COIN, Chain, address, follow, whole
from tests.world import context


def test_coins_spent_together_are_one_wallets_and_the_transaction_is_the_proof() -> None:
    chain = Chain()
    coins = chain.mint(("a", COIN), ("b", COIN), ("c", COIN), ("d", COIN))
    first = chain.pay(coins[:2], ("shop", 2 * COIN))
    more = chain.mint(("b", COIN))
    second = chain.pay([*more, coins[2]], ("shop", 2 * COIN))
    chain.pay([coins[3]], ("shop", COIN))
    tables = follow(chain, {})
    found = {r["address"]: r["cluster"] for r in tables["clusters"]}
    assert found[address("a")] == found[address("b")] == found[address("c")] != found[address("d")]
    assert address("shop") not in found
    links = [(r["address_a"], r["address_b"], r["txid"]) for r in tables["cluster_reasons"]]
    assert path_between(links, address("a"), address("c")) == [display(first[0][0]), display(second[0][0])]
    assert {r["heuristic"] for r in tables["cluster_reasons"]} == {"co-spend"}


def test_every_merge_has_one_reason_and_no_more() -> None:
    chain = Chain()
    coins = chain.mint(*((f"w{n}", COIN) for n in range(6)))
    chain.pay(coins[:4], ("x", 4 * COIN))
    again = chain.mint(("w0", COIN), ("w3", COIN))
    chain.pay(again, ("y", 2 * COIN))
    chain.pay(coins[4:], ("z", 2 * COIN))
    tables = follow(chain, {})
    groups = {r["cluster"] for r in tables["clusters"]}
    assert len(tables["cluster_reasons"]) == len(tables["clusters"]) - len(groups) == 4


def test_paying_someone_or_change_joins_nobody() -> None:
    chain = Chain()
    coins = chain.mint(("a", 2 * COIN))
    paid = chain.pay(coins, ("shop", COIN), ("change", COIN))
    chain.pay([paid[1]], ("b", COIN))
    tables = follow(chain, {})
    assert len({r["cluster"] for r in tables["clusters"]}) == len(tables["clusters"]) == 2


def test_scripts_without_an_address_are_in_no_cluster_and_join_none() -> None:
    chain = Chain()
    coins = chain.mint(("key one", COIN), ("a", COIN), ("key two", COIN))
    chain.pay(coins, ("shop", 3 * COIN))
    tables = follow(chain, {})
    assert [r["address"] for r in tables["clusters"]] == [address("a")]


def test_the_cluster_is_named_by_its_least_address_whatever_joined_it() -> None:
    names = []
    for order in (("a", "b", "c"), ("c", "a", "b")):
        chain = Chain()
        chain.pay(chain.mint(*((n, COIN) for n in order)), ("shop", COIN))
        names.append({r["cluster"] for r in follow(chain, {})["clusters"]})
    assert names[0] == names[1]
    assert len(names[0]) == 1


def by_hand(chain: Columns) -> tuple[list[tuple[str, str]], list[tuple[str, str, int]]]:
    """The definition, transaction by transaction: cluster of every address that was spent from, and the merges."""
    shapes = {
        t: shape_of(chain, t) for t in range(chain.transactions) if chain.first_input[t] < chain.first_input[t + 1]
    }
    addresses = sorted({a for shape in shapes.values() for a in shape.spenders if a})
    number = {a: n for n, a in enumerate(addresses)}
    found, merges = UnionFind(len(addresses)), []
    for t, shape in shapes.items():
        owners = [] if coinjoin_rule(shape) else [a for a in shape.spenders if a]
        merges += [(owners[0], a, t) for a in owners[1:] if found.union(number[owners[0]], number[a])]
    return [(a, make_id("cluster", addresses[found.find(number[a])])) for a in addresses], merges


@pytest.mark.parametrize("seed", range(12))
def test_clusters_of_columns_are_those_that_transaction_after_transaction_gives(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casewright.chain.links.PORTION", 7)
    monkeypatch.setattr("casewright.chain.clusters.PIECE", 5)
    chain = thrown(seed)
    monkeypatch.setattr("casewright.chain.clusters.load_chain", lambda _: chain)
    output = whole(*clusters(None, context(params={"layers": ["co-spend"], "change_votes": 0})))
    members, merges = by_hand(chain)
    rows: list[dict[str, Any]] = output.tables["cluster_reasons"].to_pylist()
    assert [(r["address_a"], r["address_b"], r["transaction"]) for r in rows] == merges
    assert [r["id"] for r in rows] == [make_id("reason", a, b, chain.txid(t)) for a, b, t in merges]
    found = [(r["address"], r["cluster"]) for r in output.tables["clusters"].to_pylist()]
    assert sorted(found) == members


MADE: dict[str, Maker] = {**COINJOINS, **HARD}


@pytest.mark.parametrize("name", MADE)
def test_the_screen_lets_every_coinjoin_through(name: str) -> None:
    for seed in range(40):
        shape = shape_of_made(MADE[name](Random(seed)))
        rule = coinjoin_rule(shape)
        assert coinjoins(alone(shape)) == ({1: rule} if rule else {})


def test_every_address_of_a_cluster_leads_up_to_its_first_one() -> None:
    wallets = co_spent(thrown(3))
    least, forest = wallets.groups.least(), wallets.forest
    for holder in range(len(least)):
        above = holder
        for _ in range(int(forest.depth[holder])):
            above = int(forest.up[above])
        assert above == least[holder]


def doubt(paid: list[int], kinds: str = "p2wpkh", spent: tuple[int, ...] = (3 * COIN, COIN)) -> str | None:
    """What is said of a merge that rests on a transaction with these outputs alone."""
    chain = alone(ordinary(list(spent), paid, ["op_return" if not sats else kinds for sats in paid]))
    found: str | None = payjoin_doubts(chain, np.array([1]), np.array([True]))[0].as_py()
    return found


def test_a_merge_that_rests_on_one_payment_of_two_outputs_could_be_a_payjoin() -> None:
    assert doubt([7 * COIN // 2, COIN // 2]) == POSSIBLE
    assert doubt([2 * COIN, 2 * COIN]) == UNNECESSARY
    assert doubt([0, 2 * COIN, 2 * COIN]) == UNNECESSARY


def test_a_third_output_and_a_sweep_are_no_payjoins() -> None:
    assert doubt([2 * COIN, COIN, COIN // 2]) is None
    assert doubt([4 * COIN]) is None
    assert doubt([0, 4 * COIN]) is None


def test_every_payjoin_that_joins_strangers_is_doubted() -> None:
    for seed in range(60):
        wallets = co_spent(alone(shape_of_made(HARD["PayJoin"](Random(seed)))))
        _, _, by = wallets.groups.proof()
        assert set(payjoin_doubts(wallets.chain, by.astype(np.int64), wallets.alone).to_pylist()) <= {
            POSSIBLE,
            UNNECESSARY,
        }


def test_a_second_transaction_that_spends_from_both_sides_takes_the_doubt_away() -> None:
    chain = Chain()
    once = chain.pay(chain.mint(("anna", 3 * COIN), ("bob", COIN), ("cem", COIN)), ("shop", COIN), ("rest", 3 * COIN))
    chain.pay([*chain.mint(("bob", COIN), ("anna", COIN)), *once], ("x", 2 * COIN))
    rows = follow(chain, {})["cluster_reasons"]
    told = {r["address_b"]: (r["alone"], r["doubt"]) for r in rows}
    assert told[address("bob")] == (False, None)
    assert told[address("cem")] == (True, UNNECESSARY)

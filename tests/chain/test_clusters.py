"""Wallets by co-spending: who is joined, who is not, and the transactions that prove it."""

from casewright.kernels.blocks import display
from casewright.kernels.unionfind import path_between
from tests.chain.world import COIN, Chain, address, follow


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

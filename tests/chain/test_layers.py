"""Layers: what joins addresses can be switched off, one thing at a time, and each merge says which one it was."""

from typing import Any

import pytest

from casewright.chain.stages import cluster_params
from casewright.model.errors import Refused
from casewright.model.settings import ChainSettings, Settings
from tests.chain.world import COIN, Chain, address, follow, tag

TAGS = [tag("anna", "Kestrel Exchange"), tag("warm", "Kestrel Exchange"), tag("hearsay", "Kestrel Exchange", level=20)]


def world() -> Chain:
    """anna spends two of her addresses together, and change comes back to a third; tags name her and another."""
    chain = Chain()
    chain.pay(chain.mint(("shop", COIN)), ("shop", COIN - 7))
    chain.pay(chain.mint(("anna", 2 * COIN), ("anna two", COIN)), ("shop", 5 * COIN // 2), ("fresh", COIN // 2 - 333))
    chain.pay(chain.mint(("warm", COIN), ("hearsay", COIN))[:1], ("shop", COIN))
    return chain


def joined(*layers: str) -> dict[str, list[dict[str, Any]]]:
    return follow(world(), {}, TAGS, layers=list(layers))


def together(tables: dict[str, list[dict[str, Any]]], name: str) -> set[str]:
    cluster = {r["address"]: r["cluster"] for r in tables["clusters"]}
    names = ("anna", "anna two", "fresh", "warm", "shop")
    return {n for n in names if cluster.get(address(n), n) == cluster[address(name)]}


def test_by_default_only_co_spending_joins() -> None:
    assert ChainSettings().layers == ("co-spend",)
    assert together(joined("co-spend"), "anna") == {"anna", "anna two"}


def test_each_layer_joins_what_is_its_own_and_says_so() -> None:
    assert together(joined("change"), "anna") == {"anna", "fresh"}
    assert together(joined("tags"), "anna") == {"anna", "warm"}
    everything = joined("co-spend", "change", "tags")
    assert together(everything, "anna") == {"anna", "anna two", "fresh", "warm"}
    rows = [(r["heuristic"], r["txid"] is None, r["alone"]) for r in everything["cluster_reasons"]]
    assert rows == [("co-spend", False, True), ("change", False, None), ("tags", True, None)]


def test_without_any_layer_every_address_is_alone() -> None:
    tables = joined()
    assert tables["cluster_reasons"] == []
    assert len({r["cluster"] for r in tables["clusters"]}) == len(tables["clusters"]) == 4


def test_a_merge_by_tags_rests_on_both_tags_and_weak_tags_join_nobody() -> None:
    (reason,) = joined("tags")["cluster_reasons"]
    assert reason["tags"] == [t["tag"] for t in TAGS[:2]]
    assert {reason["address_a"], reason["address_b"]} == {address("anna"), address("warm")}


def test_change_joins_only_where_enough_rules_agree() -> None:
    assert together(follow(world(), {}, layers=["change"], change_votes=4), "anna") == {"anna"}


def test_a_payee_who_goes_on_as_the_payer_does_is_not_joined_for_that_alone() -> None:
    """Three rules point at bob, two of them for how he spends: with the same fee, to two outputs. Where the payment is
    round, too, that is a third kind."""
    for paid, votes, kinds, known in ((COIN // 3, 3, 2, {"anna"}), (COIN // 4, 4, 3, {"anna", "bob"})):
        chain = Chain()
        _, coin = chain.pay(chain.mint(("anna", COIN)), ("p2sh", paid), ("bob", COIN - paid - 500))
        chain.pay([coin], ("carl", 9), ("dora", COIN - paid - 1009))
        tables = follow(chain, {}, layers=["change"])
        told = {(r["votes"], r["kinds"], r["against"]) for r in tables["change"] if "script type" in r["rules"]}
        assert told == {(votes, kinds, 0)}
        cluster = {r["address"]: r["cluster"] for r in tables["clusters"]}
        assert {n for n in ("anna", "bob") if cluster[address(n)] == cluster[address("anna")]} == known


def test_a_layer_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="no layer 'cospend'"):
        cluster_params(Settings(chain=ChainSettings(layers=("cospend",))))
    assert cluster_params(Settings(chain=ChainSettings(layers=("tags", "co-spend"))))["layers"] == ["co-spend", "tags"]

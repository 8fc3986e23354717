"""A cluster that joins two services is no service: the merge is named, and tags count for their own addresses only."""

from typing import Any

from casewright.kernels.blocks import display
from tests.chain.test_trace import against, found
from tests.chain.world import COIN, Chain, address, follow, tag

KESTREL, TALLOW = tag("hot", "Kestrel Exchange"), tag("tallow", "Tallow Coin")
Tables = dict[str, list[dict[str, Any]]]


def mistaken(*tags: dict[str, Any]) -> tuple[Tables, str]:
    """Two exchanges with two addresses each; one transaction spends for both, as an unseen PayJoin does. One pays an
    account from its untagged address, the other from its tagged one."""
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN), ("hot two", COIN)), ("x", 2 * COIN))
    chain.pay(chain.mint(("tallow", COIN), ("tallow two", COIN)), ("y", 2 * COIN))
    wrong = chain.pay(chain.mint(("hot two", 2 * COIN), ("tallow two", COIN)), ("z", 2 * COIN), ("hot three", COIN))
    chain.pay(chain.mint(("hot two", COIN)), ("dep", COIN))
    chain.pay(chain.mint(("tallow", COIN)), ("dep two", COIN))
    return follow(chain, {"acc-1": "dep", "acc-2": "dep two"}, tags), display(wrong[0][0])


def test_the_transaction_that_joined_two_services_is_shown() -> None:
    tables, wrong = mistaken(KESTREL, TALLOW)
    (row,) = tables["joined_services"]
    assert (row["service_a"], row["service_b"]) == ("Kestrel Exchange", "Tallow Coin")
    assert {row["address_a"], row["address_b"]} == {address("hot"), address("tallow")}
    assert row["cut_txids"].count(wrong) == 1
    assert row["merges"] == 3
    joined = {r["id"]: r["txid"] for r in tables["cluster_reasons"]}
    assert set(row["sources"]) == {KESTREL["tag"], TALLOW["tag"], *joined}
    assert "could be a PayJoin" in row["doubt"]


def test_a_tag_then_counts_for_its_own_address_and_no_other() -> None:
    tables, _ = mistaken(KESTREL, TALLOW)
    by_account = {p["payment"]: p["account"] for p in tables["payments"]}
    assert [(by_account[s["payment"]], s["service"]) for s in tables["services"] if s["direction"] == "back"] == [
        ("acc-2", "Tallow Coin")
    ]
    assert "its cluster joins Kestrel Exchange and Tallow Coin: a tag counts for its own address only" in against(
        tables
    )
    (hop,) = [h for h in tables["hops"] if by_account[h["payment"]] == "acc-1" and h["direction"] == "back"]
    assert hop["reason"].startswith("stops: its cluster joins Kestrel Exchange and Tallow Coin")
    assert hop["ends"] == "joined"


def test_with_the_tags_of_more_addresses_the_cut_is_the_one_wrong_merge() -> None:
    more = [tag("hot two", "Kestrel Exchange"), tag("tallow two", "Tallow Coin")]
    tables, wrong = mistaken(KESTREL, TALLOW, *more)
    (row,) = tables["joined_services"]
    assert row["cut_txids"] == [wrong]
    assert row["merges"] == len(row["cut"]) == 1


def test_two_tags_of_one_service_or_on_one_address_join_no_services() -> None:
    for tags in ([KESTREL, tag("tallow", "Kestrel Exchange")], [KESTREL, tag("hot", "Brightwater")], [KESTREL],
                 [KESTREL, tag("tallow", "Glasshouse", "market")]):  # fmt: skip
        tables, _ = mistaken(*tags)
        assert tables["joined_services"] == []
        assert "Kestrel Exchange" in [s for s, _, _ in found(tables)]


def test_tags_that_lie_mixed_are_told_without_a_cut() -> None:
    more = [tag("hot two", "Tallow Coin"), tag("tallow two", "Kestrel Exchange")]
    tables, _ = mistaken(KESTREL, TALLOW, *more)
    (row,) = tables["joined_services"]
    assert (row["cut"], row["merges"]) == ([], 1)


def test_a_service_behind_a_merge_that_could_be_a_payjoin_is_told_with_that_doubt() -> None:
    tables, _ = mistaken(KESTREL)
    told = [s["against"] for s in tables["services"] if s["direction"] == "back" and s["address"] == address("tallow")]
    assert told
    assert all("could be a PayJoin" in words for words in told)


def test_a_tag_that_holds_for_its_address_only_says_nothing_of_the_cluster() -> None:
    tables, _ = mistaken(KESTREL, tag("tallow", "Tallow Coin", defines_cluster=False))
    assert tables["joined_services"] == []
    by_account = {p["payment"]: p["account"] for p in tables["payments"]}
    told = {(by_account[s["payment"]], s["service"]) for s in tables["services"] if s["direction"] == "back"}
    assert told == {("acc-1", "Kestrel Exchange"), ("acc-2", "Tallow Coin")}

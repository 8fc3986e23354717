"""Payments followed back to a service and forward from the market, in small worlds whose truth is plain."""

from collections.abc import Mapping
from typing import Any

import pytest

from casewright.chain import market
from tests.chain.world import COIN, Chain, address, follow, name_of, tag

Tables = dict[str, list[dict[str, Any]]]
KESTREL, TALLOW = tag("hot", "Kestrel Exchange"), tag("tallow", "Tallow Coin")
MURKPOOL = tag("murk", "Murkpool", "mixing_service")


def found(tables: Tables, direction: str = "back") -> list[tuple[str, int, str]]:
    return [(s["service"], s["hops"], s["confidence"]) for s in tables["services"] if s["direction"] == direction]


def reasons(tables: Tables, direction: str = "back") -> str:
    return " | ".join(h["reason"] for h in tables["hops"] if h["direction"] == direction)


def against(tables: Tables, direction: str = "back") -> str:
    return " | ".join(s["against"] for s in tables["services"] if s["direction"] == direction)


def test_a_withdrawal_straight_to_the_market_is_strong_and_names_the_output_to_ask_about() -> None:
    chain = Chain()
    paid = chain.pay(chain.mint(("hot", 5 * COIN)), ("dep", COIN), ("hot", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    (service,) = tables["services"]
    assert found(tables) == [("Kestrel Exchange", 1, "strong")]
    assert f"{service['txid']}:{service['vout']}" == name_of(paid[0])
    assert (service["address"], service["sats"]) == (address("hot"), COIN)


def test_through_a_personal_wallet_it_is_weak_and_names_the_withdrawal_not_the_payment() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("hot", 5 * COIN)), ("hot", 4 * COIN), ("anna", COIN))
    chain.pay(out[1:], ("dep", COIN // 2), ("anna change", COIN // 2))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    (service,) = tables["services"]
    assert found(tables) == [("Kestrel Exchange", 2, "weak")]
    assert f"{service['txid']}:{service['vout']}" == name_of(out[1])
    assert "not direct: 1 untagged wallet" in against(tables)
    assert "no tag names" in reasons(tables)


def test_a_cluster_carries_its_tag_and_the_merges_are_the_proof() -> None:
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN), ("warm", COIN)), ("x", COIN))
    chain.pay(chain.mint(("warm", COIN), ("cool", COIN)), ("x", COIN))
    chain.pay(chain.mint(("cool", COIN)), ("dep", COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert found(tables) == [("Kestrel Exchange", 1, "strong")]
    assert "joined to this address by 2 co-spends" in against(tables)
    proofs = {r["id"] for r in tables["cluster_reasons"]}
    assert len(proofs & set(tables["services"][0]["sources"])) == 2


def equal_parts(chain: Chain, *people: str, value: int = 3 * COIN) -> list[tuple[bytes, int]]:
    """A CoinJoin of the JoinMarket shape: everybody brings an own coin and gets `value` and change."""
    coins = []
    for who in people:
        coins += chain.pay(chain.mint(("hot", 9 * COIN)), (who, 4 * COIN), ("hot", 5 * COIN))[:1]
    equal = [(f"{who} mixed", value) for who in people]
    return chain.pay(coins, *equal, *((f"{who} change", COIN - 10) for who in people))


def test_no_payment_is_attributed_through_a_coinjoin() -> None:
    chain = Chain()
    mixed = equal_parts(chain, "anna", "bob", "cem")
    chain.pay(mixed[:1], ("dep", 3 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert found(tables) == []
    assert "stops at a CoinJoin: JoinMarket" in reasons(tables)


def test_a_service_beside_a_coinjoin_is_named_with_the_branch_that_speaks_against_it() -> None:
    chain = Chain()
    mixed = equal_parts(chain, "anna", "bob", "cem")
    own = chain.pay(chain.mint(("hot", 5 * COIN)), ("anna", COIN), ("hot", 4 * COIN))
    chain.pay([mixed[0], own[0]], ("dep", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert found(tables) == [("Kestrel Exchange", 2, "weak")]
    assert "1 other branch ends at a CoinJoin (JoinMarket)" in against(tables)


def test_a_batch_of_one_service_that_looks_like_a_coinjoin_is_doubted_but_not_dropped() -> None:
    chain = Chain()
    tags = [tag(f"hot{n}", "Kestrel Exchange", tag=f"tag-{n}") for n in range(4)]
    coins = chain.mint(*((f"hot{n}", COIN) for n in range(4)))
    paid = [(who, COIN * 6 // 10) for who in ("dep", "x", "y")]
    chain.pay(coins, *paid, ("hot0", COIN * 14 // 10), ("hot1", COIN * 4 // 10), ("hot2", COIN * 4 // 10))
    tables = follow(chain, {"acc-1": "dep"}, tags)
    assert set(found(tables)) == {("Kestrel Exchange", 1, "weak")}
    assert "shape of a JoinMarket CoinJoin" in against(tables)


def test_a_mixer_is_named_without_confidence_and_nothing_behind_it() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("hot", 5 * COIN)), ("murk", 5 * COIN))
    chain.pay(out, ("dep", COIN), ("murk", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, MURKPOOL])
    assert found(tables) == [("Murkpool", 1, "none")]
    assert "mixes coins of many" in against(tables)


def test_nothing_is_followed_behind_a_service() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("tallow", 5 * COIN)), ("hot", 5 * COIN))
    chain.pay(out, ("dep", 5 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, TALLOW])
    assert found(tables) == [("Kestrel Exchange", 1, "strong")]


def test_coins_of_two_services_give_two_rows_each_against_the_other() -> None:
    chain = Chain()
    one = chain.pay(chain.mint(("hot", 2 * COIN)), ("anna", 2 * COIN))
    two = chain.pay(chain.mint(("tallow", 2 * COIN)), ("anna", 2 * COIN))
    chain.pay([*one, *two], ("dep", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, TALLOW])
    assert found(tables) == [("Kestrel Exchange", 2, "weak"), ("Tallow Coin", 2, "weak")]
    assert "several sources: the trace also reaches Tallow Coin" in tables["services"][0]["against"]


def test_two_withdrawals_in_one_transaction_are_both_named() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("hot", 5 * COIN)), ("anna", COIN), ("anna two", COIN), ("hot", 3 * COIN))
    chain.pay(out[:2], ("dep", 2 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert [s["vout"] for s in tables["services"]] == [0, 1]
    assert "shared batch: the transaction pays 3 outputs" in against(tables)


def test_a_peeling_chain_is_followed_to_where_it_began_and_not_past_the_limit() -> None:
    chain = Chain()
    coin = chain.pay(chain.mint(("hot", 9 * COIN)), ("peel 0", 8 * COIN), ("hot", COIN))[0]
    for n in range(1, 4):
        coin = chain.pay([coin], (f"peel {n}", (8 - n) * COIN), (f"someone {n}", COIN))[0]
    chain.pay([coin], ("dep", COIN), ("peel 9", 4 * COIN))
    assert found(follow(chain, {"acc-1": "dep"}, [KESTREL])) == [("Kestrel Exchange", 5, "weak")]
    short = follow(chain, {"acc-1": "dep"}, [KESTREL], max_hops=3)
    assert found(short) == []
    assert "stops: 3 hops, the limit in case.toml" in reasons(short)


def test_a_trace_that_meets_itself_ends_and_says_so() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("anna", 4 * COIN)), ("bob", COIN), ("cem", COIN), ("anna", 2 * COIN))
    left = chain.pay(out[:1], ("dora", COIN))
    chain.pay([*left, out[1], out[2]], ("dep", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"})
    assert "was crossed in step 2 already" in reasons(tables)
    assert "stops: newly mined coins" in reasons(tables)


@pytest.mark.parametrize(("sent", "words"), [(500, "1 below 100001 sat"), (99_000, "1 below 100099 sat")])
def test_dust_that_someone_sent_to_a_wallet_is_not_followed(sent: int, words: str) -> None:
    """Whoever sends a thousandth of what a wallet pays with did not fund the payment."""
    chain = Chain()
    dust = chain.pay(chain.mint(("tallow", COIN)), ("anna", sent), ("tallow", COIN - sent))
    own = chain.pay(chain.mint(("hot", COIN)), ("anna", COIN))
    chain.pay([dust[0], *own], ("dep", COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, TALLOW])
    assert found(tables) == [("Kestrel Exchange", 2, "weak")]
    assert f"{words} not followed" in reasons(tables)


def test_a_direct_withdrawal_by_a_weakly_founded_tag_is_weak() -> None:
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN)), ("dep", COIN))
    tables = follow(chain, {"acc-1": "dep"}, [tag("hot", "Kestrel Exchange", level=20)])
    assert found(tables) == [("Kestrel Exchange", 1, "weak")]


def test_coins_from_outside_the_files_end_the_trace() -> None:
    chain = Chain()
    chain.pay([(b"\x77" * 32, 3)], ("dep", COIN))
    tables = follow(chain, {"acc-1": "dep"})
    assert "not in the chain files" in reasons(tables)
    assert found(tables) == []


def test_conflicting_tags_are_all_named_the_strongest_counts_and_ties_give_both() -> None:
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN)), ("dep", COIN))
    weaker = tag("hot", "Brightwater Desk", level=20)
    one = follow(chain, {"acc-1": "dep"}, [KESTREL, weaker])
    assert found(one) == [("Kestrel Exchange", 1, "strong")]
    assert "disagree: Kestrel Exchange (exchange, 50), Brightwater Desk (exchange, 20)" in against(one)
    tie = follow(chain, {"acc-1": "dep"}, [KESTREL, tag("hot", "Brightwater Desk")])
    assert [s for s, _, _ in found(tie)] == ["Brightwater Desk", "Kestrel Exchange"]
    weak = follow(chain, {"acc-1": "dep"}, [weaker])
    assert "weakly founded" in against(weak)


def test_another_market_is_no_service_and_nothing_is_followed_behind_it() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("hot", COIN)), ("other market", COIN))
    chain.pay(out, ("dep", COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, tag("other market", "Pawnhall", "market")])
    assert found(tables) == []
    assert "stops at a wallet tagged Pawnhall" in reasons(tables)


def test_the_markets_own_coins_are_nobodys_payment() -> None:
    chain = Chain()
    first = chain.pay(chain.mint(("hot", COIN)), ("dep", COIN))
    chain.pay(first, ("dep two", COIN))
    tables = follow(chain, {"acc-1": "dep", "acc-2": "dep two"}, [KESTREL])
    second = next(p["payment"] for p in tables["payments"] if p["account"] == "acc-2")
    assert all(s["payment"] != second for s in tables["services"])
    assert "paid by the market's own wallet" in reasons(tables)


def swept(chain: Chain) -> list[tuple[bytes, int]]:
    one = chain.pay(chain.mint(("hot", COIN)), ("dep", COIN))
    two = chain.pay(chain.mint(("hot", COIN)), ("dep two", COIN))
    return chain.pay([*one, *two], ("operator", 2 * COIN))


DEPOSITS: Mapping[str, str] = {"acc-1": "dep", "acc-2": "dep two"}


def test_a_sweep_is_followed_to_the_operators_cash_out() -> None:
    chain = Chain()
    out = chain.pay(swept(chain), ("tallow", COIN), ("operator change", COIN))
    tables = follow(chain, DEPOSITS, [KESTREL, TALLOW, tag("dep", "Glasshouse", "market")])
    assert found(tables, "forward") == [("Tallow Coin", 2, "weak")] * 2
    assert {f"{s['txid']}:{s['vout']}" for s in tables["services"] if s["direction"] == "forward"} == {name_of(out[0])}
    assert "sweep: all goes on in one output" in reasons(tables, "forward")
    assert "change: what the tagged wallet was not paid" in reasons(tables, "forward")
    assert "swept together: with up to 2 coins" in against(tables, "forward")


def test_a_deposit_that_the_exchange_sweeps_is_found_behind_the_peel() -> None:
    chain = Chain()
    out = chain.pay(swept(chain), ("tallow customer", COIN // 2), ("operator change", COIN + COIN // 2))
    chain.pay(out[:1], ("tallow", COIN // 2))
    chain.pay(out[1:], ("operator cold", COIN))
    tables = follow(chain, DEPOSITS, [TALLOW])
    assert found(tables, "forward") == [("Tallow Coin", 3, "weak")] * 2
    assert "may be the service's own sweep" in against(tables, "forward")
    assert "peel: the largest output goes on" in reasons(tables, "forward")


@pytest.mark.parametrize("spent", [True, False])
def test_forward_stops_say_why(spent: bool) -> None:
    chain = Chain()
    coins = swept(chain)
    if spent:
        others = chain.mint(("b", 2 * COIN), ("c", 2 * COIN))
        mixed = [(f"mix {n}", COIN) for n in range(3)]
        chain.pay([*coins, *others], *mixed, *((f"rest {n}", COIN - 10 - n) for n in range(3)))
    tables = follow(chain, DEPOSITS, [TALLOW])
    assert ("stops at a CoinJoin" if spent else "stops: not spent yet") in reasons(tables, "forward")
    assert found(tables, "forward") == []


def test_a_market_that_keeps_its_money_at_an_exchange_is_said_to() -> None:
    chain = Chain()
    chain.pay(chain.mint(("anna", COIN)), ("dep", COIN))
    tables = follow(chain, {"acc-1": "dep"}, [tag("dep", "Tallow Coin")])
    assert found(tables, "forward") == [("Tallow Coin", 1, "strong")]
    assert "its customer is the market" in against(tables, "forward")


def test_what_the_exchange_that_holds_the_markets_money_spends_is_not_the_markets() -> None:
    chain = Chain()
    coins = chain.pay(chain.mint(("anna", 2 * COIN)), ("dep", COIN), ("operator", COIN // 2))
    chain.pay([coins[0], *chain.mint(("hot", 9 * COIN))], ("somebody", 10 * COIN))
    own = {"id": "w-1", "wallet": "w", "address": address("operator"), "role": "own"}
    chain.pay(coins[1:], ("tallow", COIN // 2))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, TALLOW], wallet_addresses=[own])
    assert [h["label"] for h in tables["hops"] if h["direction"] == "market"] == ["Tallow Coin"]


def test_every_row_walks_down_to_bytes() -> None:
    """What `why` needs: each source is the id of a row, down to rows with a place in an exhibit."""
    chain = Chain()
    chain.pay(chain.mint(("hot", COIN), ("warm", COIN)), ("x", COIN))
    chain.pay(swept(chain), ("tallow", COIN), ("operator change", COIN))
    anna = chain.pay(chain.mint(("warm", COIN)), ("anna", COIN))
    chain.pay(anna, ("dep", COIN))
    tables = follow(chain, DEPOSITS, [KESTREL, TALLOW])
    known = {r["txid"] for r in tables["transactions"]} | {f"{r['txid']}:{r['vout']}" for r in tables["outputs"]}
    known |= {r["tag"] for r in tables["tags"]} | {r["id"] for r in tables["deposit_addresses"]}
    known |= {r["payment"] for r in tables["payments"]} | {r["id"] for r in tables["cluster_reasons"]}
    for table in ("payments", "hops", "services"):
        assert tables[table]
        for row in tables[table]:
            assert row["sources"]
            assert set(row["sources"]) <= known
    assert len({r["id"] for r in tables["services"]}) == len(tables["services"])
    assert len({r["hop"] for r in tables["hops"]}) == len(tables["hops"])


def test_the_same_chain_gives_the_same_rows_whatever_the_order_of_its_blocks() -> None:
    chain = Chain()
    chain.pay(swept(chain), ("tallow", COIN), ("operator change", COIN))
    shuffled = Chain(chain.blocks[::-1])
    one, two = (follow(c, DEPOSITS, [KESTREL, TALLOW]) for c in (chain, shuffled))
    for table in ("payments", "clusters", "cluster_reasons", "hops", "services"):
        assert one[table] == two[table]


def test_an_exchange_that_swallowed_the_markets_addresses_is_not_taken_for_its_wallet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(market, "GIANT", 6)
    chain = Chain()
    paid = chain.pay(chain.mint(("anna", COIN)), ("dep", COIN))
    chain.pay([*paid, *chain.mint(*((f"customer {n}", COIN) for n in range(5)))], ("cold", 6 * COIN))
    chain.pay(chain.mint(("customer 1", COIN)), ("tallow", COIN))
    by_limit = {n: follow(chain, {"acc-1": "dep"}, [TALLOW], market_members=n) for n in (0, 5, 6)}
    assert {n: found(tables, "market") for n, tables in by_limit.items()} == {
        0: [("Tallow Coin", 1, "strong")], 5: [], 6: [("Tallow Coin", 1, "strong")]
    }  # fmt: skip
    swept = {h["txid"] for h in by_limit[5]["hops"] if h["direction"] == "market"}
    assert len(swept) == 1, "its own coin alone is followed"

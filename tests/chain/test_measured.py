"""The case's own error rates: each heuristic held against the addresses that the seizure knows."""

from typing import Any

import pytest

from casewright.chain import market
from casewright.chain.measured import CO_SPEND, LARGEST, TOO_LARGE, measured
from casewright.chain.stages import STAGES
from tests.chain.test_trace import KESTREL, TALLOW
from tests.chain.world import COIN, PARAMS, Chain, address, follow
from tests.world import context

Rows = dict[tuple[str, str], tuple[int, int]]


def measure(chain: Chain, deposits: dict[str, str], wallet: dict[str, str]) -> tuple[Rows, list[dict[str, Any]]]:
    """Counts by heuristic and measure; `wallet`: role of each address of a seized wallet."""
    mine = [{"id": f"w-{n}", "wallet": "w", "address": address(n), "role": role} for n, role in wallet.items()]
    tables = follow(chain, deposits, [KESTREL], wallet_addresses=mine)
    work = next(s for s in STAGES if s.name == "heuristics_measured")
    given = {n: tables.get(n, []) for n in work.reads} | {"wallet_addresses": mine}
    output = measured(None, context(given, params=PARAMS))
    rows = output.tables["heuristics_measured"].to_pylist()
    (tally,) = output.tallies
    assert tally.received == tally.done + tally.nothing
    return {(r["heuristic"], r["measure"]): (r["count"], r["of"]) for r in rows}, rows


@pytest.fixture(scope="module")
def told() -> tuple[Rows, list[dict[str, Any]]]:
    """Four own addresses that spent: three of them together, and once with a coin of Kestrel's."""
    chain = Chain()
    coins = chain.mint(
        ("dep", COIN), ("dep two", COIN), ("till", COIN), ("alone", COIN), ("hot", COIN), ("unknown", COIN)
    )
    chain.pay([coins[0], coins[1]], ("shop", COIN), ("till", COIN // 2))
    chain.pay([coins[2], *chain.mint(("dep", COIN))], ("till", COIN // 2), ("shop", COIN))
    chain.pay([coins[3]], ("alone", COIN - 5), ("shop", 5))
    chain.pay([*chain.mint(("till", COIN)), coins[4], coins[5]], ("x", 3 * COIN))
    roles = {"till": "own", "alone": "change", "never paid": "own", "friend": "contact"}
    return measure(chain, {"acc-1": "dep", "acc-2": "dep two"}, roles)


def test_coverage_is_the_part_of_own_pairs_that_co_spending_joins(told: tuple[Rows, list[dict[str, Any]]]) -> None:
    rows, _ = told
    assert rows[CO_SPEND, "own addresses that spent"] == (4, 4)
    assert rows[CO_SPEND, "pairs of own addresses joined"] == (3, 6)
    assert rows[CO_SPEND, TOO_LARGE] == (0, 4)


def test_own_addresses_in_clusters_too_large_to_be_the_markets_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market, "GIANT", 52)
    chain = Chain()
    chain.pay(chain.mint(("dep", COIN), *((f"customer {n}", COIN) for n in range(51))), ("cold", COIN))
    chain.pay(chain.mint(("till", COIN)), ("shop", COIN))
    rows, _ = measure(chain, {"acc-1": "dep"}, {"till": "own"})
    assert rows[CO_SPEND, TOO_LARGE] == (1, 2)


def test_strangers_in_the_markets_cluster_are_counted_and_the_merges_shown(
    told: tuple[Rows, list[dict[str, Any]]],
) -> None:
    rows, full = told
    assert rows[CO_SPEND, "strangers joined to own addresses"] == (1, 6)
    assert rows[CO_SPEND, "others joined to own addresses"] == (1, 6)
    (wrong,) = [r for r in full if r["measure"].startswith("strangers")]
    assert wrong["sources"]
    assert all(s.startswith("reason-") for s in wrong["sources"])


def test_rules_about_change_are_held_against_change_that_is_known(told: tuple[Rows, list[dict[str, Any]]]) -> None:
    rows, full = told
    assert rows[LARGEST, "change named rightly"] == (1, 3)
    assert rows[LARGEST, "somebody else's output named"] == (2, 3)
    assert rows["change: address reuse", "change named rightly"] == (2, 2)
    assert len(next(r for r in full if r["heuristic"] == LARGEST and "else" in r["measure"])["sources"]) == 2


def test_without_an_address_of_the_market_nothing_is_measured() -> None:
    chain = Chain()
    chain.mint(("anna", COIN))
    rows, _ = measure(chain, {"acc-1": "dep"}, {})
    assert rows == {}


def test_strangers_are_counted_also_where_the_cluster_joins_two_services() -> None:
    """Their tags then count for their own addresses only, but co-spending did join them."""
    chain = Chain()
    coins = chain.mint(("dep", COIN), ("hot", COIN), ("tallow", COIN))
    chain.pay(coins, ("shop", 3 * COIN))
    mine: list[dict[str, Any]] = []
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, TALLOW])
    work = next(s for s in STAGES if s.name == "heuristics_measured")
    given = {n: tables.get(n, []) for n in work.reads} | {"wallet_addresses": mine}
    output = measured(None, context(given, params=PARAMS))
    (row,) = [r for r in output.tables["heuristics_measured"].to_pylist() if r["measure"].startswith("strangers")]
    assert (row["count"], row["of"]) == (2, 3)
    assert len(row["sources"]) == 2

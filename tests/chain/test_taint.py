"""Taint by four conventions: small cases worked out by hand, and that nothing is lost or made up, whatever is paid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.chain.taint import FIFO, HAIRCUT, LIFO, METHODS, NOBODY, POISON, Runs, apportion, held, pass_on, whole

STOLEN, CLEAN = 1, NOBODY
IN_ORDER = (FIFO, LIFO)


def of_stolen(method: str, coins: list[Runs], values: list[int]) -> list[int]:
    return [held(runs, STOLEN) for runs in pass_on(method, coins, values)]


def test_one_stolen_coin_and_three_clean_ones_by_each_convention() -> None:
    """2 stolen, then 3 clean; paid out as 1, 3 and a fee of 1. By hand, after the definitions in Möser, Böhme, Breuker
    (2014) and Anderson, Shumailov, Ahmed (2018)."""
    coins = [whole(STOLEN, 2), whole(CLEAN, 3)]
    assert of_stolen(POISON, coins, [1, 3, 1]) == [1, 3, 1]
    assert of_stolen(FIFO, coins, [1, 3, 1]) == [1, 1, 0]
    assert of_stolen(LIFO, coins, [1, 3, 1]) == [0, 1, 1]
    assert of_stolen(HAIRCUT, [whole(STOLEN, 200), whole(CLEAN, 300)], [100, 300, 100]) == [40, 120, 40]


def test_claytons_case_the_first_paid_in_is_the_first_drawn_out() -> None:
    """Three deposits of 100 into one account, the second one stolen; 150 are drawn, then 100: of the first draft the
    last 50 are stolen, of the second the first 50, and what is left is clean."""
    coins = [whole(CLEAN, 100), whole(STOLEN, 100), whole(CLEAN, 100)]
    first, second, rest = pass_on(FIFO, coins, [150, 100, 50])
    assert first == ((CLEAN, 100), (STOLEN, 50))
    assert second == ((STOLEN, 50), (CLEAN, 50))
    assert rest == ((CLEAN, 50),)


def test_a_haircut_that_does_not_divide_gives_the_satoshis_left_over_in_order() -> None:
    """1 of 3 stolen, paid out as 1, 1, 1: a third of a satoshi each, and one satoshi to give."""
    coins = [whole(STOLEN, 1), whole(CLEAN, 2)]
    assert of_stolen(HAIRCUT, coins, [1, 1, 1]) == [1, 0, 0]
    assert [sum(row) for row in apportion([1, 2], [1, 1, 1])] == [1, 2]
    every = 2_099_999_997_690_000  # satoshis that there will ever be: their product needs more than 64 bits
    assert apportion([every - 3, 3], [every // 2, every // 2]) == [[every // 2 - 1, every // 2 - 2], [1, 2]]


def test_what_is_worth_nothing_holds_nothing() -> None:
    for method in METHODS:
        assert pass_on(method, [whole(STOLEN, 0)], [0, 0]) == [(), ()]
        assert pass_on(method, [], [0]) == [()]


amounts = st.one_of(st.integers(0, 7), st.integers(0, 2_100_000_000_000_000))


@st.composite
def transactions(draw: st.DrawFn) -> tuple[list[Runs], list[int]]:
    """Coins that are mixtures of three sources and nobody's, and outputs with a fee that share out the same sum."""
    runs = st.lists(st.tuples(st.integers(0, 3), amounts.filter(bool)), max_size=3).map(tuple)
    coins = draw(st.lists(runs, min_size=1, max_size=5))
    total = sum(sats for coin in coins for _, sats in coin)
    cuts = sorted(draw(st.lists(st.integers(0, total), max_size=5)))
    return coins, [b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True)]


def by_source(coins: list[Runs]) -> dict[int, int]:
    found = {source: sum(held(coin, source) for coin in coins) for source in range(4)}
    return {source: sats for source, sats in found.items() if sats}


@pytest.mark.parametrize("method", [HAIRCUT, *IN_ORDER])
@given(case=transactions())
def test_of_every_source_comes_out_what_went_in_and_no_output_holds_more_than_it_is_worth(
    method: str, case: tuple[list[Runs], list[int]]
) -> None:
    coins, values = case
    paid = pass_on(method, coins, values)
    assert by_source(paid) == by_source(coins)
    assert [sum(sats for _, sats in runs) for runs in paid] == values
    assert all(sats > 0 for runs in paid for _, sats in runs)


@given(case=transactions())
def test_poison_is_in_all_of_every_output_and_in_no_more(case: tuple[list[Runs], list[int]]) -> None:
    coins, values = case
    met = by_source(coins).keys() - {NOBODY}
    assert [dict(runs) for runs in pass_on(POISON, coins, values)] == [
        {source: value for source in met if value} for value in values
    ]


@pytest.mark.parametrize("method", IN_ORDER)
@given(case=transactions())
def test_first_in_and_last_in_lead_back_to_the_very_satoshis(method: str, case: tuple[list[Runs], list[int]]) -> None:
    coins, values = case
    back = pass_on(method, pass_on(method, coins, values), [sum(sats for _, sats in coin) for coin in coins])
    assert back == pass_on(FIFO, coins, [sum(sats for _, sats in coin) for coin in coins])


@given(case=transactions())
def test_a_haircut_is_off_by_less_than_there_are_rows_and_columns(case: tuple[list[Runs], list[int]]) -> None:
    coins, values = case
    total, sources = sum(values), by_source(coins)
    for value, runs in zip(values, pass_on(HAIRCUT, coins, values), strict=True):
        for source, sats in sources.items():
            exact = sats * value // total if total else 0
            assert exact <= held(runs, source) < exact + max(2, len(sources), len(values))

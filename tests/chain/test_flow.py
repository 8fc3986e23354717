"""What share of a payment goes over each branch: worked out by hand, and conserved over chains of any shape."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.chain.columns import Chain as Columns
from casewright.chain.flow import flow_back, flow_forward
from casewright.chain.graph import Graph, graph_of
from casewright.chain.taint import FIFO, HAIRCUT, LIFO, METHODS, POISON
from tests.chain.columns import columns
from tests.chain.test_trace import DEPOSITS, KESTREL, TALLOW, Tables, against, equal_parts, swept
from tests.chain.world import COIN, PARAMS, Chain, follow
from tests.world import context


def shares(tables: Tables, direction: str = "back") -> list[tuple[str, int | None]]:
    return [(s["service"], s["share"]) for s in tables["services"] if s["direction"] == direction]


def two_funds(chain: Chain) -> dict[str, str]:
    """Anna has 3 from Kestrel and then 1 from Tallow, pays 2 to the market, keeps 1.9 and leaves a fee."""
    one = chain.pay(chain.mint(("hot", 3 * COIN)), ("anna", 3 * COIN))
    two = chain.pay(chain.mint(("tallow", COIN)), ("anna", COIN))
    chain.pay([*one, *two], ("dep", 2 * COIN), ("anna", 19 * COIN // 10))
    return {"acc-1": "dep"}


@pytest.mark.parametrize(
    ("taint", "kestrel", "tallow"),
    [
        (HAIRCUT, 3 * COIN // 2, COIN // 2),
        (FIFO, 2 * COIN, 0),
        (LIFO, COIN, COIN),
        (POISON, 2 * COIN, COIN),
    ],
)
def test_the_share_of_two_services_in_one_payment(taint: str, kestrel: int, tallow: int) -> None:
    chain = Chain()
    deposits = two_funds(chain)
    tables = follow(chain, deposits, [KESTREL, TALLOW], taint=taint)
    assert shares(tables) == [("Kestrel Exchange", kestrel), ("Tallow Coin", tallow)]


def test_behind_a_coinjoin_nothing_is_shared_out_and_the_rest_is_exact() -> None:
    chain = Chain()
    mixed = equal_parts(chain, "anna", "bob", "cem")
    own = chain.pay(chain.mint(("hot", 5 * COIN)), ("anna", COIN), ("hot", 4 * COIN))
    chain.pay([mixed[0], own[0]], ("dep", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert shares(tables) == [("Kestrel Exchange", COIN)]
    (stop,) = [h for h in tables["hops"] if h["direction"] == "back" and "CoinJoin" in h["reason"]]
    assert stop["share"] == 3 * COIN


def test_what_a_service_gave_is_not_shared_out_again_behind_it() -> None:
    """One transaction of Tallow's pays Bob and Kestrel, and both pay Anna: Kestrel's coin ends at Kestrel."""
    chain = Chain()
    bobs, kestrels = chain.pay(chain.mint(("tallow", 4 * COIN)), ("bob", COIN), ("hot", 3 * COIN))
    coins = [*chain.pay([bobs], ("anna", COIN)), *chain.pay([kestrels], ("anna", 3 * COIN))]
    chain.pay(coins, ("dep", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL, TALLOW])
    assert sorted(shares(tables)) == [("Kestrel Exchange", 3 * COIN), ("Tallow Coin", COIN)]


def test_where_an_input_is_not_in_the_files_nobody_can_tell_a_share() -> None:
    chain = Chain()
    own = chain.pay(chain.mint(("hot", 5 * COIN)), ("anna", COIN), ("hot", 4 * COIN))
    chain.pay([(b"\x77" * 32, 3), own[0]], ("dep", 4 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert shares(tables) == [("Kestrel Exchange", None)]


def test_a_cash_out_of_swept_coins_is_shared_by_what_each_brought() -> None:
    chain = Chain()
    chain.pay(swept(chain), ("tallow", COIN), ("operator change", COIN))
    tables = follow(chain, DEPOSITS, [KESTREL, TALLOW])
    assert shares(tables, "forward") == [("Tallow Coin", COIN // 2)] * 2
    assert shares(tables, "market") == [("Tallow Coin", COIN)]
    assert "change" in against(tables, "market") or "not direct" in against(tables, "market")


def graph(chain: Columns) -> Graph:
    return graph_of(chain, context(params=PARAMS))


@st.composite
def chains(draw: st.DrawFn) -> Columns:
    """Up to 12 transactions, the first two mine; others spend unspent outputs of any before, and may leave a fee."""
    transactions: list[tuple[list[int], list[tuple[int, int]]]] = []
    values: list[int] = []
    unspent: list[int] = []
    for n in range(draw(st.integers(3, 12))):
        spent = (
            draw(st.lists(st.sampled_from(unspent), min_size=1, max_size=4, unique=True)) if n > 1 and unspent else []
        )
        total = sum(values[s] for s in spent) if spent else draw(st.integers(1, 5_000_000_000))
        cuts = sorted(draw(st.lists(st.integers(0, total), min_size=1, max_size=4)))
        paid = [b - a for a, b in zip([0, *cuts], cuts, strict=False)]
        transactions.append((spent, [(draw(st.integers(0, 8)), sats) for sats in paid]))
        unspent = [u for u in unspent if u not in spent] + list(range(len(values), len(values) + len(paid)))
        values += paid
    return columns(transactions)


def walked(
    told: Graph, start: int, crosses: Callable[[int], bool], follows: Callable[[int], bool], back: bool
) -> tuple[set[int], dict[int, int]]:
    """Coins that a walk from `start` goes on with, and the transactions that it crosses."""
    queued, met, waiting = {start}, {}, [start]
    while waiting:
        coin = told.coin(waiting.pop())
        transaction = coin.made_in if back else coin.spender
        if transaction >= 0 and transaction not in met and not told.is_mined(transaction) and crosses(transaction):
            met[transaction] = 1
            crossing = told.crossing(transaction)
            fresh = [n for n in (crossing.spends if back else crossing.outputs) if follows(n)]
            queued.update(fresh)
            waiting += fresh
    return queued, met


@pytest.mark.parametrize("method", [m for m in METHODS if m != POISON])
@given(data=st.data())
@settings(max_examples=25)
def test_all_of_a_payment_comes_from_coins_that_the_trace_ends_at(method: str, data: st.DataObject) -> None:
    chain = data.draw(chains())
    told, start = graph(chain), len(chain.sats) - 1
    stops = data.draw(st.sets(st.integers(0, len(chain.sats) - 1), max_size=4))
    closed = data.draw(st.sets(st.integers(0, chain.transactions - 1), max_size=2))
    queued, met = walked(told, start, lambda t: t not in closed, lambda n: n not in stops, back=True)
    share = flow_back(told, start, met, queued, method)
    spent = [n for t in met for n in told.crossing(t).spends]
    ends = [n for n in spent if n not in queued or told.coin(n).made_in not in met] if met else [start]
    found = {n: share(n, ()) or 0 for n in [*spent, start]}
    assert sum(found[n] for n in ends) == chain.sats[start]
    assert all(0 <= found[n] <= chain.sats[n] for n in found)
    for transaction in met:
        crossing = told.crossing(transaction)
        wanted = [n for n in crossing.outputs if n in queued]
        paid = [share(w, [s]) or 0 for w in wanted for s in crossing.spends]
        assert sum(paid) == sum(found[w] for w in wanted) == sum(found[s] for s in crossing.spends)


@pytest.mark.parametrize("method", METHODS)
@given(data=st.data())
@settings(max_examples=25)
def test_all_of_a_coin_goes_to_outputs_and_fees(method: str, data: st.DataObject) -> None:
    chain = data.draw(chains())
    told = graph(chain)
    stops = data.draw(st.sets(st.integers(0, len(chain.sats) - 1), max_size=4))
    queued, met = walked(told, 0, lambda t: True, lambda n: n not in stops, back=False)
    share = flow_forward(told, [0], met, queued, method)
    for transaction in met:
        crossing = told.crossing(transaction)
        came = sum(share(n, ()) or 0 for n in crossing.spends if n in queued)
        paid = {n: share(n, ()) or 0 for n in crossing.outputs}
        assert all(0 <= paid[n] <= chain.sats[n] for n in paid)
        if method == POISON:
            assert sum(paid.values()) == (sum(crossing.paid[:-1]) if came else 0)
        else:
            assert 0 <= came - sum(paid.values()) <= crossing.paid[-1]

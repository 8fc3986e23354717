"""A trace back stops at what behaves like a service though no tag names it: behind it are its customers."""

from typing import Any

from casewright.chain.behaviour import busy
from casewright.chain.columns import UNKNOWN
from casewright.chain.graph import load_graph
from casewright.engine.stage import Context
from tests.chain.case import run_stages
from tests.chain.test_trace import KESTREL, found, reasons
from tests.chain.world import COIN, PARAMS, Chain, address, follow
from tests.world import context

DEPOSITS = {"acc-1": "dep"}


def gathered(payers: int, *, from_kestrel: int = 0) -> Chain:
    """Customers of a service that no tag names pay in, some with a withdrawal from Kestrel; it gathers and pays out."""
    chain = Chain()
    bought = chain.pay(chain.mint(("hot", 9 * COIN)), *[(f"customer {n}", COIN) for n in range(payers)], ("hot", COIN))
    paid = [
        chain.pay([bought[n]], (f"till {n}", COIN - 1000 * n), (f"rest {n}", 900 * n + 1))[0] for n in range(payers)
    ]
    more = [chain.pay(chain.mint(("hot", COIN)), (f"till {payers}", COIN // 2), ("hot", COIN // 4))[0]] * from_kestrel
    pool = chain.pay([*paid, *more], ("pool", COIN * payers // 2))
    chain.pay(pool, ("dep", COIN // 4), ("pool rest", COIN * payers // 2 - COIN // 4))
    return chain


def test_coins_that_several_others_paid_in_and_one_output_takes_are_not_followed() -> None:
    tables = follow(gathered(2), DEPOSITS, [KESTREL])
    assert found(tables) == []
    assert "stops: behaves like a service: one output takes 2 coins that 2 other wallets paid in" in reasons(tables)
    assert [h["ends"] for h in tables["hops"] if h["direction"] == "back"] == [None, "pooled"]


def test_how_many_others_it_takes_is_a_setting_and_none_switches_it_off() -> None:
    for limit, stops in ((2, True), (3, True), (4, False), (0, False)):
        told = found(follow(gathered(3), DEPOSITS, [KESTREL], gathered_from=limit))
        assert (told == []) == stops, limit


def test_one_who_gathers_what_a_service_paid_out_is_followed() -> None:
    tables = follow(gathered(2, from_kestrel=1), DEPOSITS, [KESTREL])
    assert ("Kestrel Exchange", 3, "weak") in found(tables)


def test_coins_of_one_payer_that_are_gathered_are_followed() -> None:
    chain = Chain()
    bought = chain.pay(chain.mint(("hot", 3 * COIN)), ("anna", COIN), ("anna two", COIN), ("hot", COIN))
    chain.pay(chain.pay(bought[:2], ("purse", COIN)), ("dep", COIN // 2), ("purse two", COIN // 2))
    assert set(found(follow(chain, DEPOSITS, [KESTREL]))) == {("Kestrel Exchange", 3, "weak")}


def dealing(others: int) -> Chain:
    """A wallet of one address that so many others paid and that paid as many; then it pays the market from what one of
    them paid in, and from its own change."""
    chain = Chain()
    bought = chain.pay(chain.mint(("hot", 9 * COIN)), *[(f"customer {n}", COIN // 8) for n in range(others)])
    paid = [chain.pay([coin], ("desk", COIN // 10), (f"rest {n}", 5))[0] for n, coin in enumerate(bought)]
    change = [chain.pay([coin], (f"payee {n}", COIN // 50), ("desk", COIN // 20))[1] for n, coin in enumerate(paid)]
    late = chain.pay(chain.pay(chain.mint(("hot", COIN)), ("late", COIN)), ("desk", COIN // 2), ("late two", 7))[0]
    chain.pay([late, change[0]], ("dep", COIN // 2), ("desk", COIN // 30))
    return chain


def test_of_a_wallet_that_deals_with_many_only_its_change_is_followed() -> None:
    few, many = (follow(dealing(n), DEPOSITS, [KESTREL], busy_wallet=5, max_hops=2) for n in (3, 6))
    assert "behaves like a service" not in reasons(few)
    assert "behaves like a service: 7 others paid it and it paid 7; 1 coins of its own change are followed" in (
        reasons(many)
    )
    assert len([h for h in few["hops"] if h["step"] == 2 and h["direction"] == "back"]) == 2
    assert len([h for h in many["hops"] if h["step"] == 2 and h["direction"] == "back"]) == 1


def test_whom_a_wallet_deals_with_is_counted_as_a_plain_count_of_the_tables_has_it() -> None:
    tables = run_stages({"blk00000.dat": dealing(6).file()}, {}, [])
    base = context()
    graph = load_graph(Context(PARAMS, {**base.tables, **tables}, base.blobs))
    holders = {name: graph.chain.addresses.to_pylist().index(address(name)) for name in ("desk", "hot", "customer 1")}
    for name, holder in holders.items():
        wallet = int(graph.wallet_of[holder])
        plain = plain_dealings(graph, wallet)
        told = busy(graph, wallet, 1)
        assert told == (f"{plain[0]} others paid it and it paid {plain[1]}" if min(plain) else ""), name


def plain_dealings(graph: Any, wallet: int) -> tuple[int, int]:
    """Transaction after transaction."""
    chain, payers, payees = graph.chain, set(), set()
    wallets = [int(graph.wallet_of[h]) for h in chain.holder.tolist()]
    for t in range(chain.transactions):
        spends = [n for n in chain.spends[chain.first_input[t] : chain.first_input[t + 1]].tolist() if n != UNKNOWN]
        makes = range(*chain.first_output[t : t + 2].tolist())
        if spends and wallet in [wallets[n] for n in makes]:
            payers.add(wallets[spends[0]])
        if wallet in [wallets[n] for n in spends]:
            payees |= {wallets[n] for n in makes}
    return len(payers - {wallet}), len(payees - {wallet})

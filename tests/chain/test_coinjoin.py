"""CoinJoins are known by their makers' shapes, link no one, and ordinary transactions are not taken for them."""

from collections import Counter
from random import Random

import pytest

from casewright.chain.coinjoin import coinjoin, coinjoin_rule, whirlpool_tx0
from casewright.chain.shapes import Shape, spending
from casewright.demo.mixes.kinds import COINJOINS, HARD, Maker
from casewright.demo.mixes.kinds import ORDINARY as ALIKE
from casewright.engine.stage import Context
from tests.chain import shapes
from tests.chain.test_blocks import rows
from tests.chain.world import COIN, PARAMS, Chain, address, follow, read
from tests.world import SHARED, context, needs_shared

MAKERS = {
    "Whirlpool": shapes.whirlpool, "Wasabi 1": shapes.wasabi1, "Wasabi 2": shapes.wasabi2,
    "JoinMarket": shapes.joinmarket,
}  # fmt: skip
MADE = 150
RULE_OF = {"Wasabi 1.0": "Wasabi 1", "Wasabi 1.1": "Wasabi 1"}
NAMED_AS_ONE = {"a wallet's split": 2, "equal pay-outs": 3}
"""Of so many of one payer's transactions, how many may be taken for a CoinJoin."""


def named(make: Maker, count: int = MADE) -> Counter[str | None]:
    """What the rules call so many transactions of one maker."""
    return Counter(coinjoin_rule(shapes.shape_of(make(Random(seed)))) for seed in range(count))


@pytest.mark.parametrize("name", COINJOINS)
def test_each_makers_shape_is_known(name: str) -> None:
    found = named(COINJOINS[name])
    assert found[None] == 0
    assert found[RULE_OF.get(name, name)] >= MADE * 99 // 100


def test_the_entrance_of_a_whirlpool_is_flagged_and_is_one_persons() -> None:
    for seed in range(100):
        entrance = shapes.tx0(Random(seed))
        assert whirlpool_tx0(entrance) == "Whirlpool Tx0"
        assert coinjoin_rule(entrance) is None


@pytest.mark.parametrize("name", ALIKE)
def test_what_one_payer_makes_is_hardly_ever_taken_for_a_coinjoin(name: str) -> None:
    found = named(ALIKE[name])
    assert MADE - found[None] <= NAMED_AS_ONE.get(name, 0)
    assert not any(whirlpool_tx0(shapes.shape_of(ALIKE[name](Random(seed)))) for seed in range(MADE))


def test_a_stonewall_is_named_because_nobody_can_tell_whether_one_or_two_made_it() -> None:
    for kind in ("Stonewall", "Stonewall x2"):
        assert named(HARD[kind]) == {"Stonewall": MADE}
    found = coinjoin(shapes.shape_of(HARD["Stonewall"](Random(1))))
    assert found is not None
    assert found.confidence == "low"


def test_a_payjoin_has_the_shape_of_any_payment_and_is_not_seen() -> None:
    assert named(HARD["PayJoin"]) == {None: MADE}


def test_nobody_gives_strangers_money_so_coins_that_do_not_come_back_are_a_payers_batch() -> None:
    """The same outputs: three equal ones and three changes. Only where each peer brought its own share is it a mix."""
    paid = [COIN, COIN, COIN, COIN // 2, COIN // 3, COIN // 4]
    mix = coinjoin(shapes.shape([COIN * 3 // 2 + 900, COIN * 4 // 3, COIN, COIN // 4 + 50], paid))
    assert mix is not None
    assert (mix.rule, mix.confidence) == ("JoinMarket", "high")
    assert coinjoin(shapes.shape([3 * COIN, COIN // 2, COIN * 7 // 12 + 2000, 500], paid)) is None


def test_a_change_may_by_chance_be_worth_as_much_as_the_equal_coins() -> None:
    """Found by the invented economies: a coin of 2 goes in, 1 is mixed, and 1 comes back."""
    spent = [2 * COIN, COIN * 3 // 2, COIN * 4 // 3, COIN * 5 // 4 + 3000]
    paid = [COIN] * 5 + [COIN // 2, COIN // 3, COIN // 4]
    mix = coinjoin(shapes.shape(spent, paid))
    assert mix is not None
    assert (mix.rule, mix.why) == ("JoinMarket", f"4 equal coins of {COIN} sat and 4 changes")


def test_thousands_of_coins_are_not_searched_through() -> None:
    paid = [COIN] * 1500 + [COIN + n for n in range(1, 1501)]
    found = coinjoin(shapes.shape([2 * COIN + 2000] * 1500, paid))
    assert found is not None
    assert found.confidence == "medium"


ORDINARY = {
    "a payment with change": shapes.shape([3 * COIN], [COIN, 2 * COIN]),
    "a consolidation": shapes.shape([COIN] * 40, [40 * COIN - 1000]),
    "a batch from one coin": shapes.shape([90 * COIN], [COIN // 10] * 20 + [88 * COIN]),
    "a batch of equal payouts by one payer": shapes.shape([COIN] * 12, [COIN // 10] * 5 + [7 * COIN], payers=1),
    "two equal outputs": shapes.shape([COIN, COIN, COIN], [COIN, COIN, COIN // 2]),
    "equal outputs of no pool": shapes.shape([COIN] * 6, [COIN - 50] * 6),
    "inputs far above the pool": shapes.shape([COIN] * 5, [COIN // 100] * 5),
    "dust of one size": shapes.shape([9_000] * 5, [1_000] * 5 + [700]),
    "only data": shapes.shape([5_000], [0], ["op_return"]),
    "nothing paid": shapes.shape([5_000], []),
    "many inputs, all outputs differ": shapes.shape([COIN] * 30, list(range(10_000, 10_040))),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_transactions_are_no_coinjoins(name: str) -> None:
    assert coinjoin_rule(ORDINARY[name]) is None
    assert whirlpool_tx0(ORDINARY[name]) is None


def test_inputs_that_are_not_in_the_files_do_not_hide_a_coinjoin() -> None:
    known = shapes.whirlpool(Random(1))
    unknown = Shape([None] * len(known.spent), [None] * len(known.spent), known.paid, known.addresses, known.kinds)
    assert coinjoin_rule(unknown) == "Whirlpool"


@needs_shared
def test_ordinary_transactions_of_the_real_blocks_are_almost_never_called_coinjoins() -> None:
    """Blocks of 2013, 2015 and 2017: before Whirlpool and Wasabi, with JoinMarket's in none that is known. Most of the
    coins that they spend are not in the files, so that values veto nothing: the share is the largest it could be."""
    files = ("block227835.dat", "block227836.dat", "277647.dat.bz2", "block363703.dat", "block481815.dat")
    output = read({n: (SHARED / "bitcoin" / n).read_bytes() for n in files}, network="mainnet")
    base = context(params=PARAMS)
    world = Context(base.params, {**base.tables, **output.tables}, base.blobs)
    assert len(rows(output, "transactions")) == 3119
    assert sum(coinjoin_rule(shape) is not None for _, shape in spending(world)) <= 3119 // 1000


def test_coinjoins_link_no_one() -> None:
    """The same people pay together in each make of CoinJoin: none of them shares a cluster with another."""
    for make in MAKERS.values():
        form = make(Random(3))
        chain = Chain()
        people = [f"person {n}" for n in range(len(form.spent))]
        coins = chain.mint(*((who, sats or 0) for who, sats in zip(people, form.spent, strict=True)))
        chain.pay(coins, *((f"fresh {n}", sats) for n, sats in enumerate(form.paid)))
        tables = follow(chain, {})
        found = {r["address"]: r["cluster"] for r in tables["clusters"]}
        assert len({found[address(who)] for who in people}) == len(people)
        assert tables["cluster_reasons"] == []

"""CoinJoins are known by their makers' shapes, link no one, and ordinary transactions are not taken for them."""

from collections.abc import Callable
from random import Random

import pytest

from casewright.chain.coinjoin import coinjoin_rule, whirlpool_tx0
from casewright.chain.shapes import Shape, spending
from casewright.engine.stage import Context
from tests.chain import shapes
from tests.chain.test_blocks import rows
from tests.chain.world import COIN, PARAMS, Chain, address, follow, read
from tests.world import SHARED, context, needs_shared

MAKERS = {
    "Whirlpool": shapes.whirlpool, "Wasabi 1": shapes.wasabi1, "Wasabi 2": shapes.wasabi2,
    "JoinMarket": shapes.joinmarket,
}  # fmt: skip


@pytest.mark.parametrize(("name", "make"), MAKERS.items())
def test_each_makers_shape_is_known(name: str, make: Callable[[Random], Shape]) -> None:
    named = [coinjoin_rule(make(Random(seed))) for seed in range(200)]
    assert None not in named
    assert named.count(name) >= 190  # a mix of one make may by chance have the shape of another: it is left out as well


def test_the_entrance_of_a_whirlpool_is_flagged_and_is_one_persons() -> None:
    for seed in range(100):
        entrance = shapes.tx0(Random(seed))
        assert whirlpool_tx0(entrance) == "Whirlpool Tx0"
        assert coinjoin_rule(entrance) is None


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
    """Blocks of 2013, before the first wallet that could make one but JoinMarket-like batches, 2015 and 2017."""
    files = ("block227835.dat", "block227836.dat", "277647.dat.bz2", "block363703.dat", "block481815.dat")
    output = read({n: (SHARED / "bitcoin" / n).read_bytes() for n in files}, network="mainnet")
    base = context(params=PARAMS)
    world = Context(base.params, {**base.tables, **output.tables}, base.blobs)
    named = [rule for _, shape in spending(world) if (rule := coinjoin_rule(shape))]
    assert len(rows(output, "transactions")) == 3119
    assert len(named) <= 3119 // 100


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

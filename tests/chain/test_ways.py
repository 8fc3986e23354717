"""How far a trace goes: over peeling chains, to limits and holes, from all of the market's wallets; each stop said."""

import pytest

from casewright.chain.stages import STAGES, trace_params
from casewright.engine.stage import Context, Output
from casewright.model.errors import Refused
from casewright.model.settings import ChainSettings, Settings
from tests.chain.test_trace import DEPOSITS, KESTREL, TALLOW, against, found, reasons, swept
from tests.chain.world import COIN, PARAMS, Chain, address, follow, frame, name_of, read, whole
from tests.world import context, rows_of


def peeled(chain: Chain, coin: tuple[bytes, int], worth: int, times: int) -> tuple[bytes, int]:
    """One small payment after the other out of a large coin."""
    for n in range(times):
        coin = chain.pay([coin], (f"change {n}", worth - (n + 1) * 1000), (f"shop {n}", 1000))[0]
    return coin


def test_a_peeling_chain_is_one_hop_however_long_and_says_where_it_began_and_ended() -> None:
    chain = Chain()
    first = chain.pay(chain.mint(("hot", 9 * COIN)), ("anna", 8 * COIN), ("hot", COIN))[0]
    last = peeled(chain, first, 8 * COIN, 40)
    chain.pay([last], ("dep", COIN), ("anna end", 6 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert found(tables) == [("Kestrel Exchange", 42, "weak")]
    (run,) = [h for h in tables["hops"] if h["transactions"] > 1]
    assert (run["step"], run["transactions"]) == (2, 40)
    assert f"from {name_of(first)}" in run["reason"]
    assert f"to {name_of(last)}" in run["reason"]
    assert len([s for s in run["sources"] if ":" not in s]) == 40
    assert "change was guessed in 40 transactions" in against(tables)
    (service,) = tables["services"]
    assert service["share"] == COIN
    assert service["rules"][1].startswith("followed back: 41 wallets that no tag names, 40 of them in peeling chains")


def test_three_peels_in_a_row_are_told_one_by_one() -> None:
    chain = Chain()
    first = chain.pay(chain.mint(("hot", 9 * COIN)), ("anna", 8 * COIN), ("hot", COIN))[0]
    chain.pay([peeled(chain, first, 8 * COIN, 3)], ("dep", COIN), ("anna end", 6 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL])
    assert {h["transactions"] for h in tables["hops"]} == {1}
    assert found(tables) == [("Kestrel Exchange", 5, "weak")]


def test_a_service_beside_a_peeling_chain_of_the_operator_is_found() -> None:
    chain = Chain()
    coin = chain.pay(swept(chain), ("cold", 2 * COIN))[0]
    for n in range(6):
        to = "tallow" if n == 4 else f"friend {n}"
        coin = chain.pay([coin], (f"cold {n}", 2 * COIN - (n + 1) * 100_000), (to, 100_000))[0]
    tables = follow(chain, DEPOSITS, [TALLOW])
    assert ("Tallow Coin", 7, "hint") in found(tables, "forward")
    assert "peeling chain: 6 transactions" in reasons(tables, "forward")
    assert found(tables, "market") == [("Tallow Coin", 7, "weak")]


def test_what_the_markets_other_wallets_spend_is_followed_too() -> None:
    """The operator's change, and a coin that no account paid: the seized wallet knows both addresses."""
    chain = Chain()
    kept = chain.pay(swept(chain), ("till", COIN), ("till", COIN))
    other = chain.mint(("float", COIN))
    chain.pay([*kept[:1], *other], ("tallow", COIN), ("till", COIN))
    mine = [{"id": f"w-{n}", "wallet": "w", "address": address(n), "role": r} for n, r in
            (("till", "own"), ("float", "change"), ("hot", "contact"))]  # fmt: skip
    tables = follow(chain, DEPOSITS, [KESTREL, TALLOW], wallet_addresses=mine)
    assert found(tables, "market") == [("Tallow Coin", 1, "strong")]
    (service,) = [s for s in tables["services"] if s["direction"] == "market"]
    assert (service["payment"], service["share"], service["sats"]) == (None, COIN, COIN)
    assert all(h["payment"] is None for h in tables["hops"] if h["direction"] == "market")


def test_a_trace_stops_at_the_age_that_the_case_sets() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("hot", COIN)), ("anna", COIN))
    chain.time += 40 * 86_400
    chain.pay(chain.pay(out, ("anna two", COIN)), ("dep", COIN))
    assert found(follow(chain, {"acc-1": "dep"}, [KESTREL])) == [("Kestrel Exchange", 3, "weak")]
    short = follow(chain, {"acc-1": "dep"}, [KESTREL], max_age_days=30)
    assert found(short) == []
    assert "stops: 40 days before the payment; case.toml says 30" in reasons(short)


def test_a_hole_in_the_chain_is_said_where_a_trace_meets_it() -> None:
    chain = Chain()
    out = chain.pay(chain.mint(("hot", COIN)), ("anna", COIN))
    chain.pay(out, ("dep", COIN))
    damaged = bytearray(chain.blocks[1])
    damaged[-12] ^= 1
    raw = b"".join(frame(bytes(b)) for b in (chain.blocks[0], damaged, chain.blocks[2]))
    made = read({"blk00000.dat": raw})
    aside = [{"id": f"s{n}", "stage": "blocks", "noun": s.noun, "count": s.count} for n, s in enumerate(made.set_aside)]
    base = context({"deposit_addresses": [{"id": "d", "account": "acc-1", "address": address("dep")}],
                    "set_aside": aside}, params=PARAMS)  # fmt: skip
    world = Context(PARAMS, {**base.tables, **made.tables}, base.blobs)
    for stage in STAGES[[s.name for s in STAGES].index("blocks") + 1 :]:
        output = stage.work(base.tables["items"], world)
        found = (output if isinstance(output, Output) else whole(*output)).tables
        world = Context(PARAMS, {**world.tables, **found}, base.blobs)
    told = " | ".join(h["reason"] for h in rows_of(world.tables["hops"]) if h["direction"] == "back")
    assert "not in the chain files; 1 block was set aside after height 1; 1 later blocks are not joined" in told


def test_coins_that_meet_again_are_followed_once() -> None:
    """Ten times two coins from one transaction into the next: 2^10 ways, one of each is told."""
    chain = Chain()
    coins = chain.mint(("anna 0", COIN), ("anna 0", COIN))
    for n in range(1, 10):
        coins = chain.pay(coins, (f"anna {n}", COIN), (f"anna {n}", COIN))
    chain.pay(coins, ("dep", 2 * COIN))
    tables = follow(chain, {"acc-1": "dep"}, [KESTREL], max_hops=20)
    assert len([h for h in tables["hops"] if h["direction"] == "back"]) == 21
    assert "stops: newly mined coins" in reasons(tables)


def test_a_convention_that_nobody_published_is_refused() -> None:
    with pytest.raises(Refused, match="must be one of haircut, fifo, lifo, poison"):
        trace_params(Settings(chain=ChainSettings(taint="guess")))
    assert trace_params(Settings()) == {name: PARAMS[name] for name in trace_params(Settings())}


def test_payments_traced_together_are_told_what_each_is_told_alone() -> None:
    chain = Chain()
    one, two = chain.pay(chain.mint(("hot", 4 * COIN)), ("anna", COIN), ("anna two", COIN), ("hot", 2 * COIN))[:2]
    spare = chain.pay([one, two], ("dep", COIN), ("anna three", COIN))[1]
    chain.pay([spare, *chain.mint(("tallow", COIN))], ("dep two", COIN), ("anna four", COIN))
    together = follow(chain, DEPOSITS, [KESTREL, TALLOW])
    for account, name in DEPOSITS.items():
        alone = follow(chain, {account: name}, [KESTREL, TALLOW])
        (payment,) = alone["payments"]
        for table in ("hops", "services"):
            mine = [r for r in together[table] if r["payment"] == payment["payment"]]
            assert mine == [r for r in alone[table] if r["payment"]]

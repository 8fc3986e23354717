"""CoinJoins: transactions that strangers sign together, so that spending together shows nothing about ownership.

Each rule is the published shape of one implementation. A transaction that any of them names links no one and is
followed by no trace. Rules are shapes, not proof: batches of a large service may look alike, and a mix of another make
may not be seen.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from casewright.chain.shapes import Shape

COIN = 100_000_000
WHIRLPOOL_POOLS = (COIN // 1000, COIN // 100, COIN // 20, COIN // 2)
WHIRLPOOL_FEE_ROOM = 110_000
WASABI1_INPUTS, WASABI1_BASE, WASABI1_REPEATS = 10, COIN // 10, 3
WASABI2_INPUTS, WASABI2_LEAST, WASABI2_LEVELS = 20, 5_000, 3
JOINMARKET_LEAST, JOINMARKET_PEERS = 2_730, 3


def whirlpool(shape: Shape) -> str | None:
    """Samourai Whirlpool: 5 to 8 inputs and as many outputs, each output exactly the pool, no input more than the miner
    fees' room above it. Source: Stütz, Stockinger, Moreno-Sanchez, Haslhofer, Maffei, "Adoption and Actual Privacy of
    Decentralized CoinJoin Implementations in Bitcoin", AFT 2022, section 4."""
    count, values = len(shape.paid), set(shape.paid)
    if not 5 <= count <= 8 or len(shape.spent) != count or len(values) != 1:
        return None
    pool = shape.paid[0]
    fits = all(sats is None or pool <= sats <= pool + WHIRLPOOL_FEE_ROOM for sats in shape.spent)
    return "Whirlpool" if pool in WHIRLPOOL_POOLS and fits else None


def whirlpool_tx0(shape: Shape) -> str | None:
    """Whirlpool's Tx0, with which one person enters a pool: an OP_RETURN, 1 to 70 equal outputs a little above a pool,
    a fee of at most 5 % of it, and at most one change. One person signs it, so it links; what leaves it enters a mix.
    Source as above."""
    if shape.kinds.count("op_return") != 1:
        return None
    coins = [sats for sats, kind in zip(shape.paid, shape.kinds, strict=True) if kind != "op_return"]
    for pool in WHIRLPOOL_POOLS:
        ready = Counter(sats for sats in coins if pool < sats <= pool + WHIRLPOOL_FEE_ROOM)
        value, times = _commonest(ready)
        fees = [sats for sats in coins if pool // 100 <= sats <= pool // 20]
        if 1 <= times <= 70 and len(coins) - times in (1, 2) and fees and value not in fees:
            return "Whirlpool Tx0"
    return None


def wasabi1(shape: Shape) -> str | None:
    """Wasabi 1.0 and 1.1: ten inputs or more; the base value, 0.1 BTC within 5 %, and its doublings (1.1 mixes on
    levels) are half of the outputs. Source: Stütz et al., AFT 2022; Ficsór, "ZeroLink", 2017."""
    if len(shape.spent) < WASABI1_INPUTS:
        return None
    counts = Counter(shape.paid)
    base, times = _commonest(Counter({v: n for v, n in counts.items() if abs(v - WASABI1_BASE) * 20 <= WASABI1_BASE}))
    equal = sum(n for value, n in counts.items() if value in {base << level for level in range(12)})
    return "Wasabi 1" if times >= WASABI1_REPEATS and equal * 2 >= len(shape.paid) - 1 else None


def wasabi2(shape: Shape) -> str | None:
    """Wasabi 2 (WabiSabi): twenty inputs or more, no output below 5,000 sat, no address paid twice, and three values or
    more that occur more than once and make up half of the outputs. Source: Ficsór, Seres, Kogman, Ontivero,
    "WabiSabi", 2021, and the coordinator's public defaults."""
    if len(shape.spent) < WASABI2_INPUTS or min(shape.paid) < WASABI2_LEAST:
        return None
    named = [a for a in shape.addresses if a]
    repeats = [n for n in Counter(shape.paid).values() if n > 1]
    spread = len(repeats) >= WASABI2_LEVELS and sum(repeats) * 2 >= len(shape.paid)
    return "Wasabi 2" if spread and len(set(named)) == len(named) else None


def joinmarket(shape: Shape) -> str | None:
    """JoinMarket: n equal outputs, at least half of all, n from 3 to the number of inputs, and change for some.

    Source: Möser and Böhme, "Join Me on a Market for Anonymity", WEIS 2016; Goldfeder, Kalodner, Reisman, Narayanan,
    "When the cookie meets the blockchain", PETS 2018. Veto: every peer brings coins of an own address, so fewer input
    addresses than equal outputs is one payer's batch (addresses that are not known count as different).
    """
    value, times = _commonest(Counter(shape.paid))
    peers = len({a for a in shape.spenders if a}) + sum(a is None for a in shape.spenders)
    fits = JOINMARKET_PEERS <= times <= min(peers, len(shape.spent)) and times < len(shape.paid) <= 2 * times
    return "JoinMarket" if fits and value > JOINMARKET_LEAST else None


RULES: Sequence[Callable[[Shape], str | None]] = (whirlpool, wasabi1, wasabi2, joinmarket)


def coinjoin_rule(shape: Shape) -> str | None:
    """Name of the first rule that calls this a CoinJoin, or None. Tx0 is none: one person signs it. Nor is anything
    that one address alone pays for."""
    if len(set(shape.spenders)) == 1 and shape.spenders[0]:
        return None
    return next((name for rule in RULES if shape.paid and (name := rule(shape))), None)


def _commonest(counts: Counter[int]) -> tuple[int, int]:
    """The value that occurs most often, the largest of equals, and how often; (0, 0) of nothing."""
    value = max(counts, key=lambda v: (counts[v], v), default=0)
    return value, counts[value]

"""CoinJoins: transactions that strangers sign together, so that spending together shows nothing about ownership.

Each rule is the published shape of one implementation. A transaction that any of them names links no one and is
followed by no trace. Rules are shapes, not proof: batches of a large service may look alike, and a mix of another make
may not be seen. `docs/guides/chain.md` has measured how often; `why` and `confidence` go with each.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from casewright.chain.peers import returns_to_all, two_lots
from casewright.chain.shapes import Shape
from casewright.model.bitcoin import COIN

WHIRLPOOL_POOLS = (COIN // 1000, COIN // 100, COIN // 20, COIN // 2)
WHIRLPOOL_FEE_ROOM = 110_000
WASABI1_INPUTS, WASABI1_BASE, WASABI1_REPEATS, WASABI1_FEW, WASABI1_ALONE = 10, COIN // 10, 10, 5, 2
WASABI2_INPUTS, WASABI2_LEAST, WASABI2_MOST, WASABI2_LEVELS = 20, 5_000, 137_438_953_472, 3
JOINMARKET_LEAST, JOINMARKET_PEERS, JOINMARKET_ALIKE = 2_730, 3, 4
NATIVE = {"p2wpkh", "p2tr"}


@dataclass(frozen=True)
class Join:
    """What a rule says. `confidence`: high (shape, and values where they could tell), medium (shape alone) or low (one
    payer could make it too)."""

    rule: str
    why: str
    confidence: str = "high"


def whirlpool(shape: Shape) -> Join | None:
    """Samourai Whirlpool: 5 to 8 inputs and as many outputs, each output exactly the pool and native segwit, no input
    more than the miners' fee above it. Source: Stütz, Stockinger, Moreno-Sanchez, Haslhofer, Maffei, "Adoption and
    Actual Privacy of Decentralized CoinJoin Implementations in Bitcoin", AFT 2022, section 4."""
    count, pool = len(shape.paid), shape.paid[0]
    if not 5 <= count <= 8 or len(shape.spent) != count or len(set(shape.paid)) > 1 or not _native(shape):
        return None
    fits = all(sats is None or pool <= sats <= pool + WHIRLPOOL_FEE_ROOM for sats in shape.spent)
    if pool not in WHIRLPOOL_POOLS or not fits:
        return None
    return _join(shape, "Whirlpool", f"{count} equal coins of the pool {pool} sat")


def whirlpool_tx0(shape: Shape) -> str | None:
    """Whirlpool's Tx0, with which one person enters a pool: an OP_RETURN, 1 to 70 equal outputs a little above a pool,
    a fee of at most 5 % of it (less with a discount), and at most one change. One person signs it, so it links; what
    leaves it enters a mix. Source as above."""
    if shape.kinds.count("op_return") != 1:
        return None
    coins = [sats for sats, kind in zip(shape.paid, shape.kinds, strict=True) if kind != "op_return"]
    for pool in WHIRLPOOL_POOLS:
        ready = Counter(sats for sats in coins if pool < sats <= pool + WHIRLPOOL_FEE_ROOM)
        value, times = _commonest(ready)
        fees = [sats for sats in coins if pool // 200 <= sats <= pool // 20]
        if 1 <= times <= 70 and len(coins) - times in (1, 2) and fees and value not in fees:
            return "Whirlpool Tx0"
    return None


def wasabi1(shape: Shape, repeats: int = WASABI1_REPEATS) -> Join | None:
    """Wasabi 1.0 and 1.1: ten inputs or more, native segwit; the base value, 0.1 BTC within 5 %, comes ten times or
    more, and with its doublings (1.1 mixes on levels) is half of the outputs; a change and the coordinator's fee stand
    alone. Source: Stütz et al., AFT 2022; Ficsór, "ZeroLink", 2017, and Dumplings."""
    if len(shape.spent) < WASABI1_INPUTS or set(shape.kinds) != {"p2wpkh"}:
        return None
    counts = Counter(shape.paid)
    base, times = _commonest(Counter({v: n for v, n in counts.items() if abs(v - WASABI1_BASE) * 20 <= WASABI1_BASE}))
    equal = sum(n for value, n in counts.items() if value in {base << level for level in range(12)})
    alone = sum(n == 1 for n in counts.values())
    if times < repeats or alone < WASABI1_ALONE or equal * 2 < len(shape.paid) - 1 or not _each_can(shape, base, times):
        return None
    return _join(shape, "Wasabi 1", f"{times} coins of {base} sat, {equal} with their doublings, of {len(shape.paid)}")


def small_wasabi1(shape: Shape) -> Join | None:
    """A round of Wasabi 1 to which few came: as above, from five on."""
    found = wasabi1(shape, WASABI1_FEW)
    return replace(found, confidence="low") if found else None


def _each_can(shape: Shape, value: int, peers: int) -> bool:
    """The coins could be dealt to so many peers that each brings about the value. True when they are not all known."""
    known = [sats for sats in shape.spent if sats is not None]
    if len(known) < len(shape.spent):
        return True
    least = value - value // 20
    large = sum(sats >= least for sats in known)
    return large + sum(sats for sats in known if sats < least) // least >= peers


def wasabi2(shape: Shape) -> Join | None:
    """Wasabi 2 (WabiSabi): twenty inputs or more, no output below 5,000 sat or to a script older than segwit, no
    address paid twice, three values or more that occur more than once and make up half of the outputs, half of which
    are standard denominations, and the largest coin first. Out of order, four fifths must be standard, three different
    ones of them powers of two and three. Source: Ficsór, Seres, Kogman, Ontivero, "WabiSabi", 2021, Wasabi's list of
    denominations, and Dumplings."""
    if len(shape.spent) < WASABI2_INPUTS or min(shape.paid) < WASABI2_LEAST or not _native(shape):
        return None
    named = [a for a in shape.addresses if a]
    repeats = [n for n in Counter(shape.paid).values() if n > 1]
    spread = len(repeats) >= WASABI2_LEVELS and sum(repeats) * 2 >= len(shape.paid)
    standard = [v for v in shape.paid if v in denominations()]
    odd = {v for v in standard if str(v).rstrip("0") not in ("1", "2", "5")}
    ordered = list(shape.paid) == sorted(shape.paid, reverse=True) and len(standard) * 2 >= len(shape.paid)
    sure = ordered or len(standard) * 5 >= len(shape.paid) * 4
    if not spread or not sure or len(odd) < WASABI2_LEVELS or len(set(named)) < len(named):
        return None
    return _join(shape, "Wasabi 2", f"{len(standard)} of {len(shape.paid)} coins are standard denominations")


@lru_cache(1)
def denominations() -> frozenset[int]:
    """Wasabi 2's standard denominations: powers of 2 and 3, doubles of the latter, 1, 2 and 5 times powers of 10."""
    found = {2**n for n in range(38)} | {m * 3**n for n in range(24) for m in (1, 2)}
    found |= {m * 10**n for n in range(12) for m in (1, 2, 5)}
    return frozenset(v for v in found if WASABI2_LEAST <= v <= WASABI2_MOST)


def joinmarket(shape: Shape) -> Join | None:
    """JoinMarket: n equal outputs to different addresses, n from 3 to the number of inputs, and a change for each peer,
    or for all but the taker who sweeps. One peer in four, two at most, may have a change that by chance is worth as
    much as the equal outputs. Where values are known, each peer must get back what it brought; where that holds within
    2,000 sat, fewer changes will do (other makes of the same idea).

    Source: Möser and Böhme, "Join Me on a Market for Anonymity", WEIS 2016; Goldfeder, Kalodner, Reisman, Narayanan,
    "When the cookie meets the blockchain", PETS 2018. Veto: every peer brings coins of an own address, so fewer input
    addresses than equal outputs is one payer's batch (addresses that are not known count as different).
    """
    value, times = _commonest(Counter(shape.paid))
    payers = len({a for a in shape.spenders if a}) + sum(a is None for a in shape.spenders)
    changes = [v for v in shape.paid if v != value]
    payees = [a for a, sats in zip(shape.addresses, shape.paid, strict=True) if sats == value and a]
    if value <= JOINMARKET_LEAST or len(set(payees)) < len(payees) or "op_return" in shape.kinds or not changes:
        return None
    for alike in range(min(2, times // (JOINMARKET_ALIKE + 1)) + 1):
        peers, given = times - alike, [*changes, *[value] * alike]
        possible = JOINMARKET_PEERS <= peers <= payers and len(given) <= peers and alike * JOINMARKET_ALIKE <= peers
        if possible and (confidence := _returned(shape, value, peers, given)):
            return Join("JoinMarket", f"{peers} equal coins of {value} sat and {len(given)} changes", confidence)
    return None


def _returned(shape: Shape, value: int, peers: int, changes: Sequence[int]) -> str:
    """How sure it is that so many peers got these changes; empty when they cannot have, or one payer made it up."""
    whole = len(changes) >= peers - 1
    known = [sats for sats in shape.spent if sats is not None]
    dealt = returns_to_all(known, value, peers, changes, not whole) if len(known) == len(shape.spent) else None
    if dealt is None:
        return "medium" if whole else ""
    return ("high" if whole else "low") if dealt else ""


def stonewall(shape: Shape) -> Join | None:
    """STONEWALL: four outputs, two of them equal, and coins that fall into two lots, each of which pays for one of the
    equal ones and gets its own change. One wallet makes it to look like two, or two make it; which, nobody can tell.
    Source: Samourai Wallet's documentation of STONEWALL and STONEWALLx2."""
    value, times = _commonest(Counter(shape.paid))
    if len(shape.paid) != 4 or times != 2 or None in shape.spent or "op_return" in shape.kinds:
        return None
    one, two = (v for v in shape.paid if v != value)
    if len(set(shape.spenders)) < 2 or value <= JOINMARKET_LEAST:
        return None
    fits = two_lots([s for s in shape.spent if s is not None], value, (one, two))
    why = f"two equal coins of {value} sat, each paid for by its own lot of coins"
    return Join("Stonewall", why, "low") if fits else None


RULES: Sequence[Callable[[Shape], Join | None]] = (whirlpool, wasabi1, wasabi2, joinmarket, small_wasabi1, stonewall)
BATCHES = {"Wasabi 1", "Wasabi 2", "JoinMarket", "Stonewall"}
"""Rules whose shape a large service's batch may have."""


def coinjoin(shape: Shape) -> Join | None:
    """The first rule that calls this a CoinJoin, and why. Tx0 is none: one person signs it. Nor is anything that one
    address alone pays for."""
    if not shape.paid or (len(set(shape.spenders)) == 1 and shape.spenders[0]) or whirlpool_tx0(shape):
        return None
    return next((join for rule in RULES if (join := rule(shape))), None)


def coinjoin_rule(shape: Shape) -> str | None:
    """Name of the rule that calls this a CoinJoin, or None."""
    found = coinjoin(shape)
    return found.rule if found else None


def _native(shape: Shape) -> bool:
    return set(shape.kinds) <= NATIVE


def _join(shape: Shape, rule: str, why: str) -> Join:
    return Join(rule, why, "medium" if None in shape.spent else "high")


def _commonest(counts: Counter[int]) -> tuple[int, int]:
    """The value that occurs most often, the largest of equals, and how often; (0, 0) of nothing."""
    value = max(counts, key=lambda v: (counts[v], v), default=0)
    return value, counts[value]

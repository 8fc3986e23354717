"""CoinJoins: transactions in which strangers pay together. Each rule is a published shape; none is proof.

A transaction that any rule names is left out of co-spend clustering, and no trace goes through it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WHIRLPOOL_POOLS = (100_000, 1_000_000, 5_000_000, 50_000_000)
WHIRLPOOL_SLACK = 110_000
WASABI1_BASE = 10_000_000
DUST = 2_730


@dataclass(frozen=True)
class Shape:
    """What a rule looks at: satoshis of inputs (None where the spent output is unknown) and outputs, their addresses."""

    inputs: Sequence[int | None]
    outputs: Sequence[int]
    addresses: Sequence[str | None]


def whirlpool(shape: Shape) -> bool:
    """Samourai Whirlpool mix: 5 to 8 inputs and as many outputs, all equal to a pool, inputs barely larger.

    Source: the client's published pool parameters, as restated in Stütz et al., "Adoption and Actual Privacy of
    Decentralized CoinJoin Implementations in Bitcoin" (AFT 2022).
    """
    count = len(shape.outputs)
    if not 5 <= count <= 8 or len(shape.inputs) != count or len(set(shape.outputs)) != 1:
        return False
    pool = shape.outputs[0]
    fits = all(v is None or pool <= v <= pool + WHIRLPOOL_SLACK for v in shape.inputs)
    return pool in WHIRLPOOL_POOLS and fits


def wasabi1(shape: Shape) -> bool:
    """Wasabi 1.0/1.1: at least 10 inputs, the modal output about 0.1 BTC and repeated by half the outputs. AFT 2022."""
    value, times = _modal(shape.outputs)
    near = abs(value - WASABI1_BASE) * 20 <= WASABI1_BASE
    return len(shape.inputs) >= 10 and near and times * 2 >= len(shape.outputs) - 1


def wasabi2(shape: Shape) -> bool:
    """Wasabi 2 (WabiSabi): 20 inputs or more, no output below 5,000 sat, distinct addresses, and at least three values
    that occur twice or more and together cover half of the outputs. AFT 2022 and the coordinator's public defaults."""
    if len(shape.inputs) < 20 or len(shape.outputs) < 6 or min(shape.outputs) < 5_000:
        return False
    named = [a for a in shape.addresses if a]
    repeated = [n for n in Counter(shape.outputs).values() if n >= 2]
    return len(set(named)) == len(named) and len(repeated) >= 3 and sum(repeated) * 2 >= len(shape.outputs)


def joinmarket(shape: Shape) -> bool:
    """JoinMarket: n equal outputs, at least half of all, 3 ≤ n ≤ inputs, and some change.

    Source: Goldfeder et al., "When the cookie meets the blockchain" (PETS 2018), with the dust limit of JoinMarket.
    """
    value, times = _modal(shape.outputs)
    some_change = times < len(shape.outputs) <= 2 * times
    return value > DUST and 3 <= times <= len(shape.inputs) and some_change


RULES: tuple[tuple[str, Callable[[Shape], bool]], ...] = (
    ("Whirlpool", whirlpool),
    ("Wasabi 1", wasabi1),
    ("Wasabi 2", wasabi2),
    ("JoinMarket", joinmarket),
)


def coinjoin_rule(shape: Shape) -> str | None:
    """Name of the first rule that fits, or None."""
    return next((name for name, fits in RULES if shape.outputs and fits(shape)), None)


def _modal(values: Sequence[int]) -> tuple[int, int]:
    """The commonest value, the largest of equals, and how often it occurs."""
    counts = Counter(values)
    value = max(counts, key=lambda v: (counts[v], v))
    return value, counts[value]

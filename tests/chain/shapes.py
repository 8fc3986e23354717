"""Shapes of CoinJoins as their makers build them, and of what looks like one and is none."""

from collections.abc import Sequence
from random import Random

from casewright.chain.shapes import Shape
from casewright.demo.mixes import joinmarket as _joinmarket
from casewright.demo.mixes import wabisabi, wasabi
from casewright.demo.mixes import whirlpool as _whirlpool
from casewright.demo.mixes.made import Made


def shape(spent: list[int], paid: list[int], kinds: list[str] | None = None, payers: int | None = None) -> Shape:
    """Every input and output has an address of its own, unless `payers` share the inputs."""
    spenders = [f"in{n % (payers or len(spent))}" for n in range(len(spent))]
    return Shape(spent, spenders, paid, [f"out{n}" for n in range(len(paid))], kinds or ["p2wpkh"] * len(paid))


def shape_of(made: Made) -> Shape:
    """What the rules see of a transaction that was made: holders are its addresses."""
    addresses: Sequence[str | None] = [None if o.kind == "op_return" else o.holder for o in made.outputs]
    return Shape(
        [i.sats for i in made.inputs], [i.holder for i in made.inputs], [o.sats for o in made.outputs], addresses,
        [o.kind for o in made.outputs],
    )  # fmt: skip


def whirlpool(dice: Random) -> Shape:
    return shape_of(_whirlpool.random_mix(dice))


def tx0(dice: Random) -> Shape:
    return shape_of(_whirlpool.random_tx0(dice))


def wasabi1(dice: Random) -> Shape:
    return shape_of(wasabi.random_join_1_1(dice))


def wasabi2(dice: Random) -> Shape:
    return shape_of(wabisabi.random_join(dice))


def joinmarket(dice: Random) -> Shape:
    return shape_of(_joinmarket.random_join(dice))

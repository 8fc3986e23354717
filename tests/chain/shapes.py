"""Shapes of CoinJoins as their makers build them, and of what looks like one and is none."""

from random import Random

from casewright.chain.shapes import Shape
from tests.chain.world import COIN


def shape(spent: list[int], paid: list[int], kinds: list[str] | None = None, payers: int | None = None) -> Shape:
    """Every input and output has an address of its own, unless `payers` share the inputs."""
    spenders = [f"in{n % (payers or len(spent))}" for n in range(len(spent))]
    return Shape(spent, spenders, paid, [f"out{n}" for n in range(len(paid))], kinds or ["p2wpkh"] * len(paid))


def whirlpool(dice: Random) -> Shape:
    pool, size = dice.choice([COIN // 1000, COIN // 100, COIN // 20, COIN // 2]), dice.randint(5, 8)
    return shape([pool + dice.choice([0, dice.randint(100, 100_000)]) for _ in range(size)], [pool] * size)


def tx0(dice: Random) -> Shape:
    pool, count = dice.choice([COIN // 1000, COIN // 100]), dice.randint(1, 70)
    ready = pool + dice.randint(200, 20_000)
    paid = [0, pool // 20, *[ready] * count, *([dice.randint(1000, pool - 1)] if dice.random() < 0.8 else [])]
    return shape([sum(paid) + 900], paid, ["op_return"] + ["p2wpkh"] * (len(paid) - 1))


def wasabi1(dice: Random) -> Shape:
    """Peers get the base value, some also doublings of it, and change; the coordinator its fee."""
    base, peers = COIN // 10 + dice.randint(-400_000, 400_000), dice.randint(12, 80)
    levels = [base << dice.choice([0, 0, 0, 1, 2]) for _ in range(peers)]
    levels[:4] = [base] * 4
    change = [dice.randint(10_000, COIN) for _ in range(peers - 2)]
    spent = [dice.randint(base, 3 * COIN) for _ in range(peers + dice.randint(0, 20))]
    return shape(spent, [*levels, *change, 123_456])


def wasabi2(dice: Random) -> Shape:
    levels = [5_000 << n for n in range(12)]
    paid = [dice.choice(levels) for _ in range(dice.randint(40, 120))] + [dice.randint(5_000, COIN) for _ in range(15)]
    return shape([dice.randint(5_000, COIN) for _ in range(dice.randint(20, 90))], paid)


def joinmarket(dice: Random) -> Shape:
    peers, value = dice.randint(3, 9), dice.randint(5_000_000, 5 * COIN)
    change = [dice.randint(3_000, COIN) for _ in range(dice.randint(1, peers))]
    spent = [dice.randint(value, 6 * COIN) for _ in range(peers + dice.randint(0, 6))]
    return shape(spent, [value] * peers + change)

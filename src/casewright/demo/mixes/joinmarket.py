"""JoinMarket: a taker and some makers get one equal coin each; makers always get change, the taker unless it sweeps.

Shape: JoinMarket's documentation (minimum of makers, counterparties 8 to 10 by default and fewer in its first years,
offers with absolute or relative fee and a contribution to the miners' fee, no change below 27,300 sat); Möser and
Böhme, "Join Me on a Market for Anonymity", WEIS 2016.
"""

from collections.abc import Sequence
from random import Random

from casewright.demo.mixes.made import Made, Outputs, Peer, amount, cut, miners_fee, puts, shuffled
from casewright.model.bitcoin import COIN

LEAST_CHANGE = 27_300
KINDS = ("p2wpkh", "p2wpkh", "p2sh", "p2pkh")


def join(dice: Random, taker: Peer, makers: Sequence[Peer], value: int, rate: int, kind: str = "p2wpkh") -> Made:
    """The taker pays all fees out of its change; `value` 0 sweeps: the taker's coins become one equal coin."""
    offers = [(dice.choice((0, 250, 500, 1_000)), dice.choice((0, 0, 2, 10, 100)), dice.choice((0, 0, 100, 500)))
              for _ in makers]  # fmt: skip
    count = sum(len(p.coins) for p in (taker, *makers))
    mining = miners_fee(count, 2 * len(makers) + 2, rate)
    sweep = not value
    if sweep:
        value = (taker.total - mining - sum(o[0] for o in offers)) * 100_000 // (100_000 + sum(o[1] for o in offers))
    outputs, income = Outputs(), 0
    for maker, (absolute, relative, contribution) in zip(makers, offers, strict=True):
        earned = absolute + value * relative // 100_000 - min(contribution, mining // (2 * len(makers)))
        outputs.pay(maker.name, value, "mixed", kind)
        outputs.pay(maker.name, maker.total - value + earned, "change", kind)
        income += earned
    outputs.pay(taker.name, value, "mixed", kind)
    if not sweep:
        outputs.pay(taker.name, taker.total - value - income - mining, "change", kind)
    return shuffled(dice, puts([taker, *makers]), outputs)


def random_join(dice: Random) -> Made:
    count = dice.choice([dice.randint(2, 5), dice.randint(4, 7), dice.randint(8, 10)])
    value = max(200_000, amount(dice, COIN // 5))
    if dice.random() < 0.5:
        digits = len(str(value)) - 2
        value = value // 10**digits * 10**digits
    rate = dice.randint(1, 40)
    makers = [Peer(f"maker{n}", _coins(dice, value, LEAST_CHANGE * 2)) for n in range(count)]
    room = miners_fee(40, 30, rate) + value // 50 + LEAST_CHANGE + 20_000
    taker = Peer("taker", _coins(dice, value, room))
    sweep = dice.random() < 0.2 and min(m.total for m in makers) > taker.total + LEAST_CHANGE
    return join(dice, taker, makers, 0 if sweep else value, rate, dice.choice(KINDS))


def _coins(dice: Random, value: int, room: int) -> tuple[int, ...]:
    """One to four coins that together are worth more than `value`."""
    total, count = value + room + amount(dice, value), dice.choice([1, 1, 1, 2, 2, 3, 4])
    return cut(dice, total, count)

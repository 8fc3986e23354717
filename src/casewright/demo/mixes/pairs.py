"""Two sign together: PayJoin, where the payee adds a coin, and Stonewall, which looks as if two had paid.

Shapes: BIP 78 (PayJoin); Samourai Wallet's documentation of STONEWALL (one wallet) and STONEWALLx2 (two of them): two
equal outputs, of which one is the payment, and two changes, the miners' fee shared by halves.
"""

from random import Random

from casewright.demo.mixes.made import Made, Outputs, Peer, amount, by_value, miners_fee, puts, shuffled
from casewright.model.bitcoin import COIN


def payjoin(dice: Random, payer: Peer, payee: Peer, sats: int, rate: int) -> Made:
    """The payee's coin comes back with the payment; the payer pays the fee."""
    outputs = Outputs()
    outputs.pay(payee.name, payee.total + sats, "payment")
    fee = miners_fee(len(payer.coins) + len(payee.coins), 2, rate)
    outputs.pay(payer.name, payer.total - sats - fee, "change")
    return shuffled(dice, puts([payer, payee]), outputs)


def stonewall(payer: Peer, other: Peer, payee: str, sats: int, rate: int) -> Made:
    """`other` is the payer's own second lot of coins, or a friend who takes part."""
    outputs = Outputs()
    half = miners_fee(len(payer.coins) + len(other.coins), 4, rate) // 2
    outputs.pay(payee, sats, "payment")
    outputs.pay(other.name, sats, "mixed")
    for peer in (payer, other):
        outputs.pay(peer.name, peer.total - sats - half, "change")
    return by_value(puts([payer, other]), outputs)


def random_payjoin(dice: Random) -> Made:
    sats, rate = amount(dice, COIN // 50), dice.randint(1, 40)
    total = sats + rate * 500 + amount(dice, COIN // 20)
    payer = Peer("payer", (total,) if dice.random() < 0.6 else (total // 3, total - total // 3))
    return payjoin(dice, payer, Peer("payee", (amount(dice, COIN // 20),)), sats, rate)


def random_stonewall(dice: Random, two: bool = False) -> Made:
    sats, rate = amount(dice, COIN // 50), dice.randint(1, 40)
    lots = []
    for name in ("payer", "friend" if two else "payer"):
        total = sats + rate * 400 + amount(dice, COIN // 50)
        lots.append(Peer(name, (total,) if dice.random() < 0.5 else (total // 3, total - total // 3)))
    return stonewall(lots[0], lots[1], "payee", sats, rate)


def random_stonewall_x2(dice: Random) -> Made:
    return random_stonewall(dice, two=True)

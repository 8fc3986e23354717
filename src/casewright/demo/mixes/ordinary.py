"""What one payer signs alone and yet looks a little like a CoinJoin: batches, pay-outs of equal values, splits."""

from random import Random

from casewright.demo.mixes.made import Made, Outputs, Peer, amount, cut, miners_fee, puts, shuffled
from casewright.model.bitcoin import COIN

ROUND = tuple(m * 10**n for n in (5, 6, 7) for m in (1, 2, 5))


def _paid_by_one(dice: Random, outputs: Outputs, coins: int, name: str = "service", addresses: int = 0) -> Made:
    """Coins of one owner that are worth a little more than the outputs, and the change. `addresses`: how many of its
    own it keeps coins at; 0 is a new one for each."""
    rate = dice.randint(1, 60)
    fee = miners_fee(coins, len(outputs) + 1, rate)
    total = sum(o.sats for o in outputs) + fee + 1_000 * coins + amount(dice, COIN)
    parts = cut(dice, total, coins)
    outputs.pay(name, total - sum(o.sats for o in outputs) - fee, "change")
    inputs = puts([Peer(name, parts)])
    if addresses:
        inputs = [i._replace(holder=f"{name}/in{n % addresses}") for n, i in enumerate(inputs)]
    return shuffled(dice, inputs, outputs)


def batch(dice: Random) -> Made:
    """An exchange pays many customers at once; some or most of them asked for a round amount."""
    outputs, round_share = Outputs(), dice.choice((0.1, 0.35, 0.9))
    for n in range(dice.choice([dice.randint(5, 20), dice.randint(20, 150)])):
        sats = dice.choice(ROUND) if dice.random() < round_share else amount(dice, COIN // 20)
        outputs.pay(f"customer{n}", sats, "payment", dice.choice(("p2wpkh", "p2sh", "p2pkh")))
    coins = dice.choice([1, 1, 2, 3, dice.randint(3, 10), dice.randint(10, 60)])
    return _paid_by_one(dice, outputs, coins, addresses=dice.choice([0, 0, 1, 4]))


def equal_payouts(dice: Random) -> Made:
    """Wages, prizes, a pool's least pay-out: the same amount for everybody, from one or more coins."""
    outputs, sats = Outputs(), dice.choice((*ROUND, amount(dice, COIN // 50)))
    for n in range(dice.randint(3, 40)):
        outputs.pay(f"payee{n}", sats, "payment")
    for n in range(dice.choice([0, 0, 1, dice.randint(0, 8)])):
        outputs.pay(f"other{n}", amount(dice, COIN // 50), "payment")
    return _paid_by_one(dice, outputs, dice.choice([1, 1, 2, dice.randint(3, 20)]), addresses=dice.choice([0, 0, 1, 4]))


def split(dice: Random) -> Made:
    """A wallet makes equal coins for itself, for later."""
    outputs, sats = Outputs(), amount(dice, COIN // 10)
    for _ in range(dice.randint(2, 12)):
        outputs.pay("wallet", sats, "change")
    return _paid_by_one(dice, outputs, dice.randint(1, 8), "wallet")


def consolidation(dice: Random) -> Made:
    """Many coins become one or two."""
    return _paid_by_one(dice, Outputs(), dice.choice([dice.randint(2, 20), dice.randint(20, 200)]))


def payment(dice: Random) -> Made:
    """Somebody pays one or two others and keeps the change."""
    outputs = Outputs()
    for n in range(dice.choice([1, 1, 1, 1, 2])):
        outputs.pay(f"payee{n}", amount(dice, COIN // 20), "payment")
    return _paid_by_one(dice, outputs, dice.choice([1, 1, 1, 2, 2, 3, 5]), "payer")

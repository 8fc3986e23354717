"""Wasabi 1.0 and 1.1: ten to a hundred people take a tenth of a bitcoin each; 1.1 adds levels of twice that.

Shape: Wasabi's documentation and coordinator (up to seven coins a person, coordinator's fee of 0.003 % for each peer,
change below 0.7 % of the base goes to the fee), Ficsór, "ZeroLink", 2017, and Stütz et al., AFT 2022.
"""

from collections.abc import Sequence
from random import Random

from casewright.demo.mixes.made import INPUT_SIZE, OUTPUT_SIZE, Made, Outputs, Peer, amount, by_value, puts
from casewright.model.bitcoin import COIN

BASE, MOST_COINS, LEVELS = COIN // 10, 7, 8
COORDINATOR = "wasabi coordinator"


def join(peers: Sequence[Peer], base: int, rate: int, levels: int = 1) -> Made:
    """Every peer takes the base value, and with `levels` above 1 each doubling of it that the coins still allow, when
    another peer takes it too; what is left is change."""
    outputs, fees = Outputs(), 0
    capacities = [_capacity(p.total, base, levels) for p in peers]
    for peer, capacity in zip(peers, capacities, strict=True):
        taken = [base << n for n in range(capacity) if sum(c > n for c in capacities) > 1]
        for sats in taken:
            outputs.pay(peer.name, sats, "mixed")
        left = peer.total - sum(taken) - rate * (INPUT_SIZE * len(peer.coins) + OUTPUT_SIZE * (len(taken) + 1))
        fee = max(0, min(left, sum(taken) * 3 * len(peers) // 100_000))
        if left - fee >= base * 7 // 1000:
            outputs.pay(peer.name, left - fee, "change")
        fees += fee
    if fees > 546:
        outputs.pay(COORDINATOR, fees, "fee")
    return by_value(puts(peers), outputs)


def _capacity(total: int, base: int, levels: int) -> int:
    """How many levels, from the base up, can be taken all together."""
    count = 1
    while count < levels and total > (base << count + 1):
        count += 1
    return count


def random_join(dice: Random, levels: int = 1) -> Made:
    """Newcomers bring one to seven coins, remixers one of about the base value and a small one for the fees."""
    base, rate = BASE + dice.randint(-300_000, 50_000), dice.randint(1, 40)
    room = base + rate * 7 * INPUT_SIZE + rate * 3 * OUTPUT_SIZE
    peers = []
    for n in range(dice.choice([dice.randint(10, 30), dice.randint(30, 100), dice.randint(70, 100)])):
        if dice.random() < 0.35:
            peers.append(Peer(f"peer{n}", (base + dice.randint(0, 40_000), room - base + dice.randint(0, 30_000))))
        else:
            count = dice.choice([1, 1, 1, 2, 2, 3, dice.randint(3, MOST_COINS)])
            total = room + amount(dice, COIN // 4 if levels == 1 else COIN)
            peers.append(Peer(f"peer{n}", tuple(total // count + k for k in range(count))))
    return join(peers, base, rate, levels)


def random_join_1_0(dice: Random) -> Made:
    return random_join(dice)


def random_join_1_1(dice: Random) -> Made:
    return random_join(dice, LEVELS)

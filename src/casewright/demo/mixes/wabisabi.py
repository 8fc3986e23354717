"""Wasabi 2 (WabiSabi): twenty to some hundred coins in, standard denominations out, largest first.

Shape: Ficsór, Seres, Kogman, Ontivero, "WabiSabi: Centrally Coordinated CoinJoins with Variable Amounts", 2021; Wasabi
2's client: denominations are powers of two and of three, doubles of the latter, and 1, 2 and 5 times powers of ten, of
which those are used that several can use; up to ten coins in and ten out for each client; nothing below 5,000 sat.
"""

from collections import Counter
from collections.abc import Sequence
from random import Random

from casewright.demo.mixes.made import INPUT_SIZE, OUTPUT_SIZE, Made, Outputs, Peer, amount, by_value, puts
from casewright.model.bitcoin import COIN

LEAST, MOST = 5_000, 137_438_953_472
MOST_COINS, MOST_OUTPUTS = 10, 10
COORDINATOR = "wabisabi coordinator"


def denominations() -> tuple[int, ...]:
    """All standard denominations, largest first."""
    found = {2**n for n in range(38)} | {m * 3**n for n in range(24) for m in (1, 2)}
    found |= {m * 10**n for n in range(12) for m in (1, 2, 5)}
    return tuple(sorted((d for d in found if LEAST <= d <= MOST), reverse=True))


DENOMINATIONS = denominations()


def greedy(sats: int, usable: Sequence[int], cost: int) -> list[int]:
    """The largest denomination that fits, again and again; each output costs its part of the miners' fee."""
    taken: list[int] = []
    for value in usable:
        while sats >= value + cost and len(taken) < MOST_OUTPUTS - 1:
            taken.append(value)
            sats -= value + cost
    return taken


def usable(peers: Sequence[Peer], cost: int) -> list[int]:
    """Denominations that occur at least twice when every coin of the round is taken apart on its own."""
    seen = Counter(d for peer in peers for sats in peer.coins for d in greedy(sats, DENOMINATIONS, cost))
    return [d for d in DENOMINATIONS if seen[d] > 1]


def join(dice: Random, peers: Sequence[Peer], rate: int, coordinated: bool = True) -> Made:
    """Each client takes its sum apart, now and then passing over the largest that fits; what no denomination can hold
    is change or goes to the miners. With a fee of 0.3 % to the coordinator, as until June 2024."""
    cost, fees, outputs = rate * OUTPUT_SIZE, 0, Outputs()
    common = usable(peers, cost) or list(DENOMINATIONS)
    for peer in peers:
        fee = peer.total * 3 // 1000 if coordinated and peer.total > COIN // 100 else 0
        left = peer.total - fee - rate * INPUT_SIZE * len(peer.coins)
        some = [d for d in common if dice.random() < 0.75] or common
        taken = greedy(left, some, cost)
        left -= sum(taken) + cost * len(taken)
        for sats in taken:
            outputs.pay(peer.name, sats, "mixed", dice.choice(("p2wpkh", "p2tr")))
        if left >= LEAST + cost:
            outputs.pay(peer.name, left - cost, "change")
        fees += fee
    if fees >= LEAST:
        outputs.pay(COORDINATOR, fees, "fee")
    return by_value(puts(peers), outputs, largest_first=True)


def random_join(dice: Random) -> Made:
    """Coins are newcomers' of any value and remixers' denominations."""
    wanted, rate = dice.choice([dice.randint(20, 60), dice.randint(50, 250)]), dice.randint(1, 60)
    peers: list[Peer] = []
    count = 0
    while count < wanted:
        own = dice.choice([1, 1, 2, 3, dice.randint(3, MOST_COINS)])
        coins = tuple(_coin(dice, rate) for _ in range(own))
        peers.append(Peer(f"client{len(peers)}", coins))
        count += own
    return join(dice, peers, rate, dice.random() < 0.6)


def _coin(dice: Random, rate: int) -> int:
    least = LEAST + rate * (INPUT_SIZE + 2 * OUTPUT_SIZE)
    if dice.random() < 0.5:
        return max(least, dice.choice(DENOMINATIONS[20:]))
    return least + amount(dice, COIN // 20, 1.8)

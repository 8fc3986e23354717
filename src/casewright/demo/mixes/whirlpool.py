"""Whirlpool: five to eight coins in, as many equal ones out; and Tx0, with which one person enters a pool.

Shape: Samourai's whirlpool-client and -protocol (pools, fees, premix), and the detection heuristics of Stütz et al.,
AFT 2022, and of Ficsór's Dumplings. Newcomers (premix) pay the miners, remixers pay nothing.
"""

from collections.abc import Sequence
from random import Random

from casewright.demo.mixes.made import OUTPUT_SIZE, Made, Outputs, Peer, by_value, miners_fee, puts
from casewright.model.bitcoin import COIN

POOL_FEES = {COIN // 1000: 5_000, COIN // 100: 50_000, COIN // 20: 175_000, COIN // 2: 1_750_000}
"""What the coordinator takes once for entering each pool."""
MOST_PREMIX = 70


def mix(pool: int, peers: Sequence[Peer]) -> Made:
    """Every peer brings one coin and takes out exactly the pool. Order by value, as BIP 69 has it."""
    outputs = Outputs()
    for peer in peers:
        outputs.pay(peer.name, pool, "mixed")
    return by_value(puts(peers), outputs)


def premix(pool: int, rate: int, newcomers: int = 2) -> int:
    """What a coin is worth on entering: the pool and a share of the miners' fee of the mix to come."""
    return pool + min(100_000, max(120, miners_fee(5, 5, rate) // newcomers))


def tx0(peer: Peer, pool: int, rate: int, discount: int = 0) -> Made:
    """As many premix coins as the peer can afford, the coordinator's fee, data for the coordinator, and the rest."""
    ready, fee = premix(pool, rate), POOL_FEES[pool] * (100 - discount) // 100
    count = min(MOST_PREMIX, (peer.total - fee - rate * 300) // (ready + rate * OUTPUT_SIZE))
    outputs = Outputs()
    outputs.pay("whirlpool", 0, "data", "op_return")
    outputs.pay("whirlpool", fee, "fee")
    for _ in range(count):
        outputs.pay(peer.name, ready, "premix")
    rest = peer.total - sum(o.sats for o in outputs) - miners_fee(len(peer.coins), len(outputs) + 2, rate)
    if rest > 546:
        outputs.pay(peer.name, rest, "change")
    return by_value(puts([peer]), outputs)


def random_mix(dice: Random) -> Made:
    """Five peers mostly; up to eight since 2023. One to three newcomers among the first five."""
    pool, size = dice.choice(list(POOL_FEES)), dice.choice([5, 5, 5, 5, 6, 7, 8])
    newcomers = dice.randint(2, size - 2)
    coins = [premix(pool, dice.randint(1, 150), newcomers) for _ in range(newcomers)] + [pool] * (size - newcomers)
    return mix(pool, [Peer(f"peer{n}", (sats,)) for n, sats in enumerate(coins)])


def random_tx0(dice: Random) -> Made:
    pool, rate = dice.choice(list(POOL_FEES)), dice.randint(1, 100)
    wanted = min(dice.randint(1, 30) if dice.random() < 0.8 else dice.randint(30, 90), 90)
    total = POOL_FEES[pool] + (pool + 110_000) * wanted + dice.randint(100_000, pool + 100_000)
    cuts = dice.choice([1, 1, 1, 2, 3])
    coins = tuple(total // cuts + n for n in range(cuts))
    return tx0(Peer("entrant", coins), pool, rate, dice.choice([0, 0, 0, 0, 25, 50, 75]))

"""Chains as columns: by chance, with few addresses, so that they meet again and again; and of one transaction."""

from random import Random

import numpy as np
import pyarrow as pa

from casewright.chain.columns import KINDS, UNKNOWN, Chain
from casewright.chain.shapes import Shape

AMOUNTS = (600, 5_000, 70_000, 1_000_000, 2_000_000, 3_333_333)


def thrown(seed: int, transactions: int = 60, wallets: int = 9, addresses: int = 40) -> Chain:
    """A chain of so many transactions. Every seventh holder is a script without an address; some coins that are spent
    are not in the files; wallets spend several of their own coins, and now and then one of another's."""
    dice = Random(seed)
    order: dict[int, int] = {}
    coins: list[tuple[int, int]] = []  # output, owner's holder
    made: dict[str, list[int]] = {n: [] for n in ("sats", "holder", "kind", "spender", "spends", "ins", "outs")}
    for number in range(transactions):
        spent = _chosen(dice, coins, wallets) if dice.random() < 0.8 else []
        for output, _ in spent:
            coins.remove((output, _))
            made["spender"][output] = number
        unknown = [UNKNOWN] if dice.random() < 0.1 else []
        made["spends"] += [output for output, _ in spent] + unknown
        made["ins"].append(len(spent) + len(unknown))
        made["outs"].append(dice.choice((1, 2, 2, 2, 3, 4)))
        for _ in range(made["outs"][-1]):
            who = dice.randrange(addresses)
            coins.append((len(made["sats"]), who))
            made["sats"].append(dice.choice(AMOUNTS))
            made["holder"].append(order.setdefault(who, len(order)))
            made["kind"].append(KINDS.index("p2pk") if who % 7 == 6 else who % 3)
            made["spender"].append(UNKNOWN)
    numbers = {name: np.array(values, np.int64) for name, values in made.items()}
    return Chain(
        height=np.arange(transactions), time=np.arange(transactions) * 600,
        first_input=np.cumsum([0, *made["ins"]]), first_output=np.cumsum([0, *made["outs"]]),
        spends=numbers["spends"], sats=numbers["sats"], holder=numbers["holder"],
        kind=numbers["kind"].astype(np.uint8), spender=numbers["spender"],
        txids=pa.array([n.to_bytes(32, "little") for n in range(transactions)], pa.binary(32)),
        style=np.array([dice.choice((2, 4, 4, 5, 255)) for _ in range(transactions)], np.uint8),
        addresses=pa.array([None if who % 7 == 6 else f"address{who:02}" for who in order], pa.string()),
    )  # fmt: skip


def _chosen(dice: Random, coins: list[tuple[int, int]], wallets: int) -> list[tuple[int, int]]:
    wallet, many = dice.randrange(wallets), dice.choice((1, 1, 2, 3, 5))
    own = [c for c in coins if c[1] % wallets == wallet or dice.random() < 0.02]
    return dice.sample(own, min(many, len(own)))


def alone(shape: Shape) -> Chain:
    """A chain of two transactions: one makes the coins that the other, which has this shape, spends."""
    known = [n for n, sats in enumerate(shape.spent) if sats is not None]
    names = [shape.spenders[n] or f"script {n}" for n in known] + [a or "script" for a in shape.addresses]
    order = {name: n for n, name in enumerate(dict.fromkeys(names))}
    place = {n: output for output, n in enumerate(known)}
    sats = [shape.spent[n] or 0 for n in known] + list(shape.paid)
    kinds = [shape.kinds[0]] * len(known) + list(shape.kinds)
    return Chain(
        height=np.arange(2), time=np.arange(2), first_input=np.array([0, 0, len(shape.spent)]),
        first_output=np.array([0, len(known), len(sats)]),
        spends=np.array([place.get(n, UNKNOWN) for n in range(len(shape.spent))]), sats=np.array(sats),
        holder=np.array([order[name] for name in names]), kind=np.array([KINDS.index(k) for k in kinds], np.uint8),
        spender=np.array([1] * len(known) + [UNKNOWN] * len(shape.paid)),
        txids=pa.array([bytes(32), b"\x11" * 32], pa.binary(32)),
        style=np.full(2, 4, np.uint8),
        addresses=pa.array([None if name.startswith("script") else name for name in order], pa.string()),
    )  # fmt: skip

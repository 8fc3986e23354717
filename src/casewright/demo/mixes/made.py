"""Transactions as plain data: what goes in and what comes out, and whose it is. No keys, no signatures, no chain.

Makers in this folder build the published shape of one kind of transaction each, from the coins of those who take part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

INPUT_SIZE, OUTPUT_SIZE, FRAME_SIZE = 68, 31, 11
"""Virtual bytes of a p2wpkh input and output, and of what stands around them."""


class Put(NamedTuple):
    """A coin that is spent. A holder is `owner/number`: an address of this owner."""

    sats: int
    holder: str


class Paid(NamedTuple):
    """A coin that is made; `role` says what for: mixed, change, fee, payment, premix, data."""

    sats: int
    holder: str
    kind: str
    role: str


@dataclass(frozen=True)
class Peer:
    """Somebody who takes part, with the coins brought along."""

    name: str
    coins: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.coins)


@dataclass(frozen=True)
class Made:
    """One transaction. `inputs` stand in the order of the peers and their coins until `shuffled` or `sorted`."""

    inputs: tuple[Put, ...]
    outputs: tuple[Paid, ...]

    @property
    def fee(self) -> int:
        return sum(i.sats for i in self.inputs) - sum(o.sats for o in self.outputs)

    @property
    def peers(self) -> set[str]:
        return {owner(i.holder) for i in self.inputs}


def miners_fee(coins: int, outputs: int, rate: int) -> int:
    """Of a transaction with so many coins and outputs, at `rate` satoshis a virtual byte."""
    return rate * (FRAME_SIZE + INPUT_SIZE * coins + OUTPUT_SIZE * outputs)


def cut(dice: Random, total: int, count: int) -> tuple[int, ...]:
    """So many parts that come to `total`."""
    cuts = sorted(dice.sample(range(1, total), count - 1))
    return tuple(b - a for a, b in zip([0, *cuts], [*cuts, total], strict=True))


def owner(holder: str) -> str:
    return holder.rpartition("/")[0]


def puts(peers: Iterable[Peer]) -> list[Put]:
    """Every coin at an address of its own."""
    coins = [(peer.name, sats) for peer in peers for sats in peer.coins]
    return [Put(sats, f"{name}/in{n}") for n, (name, sats) in enumerate(coins)]


class Outputs(list[Paid]):
    """Outputs in the making, each at a new address of its owner."""

    def pay(self, name: str, sats: int, role: str, kind: str = "p2wpkh") -> None:
        self.append(Paid(sats, f"{name}/out{len(self)}", kind, role))


def shuffled(dice: Random, inputs: Sequence[Put], outputs: Sequence[Paid]) -> Made:
    """In an order that says nothing."""
    return Made(tuple(dice.sample(inputs, len(inputs))), tuple(dice.sample(outputs, len(outputs))))


def by_value(inputs: Sequence[Put], outputs: Sequence[Paid], largest_first: bool = False) -> Made:
    """In the order of value: as BIP 69 has outputs, or largest first as WabiSabi has both."""
    sign = -1 if largest_first else 1
    return Made(
        tuple(sorted(inputs, key=lambda i: (sign * i.sats, i.holder))),
        tuple(sorted(outputs, key=lambda o: (sign * o.sats, o.holder))),
    )


def amount(dice: Random, middle: int, spread: float = 1.2) -> int:
    """An amount around `middle`, as people's amounts are: many small, few large."""
    return max(1_000, int(middle * dice.lognormvariate(0, spread)))

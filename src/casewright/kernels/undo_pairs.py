"""Which undo data belongs to which block of a file: Core writes it in the order in which blocks joined the chain.

The checksum of undo data is over the hash of the block before its own and itself. So blocks that have as many
transactions and inputs are tried, in the order of their times, which is nearly that of the chain. Two blocks after one
and the same that look alike cannot be told apart, and are treated as if they had none.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casewright.kernels.blockfiles import Plain
from casewright.kernels.packing import starts
from casewright.kernels.undo import Undo, belongs, undo_frames
from casewright.kernels.undo_columns import SpentCoins, read_undo

Numbers = NDArray[np.int64]
TRIED = 16
"""So many times the file may be hashed while blocks are tried."""
Key = tuple[int, int]


@dataclass(frozen=True)
class Heads:
    """B blocks: the hash before each [B, 32], its time, and how many transactions and inputs it has."""

    prev: NDArray[np.uint8]
    time: Numbers
    transactions: Numbers
    inputs: Numbers


@dataclass(frozen=True)
class Undone:
    """The undo data of a file. `first` [B]: of each block the row of its first transaction in `coins`, and
    `first_coin` [B] that of its first coin; -1 for a block without undo data. `aside`: what belongs to no block."""

    coins: SpentCoins
    first: Numbers
    first_coin: Numbers
    frames: int
    aside: Sequence[Undo]


def no_undo(blocks: int) -> Undone:
    coins, _ = read_undo(Plain(b"", b""), [])
    return Undone(coins, np.full(blocks, -1, np.int64), np.full(blocks, -1, np.int64), 0, ())


def undone(file: Plain, magic: bytes, heads: Heads) -> Undone:
    """The undo data of the blocks, as far as it is there and fits."""
    frames = list(undo_frames(file, magic))
    whole = [frame for frame in frames if not frame.reason]
    coins, damage = read_undo(file, whole)
    aside = [frame for frame in frames if frame.reason]
    aside += [Undo(whole[n].start, whole[n].length, b"", why.reason) for n, why in damage.items()]
    owner = _owners(file, whole, coins, heads, damage.keys())
    of_frame, of_transaction = starts(coins.transactions), starts(coins.coins)
    first, first_coin = np.full(len(heads.time), -1, np.int64), np.full(len(heads.time), -1, np.int64)
    for number, block in owner.items():
        if block >= 0:
            first[block] = of_frame[number]
            first_coin[block] = of_transaction[of_frame[number]]
        else:
            aside.append(Undo(whole[number].start, whole[number].length, b"", "no block"))
    return Undone(coins, first, first_coin, len(frames), sorted(aside, key=lambda frame: frame.start))


def _owners(file: Plain, frames: Sequence[Undo], coins: SpentCoins, heads: Heads, damaged: Any) -> dict[int, int]:
    """Of each frame that spends anything the number of its block; -1 where it has none."""
    keys = list(zip((heads.transactions - 1).tolist(), (heads.inputs - 1).tolist(), strict=True))
    prevs = [prev.tobytes() for prev in heads.prev]
    alike = Counter(zip(prevs, keys, strict=True))
    waiting: dict[Key, deque[int]] = {}
    for block in np.argsort(heads.time, kind="stable").tolist():
        waiting.setdefault(keys[block], deque()).append(block)
    of_frame, of_transaction = starts(coins.transactions), starts(coins.coins)
    spent = np.diff(of_transaction[of_frame]).tolist()
    found, budget = {}, TRIED * len(file.clear)
    for number, frame in enumerate(frames):
        key = (int(coins.transactions[number]), spent[number])
        if number in damaged or not key[0]:
            continue
        block, budget = _try(file, frame, waiting.get(key, deque()), prevs, budget)
        found[number] = block if block >= 0 and alike[prevs[block], key] == 1 else -1
    return found


def _try(file: Plain, frame: Undo, waiting: deque[int], prevs: Sequence[bytes], budget: int) -> tuple[int, int]:
    """The block that the frame belongs to, which then waits no more."""
    for turn in range(len(waiting)):
        budget -= frame.length
        if budget < 0:
            return -1, budget
        if belongs(file, frame, prevs[waiting[0]]):
            block = waiting.popleft()
            waiting.rotate(turn)
            return block, budget
        waiting.rotate(-1)
    return -1, budget

"""Which undo data belongs to which block of a file: Core writes it in the order in which blocks joined the chain.

The checksum of undo data is over the hash of the block before its own and itself. So blocks that have as many
transactions and inputs are tried, in the order of their times, which is nearly that of the chain. Two blocks after one
and the same that look alike cannot be told apart, and are treated as if they had none.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casewright.kernels.blockfiles import Plain
from casewright.kernels.runs import starts
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
    `first_coin` [B] that of its first coin; `frame` [B, 2]: where its undo data begins and how long it is. All are -1
    for a block without. `aside`: what belongs to no block."""

    coins: SpentCoins
    first: Numbers
    first_coin: Numbers
    frame: Numbers
    frames: int
    aside: Sequence[Undo]


def no_undo(blocks: int) -> Undone:
    return _joined(Plain(b"", b""), [], [-1] * blocks)


def known_undo(file: Plain, spans: Sequence[tuple[int, int]]) -> Undone:
    """The undo data of blocks of which it is known where it stands: `spans` [B], first byte and length; -1 for none."""
    owned: list[int] = []
    frames: list[Undo] = []
    for start, length in spans:
        owned.append(len(frames) if start >= 0 else -1)
        frames += [Undo(start, length, b"")] if start >= 0 else []
    return _joined(file, frames, owned)


def undone(file: Plain, magic: bytes, heads: Heads) -> Undone:
    """The undo data of the blocks, as far as it is there and fits."""
    frames = list(undo_frames(file, magic))
    whole = [frame for frame in frames if not frame.reason]
    coins, damage = read_undo(file, whole)
    aside = [frame for frame in frames if frame.reason]
    aside += [Undo(whole[n].start, whole[n].length, b"", why.reason) for n, why in damage.items()]
    owner = _owners(file, whole, coins, heads, damage.keys())
    owned = [-1] * len(heads.time)
    for number, block in owner.items():
        if block >= 0:
            owned[block] = number
        else:
            aside.append(Undo(whole[number].start, whole[number].length, b"", "no block"))
    found = _numbered(coins, whole, owned)
    return replace(found, frames=len(frames), aside=sorted(aside, key=lambda frame: frame.start))


def _joined(file: Plain, frames: Sequence[Undo], owned: Sequence[int]) -> Undone:
    """As far as the frames hold."""
    coins, damage = read_undo(file, frames)
    return _numbered(coins, frames, [-1 if number in damage else number for number in owned])


def _numbered(coins: SpentCoins, frames: Sequence[Undo], owned: Sequence[int]) -> Undone:
    """`owned`: the number of each block's frame, or -1."""
    of_frame, of_transaction, own = starts(coins.transactions), starts(coins.coins), np.array(owned, np.int64)
    spans = np.array([(frame.start, frame.length) for frame in frames] or [(-1, -1)], np.int64)
    first, none = of_frame[np.maximum(own, 0)], own < 0
    first_coin, frame = of_transaction[first], spans[np.maximum(own, 0)]
    first[none], first_coin[none], frame[none] = -1, -1, -1
    return Undone(coins, first, first_coin, frame, len(frames), ())


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

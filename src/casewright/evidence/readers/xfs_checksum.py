"""CRC-32C as XFS version 5 keeps it: over a whole block, as if the four bytes of the sum itself were zero.

A sum is linear, so that of many blocks is looked up at once: each byte's share by its place in a piece of 512 bytes,
then the pieces chained. Polynomial of RFC 3720 (Castagnoli), reflected 0x82F63B78; the sum is stored little-endian.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

PIECE = 512
_POLYNOMIAL, _ONES = 0x82F63B78, 0xFFFFFFFF


def which_hold(blocks: bytes, size: int, at: int) -> list[bool]:
    """Of blocks that follow each other, `size` bytes each (a multiple of 512), those whose sum at `at` holds."""
    rows = np.frombuffer(blocks, np.uint8).reshape(-1, size).copy()
    stored = rows[:, at : at + 4].copy().view("<u4")[:, 0]
    rows[:, at : at + 4] = 0
    shares = _shares()
    pieces = rows.reshape(-1, PIECE).astype(np.intp) + np.arange(PIECE, dtype=np.intp) * 256
    sums = np.bitwise_xor.reduce(shares.take(pieces), axis=1).reshape(-1, size // PIECE)
    state = np.full(len(rows), _ONES, np.uint32)
    for column in range(sums.shape[1]):
        state = _moved(shares, state) ^ sums[:, column]
    holds: list[bool] = (state ^ np.uint32(_ONES) == stored).tolist()
    return holds


def holds(block: bytes, at: int) -> bool:
    """Whether the sum at `at` of this one block holds."""
    return which_hold(block, len(block), at)[0]


def _moved(shares: NDArray[np.uint32], state: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """What a sum so far becomes when 512 zero bytes follow: it weighs as if it were the piece's first four bytes."""
    moved = np.zeros_like(state)
    for place in range(4):
        moved ^= shares.take(((state >> np.uint32(8 * place)) & np.uint32(255)).astype(np.intp) + place * 256)
    return moved


@cache
def _shares() -> NDArray[np.uint32]:
    """Share of each byte value (second axis, flattened) at each place of a piece."""
    step = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        step = np.where(step & 1, (step >> np.uint32(1)) ^ np.uint32(_POLYNOMIAL), step >> np.uint32(1))
    shares = np.empty((PIECE, 256), np.uint32)
    shares[-1] = step
    for place in range(PIECE - 2, -1, -1):
        after = shares[place + 1]
        shares[place] = step[after & np.uint32(255)] ^ (after >> np.uint32(8))
    return shares.ravel()

"""Exact search for near hashes: everything within a distance and nothing else, slow and vectorised."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORDS = 4
BLOCK = 1 << 16


def packed(hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Hashes of 64 hex digits as uint64 [n, 4]."""
    raw = b"".join(bytes.fromhex(h) for h in hashes)
    return np.frombuffer(raw, dtype=">u8").astype(np.uint64).reshape(-1, WORDS)


def within_slow(query: str, hashes: Sequence[str], radius: int) -> list[tuple[int, int]]:
    """(index, distance) of every hash at most `radius` bits from `query`, in order. The definition."""
    number = int(query, 16)
    distances = ((i, (number ^ int(h, 16)).bit_count()) for i, h in enumerate(hashes))
    return [(i, d) for i, d in distances if d <= radius]


def within(query: NDArray[np.uint64], hashes: NDArray[np.uint64], radius: int) -> list[tuple[int, int]]:
    """The same over packed hashes: query uint64 [4], hashes uint64 [n, 4]."""
    found: list[tuple[int, int]] = []
    for start in range(0, len(hashes), BLOCK):
        distances = np.bitwise_count(hashes[start : start + BLOCK] ^ query).sum(axis=1, dtype=np.int64)
        found += [(start + int(i), int(distances[i])) for i in np.flatnonzero(distances <= radius)]
    return found

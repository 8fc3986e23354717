"""All near pairs at once: what comparing every pair finds, to the edge of every radius."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.hamming import within, within_slow
from casewright.kernels.hamming_join import FURTHEST, near_pairs
from tests.kernels.test_hamming import KINDS, Hashes, flipped, in_hex, some


def listed(queries: Hashes, hashes: Hashes, radius: int) -> list[tuple[int, int, int]]:
    return [(n, *hit) for n, query in enumerate(queries) for hit in within(query, hashes, radius)]


def found(queries: Hashes, hashes: Hashes, radius: int, room: int = 1 << 16) -> list[tuple[int, ...]]:
    return list(zip(*(column.tolist() for column in near_pairs(queries, hashes, radius, room)), strict=True))


@settings(max_examples=60)
@given(
    st.sampled_from(KINDS), st.sampled_from([0, 1, 2, 7, 200]), st.integers(0, FURTHEST), st.integers(0, 10_000),
    st.sampled_from([1, 100]),
)  # fmt: skip
def test_pairs_are_those_that_comparing_every_pair_finds(
    kind: str, count: int, radius: int, seed: int, room: int
) -> None:
    hashes = some(kind, count, seed)
    queries = np.concatenate([flipped(hashes[:5], np.random.default_rng(seed), 60), some("random", 2, seed + 1)])
    text = in_hex(hashes)
    expected = [(n, *hit) for n, query in enumerate(in_hex(queries)) for hit in within_slow(query, text, radius)]
    assert found(queries, hashes, radius, room) == expected == listed(queries, hashes, radius)


@pytest.mark.parametrize("radius", [0, 1, 15, 16, 17, 31, 32, 39, 46, 47])
def test_no_pair_is_missed_at_the_very_edge(radius: int) -> None:
    """Differences dealt evenly over the bits are the hardest: each slot then has its full share of them."""
    dice = np.random.default_rng(radius)
    rows = np.zeros((300, 256), np.uint8)
    for number, row in enumerate(rows):
        apart = radius + number % 2
        row[np.linspace(0, 255, apart, dtype=int) if number < 20 else dice.choice(256, apart, replace=False)] = 1
    hashes = np.packbits(rows, axis=1).view(">u8").astype(np.uint64).reshape(-1, 4)
    hashes = np.concatenate([some("random", 20_000, 5), hashes])
    queries = np.zeros((1, 4), np.uint64)
    assert found(queries, hashes, radius) == listed(queries, hashes, radius)


def test_a_radius_that_would_miss_pairs_is_refused() -> None:
    with pytest.raises(ValueError, match="radius 48"):
        near_pairs(some("random", 1, 1), some("random", 1, 1), FURTHEST + 1)

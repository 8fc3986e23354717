"""Groups are what comparing every pair makes, and chain no strangers together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.frame_groups import films_joined, films_joined_slow
from casewright.kernels.hamming import packed
from casewright.kernels.hamming_groups import joined, joined_slow
from casewright.kernels.pdq import distance
from tests.kernels.test_hamming import flipped, in_hex, some


def walk(steps: int, bits: int) -> list[str]:
    """Hashes of which each differs in `bits` bits from the one before, and in more from all earlier ones."""
    value, found = 0, ["0" * 64]
    for step in range(steps):
        value ^= ((1 << bits) - 1) << (step * bits)
        found.append(f"{value:064x}")
    return found


def test_a_chain_of_near_ones_is_cut_where_it_leaves_its_leader() -> None:
    chain = walk(10, 20)
    leaders, bits = joined(packed(chain), 31)
    for number, (leader, apart) in enumerate(zip(leaders.tolist(), bits.tolist(), strict=True)):
        assert distance(chain[number], chain[leader]) == apart <= 31
    assert len(set(leaders.tolist())) > 4


def test_each_joins_the_nearest_leader_also_when_that_came_later() -> None:
    first, far = 0, (1 << 40) - 1
    member = (1 << 28) - 1  # 28 bits from the first, 12 from the one that comes last
    hashes = [f"{v:064x}" for v in (first, member, far)]
    assert joined_slow(hashes, 31) == [(0, 0), (2, 12), (2, 0)]
    leaders, bits = joined(packed(hashes), 31)
    assert (leaders.tolist(), bits.tolist()) == ([0, 2, 2], [0, 12, 0])


def test_hashes_that_agree_in_most_slots_are_all_held_against_each_other() -> None:
    """Every bucket of fifteen slots holds all of them: none is too long to be read."""
    dice = np.random.default_rng(4)
    hashes = np.zeros((400, 4), np.uint64)
    hashes[:, 0] = dice.integers(0, 1 << 63, 400, np.uint64)
    hashes[:, 1] = dice.integers(0, 1 << 12, 400, np.uint64)
    leaders, bits = joined(hashes, 31)
    assert list(zip(leaders.tolist(), bits.tolist(), strict=True)) == joined_slow(in_hex(hashes), 31)


def films_of(kind: str, count: int, seed: int) -> list[list[str]]:
    """Films that share frames: copies, parts, longer ones, stills, and some without a frame."""
    dice = np.random.default_rng(seed)
    pool, films = some(kind, 30, seed), []
    for _ in range(count):
        size, first = int(dice.integers(0, 9)), int(dice.integers(0, 25))
        chosen = np.arange(first, first + size) % len(pool)
        if dice.random() < 0.3:
            chosen[:] = first
        if dice.random() < 0.3:
            chosen = dice.integers(0, len(pool), size)
        films.append(in_hex(flipped(pool[chosen], dice, 20)) if size else [])
    return films


@settings(max_examples=60)
@given(
    st.sampled_from(["random", "skewed"]), st.sampled_from([0, 1, 2, 40]), st.sampled_from([0, 12, 31]),
    st.sampled_from([0.3, 0.5, 0.8, 1.0]), st.integers(0, 10_000),
)  # fmt: skip
def test_groups_of_films_are_those_that_comparing_every_pair_makes(
    kind: str, count: int, radius: int, share: float, seed: int
) -> None:
    films = films_of(kind, count, seed)
    starts = np.concatenate([[0], np.cumsum([len(f) for f in films], dtype=np.int64)]).astype(np.int64)
    leaders, shares, bits = films_joined(packed([f for film in films for f in film]), starts, radius, share)
    assert list(zip(leaders.tolist(), shares.tolist(), bits.tolist(), strict=True)) == films_joined_slow(
        films, radius, share
    )


def test_a_film_inside_a_longer_one_is_no_version_of_it() -> None:
    frames = in_hex(some("random", 20, 3))
    films = [frames, frames[5:10], frames[:18]]
    assert [leader for leader, _, _ in films_joined_slow(films, 31, 0.8)] == [0, 1, 0]


@pytest.mark.slow
def test_none_of_many_skewed_hashes_joins_another_leader_than_the_nearest() -> None:
    hashes = some("skewed", 20_000, 5)
    leaders, bits = joined(hashes, 31)
    heads = np.flatnonzero(leaders == np.arange(len(hashes)))
    for number in range(len(hashes)):
        apart = np.bitwise_count(hashes[heads] ^ hashes[number]).sum(axis=1)
        best = int(apart.argmin())
        assert (leaders[number], bits[number]) == (heads[best], apart[best])
    for head in heads:
        assert (np.sort(np.bitwise_count(hashes[heads] ^ hashes[head]).sum(axis=1))[1:] > 31).all()

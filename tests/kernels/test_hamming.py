"""Search finds exactly what comparing every pair finds, whatever the hashes are like; so do groups."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from casewright.kernels.hamming import packed, within, within_slow
from casewright.kernels.hamming_groups import joined, joined_slow
from casewright.kernels.hamming_index import MOST, NARROW, WIDE, HammingIndex
from casewright.model.errors import Refused

Hashes = NDArray[np.uint64]
KINDS = ("random", "skewed", "repeated", "all zero", "all one", "with 128 ones")


def some(kind: str, count: int, seed: int) -> Hashes:
    """Hashes as lists hold them. Skewed: frames of a few still films, a few bits apart."""
    dice = np.random.default_rng(seed)
    if kind in ("all zero", "all one"):
        return np.full((count, 4), 0 if kind == "all zero" else 2**64 - 1, np.uint64)
    if kind == "with 128 ones":
        bits = np.argsort(dice.random((count, 256)), axis=1) < 128
        return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).reshape(-1, 4)
    few = dice.integers(0, 2**64, (max(1, count if kind == "random" else 3), 4), dtype=np.uint64)
    chosen = few[:count] if kind == "random" else few[dice.integers(0, len(few), count)]
    return flipped(chosen, dice, 12) if kind == "skewed" else chosen


def flipped(hashes: Hashes, dice: np.random.Generator, most: int) -> Hashes:
    """Each with up to `most` of its bits changed."""
    result = hashes.copy()
    for row, number in enumerate(dice.integers(0, most + 1, len(result))):
        for bit in dice.choice(256, number, replace=False).tolist():
            result[row, bit >> 6] ^= np.uint64(1 << (bit & 63))
    return result


def in_hex(hashes: Hashes) -> list[str]:
    return ["".join(f"{word:016x}" for word in row) for row in hashes.tolist()]


@settings(max_examples=60)
@given(st.sampled_from(KINDS), st.sampled_from([0, 1, 2, 7, 300]), st.integers(0, MOST), st.integers(0, 10_000))
def test_the_index_finds_what_comparing_every_pair_finds(kind: str, count: int, radius: int, seed: int) -> None:
    hashes = some(kind, count, seed)
    queries = np.concatenate([flipped(hashes[:5], np.random.default_rng(seed), 40), some("random", 2, seed + 1)])
    text, index = in_hex(hashes), HammingIndex.build(hashes, NARROW)
    for query, asked in zip(queries, in_hex(queries), strict=True):
        expected = within_slow(asked, text, radius)
        assert index.within(query, radius) == expected == within(query, hashes, radius)


def spread(radius: int) -> Hashes:
    """For each of many ways to deal differences over the bits, a hash exactly so far, and one a bit further."""
    dice = np.random.default_rng(radius)
    rows = np.zeros((400, 256), np.uint8)
    for number, row in enumerate(rows):
        evenly = np.linspace(0, 255, radius + number % 2, dtype=int)
        row[evenly if number < 20 else dice.choice(256, radius + number % 2, replace=False)] = 1
    return np.packbits(rows, axis=1).view(">u8").astype(np.uint64).reshape(-1, 4)


@pytest.mark.parametrize("shape", [NARROW, WIDE], ids=["narrow", "wide"])
def test_nothing_is_missed_at_the_very_edge_of_any_radius(shape: tuple[int, ...]) -> None:
    noise = some("random", 40_000, 5)
    near = np.concatenate([spread(radius) for radius in range(MOST + 1)])
    index = HammingIndex.build(np.concatenate([noise, near]), shape)
    for radius in range(MOST + 1):
        query = np.zeros(4, np.uint64)
        assert index.within(query, radius) == within(query, index.hashes, radius)


@pytest.mark.parametrize("room", [1, 3, 1 << 16])
def test_many_queries_at_once_give_each_its_own(room: int) -> None:
    hashes = np.concatenate([some("skewed", 900, 1), some("random", 20_000, 2)])
    queries = np.concatenate([flipped(hashes[::400], np.random.default_rng(3), 20), some("random", 3, 4)])
    found = zip(*(c.tolist() for c in HammingIndex.build(hashes).within_many(queries, 31, room)), strict=True)
    expected = [(n, *hit) for n, query in enumerate(queries) for hit in within(query, hashes, 31)]
    assert list(found) == expected


def test_no_queries_have_no_results() -> None:
    index = HammingIndex.build(some("random", 9, 1))
    assert [len(column) for column in index.within_many(packed([]), 31)] == [0, 0, 0]
    for radius in (-1, MOST + 1):
        with pytest.raises(ValueError, match="radius"):
            index.within(index.hashes[0], radius)


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_a_saved_index_answers_alike(count: int, tmp_path: Path) -> None:
    hashes = some("skewed", count, 8)
    index = HammingIndex.build(hashes)
    index.save(tmp_path / "index")
    loaded = HammingIndex.load(tmp_path / "index")
    query = some("skewed", 1, 8)[0]
    assert loaded.within(query, 31) == index.within(query, 31)
    np.testing.assert_array_equal(loaded.hashes, hashes)


def test_an_index_that_is_cut_or_damaged_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index"
    HammingIndex.build(some("random", 5000, 8)).save(path)
    whole = path.read_bytes()
    wrong = bytearray(whole)
    wrong[-4096 - 20 : -4096 - 16] = b"\xff" * 4
    for raw in (whole[:-4096], whole[:10], b"", b"CWHAMM02" + whole[8:], bytes(wrong)):
        path.write_bytes(raw)
        with pytest.raises(Refused):
            HammingIndex.load(path)


@settings(max_examples=40)
@given(st.sampled_from(KINDS), st.sampled_from([0, 1, 2, 150]), st.integers(0, MOST), st.integers(0, 10_000))
def test_groups_are_those_that_comparing_every_pair_makes(kind: str, count: int, radius: int, seed: int) -> None:
    hashes = some(kind, count, seed)
    if count > 2:
        hashes[40:] = flipped(hashes[:110], np.random.default_rng(seed), 40)
    leaders, bits = joined(hashes, radius)
    assert list(zip(leaders.tolist(), bits.tolist(), strict=True)) == joined_slow(in_hex(hashes), radius)


@pytest.mark.slow
def test_none_of_a_million_near_pairs_is_missed() -> None:
    """Frames of three still films among two million other hashes: a million pairs, each held against every hash."""
    dice = np.random.default_rng(21)
    hashes = np.concatenate([some("skewed", 6_000, 6), some("random", 1_994_000, 7)])
    queries = flipped(hashes[:600], dice, 10)
    which, numbers, bits = HammingIndex.build(hashes, WIDE).within_many(queries, 31)
    starts = np.searchsorted(which, np.arange(len(queries) + 1)).tolist()
    for query, first, end in zip(queries, starts[:-1], starts[1:], strict=True):
        expected = within(query, hashes, 31)
        assert list(zip(numbers[first:end].tolist(), bits[first:end].tolist(), strict=True)) == expected
    assert len(which) >= 1_000_000


@pytest.mark.slow
def test_none_of_a_million_hashes_that_were_changed_is_missed() -> None:
    hashes = some("random", 2_000_000, 9)
    queries = flipped(hashes[:1_000_000], np.random.default_rng(10), 31)
    which, numbers, bits = HammingIndex.build(hashes, WIDE).within_many(queries, 31)
    own = numbers == which
    assert own.sum() == len(queries)
    apart = np.bitwise_count(hashes[:1_000_000] ^ queries).sum(axis=1)
    np.testing.assert_array_equal(bits[own], apart)

"""MD5 side by side is hashlib's, whatever the messages' lengths and however they share the lanes."""

import hashlib
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels.md5 import BLOCK, LANES, Md5


def slow(messages: Sequence[bytes]) -> list[str]:
    """The definition."""
    return [hashlib.md5(message).hexdigest() for message in messages]


def fast(messages: Sequence[bytes], room: int, piece: int) -> list[str]:
    """Places are taken anew as messages end, as the threads that hash files do."""
    md5, free, following = Md5(room, piece), list(range(room)), 0
    under_way: dict[int, tuple[int, int]] = {}
    found: dict[int, str] = {}
    while len(found) < len(messages):
        while free and following < len(messages):
            under_way[free[-1]] = following, 0
            md5.begin(free.pop())
            following += 1
        lengths = {}
        for place, (message, at) in under_way.items():
            chunk = messages[message][at : at + piece]
            md5.places[place][: len(chunk)] = chunk
            lengths[place], under_way[place] = len(chunk), (message, at + len(chunk))
        for place, digest in md5.take(lengths).items():
            found[under_way.pop(place)[0]] = digest
            free.append(place)
    return [found[message] for message in range(len(messages))]


@pytest.mark.parametrize("piece", [BLOCK, 2 * BLOCK, 1 << 16])
def test_every_length_up_to_200_alone_and_beside_all_others(piece: int) -> None:
    messages = [random.Random(length).randbytes(length) for length in range(201)]
    assert fast(messages, LANES, piece) == slow(messages)
    assert [fast([message], 1, piece)[0] for message in messages] == slow(messages)


@given(st.lists(st.integers(0, 2000), max_size=60), st.integers(1, 40), st.integers(1, 5), st.integers(0))
def test_any_mix_of_lengths_in_any_room(lengths: list[int], room: int, blocks: int, seed: int) -> None:
    made = random.Random(seed)
    messages = [made.randbytes(length) for length in lengths]
    assert fast(messages, room, blocks * BLOCK) == slow(messages)

"""The shortest way over links, compiled: as short as the definition's, over all pairs of small worlds."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.nearest import Links, TooMuchError, Way, shortest_slow
from casewright.kernels.runs import starts

SIZE = 14
LINKS = st.lists(st.lists(st.integers(0, SIZE - 1), max_size=5), max_size=18)


def flat(links: list[list[int]], size: int = SIZE) -> Links:
    members = np.array([thing for link in links for thing in sorted(link)], np.int32)
    return Links.in_order(members, starts(np.array([*map(len, links)], np.int64)), size)


def walked(links: list[list[int]], start: int, way: Way) -> int:
    """Where a way ends; each link on it must hold both of its ends."""
    here = start
    for link, there in way:
        assert {here, there} <= set(links[link])
        here = there
    return here


@settings(max_examples=60)
@given(LINKS)
def test_the_way_between_any_two_is_as_short_as_the_definitions_and_every_link_on_it_holds(
    links: list[list[int]],
) -> None:
    fast = flat(links)
    for start, end in combinations(range(SIZE), 2):
        slow, way = shortest_slow(links, start, end), fast.shortest(start, end, 10_000)
        assert (slow is None) == (way is None)
        if way is not None and slow is not None:
            assert len(way) == len(slow)
            assert walked(links, start, way) == end


def test_from_a_thing_to_itself_no_link_is_passed() -> None:
    assert flat([[0, 1]]).shortest(1, 1, 0) == shortest_slow([[0, 1]], 1, 1) == []


def test_one_link_across_is_found_where_a_long_line_leads_there_too() -> None:
    line = [[n, n + 1] for n in range(SIZE - 1)]
    assert len(flat(line).shortest(0, SIZE - 1, 1_000) or ()) == SIZE - 1
    assert flat([*line, [0, SIZE - 1]]).shortest(0, SIZE - 1, 1_000) == [(SIZE - 1, SIZE - 1)]


def test_a_search_that_would_look_at_more_than_it_may_says_so() -> None:
    line = [[n, n + 1] for n in range(SIZE - 1)]
    with pytest.raises(TooMuchError):
        flat(line).shortest(0, SIZE - 1, 6)

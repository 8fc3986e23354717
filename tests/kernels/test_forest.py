"""Millions of links, compiled: the same groups and the same proof as the definition, and a way between any two."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.forest import Forest, rests_on_one, rests_on_one_slow, tops
from casewright.kernels.unionfind import path_between
from casewright.kernels.unionfind_fast import NOBODY, Groups, Merge, Portion, merges_slow

SIZE = 24
Links = list[list[int]]
LINKS = st.lists(st.lists(st.integers(NOBODY, SIZE - 1), max_size=5), max_size=25)


def flat(links: Links, first: int = 0) -> Portion:
    starts = np.cumsum([0, *map(len, links)], dtype=np.int64)
    return Portion(first, starts, np.array([m for link in links for m in link], np.int32))


def joined(links: Links, portions: int = 1) -> Groups:
    groups, starts = Groups.of(SIZE), np.linspace(0, len(links), portions + 1).astype(int)
    for begin, end in pairwise(starts):
        groups.join(flat(links[begin:end], int(begin)))
    return groups


def told(groups: Groups, start: int, end: int) -> list[int] | None:
    way = Forest.of(groups).way(start, end)
    return None if way is None else way.tolist()


@given(LINKS, st.integers(1, 4))
def test_groups_and_proof_are_those_of_the_definition_in_however_many_portions(links: Links, portions: int) -> None:
    groups, (least, merges) = joined(links, portions), merges_slow(links, SIZE)
    assert groups.least().tolist() == least
    assert [Merge(*row) for row in zip(*(side.tolist() for side in groups.proof()), strict=True)] == merges


@given(LINKS)
def test_without_the_proof_the_groups_are_the_same(links: Links) -> None:
    bare = Groups.of(SIZE)
    bare.join(flat(links), keep=False)
    assert bare.least().tolist() == merges_slow(links, SIZE)[0]


@settings(max_examples=40)
@given(LINKS)
def test_the_way_between_any_two_is_the_one_that_the_definition_finds(links: Links) -> None:
    groups = joined(links)
    forest, (_, merges) = Forest.of(groups), merges_slow(links, SIZE)
    named = [(m.a, m.b, str(n)) for n, m in enumerate(merges)]
    for start in range(SIZE):
        for end in range(SIZE):
            way = forest.way(start, end)
            assert (None if way is None else [str(n) for n in way]) == path_between(named, start, end)


@given(LINKS)
def test_a_merge_rests_on_one_link_when_no_other_crosses_it(links: Links) -> None:
    groups, middle = joined(links), len(links) // 2
    parts = [flat(links[:middle]), flat(links[middle:], middle)]
    assert rests_on_one(Forest.of(groups), groups, parts).tolist() == rests_on_one_slow(links, SIZE)


@settings(max_examples=20)
@given(LINKS)
def test_what_is_passed_is_joined_merge_by_merge(links: Links) -> None:
    groups = joined(links)
    forest, (a, b, _) = Forest.of(groups), groups.proof()
    for end in range(SIZE):
        way, passed = forest.way(0, end), forest.passed(0, end)
        assert (way is None) == (passed is None)
        if way is not None and passed is not None:
            assert (passed[0], passed[-1]) == (0, end)
            sides = [{int(a[merge]), int(b[merge])} for merge in way]
            assert sides == [set(pair) for pair in pairwise(passed.tolist())]


def test_one_side_of_a_merge_is_what_stands_under_it() -> None:
    forest = Forest.of(joined([[0, 1], [1, 2], [1, 3], [4, 5]]))
    assert [forest.within(n, 1) for n in range(6)] == [False, True, True, True, False, False]


@pytest.mark.parametrize("links", [[], [[]], [[NOBODY, NOBODY]], [[3]]])
def test_links_that_join_nothing_prove_nothing(links: Links) -> None:
    groups = joined(links)
    assert groups.count == 0
    assert told(groups, 3, 4) is None
    assert told(groups, 3, 3) == []


def test_a_way_of_a_hundred_thousand_merges_is_walked() -> None:
    size = 100_000
    starts, members = np.arange(0, 2 * size, 2, dtype=np.int64), np.repeat(np.arange(size, dtype=np.int32), 2)[1:-1]
    groups = Groups.of(size)
    groups.join(Portion(0, starts[:size], members))
    assert told(groups, size - 1, 0) == list(range(size - 1))[::-1]


@pytest.mark.parametrize("seed", range(8))
def test_the_top_of_each_thing_is_the_root_of_its_tree(seed: int) -> None:
    dice = Random(seed)
    order = dice.sample(range(40), 40)
    up = np.full(40, -1, np.int32)
    for place, thing in enumerate(order[1:], 1):
        if dice.random() < 0.8:
            up[thing] = order[dice.randrange(place)]
    found = tops(up)
    for thing in range(40):
        top = thing
        while up[top] >= 0:
            top = int(up[top])
        assert found[thing] == top

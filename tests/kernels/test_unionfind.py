"""Groups by union-find: the same whatever the order, with a way between any two that is the proof."""

from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels.unionfind import UnionFind, path_between

SIZE = 30
LINKS = st.lists(st.tuples(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1)), max_size=60)


def groups_by_walking(links: list[tuple[int, int]]) -> list[int]:
    """The definition: the least thing that can be reached."""
    least = list(range(SIZE))
    for _ in range(SIZE):
        for a, b in links:
            least[a] = least[b] = min(least[a], least[b])
    return least


@given(LINKS)
def test_groups_are_those_that_links_connect_and_the_least_stands_for_each(links: list[tuple[int, int]]) -> None:
    found = UnionFind(SIZE)
    for a, b in links:
        found.union(a, b)
    assert [found.find(i) for i in range(SIZE)] == groups_by_walking(links)


@given(LINKS, st.randoms(use_true_random=False))
def test_the_order_of_links_changes_no_group(links: list[tuple[int, int]], random: object) -> None:
    forward, backward = UnionFind(SIZE), UnionFind(SIZE)
    for a, b in links:
        forward.union(a, b)
    for a, b in reversed(links):
        backward.union(b, a)
    assert [forward.find(i) for i in range(SIZE)] == [backward.find(i) for i in range(SIZE)]


@given(LINKS)
def test_the_links_that_merged_are_a_forest_that_proves_every_group(links: list[tuple[int, int]]) -> None:
    found = UnionFind(SIZE)
    proof = [(a, b, f"link {n}") for n, (a, b) in enumerate(links) if found.union(a, b)]
    assert len(proof) == SIZE - len({found.find(i) for i in range(SIZE)})
    for thing in range(SIZE):
        way = path_between(proof, found.find(thing), thing)
        assert way is not None
        assert len(way) == len(set(way))


def test_nothing_lies_between_strangers() -> None:
    assert path_between([(1, 2, "a")], 1, 3) is None
    assert path_between([(1, 2, "a"), (2, 3, "b")], 1, 3) == ["a", "b"]
    assert path_between([], 1, 1) == []

"""Dealing coins to peers, held against trying every way there is."""

from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from casewright.chain.peers import CLOSE, ROOM_LEAST, ROOM_SHARE, returns_to_all, two_lots

SATS = st.integers(1, 40).map(lambda n: n * 25_000)
VALUE = 500_000


def every_way(spent: Sequence[int], peers: int, changes: Sequence[int], close: bool) -> bool:
    """Each coin to each peer in turn: is there a way in which nobody gets too much and nobody pays too much?"""
    room = CLOSE if close else max(VALUE // ROOM_SHARE, ROOM_LEAST)
    wanted = [VALUE + c for c in changes] + [VALUE] * (peers - len(changes))
    for way in product(range(peers), repeat=len(spent)):
        brought = [sum(s for s, to in zip(spent, way, strict=True) if to == peer) for peer in range(peers)]
        if all(-peers * room <= w - b <= room for w, b in zip(wanted, brought, strict=True)):
            return True
    return False


@given(st.lists(SATS, min_size=1, max_size=6), st.lists(SATS, max_size=3), st.booleans())
def test_the_search_finds_a_way_exactly_when_there_is_one(spent: list[int], changes: list[int], close: bool) -> None:
    assert returns_to_all(spent, VALUE, 3, changes, close) == every_way(spent, 3, changes, close)


@given(st.lists(SATS, min_size=2, max_size=7), SATS, SATS, SATS)
def test_two_lots_are_found_exactly_when_they_are_there(spent: list[int], value: int, one: int, two: int) -> None:
    fee = sum(spent) - 2 * value - one - two
    lots = [sum(s for s, first in zip(spent, way, strict=True) if first) for way in product((0, 1), repeat=len(spent))]
    there = fee >= 0 and any(value + one <= lot <= value + one + fee for lot in lots)
    assert two_lots(spent, value, (one, two)) == there


def test_very_many_coins_are_left_undecided() -> None:
    assert returns_to_all([VALUE + n for n in range(61)], VALUE, 61, []) is None
    assert not two_lots([VALUE] * 13, VALUE, (1, 2))

"""How often a comparison errs: nothing that both have is missed, and nothing is made up beyond the stated share."""

from random import Random

import pytest

from casewright.link.deconflict import psi
from casewright.link.deconflict.side import RATE
from casewright.link.deconflict.sizes import compared, filled_up

pytest.importorskip("private_set_intersection", reason="openmined-psi is not installed")
ASKED = 10_240


@pytest.fixture(autouse=True)
def _without_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sets are our own here: no child is needed for each."""
    monkeypatch.setattr(psi, "in_children", lambda work, rounds: [work(*one) for one in rounds])


def selectors(first: int, count: int) -> list[str]:
    return [compared("email", f"user{n}@example.com") for n in range(first, first + count)]


def missed_and_made_up(dice: Random, rate: float = RATE) -> tuple[int, int]:
    """Of two random sets of random overlap."""
    size, asked = dice.randrange(1, 1500), dice.randrange(1, 1500)
    both = dice.randrange(min(size, asked) + 1)
    theirs, mine = filled_up(selectors(0, size)), filled_up(selectors(size - both, asked))
    key, setup = psi.new_setup(theirs, rate, ASKED)
    my_key, request = psi.new_request(mine)
    places = psi.common(my_key, setup, psi.answer(key, request, True), (len(theirs), rate, ASKED), True)
    counted = psi.common(my_key, setup, psi.answer(key, request, False), (len(theirs), rate, ASKED), False)
    found, truth = {mine[place] for place in places}, set(theirs) & set(mine)
    assert len(truth) == both
    assert len(counted) == len(places)
    return len(truth - found), len(found - truth)


def test_nothing_is_missed_and_nothing_made_up_in_random_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psi, "PART", 400)  # parts of one set, as large ones have
    dice = Random(3)
    assert [missed_and_made_up(dice) for _ in range(2)] == [(0, 0)] * 2


@pytest.mark.slow
def test_nothing_is_missed_in_a_hundred_random_trials() -> None:
    dice = Random(4)
    assert [missed_and_made_up(dice) for _ in range(100)] == [(0, 0)] * 100


@pytest.mark.slow
def test_false_hits_are_as_many_as_a_larger_share_says() -> None:
    theirs = filled_up(selectors(0, 1024))
    found, rounds, rate = 0, 40, 0.5
    key, setup = psi.new_setup(theirs, rate, 1024)
    for turn in range(rounds):
        my_key, request = psi.new_request(selectors(10_000 + 1024 * turn, 1024))
        found += len(psi.common(my_key, setup, psi.answer(key, request, True), (1024, rate, 1024), True))
    assert 5 <= found <= 40  # 20 expected; five standard deviations are 22

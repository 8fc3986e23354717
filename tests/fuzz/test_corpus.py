"""The corpus of each parser, and a few spoiled files: rows or a reason, never anything else. `just fuzz` tries many."""

import random

import pytest

from tests.fuzz.__main__ import tried_on
from tests.fuzz.spoiling import spoiled
from tests.fuzz.stages import Lost, balance
from tests.fuzz.targets import CORPUS, TARGETS, seeds_of

SPOILED = 2


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_gives_rows_or_a_reason(name: str) -> None:
    seeds, dice = seeds_of(name), random.Random(name)
    for raw in [*seeds, *(spoiled(seeds, dice) for _ in range(SPOILED))]:
        outcome, trouble = tried_on(TARGETS[name], raw)
        assert not trouble, (outcome, trouble)


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(sizes) < 1 << 20
    others = {"package", "package-one", "package-graph"}
    assert {path.name for path in CORPUS.iterdir()} <= {*TARGETS, *others}


def test_rows_that_do_not_add_up_are_a_finding() -> None:
    from casewright.engine.stage import Output, Tally

    with pytest.raises(Lost):
        balance([Output({}, [], [Tally("rows", received=2, done=1)])])

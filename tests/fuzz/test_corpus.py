"""The corpus of each parser, and a few spoiled files: rows or a reason, never anything else. `just fuzz` tries many."""

from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.spoiling import spoiled
from tests.fuzz.stages import Lost, balance
from tests.fuzz.targets import BESIDE, CORPUS, TARGETS, seeds_of
from tests.fuzz.trying import tried_on

SPOILED = 2
"""So many files a parser: those of Hypothesis, the same each time; it makes one that fails smaller."""
FEW = settings(
    max_examples=SPOILED,
    derandomize=True,
    database=None,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)


def gives_rows_or_a_reason(name: str, raw: bytes) -> None:
    outcome, trouble = tried_on(TARGETS[name], raw)
    assert not trouble, (outcome, trouble)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_gives_rows_or_a_reason(name: str) -> None:
    for raw in seeds_of(name):
        gives_rows_or_a_reason(name, raw)


@pytest.mark.parametrize("name", TARGETS)
def test_a_parser_gives_rows_or_a_reason_for_spoiled_files(name: str) -> None:
    seeds = seeds_of(name)

    @FEW
    @given(st.randoms(use_true_random=False).map(partial(spoiled, seeds)))
    def some(raw: bytes) -> None:
        gives_rows_or_a_reason(name, raw)

    some()


def test_the_corpus_is_small_and_belongs_to_targets() -> None:
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    assert sum(sizes) < 1 << 20
    assert {path.name for path in CORPUS.iterdir()} <= {*TARGETS, *BESIDE}


def test_rows_that_do_not_add_up_are_a_finding() -> None:
    from casewright.engine.stage import Output, Tally

    with pytest.raises(Lost):
        balance([Output({}, [], [Tally("rows", received=2, done=1)])])

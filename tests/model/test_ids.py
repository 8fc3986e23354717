"""Ids derive from content, and a maker of many gives those that one at a time would be."""

from hypothesis import given
from hypothesis import strategies as st

from casewright.model.ids import IdMaker, make_id

PARTS = st.lists(st.binary(max_size=9) | st.text(max_size=9) | st.integers(), max_size=4)


@given(PARTS, st.binary(max_size=9) | st.text(max_size=9) | st.integers())
def test_a_maker_gives_the_ids_that_one_at_a_time_would_be(
    parts: list[bytes | str | int], last: bytes | str | int
) -> None:
    assert IdMaker("item", *parts)(last) == make_id("item", *parts, last)


def test_an_id_is_what_it_always_was() -> None:
    assert make_id("item", "ab", b"c", 7) == "item-febdfc88e005ce7b2c2c"
    assert make_id("item", "a", "bc", 7) != make_id("item", "ab", "c", 7)

"""Digests with a state: equal to hashlib's, wherever they were put away and taken up again."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.vault.hashing import HASHES, can_resume, digest, states_of

needs_states = pytest.mark.skipif(not can_resume(), reason="there is no libcrypto here")


@given(st.binary(max_size=300), st.binary(max_size=300), st.sampled_from(sorted(HASHES)))
@needs_states
def test_a_digest_taken_up_again_is_that_of_the_whole(before: bytes, after: bytes, name: str) -> None:
    first = digest(name)
    first.update(before)
    (state,) = states_of([first]) or []
    second = digest(name, state)
    second.update(after)
    assert second.hexdigest() == hashlib.new(name, before + after).hexdigest()
    assert first.hexdigest() == hashlib.new(name, before).hexdigest()


@needs_states
def test_a_state_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="112 bytes"):
        digest("sha256", b"short")

"""Sums over pages: the published vectors, and the compiled ones equal to their definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casewright.kernels.pagesums import crc32c, crc32c_slow, folded, folded_slow


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (b"", 0)],
)
def test_the_sum_of_rfc_3720_is_that_of_its_vectors(raw: bytes, expected: int) -> None:
    assert crc32c_slow(raw) == expected
    assert int(crc32c(np.frombuffer(raw, np.uint8))) == expected


@given(st.binary(max_size=300))
def test_the_compiled_sums_are_the_slow_ones(raw: bytes) -> None:
    array = np.frombuffer(raw, np.uint8)
    assert int(crc32c(array)) == crc32c_slow(raw)
    assert int(folded(array)) == folded_slow(raw)

"""Hashes as they are shown, and back."""

import numpy as np
import pytest

from casewright.kernels.blocks import display
from casewright.kernels.encoding import hex_of, raw_of


def test_hashes_are_written_as_explorers_do_and_read_again() -> None:
    raw = np.random.default_rng(4).integers(0, 256, 32 * 50, np.uint8)
    text = hex_of(raw)
    assert text.to_pylist() == [display(raw[32 * n : 32 * n + 32].tobytes()) for n in range(50)]
    assert (raw_of(np.frombuffer("".join(text.to_pylist()).encode(), np.uint8)) == raw).all()
    assert len(raw_of(raw[:0])) == 0


@pytest.mark.parametrize("text", [b"0" * 63, b"0" * 63 + b"g", b"0" * 63 + b"A", b"/" + b"0" * 63, b":" + b"0" * 63])
def test_what_is_no_hash_in_hex_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="no hashes"):
        raw_of(np.frombuffer(text, np.uint8))

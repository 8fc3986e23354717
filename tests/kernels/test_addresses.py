"""Addresses by the thousand: the compiled pass knows all usual ones, and calls none one that the definition denies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.kernels.addresses import surely_addresses
from casewright.model.bitcoin import BASE58, BECH32, base58check_encode, segwit_encode, valid_address


def said(texts: list[str]) -> list[bool]:
    raw = [t.encode() for t in texts]
    offsets = np.cumsum([0, *map(len, raw)]).astype(np.int32)
    found = surely_addresses(np.frombuffer(b"".join(raw) or b"\0", np.uint8), offsets)
    return [bool(one) for one in found]


def usual(count: int) -> list[str]:
    dice = np.random.default_rng(5)
    made = [base58check_encode(bytes([v]) + dice.bytes(20)) for v in (0, 5, 0x6F, 0xC4) for _ in range(count)]
    made += [base58check_encode(bytes(n) + dice.bytes(21 - n)) for n in range(1, 6)]
    made += [
        segwit_encode(hrp, version, dice.bytes(size))
        for hrp in ("bc", "tb", "bcrt")
        for version, size in ((0, 20), (0, 32), (1, 32), (2, 2), (16, 40), (3, 17))
        for _ in range(count)
    ]
    return made


def test_usual_addresses_of_every_kind_are_known_without_the_definition() -> None:
    texts = usual(40)
    assert all(valid_address(t) for t in texts)
    assert all(said(texts))


@pytest.mark.parametrize("text", [
    "", "1", "bc1", "bc1q", "1111111111111111111114oLvT2", "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "tb1" + "q" * 60, "bcrt1", "bc1" + "1" * 30, segwit_encode("bc", 0, b"x" * 21), segwit_encode("bc", 17, b"x" * 20),
    segwit_encode("bc", 1, b"x" * 41), segwit_encode("xy", 0, b"x" * 20), base58check_encode(b"\x07" + b"x" * 20),
    base58check_encode(b"\0" + b"x" * 21), base58check_encode(b"\0" + b"x" * 19), "é" * 20, "z" * 35, "Zz" * 17,
])  # fmt: skip
def test_nothing_is_called_an_address_that_the_definition_denies(text: str) -> None:
    assert said([text])[0] <= (valid_address(text) is not None)


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.integers(0, 89), st.sampled_from(BASE58 + BECH32 + "bO0 "), st.booleans())
def test_one_changed_character_is_judged_as_the_definition_does(pick: int, at: int, new: str, cut: bool) -> None:
    texts = TEXTS
    text = texts[pick % len(texts)]
    at %= len(text)
    changed = text[:at] + ("" if cut else new) + text[at + 1 :]
    assert said([text, changed, text]) == [True, said([changed])[0], True]
    assert said([changed])[0] <= (valid_address(changed) is not None)


TEXTS = usual(3)

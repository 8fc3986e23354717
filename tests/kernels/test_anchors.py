"""Anchors: none is missed that a pattern finds, in whatever bytes, and what is no text has hardly any."""

import re

import numpy as np
import numpy.typing as npt
from hypothesis import example, given, settings
from hypothesis import strategies as st

from casewright.extract.selector_kinds import KINDS
from casewright.extract.selectors import OF_ANCHOR, OF_LENGTH, WIDE
from casewright.kernels import anchor_codes
from casewright.kernels import anchors as kernel
from tests.extract.selector_texts import ADDRESS, ETHEREUM, FINGERPRINT, MONERO, ONION, SEGWIT, WIF, XPUB

Longs = npt.NDArray[np.int64]


def anchors_in(raw: bytes, room: int = 4096, begin: int = 0) -> set[tuple[str, int]]:
    """(kind, first byte) of every anchor, gathered with so much room at a time."""
    found, view = set(), np.frombuffer(raw, np.uint8)
    codes, starts, ends = np.empty(room, np.uint8), np.empty(room, np.int64), np.empty(room, np.int64)
    while begin <= len(raw):
        count, begin = kernel.anchors(view, begin, codes, starts, ends)
        for code, start, end in zip(
            codes[:count].tolist(), starts[:count].tolist(), ends[:count].tolist(), strict=True
        ):
            kinds = OF_LENGTH.get(end - start, ("bitcoin",)) if code == anchor_codes.RUN else OF_ANCHOR[code]
            found |= {(kind, start) for kind in kinds}
    return found


def matches_in(raw: bytes) -> set[tuple[str, int]]:
    return {(kind, match.start()) for kind, one in KINDS.items() for match in one.pattern.finditer(raw)}


PIECES = [ADDRESS, SEGWIT, SEGWIT.upper(), ONION, ETHEREUM, MONERO, FINGERPRINT, FINGERPRINT.replace(" ", ""), XPUB,
          WIF, "a.b.c@d.e.org", "192.0.2.7", "192.0.2.7:80", "2001:db8::7", "1:2:3:4:5:6:7:8",
          "HTTPS://x.org/a", "sftp://x.org/a", f"sh(wpkh({XPUB}/0/*))", "+49 30 901820",
          "+(", "::", "@", ".", " ", "\n", "\0", "1", "é", "x" * 250]  # fmt: skip
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES).map(str.encode), st.binary(max_size=300)), max_size=14).map(b"".join)


@given(TEXTS, st.integers(kernel.ROOM, 60))
@example(b"+192.0.2.7", kernel.ROOM)
@settings(max_examples=400)
def test_every_match_of_a_pattern_has_its_anchor_however_little_room_there_is(raw: bytes, room: int) -> None:
    found = anchors_in(raw)
    assert matches_in(raw) <= found
    assert anchors_in(raw, room) == found


@given(TEXTS, st.integers(0, 500))
def test_a_search_that_begins_later_misses_nothing_that_begins_there(raw: bytes, begin: int) -> None:
    begin = min(begin, len(raw))
    later = {(kind, start) for kind, start in matches_in(raw) if start >= begin}
    assert later <= anchors_in(raw, begin=begin)


@given(
    st.sampled_from(PIECES), st.integers(0, 600), st.integers(0, 300), st.sampled_from([b"\0", b"\xff", b" ", b"\n"])
)
def test_a_selector_is_noticed_wherever_blocks_of_the_pass_end(
    piece: str, before: int, behind: int, glue: bytes
) -> None:
    raw = glue * before + piece.encode() + glue * behind
    assert matches_in(raw) <= anchors_in(raw)


def wide_in(raw: bytes, room: int = 64) -> list[tuple[int, int]]:
    found, view, begin = list[tuple[int, int]](), np.frombuffer(raw, np.uint8), 0
    starts, ends = np.empty(room, np.int64), np.empty(room, np.int64)
    while begin <= len(raw):
        count, begin = kernel.wide(view, begin, starts, ends)
        found += zip(starts[:count].tolist(), ends[:count].tolist(), strict=True)
    return found


WIDENED = st.sampled_from(PIECES).map(lambda text: text.encode("utf-16-le"))
BITS = st.sampled_from([b"\0", b"a", b"a\0", b"\0b", b"\0\0"])
ZEROED = st.lists(st.one_of(WIDENED, BITS, st.binary(max_size=9)), max_size=30).map(b"".join)


@given(ZEROED, st.integers(1, 5))
@settings(max_examples=400)
def test_runs_of_two_bytes_a_letter_are_those_of_the_pattern_that_anchors_stand_in(raw: bytes, room: int) -> None:
    found = wide_in(raw)
    assert wide_in(raw, room) == found
    runs = [match.span() for match in WIDE.finditer(raw)]
    assert set(found) <= set(runs)
    for start, end in set(runs) - set(found):
        assert not anchors_in(raw[start + (raw[start] == 0) : end : 2])


def test_noise_zeros_and_prose_have_hardly_any_anchors() -> None:
    noise = np.random.default_rng(5).bytes(8 << 20)
    assert len(anchors_in(noise)) < 40
    assert not wide_in(noise)
    assert not anchors_in(bytes(1 << 20))
    assert not anchors_in(
        re.sub(rb"[.]", b"", b"The plate of the second floor: case nine (see below), was scanned. " * 999)
    )

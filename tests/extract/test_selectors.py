"""Selectors: what has a checksum is checked, what stands inside something else is found, nothing is found twice."""

import io
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.extract.selectors import OVERLAP, PATTERNS, find_selectors

ADDRESS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
ONION = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"


def found(text: str | bytes, chunk: int = 1 << 20) -> list[tuple[str, str]]:
    raw = text.encode() if isinstance(text, str) else text
    hits = list(find_selectors(io.BytesIO(raw), chunk))
    assert all(raw[h.span_start : h.span_start + h.span_length] == h.value.encode() for h in hits)
    assert len({(h.kind, h.span_start) for h in hits}) == len(hits)
    return [(h.kind, h.value) for h in hits]


def test_what_stands_inside_a_url_is_found_too() -> None:
    assert found(f"see http://{ONION}/pay?to={ADDRESS}.") == [
        ("url", f"http://{ONION}/pay?to={ADDRESS}"), ("onion", ONION), ("bitcoin", ADDRESS),
    ]  # fmt: skip


@pytest.mark.parametrize("text", [ADDRESS, SEGWIT, SEGWIT.upper(), ONION])
@pytest.mark.parametrize("at", [5, 17, -8])
def test_one_changed_letter_breaks_the_checksum(text: str, at: int) -> None:
    assert [value for _, value in found(text)] == [text]
    other = {"a": "c", "A": "C"}.get(text[at], "A" if text.isupper() or text[0] == "1" else "a")
    assert not found(text[:at] + other + text[at + 1 :])


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("192.0.2.1, 192.0.2.2. And 2001:db8::1; fe80::1%eth0", ["192.0.2.1", "192.0.2.2", "2001:db8::1", "fe80::1"]),
        ("2001:0db8:0000:0000:0000:0000:0000:0017", ["2001:0db8:0000:0000:0000:0000:0000:0017"]),
        ("version 1.2.3.4.5, 256.1.1.1, 127.0.0.1, 0.0.0.0, 224.0.0.1", []),
        ("12:34:56 00:11:22:33:44:55 2018:01:02 abcd::x dead::beef::1 std::string", []),
    ],
)  # fmt: skip
def test_ip_addresses_are_told_from_versions_clocks_and_hardware(text: str, values: list[str]) -> None:
    assert [value for kind, value in found(text) if kind == "ip"] == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("<o'hara+scans@museum.example.org>.", ["hara+scans@museum.example.org"]),
        ("a@b, a@b.c, @x.org, x@.org, " + "l" * 65 + "@example.org", []),
        ("ünder@example.org", ["nder@example.org"]),
        ("'a@example.org','b@example.net'", ["a@example.org", "b@example.net"]),
    ],
)
def test_emails_end_where_their_letters_end(text: str, values: list[str]) -> None:
    assert [value for kind, value in found(text) if kind == "email"] == values


PARTS = st.sampled_from([ADDRESS, SEGWIT, ONION, "x@example.org", "192.0.2.7", "2001:db8::7", "https://example.net/a",
                         "http://", "@", ":", "1", "bc1", " ", ",", "\0", "é", "." * 700, "a" * 900])  # fmt: skip


@given(st.lists(PARTS, max_size=24), st.integers(300, 5000))
@settings(deadline=None)
def test_where_chunks_end_changes_nothing(parts: list[str], chunk: int) -> None:
    raw = "".join(parts).encode()
    whole = found(raw + b" " * OVERLAP, 1 << 20)
    assert found(raw + b" " * OVERLAP, chunk) == whole
    assert Counter(found(raw)) == Counter(whole)


def test_long_runs_of_letters_take_no_longer_than_their_length() -> None:
    assert not found(b"a" * 1_000_000 + b"." * 1_000_000 + b"1" * 1_000_000 + b"ab." * 300_000 + b"a:" * 300_000)


LONGEST = b" ".join([b"http://" + b"a" * 5000, b"a" * 64 + b"@" + b"b.c." * 2000 + b"org", b"2001:" + b"1:" * 4000,
                     b"bc1" + b"q" * 5000, b"1" * 5000])  # fmt: skip


def test_no_pattern_can_match_more_than_the_overlap_holds() -> None:
    for kind, pattern in PATTERNS.items():
        assert max((len(m.group()) for m in pattern.finditer(LONGEST)), default=0) <= OVERLAP // 2, kind

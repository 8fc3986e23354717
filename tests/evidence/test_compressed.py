"""Unpacking gives every byte before damage, at whatever byte the damage is."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.evidence.reader import CHUNK, Unreadable
from casewright.evidence.readers.compressed import CODECS, Codec, Span, unpacked

TEXT = b"".join(b"plate %d with a bird, number %d\n" % (n, n * n % 1009) for n in range(3000))


def salvaged(raw: bytes, codec: Codec) -> tuple[bytes, str]:
    """What is given out, and the reason why it ended (empty: it was whole)."""
    given_out = b""
    try:
        for chunk in unpacked(Span(io.BytesIO(raw), 0, len(raw)), codec):
            given_out += chunk
    except Unreadable as error:
        return given_out, error.reason
    return given_out, ""


def byte_by_byte(raw: bytes) -> bytes:
    """The definition: what zlib gives of a gzip stream, fed a byte at a time."""
    machine, plain = zlib.decompressobj(31), b""
    try:
        for byte in raw:
            plain += machine.decompress(bytes([byte]))
    except zlib.error:
        pass
    return plain


@settings(max_examples=50, deadline=None)
@given(st.integers(0, len(gzip.compress(TEXT, mtime=0)) - 1), st.integers(1, 255))
def test_a_damaged_stream_gives_what_zlib_gives_byte_by_byte(at: int, flip: int) -> None:
    raw = bytearray(gzip.compress(TEXT, mtime=0))
    raw[at] ^= flip
    plain, reason = salvaged(bytes(raw), CODECS["application/gzip"])
    assert plain == byte_by_byte(bytes(raw))
    assert reason or plain == TEXT


@settings(max_examples=50, deadline=None)
@given(st.integers(1, len(gzip.compress(TEXT, mtime=0)) - 1))
def test_a_cut_stream_gives_a_beginning_and_says_so(keep: int) -> None:
    raw = gzip.compress(TEXT, mtime=0)[:keep]
    plain, reason = salvaged(raw, CODECS["application/gzip"])
    assert (plain, reason) == (byte_by_byte(raw), "truncated")
    assert TEXT.startswith(plain)


@pytest.mark.parametrize(("mime", "pack"), [("application/x-bzip2", bz2.compress), ("application/x-xz", lzma.compress)])
def test_other_formats_are_cut_and_damaged_the_same_way(mime: str, pack: Callable[[bytes], bytes]) -> None:
    raw = pack(TEXT)
    assert salvaged(raw, CODECS[mime]) == (TEXT, "")
    plain, reason = salvaged(raw[: len(raw) // 2], CODECS[mime])
    assert reason == "truncated"
    assert TEXT.startswith(plain)
    broken = raw[: len(raw) // 2] + b"\xff" * 40 + raw[len(raw) // 2 + 40 :]
    assert salvaged(broken, CODECS[mime])[1] == "damaged"


def test_few_bytes_that_hold_much_come_in_small_chunks() -> None:
    raw = bz2.compress(bytes(40 << 20))
    assert len(raw) < 200
    sizes = [len(c) for c in unpacked(Span(io.BytesIO(raw), 0, len(raw)), CODECS["application/x-bzip2"])]
    assert (sum(sizes), max(sizes)) == (40 << 20, CHUNK)

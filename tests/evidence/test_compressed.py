"""Unpacking gives every byte before damage, at whatever byte the damage is."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable

import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from casewright.evidence.reader import CHUNK, Unreadable
from casewright.evidence.readers.compressed import CODECS, Codec, Inflate64, Span, lzma1, lzma2, unpacked

TEXT = b"".join(b"plate %d with a bird, number %d\n" % (n, n * n % 1009) for n in range(3000))
GZIP, ZSTD = CODECS["application/gzip"], CODECS["application/zstd"]
PACKS: dict[str, Callable[[bytes], bytes]] = {
    "application/gzip": lambda raw: gzip.compress(raw, mtime=0),
    "application/x-bzip2": bz2.compress,
    "application/x-xz": lzma.compress,
    "application/x-lzma": lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE),
    "application/zstd": lambda raw: zstd.compress(raw, options={zstd.CompressionParameter.checksum_flag: 1}),
}


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
    """The definition: what zlib gives of a gzip stream that it gets, and gives, a byte at a time."""
    machine, plain = zlib.decompressobj(31), b""
    try:
        for byte in raw:
            piece = bytes([byte])
            while not machine.eof and (chunk := machine.decompress(piece, 1)) + machine.unconsumed_tail:
                plain, piece = plain + chunk, machine.unconsumed_tail
    except zlib.error:
        pass
    return plain


@settings(max_examples=50)
@given(st.integers(0, len(gzip.compress(TEXT, mtime=0)) - 1), st.integers(1, 255))
def test_a_damaged_stream_gives_what_zlib_gives_byte_by_byte(at: int, flip: int) -> None:
    raw = bytearray(gzip.compress(TEXT, mtime=0))
    raw[at] ^= flip
    plain, reason = salvaged(bytes(raw), GZIP)
    assert plain == byte_by_byte(bytes(raw))
    assert reason or plain == TEXT


@settings(max_examples=50)
@given(st.integers(1, len(gzip.compress(TEXT, mtime=0)) - 1))
def test_a_cut_stream_gives_a_beginning_and_says_so(keep: int) -> None:
    raw = gzip.compress(TEXT, mtime=0)[:keep]
    plain, reason = salvaged(raw, GZIP)
    assert (plain, reason) == (byte_by_byte(raw), "truncated")
    assert TEXT.startswith(plain)


@pytest.mark.parametrize("mime", PACKS)
def test_every_format_is_cut_and_damaged_the_same_way(mime: str) -> None:
    raw = PACKS[mime](TEXT)
    assert salvaged(raw, CODECS[mime]) == (TEXT, "")
    plain, reason = salvaged(raw[: len(raw) // 2], CODECS[mime])
    assert reason == "truncated"
    assert TEXT.startswith(plain)
    broken = raw[: len(raw) // 2] + b"\xff" * 40 + raw[len(raw) // 2 + 40 :]
    assert salvaged(broken, CODECS[mime])[1] in ("damaged", "truncated")


@pytest.mark.parametrize("mime", [mime for mime in PACKS if mime != "application/x-lzma"])
def test_bytes_that_only_fail_their_checksum_are_given_out(mime: str) -> None:
    """All of them; libbz2 alone keeps the last one, which it gives with the verdict."""
    raw = bytearray(PACKS[mime](TEXT))
    index = (int.from_bytes(raw[-8:-4], "little") + 1) * 4
    raw[{"application/x-bzip2": 10, "application/x-xz": -12 - index - 8, "application/gzip": -8}.get(mime, -1)] ^= 1
    plain, reason = salvaged(bytes(raw), CODECS[mime])
    assert reason == "damaged"
    assert plain == (TEXT[:-1] if mime == "application/x-bzip2" else TEXT)


@pytest.mark.parametrize("mime", PACKS)
def test_streams_that_are_joined_are_read_one_behind_the_other(mime: str) -> None:
    raw = PACKS[mime](TEXT) + bytes(512) + PACKS[mime](b"") + PACKS[mime](b"end")
    assert salvaged(raw, CODECS[mime]) == (TEXT + b"end", "")
    assert salvaged(raw + b"and then some", CODECS[mime]) == (TEXT + b"end", "bytes left over")


def test_frames_that_zstandard_skips_are_skipped() -> None:
    note = b"\x5a\x2a\x4d\x18\4\0\0\0note"
    assert salvaged(note + zstd.compress(TEXT) + note + zstd.compress(b"end") + note, ZSTD) == (TEXT + b"end", "")


@pytest.mark.parametrize("mime", ["application/zstd", "application/x-lzma", "application/x-xz"])
def test_a_stream_that_wants_too_much_memory_is_refused(mime: str) -> None:
    if mime == "application/zstd":
        machine = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 31})
        raw = machine.compress(TEXT) + machine.flush()
    elif mime == "application/x-lzma":
        raw = PACKS[mime](TEXT)[:1] + b"\xff" * 4 + PACKS[mime](TEXT)[5:]
    else:
        xz = bytearray(PACKS[mime](TEXT))
        xz[16] = 40  # a dictionary of 4 GiB
        xz[20:24] = zlib.crc32(xz[12:20]).to_bytes(4, "little")
        raw = bytes(xz)
    assert salvaged(raw, CODECS[mime]) == (b"", "too large")


def test_raw_streams_end_where_their_size_says() -> None:
    chain = [{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 16}]
    raw = lzma.compress(TEXT, lzma.FORMAT_RAW, filters=chain)
    properties = b"\x5d" + (1 << 16).to_bytes(4, "little")
    assert salvaged(raw, lzma1(properties, len(TEXT))) == (TEXT, "")
    assert salvaged(raw, lzma1(properties, 5)) == (TEXT[:5], "")
    assert salvaged(raw, lzma1(properties, len(TEXT) + 1)) == (TEXT, "damaged")
    chain = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 16}]
    raw = lzma.compress(TEXT, lzma.FORMAT_RAW, filters=chain)
    assert salvaged(raw, lzma2(b"\x08", len(TEXT))) == (TEXT, "")
    assert salvaged(raw[:200], lzma2(b"\x08", len(TEXT)))[1] == "truncated"


def test_a_dictionary_is_no_larger_than_what_is_unpacked_with_it() -> None:
    assert lzma1(b"\x5d\xff\xff\xff\xff", 1 << 20).window == 1 << 20
    assert lzma2(b"\x28", 1 << 20).window == 1 << 20
    with pytest.raises(Unreadable, match="dictionary"):
        lzma1(b"\x5d\xff\xff\xff\xff", 1 << 40)
    with pytest.raises(Unreadable, match="dictionary"):
        lzma2(b"\x28", 1 << 40)


def test_deflate64_comes_in_small_chunks_too() -> None:
    """A block of fixed codes: a zero, and 400 runs of 65,538 zeros from one byte back."""
    bits = [1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0]
    bits += ([1, 1, 0, 0, 0, 1, 0, 1] + [1] * 16 + [0] * 5) * 400 + [0] * 7
    raw = bytes(sum(bit << i for i, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8))
    size = 1 + 400 * 65_538
    chunks = list(unpacked(Span(io.BytesIO(raw), 0, len(raw)), Codec(Inflate64, size=size)))
    assert (sum(map(len, chunks)), any(any(chunk) for chunk in chunks)) == (size, False)
    assert max(map(len, chunks)) <= CHUNK


def test_few_bytes_that_hold_much_come_in_small_chunks() -> None:
    raw = bz2.compress(bytes(40 << 20))
    assert len(raw) < 200
    sizes = [len(c) for c in unpacked(Span(io.BytesIO(raw), 0, len(raw)), CODECS["application/x-bzip2"])]
    assert (sum(sizes), max(sizes)) == (40 << 20, CHUNK)

"""Unpacking gzip, bzip2, xz, lzma, zstd and the raw streams of archives so that every byte before damage is given out.

Python's own decompressors drop what they hold when they meet damage. Here a stream that breaks is unpacked anew up to
the last byte that was given out, and from there a byte at a time. No call returns more than CHUNK bytes, and no stream
gets a dictionary (a window) of more than `WINDOW` bytes.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from backports import zstd
from inflate64 import Inflater

from casewright.evidence.reader import CHUNK, Unreadable

PIECE = 1 << 16
WINDOW = 1 << 30
# deflate64 turns 18 bits into up to 65,538 bytes, and its decompressor gives all at once: 32 bytes hold under 1 MiB
DEFLATE64_PIECE = 32
BROKEN = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, EOFError, ValueError)


class Machine(Protocol):
    """A decompressor, with the interface that `lzma`, `bz2` and `zstd` share."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class Codec:
    """How one format is unpacked: a fresh decompressor, and what each of several joined streams may begin with.

    Without `magics` there is just one stream. With `size` the stream ends at its `size`-th byte, for formats that keep
    its length elsewhere; what follows it is not looked at. `window`: the bytes of its dictionary, where they are known.
    """

    fresh: Callable[[], Machine]
    magics: tuple[bytes, ...] = ()
    size: int | None = None
    window: int = 0


class Inflate:
    """zlib's decompressor as a Machine."""

    def __init__(self, bits: int) -> None:
        self._inner, self._tail, self._full = zlib.decompressobj(bits), b"", False

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._tail and not self._full

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        chunk = self._inner.decompress(self._tail + data, max_length)
        self._tail, self._full = self._inner.unconsumed_tail, len(chunk) == max_length
        return chunk


class Inflate64:
    """The decompressor of deflate64 as a Machine. It does not say how much it left unused: give it a `Codec.size`."""

    unused_data = b""

    def __init__(self) -> None:
        self._inner, self._waiting, self._ready = Inflater(), memoryview(b""), b""

    @property
    def eof(self) -> bool:
        return bool(self._inner.eof) and not self._ready

    @property
    def needs_input(self) -> bool:
        return not self._waiting and not self._ready

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        if data:
            self._waiting = memoryview(bytes(self._waiting) + data)
        while not self._ready and self._waiting and not self._inner.eof:
            piece, self._waiting = self._waiting[:DEFLATE64_PIECE], self._waiting[DEFLATE64_PIECE:]
            self._ready = bytes(self._inner.inflate(bytes(piece)))
        chunk, self._ready = self._ready[:max_length], self._ready[max_length:]
        return chunk


def lzma1(properties: bytes, size: int) -> Codec:
    """A raw LZMA stream with these five bytes of properties (LZMA SDK), which unpacks to `size` bytes."""
    if len(properties) != 5 or properties[0] >= 225:
        raise Unreadable("damaged", "the properties of an LZMA stream are none")
    rest, lc = divmod(properties[0], 9)
    pb, lp = divmod(rest, 5)
    if lc + lp > 4:
        raise Unreadable("not supported", f"an LZMA stream with {lc} literal context and {lp} position bits")
    window = _dictionary(int.from_bytes(properties[1:], "little"), size)
    chain = [{"id": lzma.FILTER_LZMA1, "lc": lc, "lp": lp, "pb": pb, "dict_size": window}]
    return Codec(lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain), size=size, window=window)


def lzma2(properties: bytes, size: int) -> Codec:
    """A raw LZMA2 stream with this byte of properties, which unpacks to `size` bytes."""
    if len(properties) != 1 or properties[0] > 40:
        raise Unreadable("damaged", "the properties of an LZMA2 stream are none")
    window = _dictionary((2 | properties[0] & 1) << properties[0] // 2 + 11, size)
    chain = [{"id": lzma.FILTER_LZMA2, "dict_size": window}]
    return Codec(lambda: lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain), size=size, window=window)


def _dictionary(declared: int, size: int) -> int:
    """The dictionary that a stream of `size` bytes needs: no distance in it can reach back behind its start."""
    needed = max(4096, min(declared, size))
    if needed > WINDOW:
        raise Unreadable("too large", f"unpacking it takes a dictionary of {needed} bytes; the limit is {WINDOW}")
    return needed


def _zstd() -> Machine:
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW.bit_length() - 1})


ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
ZSTD_SKIPPED = tuple(bytes([low]) + b"\x2a\x4d\x18" for low in range(0x50, 0x60))
CODECS: Mapping[str, Codec] = {
    "application/gzip": Codec(lambda: Inflate(31), (b"\x1f\x8b",)),
    "application/x-bzip2": Codec(bz2.BZ2Decompressor, (b"BZh",)),
    "application/x-xz": Codec(lambda: lzma.LZMADecompressor(memlimit=WINDOW), (b"\xfd7zXZ\0",)),
    "application/x-lzma": Codec(lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=WINDOW), (b"\x5d\0\0",)),
    "application/zstd": Codec(_zstd, (ZSTD_FRAME, *ZSTD_SKIPPED)),
}
DEFLATE = Codec(lambda: Inflate(-15))
BZIP2 = Codec(bz2.BZ2Decompressor)


@dataclass(frozen=True)
class Span:
    """A stretch of an open file."""

    file: BinaryIO
    start: int
    size: int

    def read(self, at: int, length: int) -> bytes:
        self.file.seek(self.start + at)
        return self.file.read(max(0, min(length, self.size - at)))

    def chunks(self) -> Iterator[bytes]:
        """The bytes as they stand. Raises Unreadable where the file ends before they do."""
        at = 0
        while at < self.size:
            chunk = self.read(at, PIECE)
            if not chunk:
                raise Unreadable("truncated", f"only {at} of {self.size} bytes are there")
            yield chunk
            at += len(chunk)


def unpacked(span: Span, codec: Codec) -> Iterator[bytes]:
    """The bytes of every stream in the span. Raises Unreadable at damage, a cut tail, or bytes that are no stream."""
    at, given = 0, 0
    while True:
        stream = _Stream(span, at, codec, None if codec.size is None else codec.size - given)
        yield from stream.chunks()
        given += stream.given
        if given == codec.size:
            return
        at = _skip_zeros(span, stream.end)
        if at >= span.size and codec.size is None:
            return
        _check_next(span, at, codec, given)


def _check_next(span: Span, at: int, codec: Codec, given: int) -> None:
    """Raises Unreadable when no further stream can begin at `at`."""
    left = span.size - at
    if codec.size is not None and left <= 0:
        raise Unreadable("damaged", f"the compressed data ends after {given} of {codec.size} bytes")
    if not codec.magics:
        raise Unreadable("damaged", f"the compressed data says that it ends {left} bytes too early")
    head = span.read(at, 16)
    if not head.startswith(codec.magics):
        raise Unreadable("bytes left over", f"{left} bytes behind the end are no part of the archive")


def _skip_zeros(span: Span, at: int) -> int:
    while piece := span.read(at, PIECE):
        rest = piece.lstrip(b"\0")
        if rest:
            return at + len(piece) - len(rest)
        at += len(piece)
    return at


class _Stream:
    """One compressed stream; `end` is the offset behind it once it was read, `given` the bytes that it gave."""

    def __init__(self, span: Span, start: int, codec: Codec, size: int | None) -> None:
        self._span, self._start, self._codec, self._size = span, start, codec, size
        self.end, self.given = start, 0

    def chunks(self) -> Iterator[bytes]:
        machine, at = self._fresh(), self._start
        while not self._over(machine):
            piece = self._span.read(at, PIECE)
            if not piece:
                raise Unreadable("truncated", f"the compressed data ends early; {self.given} bytes were unpacked")
            try:
                for chunk in _feed(machine, piece, self._limit):
                    self.given += len(chunk)
                    yield chunk
            except (*BROKEN, MemoryError) as error:
                yield from self._last_good(at)
                raise Unreadable(_reason(error), f"{self.given} bytes were unpacked, then: {error}") from error
            at += len(piece)
        self.end = at - len(machine.unused_data)

    def _fresh(self) -> Machine:
        try:
            return self._codec.fresh()
        except (*BROKEN, MemoryError) as error:
            raise Unreadable(_reason(error), f"the compressed data cannot be unpacked: {error}") from error

    def _over(self, machine: Machine) -> bool:
        return machine.eof or self.given == self._size

    def _limit(self) -> int:
        return CHUNK if self._size is None else min(CHUNK, self._size - self.given)

    def _last_good(self, broken: int) -> Iterator[bytes]:
        """What the stream, which breaks in the piece at `broken`, gives behind the bytes that were given out."""
        machine, at, known, passed, found = self._fresh(), self._start, self.given, 0, bytearray()
        most = self._limit()

        def limit() -> int:
            return min(CHUNK, known - passed) or int(len(found) < most)

        try:
            while len(found) < most and not machine.eof:
                piece = self._span.read(at, PIECE if at < broken else 1)
                at += len(piece)
                for chunk in _feed(machine, piece, limit):
                    if passed == known:
                        found += chunk
                    else:
                        passed += len(chunk)
                if not piece:
                    break
        except (*BROKEN, MemoryError):
            pass
        self.given += len(found)
        if found:
            yield bytes(found)


def _reason(error: Exception) -> str:
    """liblzma, zstd and Python itself each say in their own words that a stream wants too much memory."""
    said = str(error).lower()
    if isinstance(error, MemoryError) or "memory" in said:
        return "too large"
    return "not supported" if "dictionary" in said or "unsupported" in said else "damaged"


def _feed(machine: Machine, piece: bytes, limit: Callable[[], int]) -> Iterator[bytes]:
    """What the piece unpacks to, never more than `limit` bytes at once: a few bytes can hold gigabytes."""
    while (most := limit()) > 0:
        chunk = machine.decompress(piece, most)
        if chunk:
            yield chunk
        if machine.eof or machine.needs_input or not (chunk or piece):
            return
        piece = b""

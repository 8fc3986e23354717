"""Unpacking gzip, bzip2, xz and raw deflate so that every byte before damage is given out.

Python's own file objects drop what they hold when they meet damage. Here a stream that breaks is unpacked again up to
the piece that broke, and that piece byte by byte.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from casewright.evidence.reader import CHUNK, Unreadable

PIECE = 1 << 16
XZ_MEMORY = 1 << 30
BROKEN = (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError)


@dataclass(frozen=True)
class Codec:
    """How one format is unpacked: a fresh decompressor, and what each of several joined streams begins with."""

    fresh: Callable[[], Any]
    magic: bytes


CODECS: Mapping[str, Codec] = {
    "application/gzip": Codec(lambda: zlib.decompressobj(31), b"\x1f\x8b"),
    "application/x-bzip2": Codec(bz2.BZ2Decompressor, b"BZh"),
    "application/x-xz": Codec(lambda: lzma.LZMADecompressor(memlimit=XZ_MEMORY), b"\xfd7zXZ\0"),
}
DEFLATE = Codec(lambda: zlib.decompressobj(-15), b"")
BZIP2 = Codec(bz2.BZ2Decompressor, b"")


@dataclass(frozen=True)
class Span:
    """A stretch of an open file."""

    file: BinaryIO
    start: int
    size: int

    def read(self, at: int, length: int) -> bytes:
        self.file.seek(self.start + at)
        return self.file.read(min(length, self.size - at))

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
    at = 0
    while True:
        stream = _Stream(span, at, codec)
        yield from stream.chunks()
        at = _skip_zeros(span, stream.end)
        if at >= span.size:
            return
        if not codec.magic:
            raise Unreadable("damaged", f"the compressed data says that it ends {span.size - at} bytes too early")
        if span.read(at, len(codec.magic)) != codec.magic:
            raise Unreadable("bytes left over", f"{span.size - at} bytes behind the end are no part of the archive")


def _skip_zeros(span: Span, at: int) -> int:
    while piece := span.read(at, PIECE):
        rest = piece.lstrip(b"\0")
        if rest:
            return at + len(piece) - len(rest)
        at += len(piece)
    return at


class _Stream:
    """One compressed stream; `end` is the offset behind it once it was read."""

    def __init__(self, span: Span, start: int, codec: Codec) -> None:
        self._span, self._start, self._codec, self.end = span, start, codec, start

    def chunks(self) -> Iterator[bytes]:
        machine, at, given = self._codec.fresh(), self._start, 0
        while not machine.eof:
            piece = self._span.read(at, PIECE)
            if not piece:
                raise Unreadable("truncated", f"the compressed data ends early; {given} bytes were unpacked")
            try:
                for chunk in _feed(machine, piece):
                    given += len(chunk)
                    yield chunk
            except BROKEN as error:
                for chunk in self._last_good(at, given):
                    given += len(chunk)
                    yield chunk
                raise Unreadable("damaged", f"{given} bytes were unpacked, then: {error}") from error
            at += len(piece)
        self.end = at - len(machine.unused_data)

    def _last_good(self, broken: int, given: int) -> Iterator[bytes]:
        """What the piece at `broken` still gives, beyond the `given` bytes that were given out before."""
        machine, at = self._codec.fresh(), self._start
        try:
            while piece := self._span.read(at, PIECE if at < broken else 1):
                for chunk in _feed(machine, piece):
                    if len(chunk) > given:
                        yield chunk[given:]
                    given = max(0, given - len(chunk))
                at += len(piece)
        except BROKEN:
            return


def _feed(machine: Any, piece: bytes) -> Iterator[bytes]:
    """What the piece unpacks to, never more than CHUNK bytes at once: a few bytes can hold gigabytes."""
    while True:
        chunk = machine.decompress(piece, CHUNK)
        if chunk:
            yield chunk
        if machine.eof:
            return
        if hasattr(machine, "unconsumed_tail"):
            piece = machine.unconsumed_tail
            if not piece and len(chunk) < CHUNK:
                return
        else:
            piece = b""
            if machine.needs_input:
                return

"""The coders of a 7z folder, joined: packers and filters on the standard library's decompressors.

Sources: Methods.txt and 7zFormat.txt of the LZMA SDK.
"""

import lzma
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import BinaryIO

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.compressed import (
    BZIP2,
    CODECS,
    DEFLATE,
    PIECE,
    WINDOW,
    Codec,
    Inflate64,
    Span,
    lzma1,
    lzma2,
    unpacked,
)
from casewright.evidence.readers.sevenzip_bcj2 import Feed, bcj2
from casewright.evidence.readers.sevenzip_streams import Coder, Folder, Streams

COPY, BCJ2, AES = b"\0", b"\x03\x03\x01\x1b", b"\x06\xf1\x07\x01"
PACKERS: Mapping[bytes, Callable[[bytes, int], Codec]] = {
    b"\x21": lzma2,
    b"\x03\x01\x01": lzma1,
    b"\x04\x01\x08": lambda _, size: replace(DEFLATE, size=size),
    b"\x04\x01\x09": lambda _, size: Codec(Inflate64, size=size),
    b"\x04\x02\x02": lambda _, size: replace(BZIP2, magics=(b"BZh",), size=size),
    b"\x04\xf7\x11\x01": lambda _, size: replace(CODECS["application/zstd"], size=size),
}
FILTERS: Mapping[bytes, int] = {
    b"\x03": lzma.FILTER_DELTA,
    b"\x04": lzma.FILTER_X86, b"\x03\x03\x01\x03": lzma.FILTER_X86,
    b"\x05": lzma.FILTER_POWERPC, b"\x03\x03\x02\x05": lzma.FILTER_POWERPC,
    b"\x06": lzma.FILTER_IA64, b"\x03\x03\x04\x01": lzma.FILTER_IA64,
    b"\x07": lzma.FILTER_ARM, b"\x03\x03\x05\x01": lzma.FILTER_ARM,
    b"\x08": lzma.FILTER_ARMTHUMB, b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB,
    b"\x09": lzma.FILTER_SPARC, b"\x03\x03\x08\x05": lzma.FILTER_SPARC,
}  # fmt: skip
NOT_READ = {b"\x03\x04\x01": "PPMd", b"\x0a": "ARM64", b"\x0b": "RISC-V", b"\x04\xf7\x11\x02": "Brotli",
            b"\x04\xf7\x11\x04": "LZ4"}  # fmt: skip


class Plumbing:
    """Joins a folder's coders. Raises Unreadable for methods that are not read, and dictionaries that are too large."""

    def __init__(self, file: BinaryIO, streams: Streams, folder: Folder) -> None:
        self._file, self._streams, self._folder = file, streams, folder
        self._used: set[int] = set()
        self._window = 0

    def output(self, number: int) -> Iterator[bytes]:
        """What one coder unpacks to."""
        coder, size = self._folder.chain.coders[number], self._folder.sizes[number]
        if number in self._used:
            raise Unreadable("damaged archive", "the 7z header joins coders in a circle")
        self._used.add(number)
        first = sum(one.inputs for one in self._folder.chain.coders[:number])
        if coder.method == BCJ2 and coder.inputs == 4:
            return bcj2([Feed(self._input(first + i)) for i in range(4)], size)
        if coder.inputs == 1 and coder.method in PACKERS:
            return self._packer(coder, first, size)
        if coder.inputs == 1 and coder.method == COPY:
            return _cut(self._input(first), size)
        if coder.inputs == 1 and coder.method in FILTERS:
            return _filtered(_filter(coder), _cut(self._input(first), size))
        raise _refused(coder)

    def _input(self, number: int) -> Iterator[bytes]:
        chain = self._folder.chain
        return self.output(chain.bound[number]) if number in chain.bound else self._span(number).chunks()

    def _span(self, number: int) -> Span:
        stream = self._folder.first + self._folder.chain.packed[number]
        return Span(self._file, self._streams.starts[stream], self._streams.lengths[stream])

    def _packer(self, coder: Coder, number: int, size: int) -> Iterator[bytes]:
        chain = self._folder.chain
        if number in chain.bound:
            below = chain.coders[chain.bound[number]]
            raise _refused(below if below.method == AES else coder, " on top of another method")
        codec = PACKERS[coder.method](coder.properties, size)
        self._window += codec.window
        if self._window > WINDOW:
            raise Unreadable(
                "too large", f"a 7z folder with dictionaries of {self._window} bytes; the limit is {WINDOW}"
            )
        return unpacked(self._span(number), codec)


def _refused(coder: Coder, how: str = "") -> Unreadable:
    if coder.method == AES:
        return Unreadable("encrypted", "a 7z archive that needs a password")
    name = NOT_READ.get(coder.method) or f"method {coder.method.hex() or 'without a number'}"
    joined = f" of {coder.inputs} streams" if coder.inputs != 1 else how
    return Unreadable("not supported", f"7z: {name}{joined} is not read")


def _cut(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Not more than `size` bytes."""
    for chunk in chunks:
        if len(chunk) >= size:
            if size:
                yield chunk[:size]
            return
        size -= len(chunk)
        yield chunk


def _filter(coder: Coder) -> list[dict[str, int]]:
    """liblzma's chain for a filter alone: it takes none without a packer, so the packer is one that does not pack."""
    kind, properties = FILTERS[coder.method], coder.properties
    if kind == lzma.FILTER_DELTA:
        options = {"dist": int.from_bytes(properties, "little") + 1}
    else:
        options = {"start_offset": int.from_bytes(properties, "little")}
    if len(properties) != (1 if kind == lzma.FILTER_DELTA else 4) and properties:
        raise Unreadable("damaged archive", "the properties of a 7z filter are none")
    return [{"id": kind, **options}, {"id": lzma.FILTER_LZMA2, "dict_size": 4096}]


def _filtered(chain: list[dict[str, int]], chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks, each in the frame of an LZMA2 chunk that is stored as it stands, through the filter."""
    machine = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=chain)
    control, broken = b"\1", None
    try:
        for chunk in chunks:
            for at in range(0, len(chunk), PIECE):
                piece = chunk[at : at + PIECE]
                if ready := machine.decompress(control + (len(piece) - 1).to_bytes(2, "big") + piece):
                    yield ready
                control = b"\2"
    except Unreadable as error:
        broken = error
    if held := machine.decompress(b"\0"):
        yield held
    if broken:
        raise broken

"""What the header of a 7z archive says of packed bytes: streams, the coders that unpack them, and members' shares.

Format: 7zFormat.txt of the LZMA SDK. Numbers by the million are kept packed in arrays.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.sevenzip_bytes import (
    CHECKSUMS,
    CODER_SIZES,
    COUNTS,
    END,
    FOLDER,
    PACKED,
    SIZES,
    SUBSTREAMS,
    UNPACKED,
    HeaderBytes,
)

START = 32
"""Bytes before the first packed stream."""
FOLDERS, CODERS, INPUTS = 1 << 18, 8, 8
NO_CHECKSUM = 1 << 32


class Coder(NamedTuple):
    method: bytes
    inputs: int
    properties: bytes


class Chain(NamedTuple):
    """Coders and how they are joined: input → coder that feeds it, input → packed stream; `main` gives the result."""

    coders: tuple[Coder, ...]
    bound: dict[int, int]
    packed: dict[int, int]
    main: int


class Folder(NamedTuple):
    """Members that are packed together. `sizes`: what each coder unpacks to; `first`: its first packed stream."""

    chain: Chain
    sizes: tuple[int, ...]
    first: int

    @property
    def size(self) -> int:
        return self.sizes[self.chain.main]


def _numbers() -> "array[int]":
    return array("Q")


@dataclass
class Streams:
    """What a header says of packed bytes. A number each: `starts`, `lengths` of packed streams; `sums`, `counts` (of
    members) of folders; `pieces` (sizes), `piece_sums` of members. The sums are CRC-32, or NO_CHECKSUM.
    """

    starts: "array[int]" = field(default_factory=_numbers)
    lengths: "array[int]" = field(default_factory=_numbers)
    folders: list[Folder] = field(default_factory=list)
    sums: "array[int]" = field(default_factory=_numbers)
    counts: "array[int]" = field(default_factory=_numbers)
    pieces: "array[int]" = field(default_factory=_numbers)
    piece_sums: "array[int]" = field(default_factory=_numbers)


def read_streams(header: HeaderBytes) -> Streams:
    streams = Streams()
    kind = header.expect(PACKED, UNPACKED, SUBSTREAMS, END)
    if kind == PACKED:
        _packed(header, streams)
        kind = header.expect(UNPACKED, SUBSTREAMS, END)
    if kind == UNPACKED:
        _folders(header, streams)
        kind = header.expect(SUBSTREAMS, END)
    streams.counts = array("Q", [1]) * len(streams.folders)
    if kind == SUBSTREAMS:
        _substreams(header, streams)
        header.expect(END)
    else:
        _split(streams, None)
        streams.piece_sums = streams.sums
    return streams


def _packed(header: HeaderBytes, streams: Streams) -> None:
    at, count = START + header.size(), header.count()
    while (kind := header.number()) != END:
        if kind == SIZES:
            for _ in range(count):
                streams.starts.append(at)
                streams.lengths.append(header.size())
                at = min(at + streams.lengths[-1], 1 << 62)
        elif kind == CHECKSUMS:
            _checksums(header, count)
        else:
            header.take(header.number())


def _checksums(header: HeaderBytes, count: int) -> "array[int]":
    known = header.bits_unless_all(count)
    return array("Q", (header.fixed(4) if known[i] else NO_CHECKSUM for i in range(count)))


def _folders(header: HeaderBytes, streams: Streams) -> None:
    header.expect(FOLDER)
    count = header.count()
    if count > FOLDERS:
        raise Unreadable("too many", f"a 7z archive of {count} folders; the limit is {FOLDERS}")
    header.here()
    same: dict[bytes, Chain] = {}
    chains = [_chain(header, same) for _ in range(count)]
    header.expect(CODER_SIZES)
    first = 0
    for chain in chains:
        streams.folders.append(Folder(chain, tuple(header.size() for _ in chain.coders), first))
        first += len(chain.packed)
    if first > len(streams.starts):
        raise Unreadable("damaged archive", f"the 7z header needs {first} packed streams, not {len(streams.starts)}")
    streams.sums = array("Q", [NO_CHECKSUM]) * count
    while (kind := header.number()) != END:
        if kind == CHECKSUMS:
            streams.sums = _checksums(header, count)
        else:
            header.take(header.number())


def _chain(header: HeaderBytes, same: dict[bytes, Chain]) -> Chain:
    """One folder's coders. Most folders of an archive have equal ones: those are kept once."""
    begin = header.at
    coders = tuple(_coder(header) for _ in range(header.few(CODERS, "coders")))
    inputs = sum(coder.inputs for coder in coders)
    bound = {header.number(): header.number() for _ in coders[1:]}
    free = [i for i in range(inputs) if i not in bound]
    packed = free if len(free) == 1 else [header.number() for _ in free]
    key = header.raw[begin : header.at]
    if key not in same:
        ends = set(range(len(coders))) - set(bound.values())
        if len(ends) != 1 or sorted(packed) != free or max(bound, default=0) >= inputs:
            raise Unreadable("damaged archive", "the 7z header joins coders in a way that cannot be")
        same[key] = Chain(coders, bound, {source: i for i, source in enumerate(packed)}, ends.pop())
    return same[key]


def _coder(header: HeaderBytes) -> Coder:
    flags = header.byte()
    method = header.take(flags & 15)
    inputs, outputs = (header.few(INPUTS, "inputs"), header.number()) if flags & 0x10 else (1, 1)
    if outputs != 1 or flags & 0x80:
        raise Unreadable("not supported", f"a 7z coder {method.hex()} with {outputs} outputs")
    return Coder(method, inputs, header.take(header.number()) if flags & 0x20 else b"")


def _substreams(header: HeaderBytes, streams: Streams) -> None:
    kind = header.number()
    if kind == COUNTS:
        for i in range(len(streams.folders)):
            streams.counts[i] = header.count()
        kind = header.number()
    _split(streams, header if kind == SIZES else None)
    if kind == SIZES:
        kind = header.number()
    streams.piece_sums = array("Q", [NO_CHECKSUM]) * len(streams.pieces)
    unknown = _inherited(streams)
    while kind != END:
        if kind == CHECKSUMS:
            for place, found in zip(unknown, _checksums(header, len(unknown)), strict=True):
                streams.piece_sums[place] = found
        else:
            header.take(header.number())
        kind = header.number()


def _split(streams: Streams, header: HeaderBytes | None) -> None:
    """The size of every member: all but the last of a folder are written down, the last has what is left."""
    for folder, count in zip(streams.folders, streams.counts, strict=True):
        left = folder.size
        for _ in range(count - 1):
            size = header.size() if header else left + 1
            if size > left:
                raise Unreadable("damaged archive", "the members of a 7z folder are larger than the folder")
            streams.pieces.append(size)
            left -= size
        if count:
            streams.pieces.append(left)


def _inherited(streams: Streams) -> "array[int]":
    """Gives a folder's checksum to its only member. Returns the numbers of the members that have none yet."""
    unknown, at = _numbers(), 0
    for total, count in zip(streams.sums, streams.counts, strict=True):
        if count == 1 and total != NO_CHECKSUM:
            streams.piece_sums[at] = total
        else:
            unknown.extend(range(at, at + count))
        at += count
    return unknown


class Place(NamedTuple):
    """Where a member's bytes stand: in which folder, from which byte of it on, how many, and their CRC-32."""

    folder: int
    start: int
    size: int
    checksum: int


def places_of(streams: Streams) -> Iterator[Place]:
    number = 0
    for folder, count in enumerate(streams.counts):
        start = 0
        for _ in range(count):
            yield Place(folder, start, streams.pieces[number], streams.piece_sums[number])
            start += streams.pieces[number]
            number += 1

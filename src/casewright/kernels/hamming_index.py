"""Exact search for near hashes among millions: the fast twin of `hamming.within_slow`.

General pigeonhole (Qin and others, "GPH: Similarity Search in Hamming Space", 2018): the 256 bits are cut into slots,
and each slot gets a radius r. When the sum of r + 1 is the wanted radius + 1, a hash within that radius agrees with the
query in at least one slot up to that slot's r bits. So for each slot the keys within r of the query's are looked up,
and every hash found there is compared whole. A bucket with many hashes is read to its end, never skipped; where that
would cost more than comparing all hashes one after the other, that is done instead.

For each slot an index holds `starts` (where each key's hashes begin; one more at the end) and `members` (their numbers,
by key, then in order). Two shapes: few hashes 16 slots of 16 bits; many ten of 23 bits and one of 26.

The file, for whoever maps it (all little-endian, nothing compressed): 8 bytes `CWHAMM01`; uint64 number of hashes n;
uint64 number of slots s; then at byte 4096 the hashes, uint64 [n, 4], most significant word first; then at the next
multiple of 4096 `starts`, uint32, slot after slot, 2**bits + 1 each; then at the next multiple of 4096 `members`,
uint32 [s, n]. Slots follow each other from the most significant bit on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from casewright.kernels.hamming_slots import fill, is_sound, search_many
from casewright.model.errors import Refused

WORDS, MOST = 4, 31
NARROW, WIDE = (16,) * 16, (23,) * 10 + (26,)
MANY = 1_500_000
"""From so many hashes on the wide shape is faster."""
MAGIC, PAGE = b"CWHAMM01", 4096
Found = tuple[NDArray[np.int64], NDArray[np.uint32], NDArray[np.int32]]


@dataclass(frozen=True)
class HammingIndex:
    """Hashes, uint64 [n, 4] as `hamming.packed` makes them, and the slots by which they are found."""

    hashes: NDArray[np.uint64]
    starts: NDArray[np.uint32]
    members: NDArray[np.uint32]

    @classmethod
    def build(cls, hashes: NDArray[np.uint64], shape: tuple[int, ...] | None = None) -> Self:
        """Index the hashes. They are kept, not copied."""
        shape = shape or (WIDE if len(hashes) >= MANY else NARROW)
        hashes = np.ascontiguousarray(hashes, np.uint64).reshape(-1, WORDS)
        if len(hashes) >= 1 << 32:
            raise Refused(f"{len(hashes):,} hashes are more than one index holds.")
        starts = np.zeros(sum((1 << bits) + 1 for bits in shape), np.uint32)
        members = np.empty((len(shape), len(hashes)), np.uint32)
        for slot, (first, bits, base) in enumerate(_places(shape)):
            fill(hashes, first, bits, starts[base : base + (1 << bits) + 1], members[slot])
        return cls(hashes, starts, members)

    @property
    def _shape(self) -> tuple[int, ...]:
        return WIDE if len(self.members) == len(WIDE) else NARROW

    def within(self, query: NDArray[np.uint64], radius: int) -> list[tuple[int, int]]:
        """(index, distance) of every hash at most `radius` bits from `query`, in order: what `within_slow` says."""
        _, numbers, bits = self.within_many(query.reshape(1, WORDS), radius)
        return list(zip(numbers.tolist(), bits.tolist(), strict=True))

    def within_many(self, queries: NDArray[np.uint64], radius: int, room: int = 1 << 16) -> Found:
        """Every near hash of every query: number of the query, of the hash, and distance, by the first two. Begins with
        memory for `room` results and takes more as it needs."""
        if not 0 <= radius <= MOST:
            raise ValueError(f"radius {radius}: this index answers from 0 to {MOST}")
        queries = np.ascontiguousarray(queries, np.uint64)
        slots, ends = _slots(self._shape, radius), np.zeros(len(queries), np.int64)
        buckets = np.empty((sum(1 + b + b * (b - 1) // 2 for b in self._shape), 3), np.int64)
        done, pieces = 0, []
        while done < len(queries):
            numbers, bits = np.empty(room, np.uint32), np.empty(room, np.int32)
            upto = search_many(queries, done, self.hashes, slots, self.starts, self.members, radius, buckets, numbers,
                                bits, ends)  # fmt: skip
            if upto < len(queries):
                room = max(room, int(ends[upto]))
            pieces.append(_sorted(done, upto, ends, numbers, bits))
            done = upto
        if not pieces:
            return np.empty(0, np.int64), np.empty(0, np.uint32), np.empty(0, np.int32)
        which, numbers, bits = (np.concatenate(column) for column in zip(*pieces, strict=True))
        return which, numbers, bits

    def save(self, path: Path) -> None:
        """Write the index as one file (its layout is told at the top)."""
        with path.open("wb") as file:
            file.write(MAGIC + np.array([len(self.hashes), len(self.members)], "<u8").tobytes())
            for array in (self.hashes, self.starts, self.members):
                file.seek(_next_page(file.tell()))
                array.astype(array.dtype.newbyteorder("<"), copy=False).tofile(file)
            file.truncate(_next_page(file.tell()))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Map an index that `save` wrote. Raises Refused when it is none, is cut, or points beside itself."""
        with path.open("rb") as file:
            head = file.read(24)
        size, slots = np.frombuffer(head[8:].ljust(16, b"\0"), "<u8").tolist()
        shape = {len(WIDE): WIDE, len(NARROW): NARROW}.get(slots)
        if head[:8] != MAGIC or shape is None or size >= 1 << 32:
            raise Refused(f"{path} is no index of hashes. Build it anew.")
        keys = sum((1 << bits) + 1 for bits in shape)
        first = _next_page(PAGE + 32 * size)
        second = _next_page(first + 4 * keys)
        if path.stat().st_size != _next_page(second + 4 * slots * size):
            raise Refused(f"{path} is cut off. Build it anew.")
        whole = np.memmap(path, np.uint8, "r")
        loaded = cls(
            whole[PAGE : PAGE + 32 * size].view("<u8").view(np.ndarray).reshape(size, WORDS),
            whole[first : first + 4 * keys].view("<u4").view(np.ndarray),
            whole[second : second + 4 * slots * size].view("<u4").view(np.ndarray).reshape(slots, size),
        )
        if not is_sound(_slots(shape, 0), loaded.starts, loaded.members):
            raise Refused(f"{path} is damaged. Build it anew.")
        return loaded


def _sorted(done: int, upto: int, ends: NDArray[np.int64], numbers: Any, bits: Any) -> Found:
    """The results of the queries from `done` to `upto`, each query's in the order of the hashes."""
    counts = np.diff(ends[done:upto], prepend=0)
    which = np.repeat(np.arange(done, upto), counts)
    order = np.lexsort((numbers[: len(which)], which))
    return which, numbers[order], bits[order]


def _places(shape: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """Of each slot: its first bit, its number of bits, and where its `starts` begin."""
    places, first, base = [], 0, 0
    for bits in shape:
        places.append((first, bits, base))
        first, base = first + bits, base + (1 << bits) + 1
    return places


def _slots(shape: tuple[int, ...], radius: int) -> NDArray[np.int64]:
    """The slots for this radius: first bit, bits, radius (-1: not looked at) and first of `starts`.

    The radius + 1 is dealt out one by one, from the widest slots on: there, keys are rarest."""
    most = [1 if bits in (16, 26) else 2 for bits in shape]
    radii = [-1] * len(shape)
    widest = sorted(range(len(shape)), key=lambda slot: -shape[slot])
    left = radius + 1
    while left:
        for slot in widest:
            if left and radii[slot] < most[slot]:
                radii[slot] += 1
                left -= 1
    rows = [(first, bits, r, base) for (first, bits, base), r in zip(_places(shape), radii, strict=True)]
    return np.array(rows, np.int64)


def _next_page(at: int) -> int:
    return max(PAGE, -(-at // PAGE) * PAGE)

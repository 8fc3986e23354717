"""Where the bytes of a Linux software RAID lie on its members, and how they are read from there.

A layout answers two questions: on which member, and where there, a chunk of the array lies; and which other members
give it when that one is missing. Reading goes through windows: each member is read in few long runs, and missing
chunks are computed from the others.

Sources: drivers/md/raid0.c (zones), raid5.c (raid5_compute_sector, and raid6_d0 for the order in which Q counts data),
raid10.c (__raid10_find_phys, calc_sectors) of the Linux kernel; H. P. Anvin, "The mathematics of RAID-6". Lengths and
places are bytes.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple, Protocol

import numpy as np

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk

WINDOW = 4 << 20
GAP = 256 << 10

Place = tuple[int, int]
"""A member's position in the array, and a byte of its data."""
Share = tuple[int, int]
"""A member's position in the array, and the factor (in GF(256)) by which its bytes count."""

LEFT_ASYMMETRIC, RIGHT_ASYMMETRIC, LEFT_SYMMETRIC, RIGHT_SYMMETRIC, PARITY_FIRST, PARITY_LAST = range(6)
ON_Q = 16  # RAID 6 layouts 16..20: a RAID 5 layout on all members but the last, which holds Q


class Layout(Protocol):
    """Of an array cut into chunks. `size` is the array's length."""

    chunk: int
    size: int

    def places(self, number: int) -> Sequence[Place]:
        """Where chunk `number` lies: one place, or several that hold the same."""
        ...

    def recipe(self, number: int, absent: Set[int]) -> list[Share]:
        """The members whose bytes, at the same place, add up to a chunk that lies on a missing member."""
        ...

    def survives(self, absent: Set[int]) -> bool:
        """Whether every chunk can be had without these members."""
        ...


@dataclass
class Part:
    """One member's data as a disk. A read that meets the member's end or its bad blocks raises Unreadable."""

    disk: Disk
    start: int
    size: int
    called: str = "a member"
    bad: tuple[tuple[int, int], ...] = ()  # stretches of `disk`, from and to

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        first, last = self.start + offset, self.start + offset + length
        if any(start < last and first < end for start, end in self.bad):
            raise Unreadable("damaged", f"the array lists bad blocks in bytes {first} to {last} of {self.called}")
        raw = self.disk.read(first, length) if length else b""
        if len(raw) != length:
            raise Unreadable("truncated", f"{self.called} ends at byte {first + len(raw)} instead of {last}")
        return raw


class Joined:
    """Parts one after the other: a linear array."""

    def __init__(self, parts: Sequence[Disk]) -> None:
        self._parts = parts
        self._ends = list(accumulate(part.size for part in parts))
        self.size = self._ends[-1]

    def read(self, offset: int, length: int) -> bytes:
        pieces = []
        while length > 0 and offset < self.size:
            index = bisect_right(self._ends, offset)
            count = min(length, self._ends[index] - offset)
            pieces.append(self._parts[index].read(offset - self._ends[index] + self._parts[index].size, count))
            offset, length = offset + count, length - count
        return b"".join(pieces)


class Zone(NamedTuple):
    """A stretch of a RAID 0 that goes over the same members: its first chunk, and where it begins on each of them."""

    first: int
    start: int
    members: tuple[int, ...]


class Stripes:
    """RAID 0. Members may differ in size: what the smaller ones lack is striped over the larger ones, zone by zone.

    `original` counts chunks from the array's beginning to choose a member (kernels before 3.14), otherwise from the
    zone's (3.14 and later); `matters` is whether the two differ here.
    """

    def __init__(self, chunk: int, sizes: Sequence[int], original: bool) -> None:
        self.chunk, self._original = chunk, original
        whole = [size // chunk * chunk for size in sizes]
        self._zones, number = list[Zone](), 0
        for start, end in pairwise([0, *sorted(set(whole) - {0})]):
            zone = Zone(number, start, tuple(i for i, size in enumerate(whole) if size > start))
            self._zones.append(zone)
            number += (end - start) // chunk * len(zone.members)
        self._firsts = [zone.first for zone in self._zones]
        self.size, self.zones = number * chunk, len(self._zones)
        self.matters = any(zone.first % len(zone.members) for zone in self._zones)

    def places(self, number: int) -> Sequence[Place]:
        zone = self._zones[bisect_right(self._firsts, number) - 1]
        inside, width = number - zone.first, len(zone.members)
        turn = (number if self._original else inside) % width
        return ((zone.members[turn], zone.start + inside // width * self.chunk),)

    def recipe(self, number: int, absent: Set[int]) -> list[Share]:
        raise Unreadable("not supported", "RAID 0 holds nothing from which a missing member could be computed")

    def survives(self, absent: Set[int]) -> bool:
        return not absent


class Copies:
    """RAID 10: chunks go round the members, each `near` times in a row; then all of that, `far` times on other members.

    The further copies lie in the next row (`offset`), or in stretches of their own further down.
    """

    def __init__(self, chunk: int, used: int, members: int, near: int, far: int = 1, offset: bool = False) -> None:
        self.chunk, self._members, self._near, self._far = chunk, members, near, far
        chunks = used // chunk // far * members // near
        self.size = chunks * chunk
        self._apart = far if offset else 1  # rows from one to the next, and from a copy to the next:
        self._down = 1 if offset else -(-chunks * near * far // members) // far

    def places(self, number: int) -> Sequence[Place]:
        turns = (divmod(number * self._near + copy, self._members) for copy in range(self._near))
        return [
            ((member + copy * self._near) % self._members, (row * self._apart + copy * self._down) * self.chunk)
            for row, member in turns
            for copy in range(self._far)
        ]

    def recipe(self, number: int, absent: Set[int]) -> list[Share]:
        raise Unreadable("not supported", "all members that hold a chunk of the RAID 10 are missing")

    def survives(self, absent: Set[int]) -> bool:
        if self._near == self._members:
            return len(absent) < self._members
        return all({member for member, _ in self.places(n)} - absent for n in range(self._members))


class Row(NamedTuple):
    """What the members hold in one row of chunks: data in the array's order, P, and Q if there is one."""

    data: list[int]
    p: int
    q: int | None


class Parity:
    """RAID 4, 5 and 6. `layout` is md's number for it, which RAID 4 has no use for."""

    def __init__(self, level: int, layout: int, chunk: int, used: int, members: int) -> None:
        self.chunk, self._level, self._members = chunk, level, members
        self._layout = PARITY_LAST if level == 4 else layout
        self._width = members - (2 if level == 6 else 1)
        self.size = used // chunk * chunk * self._width

    def row(self, row: int) -> Row:
        layout, members = self._layout, self._members
        if self._level != 6:
            return Row(*_turned(layout, members, 1, row), None)
        if layout >= ON_Q:
            return Row(*_turned(layout - ON_Q, members - 1, 1, row), members - 1)
        data, p = _turned(layout, members, 2, row)
        return Row(data, p, (p + 1) % members)

    def places(self, number: int) -> Sequence[Place]:
        row, turn = divmod(number, self._width)
        return ((self.row(row).data[turn], row * self.chunk),)

    def survives(self, absent: Set[int]) -> bool:
        return len(absent) <= self._members - self._width

    def recipe(self, number: int, absent: Set[int]) -> list[Share]:
        number, turn = divmod(number, self._width)
        row = self.row(number)
        wanted = row.data[turn]
        others = [m for m in row.data if m != wanted]
        lost = [m for m in (*others, row.p) if m in absent]
        if not lost:
            return [(m, 1) for m in (*others, row.p)]
        assert row.q is not None  # or `survives` would have said no
        return _from_q(row, row.q, self._members, wanted, lost[0])


def _turned(layout: int, members: int, parities: int, row: int) -> tuple[list[int], int]:
    """The members with data, in the array's order, and the one with P (followed by Q, where there are two parities)."""
    turn = row % members
    left, last = members - 1 - turn, members - parities
    p = {LEFT_ASYMMETRIC: left, LEFT_SYMMETRIC: left, PARITY_FIRST: 0, PARITY_LAST: last}.get(layout, turn)
    after = [(p + parities + i) % members for i in range(members - parities)]
    return (after if layout in (LEFT_SYMMETRIC, RIGHT_SYMMETRIC) else sorted(after)), p


def _from_q(row: Row, q: int, members: int, wanted: int, lost: int) -> list[Share]:
    """Of RAID 6, a data chunk where a second member (data, or P) is lost too: what Q's equation, and P's, give.

    Q is the sum of g^k times the k-th data chunk, counted cyclically from the member after Q.
    """
    cycle = [(q + 1 + i) % members for i in range(members)]
    power = {m: k for k, m in enumerate(m for m in cycle if m in row.data)}
    rest = [m for m in row.data if m not in (wanted, lost)]
    if lost == row.p:
        by_q = _inverse(_power(power[wanted]))
        return [(q, by_q), *((m, _times(by_q, _power(power[m]))) for m in rest)]
    by_q = _inverse(_power(power[wanted]) ^ _power(power[lost]))
    by_p = _times(by_q, _power(power[lost]))
    return [(row.p, by_p), (q, by_q), *((m, by_p ^ _times(by_q, _power(power[m]))) for m in rest)]


def _times(a: int, b: int) -> int:
    """A product in the field of RAID 6: polynomials over GF(2) modulo x^8 + x^4 + x^3 + x^2 + 1."""
    product = 0
    for bit in range(8):
        product ^= a << bit if b >> bit & 1 else 0
    for bit in range(14, 7, -1):
        product ^= 0x11D << bit - 8 if product >> bit & 1 else 0
    return product


@cache
def _power(exponent: int) -> int:
    """The generator (x, the number 2) to a power."""
    return 1 if exponent == 0 else _times(2, _power(exponent - 1))


@cache
def _inverse(a: int) -> int:
    return next(b for b in range(1, 256) if _times(a, b) == 1)


@cache
def _row_of_products(factor: int) -> np.ndarray:
    """`factor` times each byte."""
    return np.array([_times(factor, b) for b in range(256)], dtype=np.uint8)


class Take(NamedTuple):
    """A run of the array's bytes, and what it is made of: the members' bytes from `at` on, times their factors."""

    shares: list[Share]
    at: int
    length: int


class Striped:
    """An array of chunks as a disk. A part that is None is missing."""

    def __init__(self, layout: Layout, parts: Sequence[Part | None]) -> None:
        self._layout, self._parts = layout, parts
        self._absent = frozenset(i for i, part in enumerate(parts) if part is None)
        self.size = layout.size

    def read(self, offset: int, length: int) -> bytes:
        end = min(self.size, offset + length)
        windows = [self._window(at, min(at + WINDOW, end)) for at in range(offset, end, WINDOW)]
        return windows[0] if len(windows) == 1 else b"".join(windows)

    def _window(self, start: int, end: int) -> bytes:
        takes = list(self._takes(start, end))
        wanted: dict[int, list[tuple[int, int]]] = {}
        for take in takes:
            for member, _ in take.shares:
                wanted.setdefault(member, []).append((take.at, take.at + take.length))
        runs = {member: Runs(self._parts[member], spans) for member, spans in wanted.items()}
        return b"".join(_made(take, runs) for take in takes)

    def _takes(self, start: int, end: int) -> Iterator[Take]:
        chunk = self._layout.chunk
        while start < end:
            number, inside = divmod(start, chunk)
            length = min(chunk - inside, end - start)
            places = self._layout.places(number)
            here = next((place for place in places if place[0] not in self._absent), None)
            shares = [(here[0], 1)] if here else self._layout.recipe(number, self._absent)
            yield Take(shares, (here or places[0])[1] + inside, length)
            start += length


class Runs:
    """What a window wants of one member, read in as few runs as make sense."""

    def __init__(self, part: Part | None, spans: list[tuple[int, int]]) -> None:
        assert part is not None
        gap = 0 if part.bad else GAP  # what nobody asked for must not fail the read
        merged: list[list[int]] = []
        for start, end in sorted(spans):
            if merged and start - merged[-1][1] <= gap:
                merged[-1][1] = max(merged[-1][1], end)
            else:
                merged.append([start, end])
        self._starts = [start for start, _ in merged]
        self._bytes = [memoryview(part.read(start, end - start)) for start, end in merged]

    def get(self, at: int, length: int) -> memoryview:
        index = bisect_right(self._starts, at) - 1
        return self._bytes[index][at - self._starts[index] :][:length]


def _made(take: Take, runs: dict[int, Runs]) -> bytes | memoryview:
    """The bytes of a take."""
    if len(take.shares) == 1 and take.shares[0][1] == 1:
        return runs[take.shares[0][0]].get(take.at, take.length)
    total = np.zeros(take.length, dtype=np.uint8)
    for member, factor in take.shares:
        got = np.frombuffer(runs[member].get(take.at, take.length), dtype=np.uint8)
        if factor:
            total ^= got if factor == 1 else _row_of_products(factor)[got]
    return total.tobytes()

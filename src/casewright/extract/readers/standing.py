"""Tells rows that a database has given up from copies of rows that stand, by digests of both."""

import hashlib
from collections.abc import Iterable

import numpy as np

from casewright.extract.readers.gathering import BATCH_ROWS


def digest(table: str, content: bytes) -> int:
    """64 bits of what a row is."""
    raw = b"%s\0%s" % (table.encode("utf-8", "replace"), content)
    return int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big")


class Standing:
    """`lost`: the digests of all rows that were given up. Of the rows that stand only those are kept that are among
    them, so that a large database needs no more memory than what it has given up."""

    def __init__(self, lost: Iterable[int]) -> None:
        self._lost, self._known = np.unique(np.fromiter(lost, np.uint64)), set[int]()
        self._waiting = list[int]()

    @property
    def any_lost(self) -> bool:
        """Whether rows that stand need to be told at all."""
        return bool(len(self._lost))

    def see(self, one: int) -> None:
        """A row that stands."""
        self._waiting.append(one)
        if len(self._waiting) >= BATCH_ROWS:
            self._turn()

    def is_new(self, one: int) -> bool:
        """Whether no row that stands, nor one that was given up and told before, is this one."""
        self._turn()
        new = one not in self._known
        self._known.add(one)
        return new

    def _turn(self) -> None:
        if self._waiting:
            seen = np.array(self._waiting, np.uint64)
            self._known.update(seen[np.isin(seen, self._lost)].tolist())
            self._waiting = []

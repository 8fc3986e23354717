"""Which blocks of a file system belong to files: many runs in little memory."""

from array import array
from bisect import bisect_right
from collections.abc import Iterable

import numpy as np

from casewright.evidence.readers.content import Run


class Claims:
    """Runs of blocks, as they are met. 16 bytes a run."""

    def __init__(self, block_size: int) -> None:
        self._block_size = block_size
        self._runs = array("Q")

    def add(self, runs: Iterable[Run]) -> None:
        for block, blocks, _, _ in runs:
            self._runs.append(block)
            self._runs.append(block + blocks)

    def frozen(self) -> "Merged":
        """The claims so far, as runs in order that do not touch each other."""
        pairs = np.frombuffer(self._runs, np.uint64).reshape(-1, 2) if self._runs else np.empty((0, 2), np.uint64)
        pairs = pairs[np.argsort(pairs[:, 0], kind="stable")]
        if not len(pairs):
            return Merged([], [])
        reach = np.maximum.accumulate(pairs[:, 1])
        fresh = np.concatenate(([True], pairs[1:, 0] > reach[:-1]))
        first = np.flatnonzero(fresh)
        last = np.concatenate((first[1:] - 1, [len(pairs) - 1]))
        return Merged(pairs[first, 0].tolist(), reach[last].tolist())

    def gaps(self, size: int) -> list[tuple[int, int]]:
        """(start, length) in bytes of what lies between the claims, up to `size`."""
        merged, at, found = self.frozen(), 0, []
        for start, end in zip(merged.starts, merged.ends, strict=True):
            begin = min(start * self._block_size, size)
            if begin > at:
                found.append((at, begin - at))
            at = max(at, min(end * self._block_size, size))
        return [*found, (at, size - at)] if at < size else found


class Merged:
    """Claimed blocks from `starts[i]` up to, not with, `ends[i]`, in order."""

    def __init__(self, starts: list[int], ends: list[int]) -> None:
        self.starts, self.ends = starts, ends

    def overlap(self, block: int, blocks: int) -> bool:
        """Whether any of so many blocks from `block` on is claimed."""
        after = bisect_right(self.starts, block + blocks - 1)
        return blocks > 0 and after > 0 and self.ends[after - 1] > block

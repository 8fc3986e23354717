"""Which bytes of an XFS belong to live files and directories: their spans, the slack behind them, and the sum of all.

A file claims what it shows: blocks that were set aside but never written, or that lie behind its end, still hold what
was there before, and count as free. Directories, attributes, symlinks and trees claim all they have.
"""

from array import array
from collections.abc import Iterator

import numpy as np

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.xfs_forks import extents
from casewright.evidence.readers.xfs_inodes import BTREE, Fork, Inode
from casewright.evidence.readers.xfs_volume import Volume

HELD = 1 << 21  # stretches held before they are merged

Span = tuple[int, int]


def spans_of(volume: Volume, inode: Inode) -> tuple[Span, ...]:
    """Where a file's written bytes stand on the volume, in the file's order; as far as its extents can be read."""
    return tuple(_written(volume, inode))


def _written(volume: Volume, inode: Inode) -> Iterator[Span]:
    for extent in extents(volume, inode, inode.data):
        if isinstance(extent, Unreadable):
            return
        begin = extent.at * volume.block_size
        if not extent.unwritten and begin < inode.size:
            place = volume.place(extent.start, extent.blocks)
            yield place, min(extent.blocks * volume.block_size, inode.size - begin)


class Claims:
    """(start, length) stretches of the volume, in bytes, as inodes are met."""

    def __init__(self, volume: Volume) -> None:
        self._volume, self._stretches = volume, array("Q")
        self._trees, self._slack = set[int](), set[Span]()

    def add(self, inode: Inode) -> None:
        """Take down what an inode holds. A tree is gone through once, however many names lead to it."""
        if BTREE in (inode.data.form, inode.attributes.form):
            if inode.number in self._trees:
                return
            self._trees.add(inode.number)
        self._whole_fork(inode, inode.attributes)
        if inode.kind != "file":
            self._whole_fork(inode, inode.data)
        elif not inode.realtime:
            self._file(inode)
        if len(self._stretches) > 2 * HELD:
            self._merge()

    def merged(self) -> list[Span]:
        """All so far, in order; none touches another."""
        for block in self._volume.tree_owners:
            self._stretches.extend((self._volume.place(block, 1), self._volume.block_size))
        self._merge()
        pairs = iter(self._stretches)
        return list(zip(pairs, pairs, strict=True))

    def free(self) -> list[Span]:
        """What lies between, before and after them, up to the volume's end."""
        at, end, found = 0, self._volume.disk.size, []
        for start, length in self.merged():
            if at < start:
                found.append((at, min(start, end) - at))
            at = start + length
        found.append((at, end - at))
        return [span for span in found if span[1] > 0]

    def slack(self) -> list[Span]:
        """Behind the ends of files, in the order of the volume."""
        return sorted(self._slack)

    def _whole_fork(self, inode: Inode, fork: Fork) -> None:
        for extent in extents(self._volume, inode, fork):
            if not isinstance(extent, Unreadable):
                place = self._volume.place(extent.start, extent.blocks)
                self._stretches.extend((place, extent.blocks * self._volume.block_size))

    def _file(self, inode: Inode) -> None:
        block = self._volume.block_size
        for start, length in _written(self._volume, inode):
            left = -length % block
            self._stretches.extend((start, length + left))
            if left:
                self._slack.add((start + length, left))

    def _merge(self) -> None:
        pairs = np.frombuffer(self._stretches, np.uint64).reshape(-1, 2)
        starts, lengths = pairs[np.argsort(pairs[:, 0], kind="stable")].T
        ends = np.maximum.accumulate(starts + lengths)
        first = np.concatenate(([True], starts[1:] > ends[:-1]))[: len(starts)]
        last = np.concatenate((first[1:], [True]))[: len(starts)]
        whole = np.stack((starts[first], ends[last] - starts[first]), axis=1)
        self._stretches = array("Q", whole.tobytes())

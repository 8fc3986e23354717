"""XFS, versions 4 and 5: every file by every name that the directories give it.

Our own reader, since libfsxfs raises on names that are no UTF-8. Source: "XFS Algorithms & Data Structures", third
edition. Deleted files are not recovered: XFS clears an inode's extents when its last name goes. Content in the realtime
section is refused by name. The journal is not replayed; when it holds changes, a problem says so.
"""

from collections.abc import Callable, Iterator
from functools import partial

from casewright.evidence.reader import Entry, Problem, Unreadable
from casewright.evidence.readers.disks import DamageLog, Disk
from casewright.evidence.readers.xfs_claims import Claims, spans_of
from casewright.evidence.readers.xfs_content import content, link_target
from casewright.evidence.readers.xfs_directories import Name, names
from casewright.evidence.readers.xfs_inodes import Inode
from casewright.evidence.readers.xfs_journal import pending
from casewright.evidence.readers.xfs_volume import MAGIC, Volume

DEPTH = 256


def is_xfs(disk: Disk) -> bool:
    """An XFS superblock begins the disk, sound or not."""
    try:
        return disk.read(0, len(MAGIC)) == MAGIC
    except Unreadable:
        return False


class XfsTree:
    """Walks one file system. Raises Unreadable when its superblock or root directory can't be read.

    Metadata whose checksum does not hold is used all the same; the walk ends with a problem for each, and `log` is told
    of it again whenever a file is read by such an inode. A symlink's content is the path it leads to.
    """

    name = "XFS"

    def __init__(self, disk: Disk, volume: int, log: DamageLog | None = None) -> None:
        self._volume = Volume(disk, volume, log or DamageLog())
        self.block_size = self._volume.block_size
        root = self._volume.inode(self._volume.geometry.root)
        if root.kind != "directory":
            raise Unreadable("damaged", "the root of the XFS is no directory")
        self._claims = Claims(self._volume)
        self._seen, self._met = {root.number}, set[int]()
        self._stack = [(names(self._volume, root, self._met), b"")]
        self._claims.add(root)

    def entries(self) -> Iterator[Entry | Problem]:
        """Everything with a name, a directory before what is in it."""
        yield from self._foreword()
        while self._stack:
            listed, path = self._stack[-1]
            found = next(listed, None)
            if found is None:
                self._stack.pop()
            elif isinstance(found, Unreadable):
                yield Problem(path, found.reason, found.detail)
            else:
                yield from self._meet(found, path + b"/" + found.name if path else found.name)
        for (start, _), detail in self._volume.damage.items():
            yield Problem(b"", "damaged", f"{detail} (at its byte {start}); what it says was used all the same")

    def claimed(self) -> list[tuple[int, int]]:
        """Stretches (start, length; bytes of the volume) that live files and directories occupy, once all were met.

        Merged and in order. Attributes and the trees of extents count; inodes, journal and free space do not.
        """
        return self._claims.merged()

    def unclaimed(self) -> list[tuple[int, int]]:
        """All that is not claimed, once all were met: what carving may find remains in."""
        return self._claims.free()

    def slack(self) -> list[tuple[int, int]]:
        """From the ends of live files to the ends of their last blocks, in the order of the volume."""
        return self._claims.slack()

    def _foreword(self) -> Iterator[Problem]:
        """What holds for the file system as a whole."""
        size, there = self._volume.geometry.blocks * self.block_size, self._volume.disk.size
        if size > there:
            yield Problem(b"", "truncated", f"the XFS says it has {size} bytes; {there} are there")
        try:
            if pending(self._volume):
                yield Problem(
                    b"", "not replayed", "the XFS was in use when it was imaged: its journal may hold newer changes"
                )
        except Unreadable as error:
            yield Problem(b"", error.reason, f"the journal of the XFS can't be read: {error.detail}")

    def _meet(self, name: Name, path: bytes) -> Iterator[Entry | Problem]:
        try:
            inode = self._volume.inode(name.inode)
        except Unreadable as error:
            yield Problem(path, error.reason, error.detail)
            return
        self._claims.add(inode)
        if inode.kind == "file":
            yield self._file(inode, path)
        elif inode.kind == "symlink":
            yield self._entry(inode, path, inode.size, partial(link_target, self._volume, inode))
        else:
            yield self._entry(inode, path)
            if inode.kind == "directory":
                yield from self._descend(inode, path)

    def _file(self, inode: Inode, path: bytes) -> Entry | Problem:
        if inode.size > self._volume.disk.size:
            return Problem(path, "sparse", f"says it has {inode.size} bytes, more than its whole disk; not read")
        if inode.realtime and inode.size:
            return Problem(path, "not supported", "its content lies in the XFS's realtime section")
        entry = self._entry(inode, path, inode.size, partial(content, self._volume, inode))
        entry.chunks_from, entry.spans = partial(content, self._volume, inode), partial(spans_of, self._volume, inode)
        return entry

    def _descend(self, inode: Inode, path: bytes) -> Iterator[Problem]:
        if inode.number in self._seen:
            yield Problem(path, "met before", f"the directory with inode {inode.number} stands elsewhere too")
        elif len(self._stack) > DEPTH:
            yield Problem(path, "too deep", f"directories nest deeper than {DEPTH}")
        else:
            self._seen.add(inode.number)
            self._stack.append((names(self._volume, inode, self._met), path))

    def _entry(
        self, inode: Inode, path: bytes, size: int = 0, chunks: Callable[[], Iterator[bytes]] = lambda: iter(())
    ) -> Entry:
        number = self._volume.number
        return Entry(path, inode.kind, size, chunks, volume=number, inode=inode.number, **inode.times._asdict())

"""One file system's files, through the Sleuth Kit: live ones, deleted names, and orphans whose content still stands.

A deleted file counts only when nothing that is live claims its blocks: what a new file wrote over an old one must
never be shown as the old one. What no file claims, and the slack behind the ends of live files, is left for carving.
"""

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytsk3

from casewright.evidence.reader import Entry, Problem, micros
from casewright.evidence.readers.claims import Claims
from casewright.evidence.readers.content import Content, Run, System, runs_of
from casewright.evidence.readers.disks import Disk, first_line
from casewright.evidence.readers.tsk import TSK_ERRORS, TskImage, open_system

DEPTH = 256
KINDS = {
    int(pytsk3.TSK_FS_META_TYPE_REG): "file",
    int(pytsk3.TSK_FS_META_TYPE_DIR): "directory",
    int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR): "directory",
    int(pytsk3.TSK_FS_META_TYPE_LNK): "symlink",
}
REGULAR = pytsk3.TSK_FS_META_TYPE_REG
DOTS = frozenset((b".", b".."))
UNALLOCATED = int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC)
ALLOCATED = int(pytsk3.TSK_FS_META_FLAG_ALLOC)
NTFS = int(pytsk3.TSK_FS_TYPE_NTFS)
NTFS_DATA = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)
BAD_CLUSTERS = 8  # NTFS: its stream $Bad is as long as the volume and has no bytes of its own
# the Sleuth Kit finds YAFFS2 in what is none, and its APFS has no containers here
GUESSED = {int(pytsk3.TSK_FS_TYPE_YAFFS2), int(pytsk3.TSK_FS_TYPE_APFS)}
NAMES = {
    int(getattr(pytsk3, f"TSK_FS_TYPE_{ours}")): said
    for ours, said in (("EXT2", "ext2"), ("EXT3", "ext3"), ("EXT4", "ext4"), ("NTFS", "NTFS"), ("FAT12", "FAT12"),
                       ("FAT16", "FAT16"), ("FAT32", "FAT32"), ("EXFAT", "exFAT"), ("HFS", "HFS+"),
                       ("ISO9660", "ISO 9660"), ("FFS1", "UFS1"), ("FFS1B", "UFS1"), ("FFS2", "UFS2"))
}  # fmt: skip


class _Named(NamedTuple):
    """A name that was met, and the record it leads to."""

    path: bytes
    file: Any
    deleted: bool


class Tree:
    """Walks one file system. Raises one of TSK_ERRORS when there is none, or its root can't be opened."""

    def __init__(self, disk: Disk, volume: int) -> None:
        self._disk, self._volume = disk, volume
        self._image = TskImage(disk)
        self._system = system = open_system(self._image)
        kind = int(system.info.ftype)
        if kind in GUESSED:
            raise OSError("no file system was found")
        self.name = NAMES.get(kind, f"file system {kind} of the Sleuth Kit")
        self.block_size = int(system.info.block_size)
        self.size = min(disk.size, (int(system.info.last_block) + 1) * self.block_size)
        self._content = System(system, disk)
        self._ntfs = kind == NTFS
        self._root = int(system.info.root_inum)
        self._stack = [(iter(system.open_dir(inode=self._root)), b"", 0)]
        self._seen = {self._root}
        self._claims = Claims(self.block_size)
        self._claims.add(runs_of(system.open_meta(inode=self._root)))
        self._deleted: list[_Named] = []
        self._slack = array("Q")

    def entries(self) -> Iterator[Entry | Problem]:
        """Live files first, as the directories name them; deleted ones after, when all claims on blocks are known."""
        while self._stack:
            names, path, depth = self._stack[-1]
            try:
                found = next(names)
            except StopIteration:
                self._stack.pop()
                continue
            except TSK_ERRORS as error:
                self._stack.pop()
                yield Problem(path, "unreadable", f"the directory cannot be read to its end: {first_line(error)}")
                continue
            info = found.info
            name = info.name.name or b""
            if name in DOTS:
                continue
            whole, meta = path + b"/" + name if path else name, info.meta
            if meta is not None and meta.type == REGULAR and not int(info.name.flags) & UNALLOCATED:
                yield from self._live(found, whole)  # what nearly all that is met is
            else:
                yield from self._meet(found, whole, depth)
        yield from self._buried()

    def unclaimed(self) -> list[tuple[int, int]]:
        """(start, length) of what no file claims, once `entries` has come to its end."""
        return self._claims.gaps(self.size)

    def slack(self) -> list[tuple[int, int]]:
        """(start, length) from the ends of live files to the ends of their last blocks, in the order of the disk."""
        pairs = zip(self._slack[::2], self._slack[1::2], strict=True)
        return sorted(pairs)

    def _live(self, file: Any, path: bytes) -> Iterator[Entry | Problem]:
        runs = runs_of(file)
        self._claims.add(runs)
        return self._files(_Named(path, file, deleted=False), runs)

    def _too_large(self, path: bytes, size: int) -> Problem:
        return Problem(path, "sparse", f"says it has {size} bytes, more than its whole disk; not read")

    def _meet(self, found: Any, path: bytes, depth: int) -> Iterator[Entry | Problem]:
        deleted = bool(int(found.info.name.flags) & UNALLOCATED)
        record = found if found.info.meta is not None else self._record(found)
        if record is None:
            reason = "content gone" if deleted else "unreadable"
            yield Problem(path, reason, f"a {'deleted name' if deleted else 'name'} whose record is gone")
            return
        meta = record.info.meta
        kind = KINDS.get(int(meta.type), "special")
        if deleted and int(meta.flags) & ALLOCATED:
            yield Problem(path, "record reused", f"a deleted name; its record {int(meta.addr)} is in use again")
        elif kind == "file" and deleted:
            self._deleted.append(_Named(path, record, deleted))
        elif kind == "file":
            yield from self._live(record, path)
        else:
            if not deleted:
                self._claims.add(runs_of(record))
            named = _Named(path, record, deleted)
            yield self._entry(named, kind)
            if self._ntfs:
                yield from self._streams(named)
            if kind == "directory":
                yield from self._descend(record, path, depth)

    def _record(self, found: Any) -> Any:
        """The record that a name leads to, where the Sleuth Kit gives just its number; None when it is gone."""
        address = int(found.info.name.meta_addr)
        try:
            record = self._system.open_meta(inode=address) if address else None
        except TSK_ERRORS:
            return None
        return record if record and record.info.meta is not None else None

    def _descend(self, record: Any, path: bytes, depth: int) -> Iterator[Problem]:
        inode = int(record.info.meta.addr)
        if inode in self._seen:
            yield Problem(path, "met before", f"the directory with record {inode} stands elsewhere in the tree too")
        elif depth >= DEPTH:
            yield Problem(path, "too deep", f"directories nest deeper than {DEPTH}")
        else:
            self._seen.add(inode)
            try:
                self._stack.append((iter(record.as_directory()), path, depth + 1))
            except TSK_ERRORS as error:
                yield Problem(path, "unreadable", f"the directory cannot be opened: {first_line(error)}")

    def _buried(self) -> Iterator[Entry | Problem]:
        """Deleted files whose content still stands, and problems for the others."""
        live = self._claims.frozen()
        for named in self._deleted:
            runs = runs_of(named.file)
            if int(named.file.info.meta.size) == 0:
                yield Problem(named.path, "content gone", "a deleted name whose record holds no bytes any more")
            elif any(live.overlap(block, blocks) for block, blocks, _, _ in runs):
                yield Problem(named.path, "overwritten", "a deleted file; live files have taken blocks of it")
            else:
                self._claims.add(runs)
                yield from self._files(named, runs)

    def _files(self, named: _Named, runs: list[Run]) -> Iterator[Entry | Problem]:
        size = int(named.file.info.meta.size)
        if size > self._disk.size:
            yield self._too_large(named.path, size)
        else:
            content = Content(self._content, named.file, size, runs)
            slack = content.slack
            if slack and not named.deleted:
                self._slack.extend(slack)
            yield self._entry(named, "file", content)
        if self._ntfs:
            yield from self._streams(named)

    def _streams(self, named: _Named) -> Iterator[Entry | Problem]:
        """NTFS alternate data streams: `path:stream`."""
        if int(named.file.info.meta.addr) == BAD_CLUSTERS:
            return
        for attribute in named.file:
            info = attribute.info
            if int(info.type) != NTFS_DATA or not info.name:
                continue
            path, size = named.path + b":" + bytes(info.name), int(info.size)
            if size > self._disk.size:
                yield self._too_large(path, size)
            else:
                content = Content(self._content, named.file, size, [], (info.type, int(info.id)))
                yield self._entry(_Named(path, named.file, named.deleted), "file", content)

    def _entry(self, named: _Named, kind: str, content: Content | None = None) -> Entry:
        meta = named.file.info.meta
        entry = Entry(named.path, kind)
        entry.volume, entry.inode = self._volume, int(meta.addr)
        entry.modified, entry.accessed = micros(meta.mtime, meta.mtime_nano), micros(meta.atime, meta.atime_nano)
        entry.changed, entry.created = micros(meta.ctime, meta.ctime_nano), micros(meta.crtime, meta.crtime_nano)
        if content:
            entry.size, entry.spans = content.size, content.spans
            entry.chunks = entry.chunks_from = content.chunks
        if named.deleted:
            entry.deleted, entry.origin = True, "deleted"
        return entry

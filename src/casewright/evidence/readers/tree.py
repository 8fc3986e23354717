"""One file system's files, through the Sleuth Kit: live ones, deleted names, and orphans whose content still stands.

A deleted file counts only when nothing that is live claims its blocks: what a new file wrote over an old one must
never be shown as the old one.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytsk3

from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable, utc
from casewright.evidence.readers.images import TSK_ERRORS, first_line

DEPTH = 256
KINDS = {
    int(pytsk3.TSK_FS_META_TYPE_REG): "file",
    int(pytsk3.TSK_FS_META_TYPE_DIR): "directory",
    int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR): "directory",
    int(pytsk3.TSK_FS_META_TYPE_LNK): "symlink",
}
TIMES = (("modified", "mtime"), ("accessed", "atime"), ("changed", "ctime"), ("created", "crtime"))
BAD_CLUSTERS = 8  # NTFS: its stream $Bad is as long as the volume and has no bytes of its own


@dataclass(frozen=True)
class _Named:
    """A name that was met, and the record it leads to."""

    path: bytes
    file: Any
    deleted: bool


class Tree:
    """Walks one file system. Raises one of TSK_ERRORS when its root can't be opened."""

    def __init__(self, system: Any, volume: int, disk_size: int) -> None:
        self._system, self._volume, self._disk_size = system, volume, disk_size
        self._root = int(system.info.root_inum)
        self._stack = [(iter(system.open_dir(inode=self._root)), b"", 0)]
        self._seen = {self._root}
        self._claimed = _blocks(system.open_meta(inode=self._root))
        self._deleted: list[_Named] = []

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
            name = bytes(found.info.name.name or b"")
            if name not in (b".", b".."):
                yield from self._meet(found, path + b"/" + name if path else name, depth)
        yield from self._buried()

    def _meet(self, found: Any, path: bytes, depth: int) -> Iterator[Entry | Problem]:
        deleted = bool(int(found.info.name.flags) & int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC))
        record = self._record(found)
        if record is None:
            reason = "content gone" if deleted else "unreadable"
            yield Problem(path, reason, f"a {'deleted name' if deleted else 'name'} whose record is gone")
            return
        meta = record.info.meta
        named, kind = _Named(path, record, deleted), KINDS.get(int(meta.type), "special")
        if deleted and int(meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC):
            yield Problem(path, "record reused", f"a deleted name; its record {int(meta.addr)} is in use again")
        elif kind == "file" and deleted:
            self._deleted.append(named)
        elif kind == "file":
            self._claimed += _blocks(record)
            yield from self._files(named)
        else:
            self._claimed += [] if deleted else _blocks(record)
            yield self._entry(named, kind, 0)
            yield from self._streams(named)
            if kind == "directory":
                yield from self._descend(record, path, depth)

    def _record(self, found: Any) -> Any:
        """The record that a name leads to, also where the Sleuth Kit gives just its number; None when it is gone."""
        if found.info.meta is not None:
            return found
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
        claims = _merged(self._claimed)
        for named in self._deleted:
            if int(named.file.info.meta.size) == 0:
                yield Problem(named.path, "content gone", "a deleted name whose record holds no bytes any more")
            elif any(_overlap(claims, start, end) for start, end in _blocks(named.file)):
                yield Problem(named.path, "overwritten", "a deleted file; live files have taken blocks of it")
            else:
                yield from self._files(named)

    def _files(self, named: _Named) -> Iterator[Entry | Problem]:
        size = int(named.file.info.meta.size)
        if size > self._disk_size:
            yield Problem(named.path, "sparse", f"says it has {size} bytes, more than its whole disk; not read")
        else:
            yield self._entry(named, "file", size, self._chunks(named.file, size, ()))
        yield from self._streams(named)

    def _streams(self, named: _Named) -> Iterator[Entry | Problem]:
        """NTFS alternate data streams: `path:stream`."""
        if int(self._system.info.ftype) != int(pytsk3.TSK_FS_TYPE_NTFS):
            return
        inode = int(named.file.info.meta.addr)
        for attribute in named.file:
            info = attribute.info
            if int(info.type) != int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA) or not info.name or inode == BAD_CLUSTERS:
                continue
            path, size = named.path + b":" + bytes(info.name), int(info.size)
            which = (info.type, int(info.id))
            if size > self._disk_size:
                yield Problem(path, "sparse", f"says it has {size} bytes, more than its whole disk; not read")
            else:
                stream = _Named(path, named.file, named.deleted)
                yield self._entry(stream, "file", size, self._chunks(named.file, size, which))

    def _entry(
        self, named: _Named, kind: str, size: int, chunks: Callable[[], Iterator[bytes]] = lambda: iter(())
    ) -> Entry:
        meta = named.file.info.meta
        times = {ours: utc(getattr(meta, theirs), getattr(meta, f"{theirs}_nano", 0)) for ours, theirs in TIMES}
        return Entry(named.path, kind, size, chunks, named.deleted, self._volume, int(meta.addr), **times)

    def _chunks(self, file: Any, size: int, which: tuple[Any, ...]) -> Callable[[], Iterator[bytes]]:
        def read() -> Iterator[bytes]:
            at = 0
            try:
                while at < size:
                    chunk = file.read_random(at, min(CHUNK, size - at), *which)
                    if not chunk:
                        break
                    yield bytes(chunk)
                    at += len(chunk)
            except TSK_ERRORS as error:
                raise Unreadable("unreadable", f"{at} of {size} bytes were read, then: {first_line(error)}") from error
            if at < size:
                raise Unreadable("truncated", f"only {at} of {size} bytes can be read")

        return read


def _blocks(file: Any) -> list[tuple[int, int]]:
    """First and last-plus-one block of each run of the file's content; holes have none."""
    unreal = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
    try:
        runs = [run for attribute in file for run in attribute if not int(run.flags) & unreal]
    except TSK_ERRORS:
        return []
    return [(int(run.addr), int(run.addr) + int(run.len)) for run in runs]


def _merged(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same blocks as runs in order that do not touch each other."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(runs):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _overlap(merged: list[tuple[int, int]], start: int, end: int) -> bool:
    """Whether any of the runs has a block in start..end."""
    after = bisect_right(merged, (end - 1, 1 << 62))
    return after > 0 and merged[after - 1][1] > start

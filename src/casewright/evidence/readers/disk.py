"""What is on a disk: its partitions, and the files of each file system, through the Sleuth Kit.

Deleted names whose content still stands are entries marked deleted. A partition or file system that can't be opened is
a problem with the name of what was found there.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytsk3

from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable, utc
from casewright.evidence.readers.images import Disk, TskImage

DEPTH = 256
KINDS = {
    int(pytsk3.TSK_FS_META_TYPE_REG): "file",
    int(pytsk3.TSK_FS_META_TYPE_DIR): "directory",
    int(pytsk3.TSK_FS_META_TYPE_LNK): "symlink",
    int(pytsk3.TSK_FS_META_TYPE_VIRT_DIR): "virtual",
    int(pytsk3.TSK_FS_META_TYPE_VIRT): "virtual",
}
FOREIGN = (
    (0, b"LUKS\xba\xbe", "LUKS encryption"),
    (512, b"LABELONE", "an LVM2 physical volume"),
    (0, b"XFSB", "XFS"),
    (0x10040, b"_BHRfS_M", "btrfs"),
    (32, b"NXSB", "APFS"),
    (0x1000, b"\xfc\x4e\x2b\xa9", "a Linux RAID member"),
)


class DiskReader:
    """Every file system of a disk."""

    def __init__(self, disk: Disk) -> None:
        self._disk, self._image = disk, TskImage(disk)

    def entries(self) -> Iterator[Entry | Problem]:
        for number, start in enumerate(self._starts()):
            yield from self._file_system(number, start)

    def _starts(self) -> list[int]:
        """Byte offsets of the partitions; of a disk without a partition table just its own beginning."""
        try:
            table = pytsk3.Volume_Info(self._image)
        except OSError:
            return [0]
        parts = [p for p in table if int(p.flags) & int(pytsk3.TSK_VS_PART_FLAG_ALLOC)]
        return [int(p.start) * int(table.info.block_size) for p in parts] or [0]

    def _file_system(self, number: int, start: int) -> Iterator[Entry | Problem]:
        try:
            system = pytsk3.FS_Info(self._image, offset=start)
            root = system.open_dir(inode=system.info.root_inum)
        except OSError as error:
            yield Problem(b"", *self._refusal(number, start, error))
            return
        yield from _Walk(system, number).directory(root, b"", 0)

    def _refusal(self, number: int, start: int, error: OSError) -> tuple[str, str]:
        """Reason and detail for a partition that is no file system we read, by the name of what it is."""
        for at, signature, name in FOREIGN:
            try:
                if self._disk.read(start + at, len(signature)) == signature:
                    return "not supported", f"partition {number} at byte {start} holds {name}, which is not read yet"
            except Unreadable as damage:
                return damage.reason, f"partition {number} at byte {start}: {damage.detail}"
        words = str(error).splitlines()[0][:200] if str(error) else "unknown"
        return "unreadable", f"partition {number} at byte {start} holds no file system that can be opened ({words})"


class _Walk:
    """One file system's tree, each directory once."""

    def __init__(self, system: Any, volume: int) -> None:
        self._system, self._volume, self._seen = system, volume, set[int]()

    def directory(self, directory: Any, path: bytes, depth: int) -> Iterator[Entry | Problem]:
        if depth > DEPTH:
            yield Problem(path, "too deep", f"directories nest deeper than {DEPTH}")
            return
        names = iter(directory)
        while True:
            try:
                found = next(names)
            except StopIteration:
                return
            except OSError as error:
                yield Problem(path, "unreadable", f"the directory cannot be read to its end: {error}")
                return
            name = bytes(found.info.name.name)
            if name not in (b".", b".."):
                yield from self._named(found, path + b"/" + name if path else name, depth)

    def _named(self, found: Any, path: bytes, depth: int) -> Iterator[Entry | Problem]:
        meta = found.info.meta
        if meta is None:
            yield Problem(path, "content gone", "a deleted name whose record was overwritten")
            return
        kind = KINDS.get(int(meta.type), "special")
        deleted = bool(int(found.info.name.flags) & int(pytsk3.TSK_FS_NAME_FLAG_UNALLOC))
        reused = deleted and bool(int(meta.flags) & int(pytsk3.TSK_FS_META_FLAG_ALLOC))
        inode = int(meta.addr)
        times: dict[str, Any] = {"modified": utc(meta.mtime), "accessed": utc(meta.atime), "changed": utc(meta.ctime),
                 "created": utc(meta.crtime)}  # fmt: skip
        if reused:
            yield Problem(path, "record reused", f"a deleted name; its record {inode} now belongs to another file")
        elif kind == "file":
            yield Entry(path, kind, int(meta.size), self._chunks(found), deleted, self._volume, inode, **times)
        else:
            yield Entry(path, kind, 0, deleted=deleted, volume=self._volume, inode=inode, **times)
            if kind in ("directory", "virtual") and inode not in self._seen:
                self._seen.add(inode)
                yield from self._descend(found, path, depth)

    def _descend(self, found: Any, path: bytes, depth: int) -> Iterator[Entry | Problem]:
        try:
            directory = found.as_directory()
        except OSError as error:
            yield Problem(path, "unreadable", f"the directory cannot be opened: {error}")
            return
        yield from self.directory(directory, path, depth + 1)

    def _chunks(self, found: Any) -> Callable[[], Iterator[bytes]]:
        inode, size = int(found.info.meta.addr), int(found.info.meta.size)

        def read() -> Iterator[bytes]:
            at = 0
            try:
                file = self._system.open_meta(inode=inode)
                while at < size:
                    chunk = file.read_random(at, min(CHUNK, size - at))
                    if not chunk:
                        break
                    yield bytes(chunk)
                    at += len(chunk)
            except OSError as error:
                raise Unreadable("unreadable", f"{at} of {size} bytes were read, then: {error}") from error
            if at < size:
                raise Unreadable("truncated", f"only {at} of {size} bytes can be read")

        return read

"""Archives that are a row of headers with bytes behind them: tar (headers by the standard library), cpio and ar.

Formats: POSIX.1-2017 pax, GNU tar's manual; cpio(5) and ar(5) of FreeBSD. Bytes are read from where they stand.
"""

import re
import stat
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, BinaryIO, NamedTuple

from casewright.evidence.reader import CHUNK, Entry, Problem, Unreadable, utc
from casewright.evidence.readers.budget import Budget
from casewright.evidence.readers.compressed import Span

TYPES = {tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink"}
HEADERS = 16 << 20  # what the headers of one tar member may hold: names, times, and maps of sparse files
NAMES, FULL_NAME = 16 << 20, 1 << 16
POSSIBLE = {stat.S_IFIFO, stat.S_IFCHR, stat.S_IFDIR, stat.S_IFBLK, stat.S_IFREG, stat.S_IFLNK, stat.S_IFSOCK}
MODES = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", 0: "file"}


def tar_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in their order, then a problem if the archive goes on behind what can be read.

    tarfile ends quietly at a header it cannot read, and so would lose all that follows.
    """
    files: dict[bytes, Entry] = {}
    metered: Any = _Metered(file)
    with tarfile.open(fileobj=metered, mode="r:", encoding="utf-8", errors="surrogateescape") as opened:
        archive: Any = opened
        while info := archive.next():
            budget.member()
            yield _member(file, info, files, budget)
            metered.left = HEADERS
            archive.members = []  # tarfile would keep them all
        end = archive.offset
    if rest := _unread(file, end):
        yield Problem(b"", "damaged archive", rest)


class _Metered:
    """A tar's file as tarfile sees it: it reads headers only, and takes a header's word for how long it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.left = file, HEADERS
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        self.left -= size
        if self.left < 0:
            raise Unreadable(
                "too large", f"the headers of the tar member at byte {self.tell()} take over {HEADERS} bytes"
            )
        return self._file.read(size)


def _member(file: BinaryIO, info: tarfile.TarInfo, files: dict[bytes, Entry], budget: Budget) -> Entry | Problem:
    path = info.name.encode("utf-8", "surrogateescape")
    if info.size < 0:
        raise Unreadable("damaged archive", f"the member at byte {info.offset} says that it has {info.size} bytes")
    if info.islnk():
        linked = files.get(info.linkname.encode("utf-8", "surrogateescape"))
        if linked is None:
            what = f"a hard link to {info.linkname!r}, which does not come before it"
            return Problem(path, "content elsewhere", what)
        entry = Entry(path, "file", linked.size, linked.chunks, modified=linked.modified)
    elif not info.isreg():
        if info.size and info.type not in TYPES:
            return Problem(path, "not supported", f"a tar member of type {info.type!r} with {info.size} bytes")
        return Entry(path, TYPES.get(info.type, "special"), modified=utc(info.mtime))
    else:
        entry = Entry(path, "file", info.size, partial(_chunks, file, info, budget), modified=utc(info.mtime))
    files[path] = entry
    return entry


def _chunks(file: BinaryIO, info: tarfile.TarInfo, budget: Budget) -> Iterator[bytes]:
    plain = _sparse(file, info) if info.issparse() else Span(file, info.offset_data, info.size).chunks()
    yield from budget.charged(plain)


def _sparse(file: BinaryIO, info: tarfile.TarInfo) -> Iterator[bytes]:
    """A sparse member with its holes as zeros. `info.sparse` are (start, size) of what is no hole."""
    at, place = 0, info.offset_data
    stretches: Any = info.sparse
    for start, size in stretches or ():
        if not size:
            continue  # an unused place in the map
        if start < at or size < 0 or start + size > info.size:
            raise Unreadable("damaged", f"the map of a sparse member of {info.size} bytes is none")
        yield from _zeros(start - at)
        yield from Span(file, place, size).chunks()
        at, place = start + size, place + size
    yield from _zeros(info.size - at)


def _zeros(size: int) -> Iterator[bytes]:
    for at in range(0, size, CHUNK):
        yield bytes(min(CHUNK, size - at))


def _unread(file: BinaryIO, at: int) -> str:
    """What stands behind the last member that is not the zeros an archive ends with; empty when nothing does."""
    size = file.seek(0, 2)
    file.seek(at)
    while chunk := file.read(CHUNK):
        if chunk.strip(b"\0"):
            return f"it can be read up to byte {at} of {size}; what follows is no tar member"
    return ""


class _Header(NamedTuple):
    """A cpio member. `file`: its inode and device; `body`: where its bytes begin; `behind`: where the next one does."""

    name: bytes
    mode: int
    links: int
    modified: int
    size: int
    file: tuple[int, ...]
    body: int
    behind: int


def cpio_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in their order; those of archives joined to the first too, as in an initial RAM disk.

    Of hard links only the last carries the bytes: the others get them from there. What stands behind the last archive
    is given out as a file `behind the end`.
    """
    at, size = 0, file.seek(0, 2)
    waiting: dict[tuple[int, ...], list[_Header]] = {}
    while (header := _cpio_header(file, at)) is not None:
        at = header.behind
        if header.name == b"TRAILER!!!":
            yield from _forsaken(waiting)
            at = _behind_zeros(file, at)
            continue
        budget.member()
        if stat.S_ISREG(header.mode) and header.links > 1 and not header.size:
            waiting.setdefault(header.file, []).append(header)
            continue
        for one in (*waiting.pop(header.file, ()), header):
            yield _cpio_entry(file, one, header, budget)
    yield from _forsaken(waiting)
    if at < size:
        budget.member()
        yield Entry(b"behind the end", "file", size - at, partial(_charged, Span(file, at, size - at), budget))
        what = f"it can be read up to byte {at} of {size}; what follows is no cpio member, and kept as one file"
        yield Problem(b"", "bytes left over", what)


def _cpio_entry(file: BinaryIO, one: _Header, holder: _Header, budget: Budget) -> Entry:
    kind = MODES.get(stat.S_IFMT(one.mode), "special")
    read: Callable[[], Iterator[bytes]] = partial(_charged, Span(file, holder.body, holder.size), budget)
    if kind != "file":
        return Entry(one.name, kind, modified=utc(one.modified))
    return Entry(one.name, kind, holder.size, read, modified=utc(one.modified))


def _forsaken(waiting: dict[tuple[int, ...], list[_Header]]) -> Iterator[Entry]:
    """Hard links whose bytes never came: the file was empty."""
    for headers in waiting.values():
        for one in headers:
            yield Entry(one.name, "file", modified=utc(one.modified))
    waiting.clear()


def _charged(span: Span, budget: Budget) -> Iterator[bytes]:
    return budget.charged(span.chunks())


def _behind_zeros(file: BinaryIO, at: int) -> int:
    file.seek(at)
    while chunk := file.read(CHUNK):
        if rest := chunk.lstrip(b"\0"):
            return at + len(chunk) - len(rest)
        at += len(chunk)
    return at


def _cpio_header(file: BinaryIO, at: int) -> _Header | None:
    """The header at `at`, in any of the three forms; None when there is none."""
    file.seek(at)
    raw = file.read(110)
    which: tuple[int, ...]
    if raw[:6] in (b"070701", b"070702") and re.fullmatch(rb"[0-9A-Fa-f]{104}", raw[6:]):
        field = [int(raw[i : i + 8], 16) for i in range(6, 110, 8)]
        inode, mode, _, _, links, modified, size, major, minor, _, _, length, _ = field
        which, start, step = (inode, major, minor), 110, 4
    elif raw[:6] == b"070707" and re.fullmatch(rb"[0-7]{70}", raw[6:76]):
        device, inode, mode, _, _, links, _ = (int(raw[i : i + 6], 8) for i in range(6, 48, 6))
        modified, length, size = int(raw[48:59], 8), int(raw[59:65], 8), int(raw[65:76], 8)
        which, start, step = (inode, device), 76, 1
    elif raw[:2] in (b"\xc7\x71", b"\x71\xc7") and len(raw) >= 26:
        field = [int.from_bytes(raw[i : i + 2], "little" if raw[0] == 0xC7 else "big") for i in range(0, 26, 2)]
        device, inode, mode, links, modified, length = *field[1:4], field[6], field[8] << 16 | field[9], field[10]
        size, which, start, step = field[11] << 16 | field[12], (inode, device), 26, 2
    else:
        return None
    file.seek(at + start)
    name = file.read(length) if length <= FULL_NAME else b""
    if not name.endswith(b"\0") or (mode and stat.S_IFMT(mode) not in POSSIBLE):
        return None
    body = at + -(-(start + length) // step) * step
    return _Header(name.rstrip(b"\0"), mode, links, modified, size, which, body, body + -(-size // step) * step)


def ar_members(file: BinaryIO, budget: Budget) -> Iterator[Entry | Problem]:
    """Members in their order. The index of symbols and the table of long names are no members."""
    at, size, names = 8, file.seek(0, 2), b""
    while at + 60 <= size:
        file.seek(at)
        header = file.read(60)
        found = re.fullmatch(rb"(.{16})([0-9 ]{12}).{12}([0-7 ]{8})([0-9]+) *`\n", header, re.DOTALL)
        if not found:
            break
        name, length, body = found[1].rstrip(), int(found[4]), at + 60
        at = body + length + length % 2
        if name == b"//":
            names = Span(file, body, min(length, NAMES)).read(0, NAMES)
        elif name not in (b"/", b"/SYM64/"):
            budget.member()
            name, inside = _ar_name(file, name, names, body, length)
            span = Span(file, body + inside, length - inside)
            modified = utc(int(found[2])) if found[2].strip().isdigit() else None
            yield Entry(name, "file", span.size, partial(_charged, span, budget), modified=modified)
    if rest := _unread(file, min(at, size)):
        yield Problem(b"", "damaged archive", rest.replace("tar", "ar"))


def _ar_name(file: BinaryIO, name: bytes, names: bytes, body: int, length: int) -> tuple[bytes, int]:
    """A member's name, and how many bytes of it stand in front of the member's own."""
    if name.startswith(b"#1/") and name[3:].isdigit() and int(name[3:]) <= min(length, FULL_NAME):
        inside = int(name[3:])
        return Span(file, body, inside).read(0, inside).rstrip(b"\0"), inside
    if re.fullmatch(rb"/\d+", name) and int(name[1:]) < len(names):
        return names[int(name[1:]) :].partition(b"\n")[0].removesuffix(b"/"), 0
    return name.removesuffix(b"/"), 0

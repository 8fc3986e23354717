"""Disks of virtual machines: QCOW2 by our own reader, VMDK, VHD and VHDX through libyal's, a child with its parents.

Parents and extents are found among the exhibit's files by the last part of the name that the image gives for them. A
parent must be the one that the image means, where it says so by more than a name; no file is part of two chains.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyvhdi
import pyvmdk

from casewright.evidence.reader import Problem, Segment, Unreadable
from casewright.evidence.readers.disks import DamageLog, Disk, first_line
from casewright.evidence.readers.qcow import QcowDisk, read_header

CHAIN = 64
LARGEST = 1 << 50
"""Bytes; no disk is that long, and a header that says so is damaged."""
SIGNATURES = ((b"QFI\xfb", "QCOW2"), (b"KDMV", "VMDK"), (b"COWD", "VMDK"), (b"# Disk DescriptorFile", "VMDK"),
              (b"vhdxfile", "VHDX"), (b"conectix", "VHD"))  # fmt: skip
REFUSED_IMAGES = (
    (0, b"EVF2\x0d\x0a\x81\x00", "an Ex01 image"),
    (0, b"LVF\x09\x0d\x0a\xff\x00", "an L01 logical image"),
    (0, b"LEF2\x0d\x0a\x81\x00", "an Lx01 logical image"),
    (0, b"AFF10\r\n\0", "an AFF image"),
    (0x40, b"\x7f\x10\xda\xbe", "a VDI image of VirtualBox"),
    (0, b"WithoutFreeSpace", "a Parallels image"),
    (0, b"WithouFreSpacExt", "a Parallels image"),
    (0, b"MSWIM\0\0\0", "a WIM image"),
    (0, b"sprs", "an Apple sparse image"),
    (0, b"encrcdsa", "an encrypted Apple disk image"),
    (0, b"QED\0", "a QED image"),
)
NO_PARENT = {None, 0xFFFFFFFF}
FIXED, DIFFERENCE = 2, 4  # VHD: kinds of disk, at byte 60 of the footer
DESCRIBED = re.compile(rb'^(?:RW|RDONLY|NOACCESS)\s+\d+\s+\S+\s+"([^"\n]*)"', re.MULTILINE)


@dataclass(frozen=True)
class Opened:
    """A virtual disk. `used`: paths of all files it is made of, itself first. `notes`: what is not read of it."""

    disk: Disk
    said: str
    used: tuple[bytes, ...]
    notes: tuple[str, ...] = ()


def is_virtual(head: bytes, tail: bytes) -> str | None:
    """The format's name, by the first 64 bytes or more and the last 512 bytes or more; None if it is none of ours."""
    named = next((name for signature, name in SIGNATURES if head.startswith(signature)), None)
    return named or ("VHD" if tail[-512:].startswith(b"conectix") else None)


def refused_image(head: bytes, tail: bytes) -> str | None:
    """Name of an image format that is not read."""
    named = next((name for at, mark, name in REFUSED_IMAGES if head[at : at + len(mark)] == mark), None)
    return named or ("an Apple disk image (DMG)" if tail[-512:].startswith(b"koly") else None)


def open_virtual(segments: Sequence[Segment], first: int = 0, log: DamageLog | None = None) -> Opened:
    """The image `segments[first]`; its parents and extents are looked for among the other segments."""
    return _Opening(segments, log).open(segments[first])


def open_all(
    segments: Sequence[Segment], log: DamageLog | None = None
) -> tuple[list[Opened], list[Problem], list[Segment]]:
    """Every virtual disk that is no other's parent, problems for those that can't be opened, and the other files."""
    opening = _Opening(segments, log)
    images = [s for s in segments if opening.kind(s)]
    done: dict[bytes, Opened | Problem] = {}
    for image in images:
        try:
            done[image.path] = opening.open(image)
        except Unreadable as error:
            done[image.path] = Problem(image.path, error.reason, error.detail)
    inside = {path for one in done.values() if isinstance(one, Opened) for path in one.used[1:]}
    whole = {path: one for path, one in done.items() if path not in inside}
    opened = [one for one in whole.values() if isinstance(one, Opened)]
    used = inside | set(whole)
    problems = [one for one in whole.values() if isinstance(one, Problem)]
    return opened, problems, [s for s in segments if s.path not in used]


class _Opening:
    """Opens images among the files of one exhibit."""

    def __init__(self, segments: Sequence[Segment], log: DamageLog | None) -> None:
        self._log = log
        self._by_name = {_base(s.path): s for s in segments}
        self._kinds: dict[bytes, str | None] = {}

    def kind(self, segment: Segment) -> str | None:
        if segment.path not in self._kinds:
            with segment.open() as file:
                head = file.read(64)
                file.seek(max(0, segment.size - 512))
                self._kinds[segment.path] = is_virtual(head, file.read(512))
        return self._kinds[segment.path]

    def open(self, segment: Segment) -> Opened:
        disk, kind, used, notes = self._chain(segment, ())
        if not isinstance(disk, QcowDisk):
            disk = LibraryDisk(disk, int(disk.get_media_size()), kind)
        if not 0 < disk.size <= LARGEST:
            raise Unreadable("damaged image", f"this {kind} image says that its disk has {disk.size} bytes")
        parents = len([p for p in used[1:] if self._kinds.get(p)])
        said = f"{kind} image" + (f" with {parents} file{'s' * (parents > 1)} behind it" if parents else "")
        return Opened(disk, said, tuple(used), tuple(notes))

    def _chain(self, segment: Segment, above: tuple[bytes, ...]) -> tuple[Any, str, list[bytes], list[str]]:
        """An open handle (of a QCOW2 image its disk) with its parents set, the format, the files used, and notes."""
        if segment.path in above:
            raise Unreadable("damaged image", "this image is its own parent, by way of others")
        if len(above) >= CHAIN:
            raise Unreadable("too deep", f"more than {CHAIN} images stand behind each other")
        kind = self.kind(segment)
        opener: Callable[..., Any] = {"QCOW2": self._qcow, "VMDK": self._vmdk}.get(kind or "", self._vhd)
        try:
            handle, used, notes = opener(segment, (*above, segment.path))
        except OSError as error:
            raise Unreadable("damaged image", f"this {kind} image cannot be opened: {first_line(error)}") from error
        return handle, kind or "", used, notes

    def _parent(self, name: str | None, kind: str, above: tuple[bytes, ...]) -> tuple[Any, list[bytes], list[str]]:
        """The image that a child names as its parent."""
        found = self._by_name.get(_base((name or "").encode("utf-8", "surrogateescape")))
        if found is None:
            detail = (
                f"this {kind} image rests on {name!r}, which is not among the exhibit's files. Seal both in one folder"
            )
            raise Unreadable("parent missing", detail)
        if self.kind(found) is None:
            raise Unreadable("not supported", f"this {kind} image rests on {name!r}, which is no image of its kind")
        handle, _, used, notes = self._chain(found, above)
        return handle, used, notes

    def _qcow(self, segment: Segment, above: tuple[bytes, ...]) -> tuple[Disk, list[bytes], list[str]]:
        file = segment.open()
        header = read_header(file)
        used, notes = [segment.path], list[str]()
        if header.snapshots:
            notes.append(f"the image holds {header.snapshots} snapshots, which are not read")
        parent = None
        if header.backing:
            parent, more, theirs = self._parent(header.backing.decode("utf-8", "surrogateescape"), "QCOW2", above)
            used, notes = used + more, notes + theirs
        return QcowDisk(file, header, parent, self._log), used, notes

    def _vhd(self, segment: Segment, above: tuple[bytes, ...]) -> tuple[Any, list[bytes], list[str]]:
        handle = pyvhdi.file()
        handle.open_file_object(segment.open())
        used, notes = [segment.path], list[str]()
        if int(handle.get_disk_type()) == DIFFERENCE:
            parent, more, notes = self._parent(_last(handle.get_parent_filename()), self.kind(segment) or "VHD", above)
            if handle.get_parent_identifier() != parent.get_identifier():
                raise Unreadable("parent missing", "the file with its parent's name is another image than it rests on")
            handle.set_parent(parent)
            used += more
        return handle, used, notes

    def _vmdk(self, segment: Segment, above: tuple[bytes, ...]) -> tuple[Any, list[bytes], list[str]]:
        handle = pyvmdk.handle()
        handle.open_file_object(segment.open())
        extents = self._extents(segment, handle)
        handle.open_extent_data_files_as_file_objects([e.open() for e in extents])
        used, notes = list(dict.fromkeys([segment.path, *(e.path for e in extents)])), list[str]()
        if handle.get_parent_content_identifier() not in NO_PARENT:
            parent, more, notes = self._parent(_last(handle.get_parent_filename()), "VMDK", above)
            if parent.get_content_identifier() != handle.get_parent_content_identifier():
                raise Unreadable(
                    "parent missing", "the file with its parent's name was changed since, or is another one"
                )
            handle.set_parent(parent)
            used += more
        return handle, used, notes

    def _extents(self, segment: Segment, handle: Any) -> list[Segment]:
        """The files that hold the disk's bytes, in the descriptor's order."""
        if _head(segment, 4) == b"KDMV":
            return [segment] * int(handle.get_number_of_extents())
        names = [_base(name) for name in DESCRIBED.findall(_head(segment, 1 << 16))]
        missing = [n for n in names if n not in self._by_name]
        if missing or not names:
            detail = "this VMDK descriptor names no file" if not names else (
                f"this VMDK image needs {', '.join(n.decode('utf-8', 'replace') for n in missing)[:200]}, not among "
                "the exhibit's files. Seal all in one folder")  # fmt: skip
            raise Unreadable("parent missing", detail)
        return [self._by_name[n] for n in names]


class LibraryDisk:
    """A disk that one of the libraries reads. `read` raises Unreadable where the library does."""

    def __init__(self, handle: Any, size: int, kind: str) -> None:
        self._handle, self.size, self._kind = handle, size, kind

    def read(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        if not length:
            return b""
        try:
            chunk = bytes(self._handle.read_buffer_at_offset(length, offset))
        except OSError as error:
            raise Unreadable("damaged image", f"{self._kind} data at byte {offset}: {first_line(error)}") from error
        if len(chunk) < length:
            raise Unreadable("truncated", f"the {self._kind} image ends at byte {offset + len(chunk)} of its disk")
        return chunk


def _head(segment: Segment, length: int) -> bytes:
    with segment.open() as file:
        return file.read(length).ljust(min(length, 104), b"\0")


def _base(path: bytes) -> bytes:
    """The last part of a path, whichever system wrote it, without regard to case."""
    return re.split(rb"[/\\]", path)[-1].lower()


def _last(name: str | None) -> str | None:
    return name.rstrip("\0") if name else name

"""One file a format; `open_exhibit` chooses by the first and last bytes of an exhibit's files, never by their names.

Names only put the files of one image in order: the segments of a split image, a child and its parent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from casewright.evidence.reader import Met, Problem, Reader, Segment, Unreadable
from casewright.evidence.readers.aff4 import is_aff4, refuse_aff4
from casewright.evidence.readers.disk import DiskReader, ImageDisk
from casewright.evidence.readers.disks import Disk, RawDisk
from casewright.evidence.readers.ewf import EwfDisk
from casewright.evidence.readers.ewf_sections import SIGNATURE
from casewright.evidence.readers.folder import FolderReader, soon
from casewright.evidence.readers.systems import looks_like_a_disk
from casewright.evidence.readers.virtual import Opened, is_virtual, open_all, refused_image
from casewright.evidence.walk import Walk

HEAD, TAIL = 4096, 1024
IMAGES = frozenset((
    "application/x-ewf", "application/x-qemu-disk", "application/x-vmdk-disk", "application/x-vhd-disk",
))  # fmt: skip
"""Kinds of files that are opened as disks when they are met inside an exhibit."""
FILES = 4096
SIDECAR = 1 << 20
"""Notes that imaging programs leave beside an image are no longer than this."""


def open_exhibit(segments: Sequence[Segment], walk: Walk) -> Reader:
    """The reader for these files: disks, if they are images all (notes beside them aside), otherwise a folder.

    Raises Unreadable, with the name of what it is, for a single file of a format that is not read.
    """
    found = _sort_out(segments, walk)
    if len(segments) == 1 and found.problems:
        raise Unreadable(found.problems[0].reason, found.problems[0].detail)
    if not found.is_image:
        return FolderReader(segments, walk)
    return _All(_Told(found.problems), DiskReader(found.disks, walk), FolderReader(found.others, walk))


def open_image(segment: Segment, walk: Walk) -> Reader:
    """The reader for a disk image that is a file of an exhibit. Raises Unreadable when it is not whole in itself."""
    found = _sort_out([segment], walk)
    if found.problems:
        raise Unreadable(found.problems[0].reason, found.problems[0].detail)
    return DiskReader(found.disks, walk)


@dataclass
class _Found:
    """What an exhibit's files are."""

    disks: list[ImageDisk] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    others: list[Segment] = field(default_factory=list)

    @property
    def is_image(self) -> bool:
        return bool(self.disks) and all(s.size <= SIDECAR for s in self.others)


def _sort_out(segments: Sequence[Segment], walk: Walk) -> _Found:
    """Opens each image among the files. A folder with very many files is a folder, and is not looked through."""
    found = _Found()
    if len(segments) > FILES:
        found.others = list(segments)
        return found
    ewf: list[Segment] = []
    rest: list[Segment] = []
    virtual = False
    soon(segments, walk.steps)
    for one in segments:
        head, tail = _ends(one)
        virtual = virtual or is_virtual(head, tail) is not None
        if head.startswith(SIGNATURE):
            ewf.append(one)
        elif name := _refused(one, head, tail):
            found.problems.append(Problem(one.path, *name))
        else:
            rest.append(one)
    for group in _grouped(ewf, _stem):
        _open(found, group, lambda g: EwfDisk(g, walk.log))
    if virtual:
        opened, problems, rest = open_all(rest, walk.log)
        found.disks += [ImageDisk(o.disk, o.used[0], _notes(o)) for o in opened]
        found.problems += problems
    for group in _grouped(rest, _numbered_stem):
        _raw_or_file(found, group, alone=len(segments) == 1)
    return found


def _open(found: _Found, group: list[Segment], make: Callable[[list[Segment]], Disk]) -> None:
    try:
        found.disks.append(ImageDisk(make(group), group[0].path))
    except Unreadable as error:
        found.problems.append(Problem(group[0].path, error.reason, error.detail))


def _refused(segment: Segment, head: bytes, tail: bytes) -> tuple[str, str] | None:
    """Reason and detail, if this is an image of a kind that is not read."""
    if name := refused_image(head, tail):
        return "not supported", f"this is {name}, which is not read yet. Convert it to raw or E01."
    if head.startswith(b"PK"):
        with segment.open() as file:
            if is_aff4(file):
                error = refuse_aff4(file)
                return error.reason, error.detail
    return None


def _notes(opened: Opened) -> tuple[Problem, ...]:
    return tuple(Problem(opened.used[0], "not supported", note) for note in opened.notes)


def _raw_or_file(found: _Found, group: list[Segment], alone: bool) -> None:
    if _is_split(group) and looks_like_a_disk(RawDisk(group)):
        _open(found, group, RawDisk)
        return
    for one in group:
        if (alone or one.size > SIDECAR) and looks_like_a_disk(RawDisk([one])):
            _open(found, [one], RawDisk)
        else:
            found.others.append(one)


def _grouped(segments: Sequence[Segment], stem: Callable[[bytes], bytes]) -> list[list[Segment]]:
    """Files with the same stem, in order of their paths."""
    ordered = sorted(segments, key=lambda s: (stem(s.path), len(s.path), s.path))
    return [list(group) for _, group in groupby(ordered, key=lambda s: stem(s.path))]


def _stem(path: bytes) -> bytes:
    """`.E01`, `.E02`, ... `.EAA`, ...: the segments of an E01 image differ in their ending only."""
    return path.rpartition(b".")[0] or path


def _numbered_stem(path: bytes) -> bytes:
    stem, dot, ending = path.rpartition(b".")
    return stem if dot and ending.isdigit() and len(ending) >= 3 else path


def _is_split(group: list[Segment]) -> bool:
    """`.000`, `.001`, ... or `.001`, `.002`, ...: the names that split raw images have."""
    if len(group) < 2:
        return False
    numbers = [int(s.path.rpartition(b".")[2]) for s in group]
    return numbers == list(range(numbers[0], numbers[0] + len(group)))


def _ends(segment: Segment) -> tuple[bytes, bytes]:
    with segment.open() as file:
        head = file.read(HEAD)
        file.seek(max(0, segment.size - TAIL))
        return head, file.read(TAIL)


class _Told:
    """Problems that were met before anything could be read."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self._problems = problems

    def parts(self) -> Iterator[Iterator[Met]]:
        yield iter(self._problems)


class _All:
    """The parts of several readers, one after the other."""

    def __init__(self, *readers: Reader) -> None:
        self._readers = readers

    def parts(self) -> Iterator[Iterator[Met]]:
        for reader in self._readers:
            yield from reader.parts()

"""One file a format; `open_exhibit` chooses by the first bytes."""

from collections.abc import Sequence

from casewright.evidence.reader import Reader, Segment, Unreadable
from casewright.evidence.readers.disk import DiskReader, is_disk
from casewright.evidence.readers.ewf import EwfDisk
from casewright.evidence.readers.folder import FolderReader
from casewright.evidence.readers.images import RawDisk

EWF = b"EVF\x09\x0d\x0a\xff\x00"
REFUSED = (
    (b"QFI\xfb", "a QCOW2 image"),
    (b"KDMV", "a VMDK image"),
    (b"# Disk DescriptorFile", "a VMDK descriptor"),
    (b"conectix", "a VHD image"),
    (b"vhdxfile", "a VHDX image"),
    (b"EVF2\x0d\x0a\x81\x00", "an Ex01 image"),
    (b"LVF\x09\x0d\x0a\xff\x00", "an L01 logical image"),
    (b"AFF10\r\n\0", "an AFF image"),
)


def open_exhibit(segments: Sequence[Segment]) -> Reader:
    """The reader for these files. Raises Unreadable, with the name of what it is, for a format that is not read yet.

    Several files are one image when they are E01 segments all, or numbered parts that make a disk together;
    otherwise they are a folder, and images among them are named as not opened.
    """
    if all(_head(s).startswith(EWF) for s in segments):
        return DiskReader(EwfDisk(segments))
    if len(segments) == 1:
        _refuse(segments[0])
    elif not all(_numbered(s, i) for i, s in enumerate(segments)):
        return FolderReader(segments)
    disk = RawDisk(segments)
    return DiskReader(disk) if is_disk(disk) else FolderReader(segments)


def _refuse(segment: Segment) -> None:
    head = _head(segment)
    named = [name for signature, name in REFUSED if head.startswith(signature)]
    if named or _trailer(segment) == b"conectix":
        name = named[0] if named else "a VHD image"
        raise Unreadable("not supported", f"this is {name}, which is not read yet. Convert it to raw or E01.")


def _head(segment: Segment) -> bytes:
    with segment.open() as file:
        return file.read(64)


def _trailer(segment: Segment) -> bytes:
    with segment.open() as file:
        file.seek(max(0, segment.size - 512))
        return file.read(8)


def _numbered(segment: Segment, position: int) -> bool:
    """`.000`, `.001`, ... or `.001`, `.002`, ...: the names that split raw images have."""
    ending = segment.path.rpartition(b".")[2]
    return len(ending) >= 3 and ending.isdigit() and int(ending) in (position, position + 1)

"""One file a format; `open_exhibit` chooses by the first bytes."""

from collections.abc import Sequence

import pytsk3

from casewright.evidence.reader import Reader, Segment, Unreadable
from casewright.evidence.readers.disk import FOREIGN, DiskReader
from casewright.evidence.readers.folder import FolderReader
from casewright.evidence.readers.images import EwfDisk, RawDisk, TskImage

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
    """The reader for these files. Raises Unreadable, with the name of what it is, for a format that is not read yet."""
    with segments[0].open() as file:
        head = file.read(1 << 12)
    if head.startswith(EWF):
        return DiskReader(EwfDisk(segments))
    for signature, name in REFUSED:
        if head.startswith(signature):
            raise Unreadable("not supported", f"this is {name}, which is not read yet. Convert it to raw or E01.")
    if _trailer(segments[-1]) == b"conectix":
        raise Unreadable("not supported", "this is a VHD image, which is not read yet. Convert it to raw or E01.")
    return DiskReader(RawDisk(segments)) if _is_disk(segments) else FolderReader(segments)


def _trailer(segment: Segment) -> bytes:
    with segment.open() as file:
        file.seek(max(0, segment.size - 512))
        return file.read(8)


def _is_disk(segments: Sequence[Segment]) -> bool:
    """A raw image, whole or split: a file system or partition table stands where one must."""
    if len(segments) > 1 and not all(_numbered(s, i) for i, s in enumerate(segments)):
        return False
    disk = RawDisk(segments)
    if disk.size < 1 << 14:
        return False
    image = TskImage(disk)
    for probe in (pytsk3.FS_Info, pytsk3.Volume_Info):
        try:
            probe(image)
        except OSError:
            continue
        return True
    try:
        return any(disk.read(at, len(signature)) == signature for at, signature, _ in FOREIGN)
    except Unreadable:
        return False


def _numbered(segment: Segment, position: int) -> bool:
    """`.000`, `.001`, ... or `.001`, `.002`, ...: the names that split raw images have."""
    ending = segment.path.rpartition(b".")[2]
    return len(ending) == 3 and ending.isdigit() and int(ending) in (position, position + 1)

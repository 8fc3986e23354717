"""A disk as the Sleuth Kit wants it."""

from typing import Any

import pytsk3

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk

# what pytsk3 raises: its own errors, and ours from `TskImage.read` wrapped as RuntimeError
TSK_ERRORS = (OSError, RuntimeError)

KNOWN = [getattr(pytsk3, f"TSK_FS_TYPE_{n}_DETECT") for n in ("NTFS", "FAT", "EXT", "FFS", "HFS", "ISO9660")]


class TskImage(pytsk3.Img_Info):  # type: ignore[misc]  # pytsk3 has no types
    """A disk as the Sleuth Kit wants it."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def get_size(self) -> int:
        return self._disk.size

    def read(self, offset: int, length: int) -> bytes:
        try:
            return self._disk.read(offset, length)
        except Unreadable as error:
            raise OSError(error.detail) from error


def knows(disk: Disk) -> bool:
    """Whether the Sleuth Kit opens a file system here. Its own search reads 5 MB more, to tell whether it is random."""
    image = TskImage(disk)
    return any(_opens(image, kind) for kind in KNOWN)


def _opens(image: TskImage, kind: Any) -> bool:
    try:
        pytsk3.FS_Info(image, 0, kind)
    except TSK_ERRORS:
        return False
    return True

"""A disk as the Sleuth Kit wants it."""

import contextlib
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


def open_system(image: TskImage) -> Any:
    """The file system that begins with the image. Raises one of TSK_ERRORS where there is none, or more than one.

    The Sleuth Kit's own search also reads megabytes in a hunt for YAFFS2, and more to tell encryption: it is
    asked only where no system, or more than one, can be opened by name, for the words in which it says so.
    """
    found = _known(image)
    return found[0] if len(found) == 1 else pytsk3.FS_Info(image)


def holds_a_system(disk: Disk) -> bool:
    """Whether `open_system` would succeed."""
    return len(_known(TskImage(disk))) == 1


def _known(image: TskImage) -> list[Any]:
    found = []
    for kind in KNOWN:
        with contextlib.suppress(*TSK_ERRORS):
            found.append(pytsk3.FS_Info(image, 0, kind))
    return found

"""A disk as the Sleuth Kit wants it."""

import pytsk3

from casewright.evidence.reader import Unreadable
from casewright.evidence.readers.disks import Disk

# what pytsk3 raises: its own errors, and ours from `TskImage.read` wrapped as RuntimeError
TSK_ERRORS = (OSError, RuntimeError)


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

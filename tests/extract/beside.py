"""The files beside a database in a folder."""

import io
from pathlib import Path
from typing import BinaryIO


class Files:
    """As the exhibit would have them."""

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name.encode()

    def open(self, suffix: str) -> BinaryIO | None:
        return _read(Path(f"{self.path}{suffix}"))

    def open_named(self, name: bytes) -> BinaryIO | None:
        return _read(self.path.parent / name.decode())


def _read(path: Path) -> BinaryIO | None:
    return io.BytesIO(path.read_bytes()) if path.is_file() else None

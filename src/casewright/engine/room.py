"""Room on the disk for a stage that works on more than memory holds: arrays that are mapped from files.

Scratch arrays are gone after the run. Kept arrays are sealed like a unit of work, in a folder named by all that decides
what is in them; a later run that asks for the same takes them as they are.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from casewright.engine.seals import fresh_beside, is_whole, seal

Arrays = Mapping[str, NDArray[Any]]
SCRATCH, HEAD = "scratch.tmp", 128
"""Bytes of a .npy file's header."""


class Room(Protocol):
    """What a stage may ask of it."""

    def keep(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        """The arrays that `make` gives, mapped; or those that an earlier run kept under the same key. The key must name
        all that decides them, but for the stage, its version and its settings."""

    def scratch(self, name: str, kind: Any, count: int) -> NDArray[Any]:
        """Zeros that may be written to; of the same name, the ones before are given up."""

    def tell(self, text: str) -> None:
        """How far the work is, for whoever is watching."""


class Memory:
    """Room in memory, where nothing is kept: small cases, and tests."""

    def keep(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        return make()

    def scratch(self, name: str, kind: Any, count: int) -> NDArray[Any]:
        return np.zeros(count, kind)

    def tell(self, text: str) -> None:
        pass


class Disk:
    """Room in a stage's folder of kept units. `made`: the digest of all that decides the stage's results but the rows
    it reads."""

    def __init__(self, folder: Path, made: bytes, tell: Callable[[str], None]) -> None:
        self._root, self._made, self._tell = folder, made, tell
        self.used: set[Path] = set()
        self.close()

    def folder(self, key: str) -> Path:
        """Where what this key names is kept."""
        found = self._root / hashlib.sha256(self._made + b"\0" + key.encode()).hexdigest()[:32]
        self.used.add(found)
        return found

    def keep(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        folder = self.folder(f"arrays\0{key}")
        if not is_whole(folder):
            fresh = fresh_beside(folder)
            for name, array in make().items():
                np.save(fresh / f"{name}.npy", array)
            seal(fresh, folder, [])
        return {path.stem: _mapped(path) for path in folder.glob("*.npy")}

    def scratch(self, name: str, kind: Any, count: int) -> NDArray[Any]:
        path = self._root / SCRATCH / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if not count:
            return np.zeros(0, kind)
        return np.memmap(path, kind, "w+", shape=(count,)).view(np.ndarray)

    def tell(self, text: str) -> None:
        self._tell(text)

    def close(self) -> None:
        """Give up the scratch arrays, also those of a run that was killed."""
        shutil.rmtree(self._root / SCRATCH, ignore_errors=True)


def _mapped(path: Path) -> NDArray[Any]:
    """An array of a file; what is empty can't be mapped."""
    found: NDArray[Any] = np.load(path)[:0] if path.stat().st_size <= HEAD else np.load(path, mmap_mode="r")
    return found.view(np.ndarray)

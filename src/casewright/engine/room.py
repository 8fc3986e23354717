"""Room on the disk for a stage that works on more than memory holds: arrays that are mapped from files.

Scratch arrays are gone after the run. Kept arrays are sealed like a unit of work, in a folder named by all that decides
what is in them; a later run that asks for the same takes them as they are.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.lib.format import write_array_header_1_0
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

    def keep_grown(self, key: Callable[[], str], make: Callable[[], Iterable[Arrays]]) -> Arrays:
        """The same for arrays that are made stretch by stretch: what is given under one name stands end to end. The
        key is asked for where something is kept."""

    def scratch(self, name: str, kind: Any, count: int) -> NDArray[Any]:
        """Zeros that may be written to; of the same name, the ones before are given up."""

    def tell(self, text: str) -> None:
        """How far the work is, for whoever is watching."""


class Memory:
    """Room in memory, where nothing is kept: small cases, and tests."""

    used: frozenset[Path] = frozenset()

    def keep(self, key: str, make: Callable[[], Arrays]) -> Arrays:
        return make()

    def keep_grown(self, key: Callable[[], str], make: Callable[[], Iterable[Arrays]]) -> Arrays:
        found: dict[str, list[NDArray[Any]]] = {}
        for stretch in make():
            for name, array in stretch.items():
                found.setdefault(name, []).append(array)
        return {name: np.concatenate(found.pop(name)) for name in list(found)}

    def scratch(self, name: str, kind: Any, count: int) -> NDArray[Any]:
        return np.zeros(count, kind)

    def tell(self, text: str) -> None:
        pass

    def close(self) -> None:
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
        return _all_mapped(folder)

    def keep_grown(self, key: Callable[[], str], make: Callable[[], Iterable[Arrays]]) -> Arrays:
        folder = self.folder(f"arrays\0{key()}")
        if not is_whole(folder):
            fresh = fresh_beside(folder)
            _write_grown(fresh, make())
            seal(fresh, folder, [])
        return _all_mapped(folder)

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


def _write_grown(folder: Path, stretches: Iterable[Arrays]) -> None:
    """A .npy file for each name; how long its array is stands in a header that is written twice."""
    with ExitStack() as opened:
        files: dict[str, BinaryIO] = {}
        shapes: dict[str, tuple[np.dtype[Any], int]] = {}
        for stretch in stretches:
            for name, array in stretch.items():
                if name not in files:
                    files[name] = opened.enter_context((folder / f"{name}.npy").open("wb"))
                    files[name].write(bytes(HEAD))
                kind, count = shapes.get(name, (array.dtype, 0))
                files[name].write(np.ascontiguousarray(array, kind).data)
                shapes[name] = kind, count + len(array)
        for name, (kind, count) in shapes.items():
            files[name].seek(0)
            write_array_header_1_0(files[name], {"descr": kind.str, "fortran_order": False, "shape": (count,)})
            assert files[name].tell() == HEAD, "the header has its room"


def _all_mapped(folder: Path) -> Arrays:
    return {path.stem: _mapped(path) for path in folder.glob("*.npy")}


def _mapped(path: Path) -> NDArray[Any]:
    """An array of a file; what is empty can't be mapped."""
    found: NDArray[Any] = np.load(path)[:0] if path.stat().st_size <= HEAD else np.load(path, mmap_mode="r")
    return found.view(np.ndarray)

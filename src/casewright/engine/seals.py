"""Folders that are whole or not there: each file's digest stands in one sealing file, whose name is its own digest."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def fresh_beside(folder: Path) -> Path:
    """An empty folder in which the other one is made."""
    fresh = folder.with_name(folder.name + ".tmp")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    return fresh


def seal(fresh: Path, folder: Path, protections: Sequence[str]) -> None:
    """Put the finished folder in its place."""
    files = {path.name: _digest(path) for path in sorted(fresh.iterdir())}
    raw = json.dumps({"protections": list(protections), "files": files}, sort_keys=True).encode()
    (fresh / f"unit-{hashlib.sha256(raw).hexdigest()}.json").write_bytes(raw)
    fresh.rename(folder)


def is_whole(folder: Path) -> bool:
    """Whether the folder is finished and every file is as it was written; one that is not is removed."""
    if not folder.is_dir():
        return False
    if next(changed_in(folder), None):
        shutil.rmtree(folder)
        return False
    return True


def changed_in(folder: Path) -> Iterator[Path]:
    """Files of a finished folder that are not as they were written, or should not be there, or are gone."""
    try:
        known = {folder / name: sha256 for name, sha256 in _seal_of(folder)["files"].items()}
    except (OSError, ValueError, KeyError):
        yield folder
        return
    found = {p for p in folder.iterdir() if not p.name.startswith("unit-")}
    yield from sorted(found ^ known.keys())
    yield from (p for p in sorted(found & known.keys()) if _digest(p) != known[p])


def protections_of(folder: Path) -> list[str]:
    return list(_seal_of(folder)["protections"])


def _seal_of(folder: Path) -> dict[str, Any]:
    """What the folder's one sealing file says. Raises ValueError when it is not what its name says."""
    (path,) = folder.glob("unit-*.json")
    if path.name != f"unit-{_digest(path)}.json":
        raise ValueError(path)
    seal: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return seal


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

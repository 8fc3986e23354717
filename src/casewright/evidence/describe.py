"""Which files make up a source that a person names. Looks at names only, and reads nothing."""

import os
import re
from pathlib import Path

from casewright.model.errors import Missing

FIRST_SEGMENT = re.compile(r"\.(?:[EeSs]01|0{2,}[01])$")
FAR = 8  # how far behind a gap the rest of a split image is looked for


def gather_source(path: Path) -> list[Path]:
    """The files of a source, in order: a folder gives all below it, the first segment of a split image its fellows.

    Symlinks are not followed: `left_out` names them. Raises Missing when a folder can't be read, or when a segment is
    missing from the middle of an image.
    """
    if path.is_dir():
        return [p for p in _below(path) if p.is_file() and not p.is_symlink()]
    return _segments(path) if FIRST_SEGMENT.search(path.name) else [path]


def left_out(path: Path) -> list[Path]:
    """What lies in a folder and is sealed by nobody: symlinks, devices, sockets and pipes."""
    return [p for p in _below(path) if p.is_symlink() or not p.is_file()] if path.is_dir() else []


def _below(folder: Path) -> list[Path]:
    """Everything below a folder that is no folder, hidden things and links to folders too, by the bytes of its path."""
    found = []
    for root, folders, names in os.walk(folder, onerror=_refuse):
        links = [name for name in folders if (Path(root) / name).is_symlink()]
        found += [Path(root) / name for name in (*names, *links)]
    return sorted(found, key=os.fsencode)


def _refuse(error: OSError) -> None:
    raise Missing(f"{error.filename} cannot be read: {error.strerror}. Nothing was sealed.") from error


def _segments(first: Path) -> list[Path]:
    """`.E01 .E02 ... .E99 .EAA ...` or `.000 .001 ...`, as far as they follow each other."""
    found, ending = [first], _next(first.suffix[1:])
    while ending and (path := first.with_suffix(f".{ending}")).is_file():
        found.append(path)
        ending = _next(ending)
    missing = ending
    for _ in range(FAR):
        ending = _next(ending) if ending else ""
        if ending and first.with_suffix(f".{ending}").is_file():
            there, gap = first.with_suffix(f".{ending}"), first.with_suffix(f".{missing}")
            raise Missing(f"{gap} is not there, but {there.name} is: the image is not whole.")
    return found


def _next(ending: str) -> str:
    if ending.isdigit():
        return str(int(ending) + 1).zfill(len(ending)) if int(ending) + 1 < 10 ** len(ending) else ""
    letter, number = ending[0], ending[1:]
    if number.isdigit():
        return f"{letter}{int(number) + 1:02d}" if int(number) < 99 else letter + ("AA" if letter.isupper() else "aa")
    low, high = ("a", "z") if number.islower() else ("A", "Z")
    if number[1] != high:
        return letter + number[0] + chr(ord(number[1]) + 1)
    if number[0] != high:
        return letter + chr(ord(number[0]) + 1) + low
    return chr(ord(letter) + 1) + low + low if letter.upper() != "Z" else ""

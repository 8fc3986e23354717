"""Which files make up a source that a person names. Looks at names only, and reads nothing."""

import os
import re
from pathlib import Path

FIRST_SEGMENT = re.compile(r"\.(?:[EeSs]01|0*[01])$")


def gather_source(path: Path) -> list[Path]:
    """The files of a source, in order: a folder gives all below it, the first segment of a split image its fellows.

    Symlinks in a folder are not followed; they are no evidence of this source.
    """
    if path.is_dir():
        found = [Path(root) / name for root, _, names in os.walk(path) for name in names]
        return sorted((p for p in found if p.is_file() and not p.is_symlink()), key=os.fsencode)
    return _segments(path) if FIRST_SEGMENT.search(path.name) else [path]


def _segments(first: Path) -> list[Path]:
    """`.E01 .E02 ... .E99 .EAA ...` or `.000 .001 ...`, as far as they follow each other."""
    found = [first]
    stem, ending = first.name[: -len(first.suffix)], first.suffix[1:]
    while True:
        ending = _next(ending)
        path = first.with_name(f"{stem}.{ending}")
        if not ending or not path.is_file():
            return found
        found.append(path)


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

"""Walks an ext4 image with dissect.target, whose licence is the AGPL: a program of its own, that imports none of ours.

uv run --no-project --with dissect.target --with dissect.extfs --python 3.11 bench/dissect_walk.py IMAGE [ALGORITHM...]

With algorithms every file's bytes are hashed; without, names and metadata are read. Prints JSON: seconds, processor
seconds, number of files, and one digest over what was found.
"""

import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib.metadata import version

from answers import Row, summed
from dissect.target.filesystems.extfs import ExtDirEntry, ExtFilesystem


def files(system: ExtFilesystem) -> Iterator[tuple[bytes, ExtDirEntry]]:
    todo = ["/"]
    while todo:
        for entry in system.scandir(todo.pop()):
            if entry.is_dir(follow_symlinks=False):
                todo.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield os.fsencode(entry.path.lstrip("/")), entry


def listed(system: ExtFilesystem) -> Iterator[Row]:
    for path, entry in files(system):
        found = entry.get().lstat()
        yield path, (found.st_size, found.st_ino, found.st_mtime_ns // 1000)


def hashed(system: ExtFilesystem, algorithms: list[str]) -> Iterator[Row]:
    for path, entry in files(system):
        digests = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
        content = entry.get().open()
        while chunk := content.read(1 << 20):
            for one in digests:
                one.update(chunk)
        yield path, [one.hexdigest() for one in digests]


def main(image: str, algorithms: list[str]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    with open(image, "rb") as file:  # noqa: PTH123  what a user of the library writes
        system = ExtFilesystem(file)
        rows = list(hashed(system, algorithms) if algorithms else listed(system))
    took = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, **summed(rows), "version": version("dissect.target")}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

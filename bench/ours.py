"""What of Casewright is measured, called as its own stages call it.

Run as a program it lists one image in its own process and prints how much memory that took at most.
"""

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from answers import Row
from figures import peak

from casewright.cli.work import source_files
from casewright.engine import keeper
from casewright.engine.hashing import Hashing
from casewright.engine.runner import Runner
from casewright.engine.stage import Context
from casewright.engine.steps import Digests
from casewright.engine.tables import TableFolder
from casewright.engine.units import Inline
from casewright.evidence.listing import Listing
from casewright.evidence.reader import Entry, Problem, Segment
from casewright.evidence.readers.carve import carve
from casewright.evidence.readers.disks import DamageLog, RawDisk
from casewright.evidence.readers.ewf import EwfDisk
from casewright.evidence.readers.tree import Tree
from casewright.evidence.sealed import STAGES as SEALED
from casewright.evidence.stages import STAGES
from casewright.evidence.walk import Walk
from casewright.model.settings import CaseSettings, LimitSettings
from casewright.vault.case import Case

PIECE = 1 << 19


def segment(path: Path) -> Segment:
    return Segment(path.name.encode(), path.stat().st_size, lambda: path.open("rb"))


def e01(image: Path, algorithms: Sequence[str]) -> dict[str, str]:
    """The whole disk, every chunk's checksum held against its bytes. Raises when one does not hold."""
    log = DamageLog()
    disk = EwfDisk([segment(image)], log, threads=1)
    digests = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
    for at in range(0, disk.size, PIECE):
        chunk = disk.read(at, PIECE)
        for one in digests:
            one.update(chunk)
    if log.spans or list(disk.problems()):
        raise SystemExit(f"{image} is damaged")
    return dict(zip(algorithms, (one.hexdigest() for one in digests), strict=True))


def _files(image: Path) -> Iterable[Entry]:
    for met in Tree(RawDisk([segment(image)]), 0).entries():
        if isinstance(met, Problem):
            raise SystemExit(f"{image}: {met}")
        if met.kind == "file":
            yield met


def listed(image: Path) -> list[Row]:
    """Names and metadata."""
    return [(entry.path, (entry.size, entry.inode, entry.modified)) for entry in _files(image)]


def hashed(image: Path, algorithms: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    for entry in _files(image):
        digests = [hashlib.new(name, usedforsecurity=False) for name in algorithms]
        for chunk in entry.chunks():
            for one in digests:
                one.update(chunk)
        rows.append((entry.path, [one.hexdigest() for one in digests]))
    return rows


def carved(image: Path) -> int:
    """How many pictures and videos were found."""
    disk = RawDisk([segment(image)])
    return sum(not isinstance(found, Problem) for found in carve(disk, [(0, disk.size)]))


class Items:
    """A case with one sealed folder, whose items are listed again and again from nothing."""

    def __init__(self, folder: Path, source: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self._case = Case.create(folder, CaseSettings("bench", "none", "none"))
        with self._case.writing():
            self._case.seal_source(source_files(source), "seizure", source.name)
            self._runner().run(["exhibits"])

    def _runner(self) -> Runner:
        case = self._case
        pipeline = (*SEALED, *STAGES)
        return Runner(TableFolder(case.tables), case.store, case.ledger, case.settings, pipeline, Inline())

    def forget(self) -> None:
        """Leave nothing of an earlier listing."""
        for name in ("items", ".units", ".work"):
            shutil.rmtree(self._case.tables / name, ignore_errors=True)

    def run(self) -> None:
        with self._case.writing():
            self._runner().run(["items"])

    def rows(self) -> list[Row]:
        table = TableFolder(self._case.tables).load("items")
        return [(r["path"], [r["md5"], r["sha1"], r["sha256"]]) for r in table.to_pylist()]


def hash_files(side_by_side: bool) -> None:
    """Let sealed files be hashed as they are in the first gigabyte of a run, or as they are after it."""
    keeper.HASHING = Hashing(os.cpu_count() or 1, 0 if side_by_side else 1 << 62)


class _Hashes:
    """A store that keeps nothing."""

    def open(self, sha256: str) -> BinaryIO:
        raise SystemExit("nothing is kept here")

    def put(self, chunks: Iterable[bytes]) -> Digests:
        digests, size = [hashlib.new(name, usedforsecurity=False) for name in ("sha256", "sha1", "md5")], 0
        for chunk in chunks:
            size += len(chunk)
            for one in digests:
                one.update(chunk)
        sha256, sha1, md5 = (one.hexdigest() for one in digests)
        return Digests(sha256, sha1, md5, size)


def list_image(image: Path) -> dict[str, Any]:
    """An image listed with all there is to it (stored hashes, volumes, files, carving), and the peak of memory."""
    before = peak()
    context = Context({}, {}, _Hashes())
    walk = Walk(context.steps, asdict(LimitSettings()))
    items = aside = 0
    for output in Listing("0" * 64, context, walk).list_exhibit([segment(image)]):
        items += output.tables["items"].num_rows
        aside += len(output.set_aside)
    return {"items": items, "set aside": aside, "before": before, "peak": peak()}


if __name__ == "__main__":
    print(json.dumps(list_image(Path(sys.argv[1]))))

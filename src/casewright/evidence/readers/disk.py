"""An exhibit's disks, read whole: stored hashes checked, every volume's files, and what is carved between them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casewright.evidence.reader import Met, Problem, Unreadable, Volume
from casewright.evidence.readers.carved import carved
from casewright.evidence.readers.checked import check_image
from casewright.evidence.readers.disks import Disk
from casewright.evidence.readers.systems import FileSystem, foreign_name, open_file_system
from casewright.evidence.readers.volumes import Stretch, Volumes
from casewright.evidence.walk import Walk


@dataclass(frozen=True)
class ImageDisk:
    """A disk out of an image. `path`: the image's first file. `problems`: what cannot be read of the image itself."""

    disk: Disk
    path: bytes
    problems: tuple[Problem, ...] = ()


class DiskReader:
    """Every volume of the disks, one part for its files and one for what is carved from it."""

    def __init__(self, images: Sequence[ImageDisk], walk: Walk) -> None:
        self._images, self._walk = images, walk

    def parts(self) -> Iterator[Iterator[Met]]:
        for image in self._images:
            yield iter(image.problems)
            yield check_image(image.disk, image.path, self._walk)
        several = len(self._images) > 1
        stretches = [
            Stretch(i.disk, (i.path.decode("utf-8", "backslashreplace"),) if several else ()) for i in self._images
        ]
        number = 0
        for one in Volumes(stretches, self._walk).found():
            if isinstance(one, Problem):
                yield iter([one])
                continue
            volume = _Volume(one, number, self._walk)
            yield volume.files()
            yield volume.remains()
            number += 1


class _Volume:
    """One volume: first its files, then what no file claims."""

    def __init__(self, stretch: Stretch, number: int, walk: Walk) -> None:
        self._at, self._number, self._walk = stretch, number, walk
        self._system: FileSystem | None = None
        self._listed = False

    def files(self) -> Iterator[Met]:
        if self._at.bare:
            yield self._record("no file system", is_read=False)
            self._listed = True
            return
        try:
            system = open_file_system(self._at.disk, self._number, self._walk.log)
        except Unreadable as error:
            yield self._record(self._instead(), is_read=False)
            where = " › ".join(self._at.layers) or "the disk"
            yield Problem(b"", error.reason, f"volume {self._number} ({where}): {error.detail}")
            self._listed = True
            return
        yield self._record(system.name, is_read=True)
        yield from system.entries()
        self._system, self._listed = system, True

    def remains(self) -> Iterator[Met]:
        """What is carved from space that no file claims. Nothing, if its files could not be listed to the end."""
        if not self._listed:
            return
        whole = [(0, self._at.disk.size)]
        unclaimed, slack = (self._system.unclaimed(), self._system.slack()) if self._system else (whole, [])
        yield from self._entries("unallocated", unclaimed)
        yield from self._entries("slack", slack)

    def _entries(self, origin: str, spans: list[tuple[int, int]]) -> Iterator[Met]:
        yield from carved(self._at.disk, spans, origin, self._number, self._walk)

    def _record(self, system: str, is_read: bool) -> Volume:
        return Volume(self._number, self._at.layers, system, self._at.start, self._at.disk.size, is_read)

    def _instead(self) -> str:
        try:
            return foreign_name(self._at.disk) or "unknown"
        except Unreadable:
            return "unreadable"

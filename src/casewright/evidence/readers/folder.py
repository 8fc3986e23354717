"""An exhibit that is a folder of files, or a single file of no format that holds others."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from casewright.engine.steps import Steps
from casewright.evidence.kinds import HEAD
from casewright.evidence.reader import CHUNK, Entry, Met, Segment
from casewright.evidence.walk import Walk


class FolderReader:
    """Each sealed file is an entry."""

    def __init__(self, segments: Sequence[Segment], walk: Walk) -> None:
        self._segments, self._steps = segments, walk.steps

    def parts(self) -> Iterator[Iterator[Met]]:
        yield self._entries()

    def _entries(self) -> Iterator[Met]:
        soon(self._segments, self._steps)
        for segment in self._segments:
            chunks = _chunks(segment)
            yield Entry(segment.path, "file", segment.size, partial(chunks, 0), chunks, sealed=segment.sha256)


def soon(segments: Sequence[Segment], steps: Steps) -> None:
    """Say that these files will be opened one after the other."""
    steps.soon([one.sha256 for one in segments if one.sha256])


def _chunks(segment: Segment) -> Callable[[int], Iterator[bytes]]:
    def read(at: int) -> Iterator[bytes]:
        with segment.open() as file:
            file.seek(at)
            yield file.read(HEAD)  # of what is sealed already nobody takes more
            while chunk := file.read(CHUNK):
                yield chunk

    return read

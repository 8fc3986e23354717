"""An exhibit that is a folder of files, or a single file of no format that holds others."""

from collections.abc import Callable, Iterator, Sequence

from casewright.evidence.reader import Entry, Problem, Segment
from casewright.vault.store import chunks_of


def _chunks(segment: Segment) -> Callable[[], Iterator[bytes]]:
    def read() -> Iterator[bytes]:
        with segment.open() as file:
            yield from chunks_of(file)

    return read


class FolderReader:
    """Each sealed file is an entry."""

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments

    def entries(self) -> Iterator[Entry | Problem]:
        for segment in self._segments:
            yield Entry(segment.path, "file", segment.size, _chunks(segment))

"""Films as numbers: the frames of the case's videos and of the listed ones, many films in a few arrays."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from casewright.media.columns import packed_column
from casewright.media.containment import STILL, Film, Numbers

FLAT = 10
"""Quality below which a frame shows nothing: black, one colour, a sign on it."""


@dataclass(frozen=True)
class Films:
    """Films one after the other: `starts` says where each begins, and one more where the last ends."""

    names: Any
    starts: Numbers
    seconds: Numbers
    hashes: Numbers
    counts: Numbers
    runs: Numbers
    whole: Numbers
    shows: Numbers

    @classmethod
    def of_case(cls, frames: pa.Table, least: int) -> Self:
        """From rows of item, second, pdq, pdq_quality, is_whole (for a whole second), ordered by the first two. Frames
        below quality `least` do not count."""
        items = frames.column("item").combine_chunks().dictionary_encode()
        codes = items.indices.to_numpy(zero_copy_only=False)
        starts = np.flatnonzero(np.diff(codes, prepend=-1, append=-1)) if len(codes) else np.zeros(1, np.int64)
        quality = frames.column("pdq_quality").to_numpy()
        whole = frames.column("is_whole").to_numpy()
        seconds = frames.column("second").to_numpy()
        return cls._made(
            items.dictionary, starts, seconds, frames.column("pdq"), quality >= least, whole, quality >= FLAT
        )

    @classmethod
    def of_lists(cls, entries: pa.Table) -> Self:
        """From entries that have several hashes, one a second."""
        sizes = pc.fill_null(pc.list_value_length(entries.column("pdq")), 0)
        chosen = entries.select(["entry", "pdq"]).filter(pc.greater(sizes, 1))
        lengths = pc.list_value_length(chosen.column("pdq")).to_numpy()
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        seconds = np.arange(starts[-1], dtype=np.float64) - np.repeat(starts[:-1], lengths)
        hashes = pc.list_flatten(chosen.column("pdq"))
        every = np.ones(len(seconds), bool)
        return cls._made(chosen.column("entry"), starts, seconds, hashes, every, every, every)

    @classmethod
    def _made(
        cls, names: Any, starts: Numbers, seconds: Numbers, hashes: Any, counts: Numbers, whole: Numbers, shows: Numbers
    ) -> Self:
        from casewright.kernels.alignment import moments  # noqa: PLC0415  slow to import

        packed, starts = packed_column(hashes), starts.astype(np.int64)
        return cls(names, starts, np.ascontiguousarray(seconds, np.float64), packed, np.ascontiguousarray(counts),
                   moments(packed, starts, STILL), whole, shows)  # fmt: skip

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, number: int) -> Film:
        at = slice(self.starts[number], self.starts[number + 1])
        return Film(self.seconds[at], self.hashes[at], self.counts[at], self.runs[at], self.whole[at],
                    self.shows[at])  # fmt: skip

    @property
    def owners(self) -> Numbers:
        """Of each frame the number of its film."""
        return np.repeat(np.arange(len(self)), np.diff(self.starts))

    @property
    def firsts(self) -> Numbers:
        """Numbers of the frames that count and begin a moment: what is looked for."""
        fresh = np.ones(len(self.runs), bool)
        kept = np.flatnonzero(self.counts)
        owners = self.owners
        fresh[kept[1:]] = (owners[kept[1:]] != owners[kept[:-1]]) | (self.runs[kept[1:]] != self.runs[kept[:-1]])
        return np.flatnonzero(fresh & self.counts)

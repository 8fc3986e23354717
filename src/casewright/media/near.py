"""Groups of versions: the same bytes, pictures near by PDQ, films that share frames.

Each content counts once, the largest first, so that a group is led by the version of which most is to be seen. A member
is held against the leader and nobody else: strangers are not chained together.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa

from casewright.engine.stage import Context
from casewright.media.columns import packed_column
from casewright.media.grouped import BYTES, FRAMES, NEAR, Member

COPIES = """
SELECT i.sha256, list(m.item ORDER BY m.item) AS items FROM media m JOIN items i USING (item)
GROUP BY i.sha256 ORDER BY i.sha256
"""
PICTURES = """
SELECT i.sha256, any_value(m.pdq) AS pdq FROM media m JOIN items i USING (item)
WHERE m.pdq IS NOT NULL AND m.pdq_quality >= $least
GROUP BY i.sha256 ORDER BY max(m.width * m.height) DESC NULLS LAST, i.sha256
"""
FILMS = """
WITH films AS (SELECT i.sha256, min(m.item) AS item FROM media m JOIN items i USING (item)
               WHERE m.kind = 'video' GROUP BY i.sha256)
SELECT c.sha256, list(f.pdq ORDER BY f.second) AS pdq
FROM films c JOIN media_frames f USING (item) WHERE f.pdq_quality >= $least
GROUP BY c.sha256 ORDER BY count(*) DESC, c.sha256
"""


def copies_of(context: Context) -> dict[str, list[str]]:
    """The items of each content, by its SHA-256."""
    return dict(zip(*context.sql(COPIES).to_pydict().values(), strict=True))


def versions(context: Context, copies: Mapping[str, list[str]]) -> Iterator[Member]:
    """Every group whose members are one thing."""
    for sha256, items in copies.items():
        if len(items) > 1:
            yield from (Member(BYTES, sha256, item, "same bytes", 0, item == items[0]) for item in items)
    for kind, reason, found in (_pictures(context), _films(context)):
        names, leaders, bits = found
        sizes = np.bincount(leaders, minlength=len(names))
        for number in np.flatnonzero(sizes[leaders] > 1).tolist():
            leader = int(leaders[number])
            for item in copies[names[number]]:
                yield Member(kind, names[leader], item, reason, int(bits[number]), number == leader)


Found = tuple[list[str], "np.typing.NDArray[np.int64]", "np.typing.NDArray[np.int64]"]
"""Contents by their SHA-256, the number of each one's leader, and the bits to it."""


def _pictures(context: Context) -> tuple[str, str, Found]:
    from casewright.kernels.hamming_groups import joined  # noqa: PLC0415  slow to import

    radius = context.params["pdq_distance"]
    table = context.sql(PICTURES, {"least": context.params["pdq_quality"]})
    found = joined(packed_column(table.column("pdq")), radius)
    reason = f"near by PDQ: at most {radius} bits from the group's leader"
    return NEAR, reason, (table.column("sha256").to_pylist(), *found)


def _films(context: Context) -> tuple[str, str, Found]:
    from casewright.kernels.frame_groups import films_joined  # noqa: PLC0415  slow to import

    share, radius = context.params["frame_share"], context.params["pdq_distance"]
    table = context.sql(FILMS, {"least": context.params["pdq_quality"]})
    sizes = pa.compute.list_value_length(table.column("pdq")).to_numpy()
    starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    leaders, _, bits = films_joined(packed_column(pa.compute.list_flatten(table.column("pdq"))), starts, radius, share)
    reason = f"films: {share:.0%} of the frames are near frames of the group's leader, and the other way round"
    return FRAMES, reason, (table.column("sha256").to_pylist(), leaders, bits)

"""How far a zone is from UTC, hour by hour of its own clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from casewright.extract.values import zone_named

HOUR = 3600
EPOCH = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)


def in_utc(local: NDArray[np.int64], zone: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds of UTC for seconds by the clocks of a zone, both from 1970-01-01; and whether they are sure: in hours in
    which the clocks were changed they are not."""
    hours, which = np.unique(local // HOUR, return_inverse=True)
    distances = [_distance(hour, zone) for hour in hours.tolist()]
    ahead: Any = np.array([0 if d is None else d for d in distances], np.int64)
    sure = np.array([d is not None for d in distances], bool)
    return local - ahead[which], sure[which]


def _distance(hour: int, zone: str) -> int | None:
    """How many seconds the zone was ahead of UTC all through this hour; None when that changed in it.

    A change is one jump: were it within the hour, the hour's two ends would differ, or one of them would come twice.
    """
    first = EPOCH + timedelta(hours=hour)
    ends = (first, first + timedelta(seconds=HOUR - 1, microseconds=999_999))
    found = {end.replace(tzinfo=zone_named(zone), fold=fold).utcoffset() for end in ends for fold in (0, 1)}
    distance = found.pop()
    if distance is None or found or distance.microseconds:
        return None
    return int(distance.total_seconds())

"""Runs that lie one after the other, without anything compiled: whoever only lays out arrays imports no compiler."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def starts(counts: NDArray[Any]) -> NDArray[np.int64]:
    """Where each of several runs begins, and where the last one ends."""
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)))

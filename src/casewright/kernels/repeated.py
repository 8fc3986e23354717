"""How many of a transaction's outputs have an amount that another one has, too; compiled."""

from collections import Counter
from collections.abc import Sequence

import numba as nb
import numpy as np
from numpy.typing import NDArray


def repeated_slow(amounts: Sequence[int]) -> int:
    """Outputs whose amount occurs twice or more. The definition."""
    return sum(times for times in Counter(amounts).values() if times > 1)


def repeated(starts: NDArray[np.int64], amounts: NDArray[np.int64], asked: NDArray[np.bool_]) -> NDArray[np.int32]:
    """The same for each transaction that is asked about, 0 for the others; n has `amounts[starts[n]:starts[n + 1]]`."""
    found = np.zeros(len(asked), np.int32)
    _repeated(starts, amounts, asked, found)
    return found


_LONG = nb.types.Array(nb.int64, 1, "C", readonly=True)


@nb.njit(nb.void(_LONG, _LONG, nb.types.Array(nb.boolean, 1, "C", readonly=True), nb.int32[::1]), cache=True)
def _repeated(starts, amounts, asked, found):  # type: ignore[no-untyped-def]
    for number in range(asked.shape[0]):
        if not asked[number]:
            continue
        own = np.sort(amounts[starts[number] : starts[number + 1]])
        last = own.shape[0] - 1
        for at in range(last + 1):
            if (at and own[at] == own[at - 1]) or (at < last and own[at] == own[at + 1]):
                found[number] += 1

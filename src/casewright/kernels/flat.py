"""How much of each row and column of a part of a picture is of one colour, or quiet; compiled."""

from collections.abc import Sequence

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.pdq import Pixels

Counts = tuple[NDArray[np.int64], NDArray[np.int64]]
_COLOURS = nb.types.Array(nb.uint8, 3, "C", readonly=True)


def of_colour(pixels: Pixels, block: Sequence[int], colour: Pixels, tolerance: int) -> Counts:
    """For each row and each column of the block (top, left, bottom, right) of uint8 [height, width, channels]: how many
    pixels have no channel further than the tolerance from the colour's. The definition."""
    top, left, bottom, right = block
    near = (abs(pixels[top:bottom, left:right].astype(int) - colour) <= tolerance).all(axis=2)
    return near.sum(axis=1), near.sum(axis=0)


@nb.njit(nb.void(_COLOURS, nb.int64[::1], nb.uint8[::1], nb.int64, nb.int64[::1], nb.int64[::1]), cache=True)
def _of_colour(pixels, block, colour, tolerance, rows, columns):  # type: ignore[no-untyped-def]
    for row in range(block[0], block[2]):
        for column in range(block[1], block[3]):
            near = True
            for channel in range(pixels.shape[2]):
                near = near and abs(np.int64(pixels[row, column, channel]) - np.int64(colour[channel])) <= tolerance
            rows[row - block[0]] += near
            columns[column - block[1]] += near


def of_colour_fast(pixels: Pixels, block: Sequence[int], colour: Pixels, tolerance: int) -> Counts:
    """What `of_colour` says."""
    top, left, bottom, right = block
    rows, columns = np.zeros(bottom - top, np.int64), np.zeros(right - left, np.int64)
    _of_colour(pixels, np.array(block, np.int64), np.ascontiguousarray(colour), tolerance, rows, columns)
    return rows, columns


def quiet(pixels: Pixels, step: int) -> Counts:
    """For each row and column, the number of pixels that differ from the next one to the right and from the next one
    below by less than `step` in brightness (the mean of the channels)."""
    grey = pixels.astype(np.int16).sum(axis=2) // pixels.shape[2]
    calm = np.ones(grey.shape, bool)
    calm[:, :-1] &= abs(np.diff(grey, axis=1)) < step
    calm[:-1] &= abs(np.diff(grey, axis=0)) < step
    return calm.sum(axis=1), calm.sum(axis=0)

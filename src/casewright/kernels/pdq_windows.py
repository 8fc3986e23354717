"""PDQ of many windows of one picture, inside its frame and beyond it.

A picture that was cut is a window of the whole; so the whole is a window of it that reaches beyond its frame. What
lies there nobody knows: the pixels at the edge stand for it. Mirrored edges and the mean were measured to be worse, and
a prediction by the covariance of photographs no better. Which windows are looked at was chosen on photographs that were
cut at random; what they find is in docs/guides/media.md.

A hash of a window is not that of its pixels to the bit, because it is made from 128×128 means of the picture: half of
those measured are within 6 bits, nine of ten within 15. In exchange a window costs a fiftieth of a hash from pixels:
the filter, the samples and the DCT of PDQ are one matrix for the rows and one for the columns.

`hashes_slow` is the definition in numpy, `hashes_of_windows` the same compiled, equal to the last bit of every sum.
"""

from functools import cache
from typing import Any

import numba as nb
import numpy as np
from numpy.typing import NDArray

from casewright.kernels.pdq import DCT, LOW, SAMPLES, SIDE, Floats, Pdq, Pixels, quality_of
from casewright.kernels.pdq_fast import _PLANE, _bits, luma_at, pdq_of_samples, samples_of

CELLS, STEPS = 128, 16
"""Means of the picture along each side; and points at which the filter round a sample is taken."""
LEAN = 5
"""PDQ's sample k lies at (8 k + 5) of 512 pixels: nearest neighbour and filter lean so far to the lower right."""
Range = tuple[float, float]
"""What is cut off at the beginning and at the end of a side, as parts of the whole side."""
Window = tuple[Range, Range]
"""What is cut off of the height, and of the width."""


def _thirds(part: float) -> tuple[Range, ...]:
    """So much is cut off a side: all at the end, half at each end, all at the beginning."""
    return (0.0, part), (part / 2, part / 2), (part, 0.0)


WHOLE: Range = (0.0, 0.0)
CUTS: tuple[Window, ...] = (
    *((rows, columns) for part in (0.04, 0.08) for rows in _thirds(part) for columns in _thirds(part)),
    *((rows, WHOLE) for rows in _thirds(0.06)),
    *((WHOLE, columns) for columns in _thirds(0.06)),
    *(((part, part), (part, part)) for part in (0.0625, 0.075, 0.0875, 0.1)),
)
"""What may have been cut off: a 25th and a 12th of each side in nine ways, a 16th of one side in three, and a 16th to a
tenth all round."""


def hashes_slow(luma: Floats, beyond: bool) -> NDArray[np.uint8]:
    """Hash, uint8 [n, 32], of each window of `CUTS`. `beyond`: those of which the picture is what was left; otherwise
    what is left of the picture. The definition."""
    held = cells_slow(luma)
    result = []
    for rows, columns in CUTS:
        down, across = matrix(rows, beyond), matrix(columns, beyond)
        half = np.zeros((LOW, CELLS), np.float32)
        for k in range(CELLS):
            half = half + down[:, k, None] * held[None, k, :]
        low = np.zeros((LOW, LOW), np.float32)
        for k in range(CELLS):
            low = low + half[:, k, None] * across[None, :, k]
        median = np.partition(low.ravel(), LOW * LOW // 2 - 1)[LOW * LOW // 2 - 1]
        result.append(np.packbits((low > median).ravel()[::-1]))
    return np.array(result, np.uint8)


def cells_slow(luma: Floats) -> Floats:
    """Means of the picture, 128×128. Pixels that two cells share count for each by their share."""
    return _means_slow(np.ascontiguousarray(_means_slow(luma).T)).T


def _means_slow(values: Floats) -> Floats:
    size = len(values)
    result = np.zeros((CELLS, values.shape[1]), np.float32)
    for cell in range(CELLS):
        first, end = cell * size / CELLS, (cell + 1) * size / CELLS
        for row in range(int(first), min(size, int(np.ceil(end)))):
            share = np.float32((min(end, row + 1) - max(first, row)) * CELLS / size)
            result[cell] = result[cell] + share * values[row]
    return result


@cache
def matrix(cut: Range, beyond: bool) -> Floats:
    """DCT of the samples of such a range of a side, from the cells of the whole side: float32 [16, 128]."""
    before, after = cut
    left = 1 - before - after
    first, length = (-before / left, 1 / left) if beyond else (before, left)
    result = np.zeros((LOW, CELLS), np.float64)
    offsets = (2 * np.arange(STEPS) + 1) / STEPS - 1
    weights = (1 - abs(offsets)) / (STEPS / 2)  # two box filters, one after the other, are a tent
    for sample in range(SAMPLES):
        for offset, weight in zip(offsets.tolist(), weights.tolist(), strict=True):
            place = (first + length * (8 * sample + LEAN + 4 * offset) / SIDE) * CELLS - 0.5
            place = min(max(place, 0.0), CELLS - 1.0)
            cell = min(int(place), CELLS - 2)
            result[:, cell] += DCT[:, sample] * (weight * (cell + 1 - place))
            result[:, cell + 1] += DCT[:, sample] * (weight * (place - cell))
    return result.astype(np.float32)


@cache
def _matrices(beyond: bool) -> tuple[Floats, NDArray[np.int64]]:
    """The different matrices, [m, 16, 128], and which two of them each window takes, [n, 2]."""
    ranges = list(dict.fromkeys(r for window in CUTS for r in window))
    which = np.array([[ranges.index(rows), ranges.index(columns)] for rows, columns in CUTS], np.int64)
    return np.array([matrix(r, beyond) for r in ranges], np.float32), which


def hashes_of_windows(luma: Floats, beyond: bool) -> NDArray[np.uint8]:
    """What `hashes_slow` says."""
    matrices, which = _matrices(beyond)
    result: NDArray[np.uint8] = _hashes(np.ascontiguousarray(luma), matrices, which)
    return result


def qualities_inside(luma: Floats) -> list[int]:
    """Quality of what is left of the picture in each window of `CUTS`, from the samples of the whole picture."""
    samples = samples_of(luma)
    slices: list[Any] = [
        tuple(slice(int(a * SAMPLES), SAMPLES - int(b * SAMPLES)) for a, b in window) for window in CUTS
    ]
    return [quality_of(samples[s]) for s in slices]


def luma_of_part(pixels: Pixels, top: int, left: int, bottom: int, right: int) -> Floats:
    """Brightness, as `luma_of_pixels` gives it, of a rectangle of a picture. Nothing else of the picture is touched."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    height, width = bottom - top, right - left
    tall, wide = (SIDE, SIDE) if max(height, width) > SIDE else (height, width)
    rows, columns = top + np.arange(tall) * height // tall, left + np.arange(wide) * width // wide
    return luma_at(pixels, rows, columns)


def pdq_of_part(pixels: Pixels, top: int, left: int, bottom: int, right: int) -> Pdq:
    """PDQ of a rectangle of a picture, to the bit that of the rectangle cut out; at least 5 pixels a side."""
    samples = samples_of(luma_of_part(pixels, top, left, bottom, right))
    return pdq_of_samples(samples)


@nb.njit(_PLANE(_PLANE), cache=True)
def _means(values):  # type: ignore[no-untyped-def]
    size, width = values.shape
    result = np.zeros((CELLS, width), np.float32)
    for cell in range(CELLS):
        first, end = cell * size / CELLS, (cell + 1) * size / CELLS
        for row in range(int(first), min(size, int(np.ceil(end)))):
            share = np.float32((min(end, row + 1) - max(first, row)) * CELLS / size)
            for column in range(width):
                result[cell, column] += share * values[row, column]
    return result


@nb.njit(nb.uint8[:, ::1](_PLANE, nb.types.Array(nb.float32, 3, "C", readonly=True), nb.int64[:, ::1]), cache=True)
def _hashes(luma, matrices, which):  # type: ignore[no-untyped-def]
    held = _means(luma)
    held = np.ascontiguousarray(_means(np.ascontiguousarray(held.T)).T)
    halves = np.zeros((matrices.shape[0], LOW, CELLS), np.float32)
    for number in range(matrices.shape[0]):
        for i in range(LOW):
            for k in range(CELLS):
                weight = matrices[number, i, k]
                for j in range(CELLS):
                    halves[number, i, j] += weight * held[k, j]
    turned = np.empty((matrices.shape[0], CELLS, LOW), np.float32)
    for number in range(matrices.shape[0]):
        for i in range(LOW):
            for k in range(CELLS):
                turned[number, k, i] = matrices[number, i, k]
    result = np.empty((which.shape[0], LOW * LOW // 8), np.uint8)
    for window in range(which.shape[0]):
        half, across = halves[which[window, 0]], turned[which[window, 1]]
        low = np.zeros((LOW, LOW), np.float32)
        for i in range(LOW):
            for k in range(CELLS):
                for j in range(LOW):
                    low[i, j] += half[i, k] * across[k, j]
        result[window] = _bits(low)
    return result

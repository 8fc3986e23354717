"""PDQ of videos' frames at their own size, quickly. `pdq.pdq_of_luma(luma_of_frame(...))` is the definition.

The definition smooths the whole frame twice each way and then takes 64×64 samples. Each sample is a weighted sum of
pixels near it, and the weights depend on the frame's size only: so they are worked out once, from the definition's own
filter, and each pixel is looked at once. The sums are the definition's, added in another order: a bit can differ where
a frequency lies within rounding of the median.
"""

from functools import lru_cache
from typing import Any

import numba as nb
import numpy as np

from casewright.kernels.pdq import LEAST, LUMA, SAMPLES, NoPicture, Pdq, Pixels, smoothing
from casewright.kernels.pdq_fast import _PLANE, pdq_of_samples

_COLOURS = nb.types.Array(nb.uint8, 3, "C", readonly=True)
_FIRSTS, _WEIGHTS = (nb.types.Array(nb.int64, 1, "C", readonly=True), nb.types.Array(nb.float32, 2, "C", readonly=True))
_RED, _GREEN, _BLUE = LUMA
VIDEO_RANGE = np.float32(255 / 219)


@nb.njit(_PLANE(_PLANE, nb.int64, _FIRSTS, _WEIGHTS), cache=True)
def _summed(rows, width, lefts, across):  # type: ignore[no-untyped-def]
    result = np.zeros((SAMPLES, SAMPLES), np.float32)
    for sample in range(SAMPLES):
        for column in range(SAMPLES):
            total = np.float32(0)
            for place in range(across.shape[1]):
                x = lefts[column] + place
                if x < width:
                    total += across[column, place] * rows[sample, x]
            result[sample, column] = total
    return result


@nb.njit(_PLANE(_COLOURS, nb.int64, _FIRSTS, _WEIGHTS, _FIRSTS, _WEIGHTS), cache=True)
def _weighed(pixels, width, tops, down, lefts, across):  # type: ignore[no-untyped-def]
    """64×64 samples of the left `width` pixels. One channel is grey, three are red, green, blue."""
    rows = np.zeros((SAMPLES, width), np.float32)
    luma = np.empty(width, np.float32)
    begin = 0
    for y in range(pixels.shape[0]):
        line = pixels[y]
        if pixels.shape[2] == 1:
            for x in range(width):
                luma[x] = np.float32(line[x, 0])
        else:
            for x in range(width):
                luma[x] = (
                    _RED * np.float32(line[x, 0]) + _GREEN * np.float32(line[x, 1]) + _BLUE * np.float32(line[x, 2])
                )
        while begin < SAMPLES and tops[begin] + down.shape[1] <= y:
            begin += 1
        sample = begin
        while sample < SAMPLES and tops[sample] <= y:
            weight, row = down[sample, y - tops[sample]], rows[sample]
            for x in range(width):
                row[x] += weight * luma[x]
            sample += 1
    return _summed(rows, width, lefts, across)


@lru_cache(256)
def _weights(size: int) -> tuple[Any, Any]:
    """Of each of 64 samples along a side: the first pixel that has a weight, and the weights from there on."""
    whole = smoothing(size)
    used = whole > 0
    firsts = used.argmax(axis=1).astype(np.int64)
    longest = int((size - used[:, ::-1].argmax(axis=1) - firsts).max())
    padded = np.pad(whole, ((0, 0), (0, longest)))
    return firsts, np.ascontiguousarray(np.stack([padded[i, f : f + longest] for i, f in enumerate(firsts)]))


def pdq_of_frame(pixels: Pixels, width: int | None = None, stretched: bool = False) -> Pdq:
    """PDQ of a frame: uint8 [height, width, 3] of red, green, blue, or [height, at least width] of brightness, which
    `stretched` takes from the range that videos use to the whole. Raises NoPicture."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    height, width = pixels.shape[0], width or pixels.shape[1]
    if min(height, width) < LEAST:
        raise NoPicture(f"{width}×{height} pixels are too few for a hash")
    samples = _weighed(np.ascontiguousarray(pixels), width, *_weights(height), *_weights(width))
    if stretched:
        samples *= VIDEO_RANGE
    return pdq_of_samples(samples)

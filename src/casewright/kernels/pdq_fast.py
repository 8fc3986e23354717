"""PDQ in one compiled pass: the fast twin of `pdq.py`, equal to it to the last bit of every sum.

Sums run in float32 in the order of the definition; nothing is reassociated. What is faster: the filter runs
down the rows, of the transposed picture where it should run along them, so that many sums grow side by side; and the
last two passes are worked out only where a sample is taken. Compiled when this module is imported, and
kept beside it; children get it from the process that they are forked from.
"""

import numba as nb
import numpy as np
from PIL import Image

from casewright.kernels.pdq import DCT, LEAST, LOW, LUMA, SAMPLES, SIDE, Floats, NoPicture, Pdq, Pixels
from casewright.kernels.pixels import ORIENTATION, TURNS, pixels_of

_COLOURS = nb.types.Array(nb.uint8, 3, "C", readonly=True)
_PLANE, _CELLS = nb.float32[:, ::1], nb.int64[::1]
_RED, _GREEN, _BLUE = LUMA
_FORWARD, _BACKWARD = np.ascontiguousarray(DCT), np.ascontiguousarray(DCT.T)


@nb.njit(_PLANE(_COLOURS, _CELLS, _CELLS), cache=True)
def _luma(pixels, rows, columns):  # type: ignore[no-untyped-def]
    """Brightness of the pixels in these rows and columns. One channel is grey, three and more are red, green, blue.

    A row's colours are picked first, then weighed: so many are weighed at once.
    """
    wide = columns.size
    result = np.empty((rows.size, wide), np.float32)
    red, green, blue = np.empty(wide, np.uint8), np.empty(wide, np.uint8), np.empty(wide, np.uint8)
    for row in range(rows.size):
        line, out = pixels[rows[row]], result[row]
        if pixels.shape[2] == 1:
            for column in range(wide):
                out[column] = np.float32(line[columns[column], 0])
            continue
        for column in range(wide):
            x = columns[column]
            red[column], green[column], blue[column] = line[x, 0], line[x, 1], line[x, 2]
        for column in range(wide):
            out[column] = (
                _RED * np.float32(red[column]) + _GREEN * np.float32(green[column]) + _BLUE * np.float32(blue[column])
            )
    return result


@nb.njit(nb.void(_PLANE, _PLANE, nb.int64, _CELLS), cache=True)
def _box_down(values, result, window, wanted):  # type: ignore[no-untyped-def]
    """The box filter down each column of `values`; row `i` of `result` is row `wanted[i]` of what it gives."""
    size, width = values.shape
    half = (window + 2) // 2
    sums = np.zeros(width, np.float32)
    place = 0
    for right in range(half - 1):
        for column in range(width):
            sums[column] += values[right, column]
    for out in range(size):
        right, left = out + half - 1, out + half - 1 - window
        if right < size and left >= 0:
            for column in range(width):
                sums[column] = sums[column] + values[right, column] - values[left, column]
        elif right < size:
            for column in range(width):
                sums[column] += values[right, column]
        elif left >= 0:
            for column in range(width):
                sums[column] -= values[left, column]
        if place < wanted.size and wanted[place] == out:
            count = np.float32(min(right + 1, size) - max(left + 1, 0))
            while place < wanted.size and wanted[place] == out:
                for column in range(width):
                    result[place, column] = sums[column] / count
                place += 1


@nb.njit(_PLANE(_PLANE), cache=True)
def _turned(values):  # type: ignore[no-untyped-def]
    height, width = values.shape
    result = np.empty((width, height), np.float32)
    block = 16
    for top in range(0, height, block):
        for left in range(0, width, block):
            for column in range(left, min(left + block, width)):
                for row in range(top, min(top + block, height)):
                    result[column, row] = values[row, column]
    return result


@nb.njit(_PLANE(_PLANE), cache=True)
def _samples(luma):  # type: ignore[no-untyped-def]
    """The smoothed picture at 64×64 centre points."""
    height, width = luma.shape
    if width == SAMPLES and height == SAMPLES:
        return luma
    across = (width + 2 * SAMPLES - 1) // (2 * SAMPLES)
    down = (height + 2 * SAMPLES - 1) // (2 * SAMPLES)
    rows, columns = np.empty(SAMPLES, np.int64), np.empty(SAMPLES, np.int64)
    for i in range(SAMPLES):
        rows[i], columns[i] = (2 * i + 1) * height // (2 * SAMPLES), (2 * i + 1) * width // (2 * SAMPLES)
    once = np.empty((width, height), np.float32)
    _box_down(_turned(luma), once, across, np.arange(width))
    upright = _turned(once)
    twice = np.empty((height, width), np.float32)
    _box_down(upright, twice, down, np.arange(height))
    narrow = np.empty((SAMPLES, height), np.float32)
    _box_down(_turned(twice), narrow, across, columns)
    result = np.empty((SAMPLES, SAMPLES), np.float32)
    _box_down(_turned(narrow), result, down, rows)
    return result


@nb.njit(nb.int64(_PLANE), cache=True)
def _quality(samples):  # type: ignore[no-untyped-def]
    total = 0
    for row in range(SAMPLES):
        for column in range(SAMPLES):
            here = samples[row, column]
            if row + 1 < SAMPLES:
                total += abs(int((here - samples[row + 1, column]) * np.float32(100) / np.float32(255)))
            if column + 1 < SAMPLES:
                total += abs(int((here - samples[row, column + 1]) * np.float32(100) / np.float32(255)))
    return min(100, total // 90)


@nb.njit(_PLANE(_PLANE), cache=True)
def _low(samples):  # type: ignore[no-untyped-def]
    """The 16×16 low frequencies; each sum runs from the first sample to the last."""
    half = np.zeros((LOW, SAMPLES), np.float32)
    for i in range(LOW):
        for k in range(SAMPLES):
            for j in range(SAMPLES):
                half[i, j] += _FORWARD[i, k] * samples[k, j]
    result = np.zeros((LOW, LOW), np.float32)
    for i in range(LOW):
        for k in range(SAMPLES):
            for j in range(LOW):
                result[i, j] += half[i, k] * _BACKWARD[k, j]
    return result


@nb.njit(nb.uint8[::1](_PLANE), cache=True)
def _bits(low):  # type: ignore[no-untyped-def]
    """32 bytes: a bit for each frequency above the median, the last first."""
    values = low.copy().ravel()
    median = np.sort(values)[LOW * LOW // 2 - 1]
    result = np.zeros(LOW * LOW // 8, np.uint8)
    for i in range(LOW * LOW):
        if values[i] > median:
            result[31 - (i >> 3)] |= np.uint8(1 << (i & 7))
    return result


def _picked(pixels: Pixels, sideways: bool, upside_down: bool, mirrored: bool) -> Floats:
    """Brightness of the pixels that count, of the picture as it is after it was turned so."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    height, width = pixels.shape[:2]
    if min(height, width) < LEAST:
        raise NoPicture(f"{width}×{height} pixels are too few for a hash")
    tall, wide = (SIDE, SIDE) if max(height, width) > SIDE else (height, width)
    rows, columns = np.arange(tall) * height // tall, np.arange(wide) * width // wide
    rows_fall, columns_fall = (mirrored, upside_down) if sideways else (upside_down, mirrored)
    if rows_fall:
        rows = height - 1 - rows
    if columns_fall:
        columns = width - 1 - columns
    luma = _luma(np.ascontiguousarray(pixels), rows, columns)
    return _turned(luma) if sideways else luma  # type: ignore[no-any-return]


def pdq_of_pixels(pixels: Pixels, orientation: int = 1) -> Pdq:
    """PDQ of a picture: uint8 [height, width] of grey, or [height, width, 3 or more] of red, green, blue, as stored;
    EXIF's `orientation` says how it is seen. Raises NoPicture."""
    samples = _samples(_picked(pixels, *TURNS.get(orientation, (False, False, False))))
    return Pdq(_bits(_low(samples)).tobytes().hex(), int(_quality(samples)))


def turned_of_pixels(pixels: Pixels) -> tuple[str, ...]:
    """The hashes that the picture has as it is, turned by 90, 180, 270 degrees, upside down, left to right, and along
    both diagonals: those of a picture that somebody turned or mirrored without loss, to the bit."""
    plain, mirrored, flipped, both = (
        _low(_samples(_picked(pixels, False, *how)))
        for how in ((False, False), (False, True), (True, False), (True, True))
    )
    eight = (plain, mirrored.T, both, flipped.T, flipped, mirrored, plain.T, both.T)
    return tuple(_bits(np.ascontiguousarray(low)).tobytes().hex() for low in eight)


def pdq_of_image(picture: Image.Image) -> tuple[str, int]:
    """Hash (64 hex digits) and quality of a picture that Pillow opened, turned as its EXIF says. Raises NoPicture."""
    pixels = pixels_of(picture)
    found = pdq_of_pixels(pixels, picture.getexif().get(ORIENTATION, 1))
    return found.hash, found.quality

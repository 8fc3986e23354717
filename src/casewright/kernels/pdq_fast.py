"""PDQ in one compiled pass: the fast twin of `pdq.py`, equal to it to the last bit of every sum.

Sums run in float32 in the order of the definition; nothing is reassociated. What is faster: the filter runs
down the rows, of the transposed picture where it should run along them, so that many sums grow side by side; the
last two passes are worked out only where a sample is taken; and all pictures take turns in the same memory.
Compiled when this module is imported, and kept beside it; children get it from the process that they are forked from.
"""

import threading

import numba as nb
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from casewright.kernels.pdq import DCT, LEAST, LOW, LUMA, SAMPLES, SIDE, Floats, NoPicture, Pdq, Pixels
from casewright.kernels.pixels import ORIENTATION, TURNS, pixels_of

_COLOURS = nb.types.Array(nb.uint8, 3, "C", readonly=True)
_PLANE, _FLAT, _CELLS = nb.float32[:, ::1], nb.float32[::1], nb.int64[::1]
_REDS, _GREENS, _BLUES = (weight * np.arange(256, dtype=np.float32) for weight in LUMA)
_FORWARD, _BACKWARD = np.ascontiguousarray(DCT), np.ascontiguousarray(DCT.T)
_HELD = threading.local()
_ASIDE = 16
"""Floats that stand unused at the end of each row: where rows are a power of two apart, the values of a column push
each other out of the processor's cache."""


@nb.njit(_PLANE(_FLAT, nb.int64, nb.int64), cache=True, inline="always")
def _plane(room, height, width):  # type: ignore[no-untyped-def]
    """So many rows and columns in this room, with what stands aside."""
    return room[: height * (width + _ASIDE)].reshape(height, width + _ASIDE)


@nb.njit(_PLANE(_COLOURS, _CELLS, _CELLS, _FLAT), cache=True)
def _luma(pixels, rows, columns, room):  # type: ignore[no-untyped-def]
    """Brightness of the pixels in these rows and columns. One channel is grey, three and more are red, green, blue.

    What a colour adds is looked up, which gives what multiplying gives. Places have no sign, so that none is counted
    from the end.
    """
    wide, channels = columns.size, pixels.shape[2]
    flat, places = pixels.reshape(-1), (columns * channels).astype(np.uint64)
    result = _plane(room, rows.size, wide)
    for row in range(rows.size - 1, -1, -1):  # the last rows were decoded last, and are at hand
        line, out = nb.uint64(rows[row] * pixels.shape[1] * channels), result[row]
        if channels == 1:
            for column in range(wide):
                out[column] = np.float32(flat[line + places[column]])
            continue
        for column in range(wide):
            at = line + places[column]
            out[column] = _REDS[flat[at]] + _GREENS[flat[at + nb.uint64(1)]] + _BLUES[flat[at + nb.uint64(2)]]
    return result


@nb.njit(nb.void(_PLANE, nb.int64, nb.int64, _PLANE, nb.int64, _CELLS), cache=True)
def _box_down(values, size, width, result, window, wanted):  # type: ignore[no-untyped-def]
    """The box filter down each column of `values`; row `i` of `result` is row `wanted[i]` of what it gives."""
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


@nb.njit(_PLANE(_PLANE, nb.int64, nb.int64, _FLAT), cache=True)
def _turned(values, height, width, room):  # type: ignore[no-untyped-def]
    """Columns as rows, of so many rows and columns."""
    result = _plane(room, width, height)
    given, taken = values.reshape(-1), result.reshape(-1)
    stride, other, block = nb.uint64(values.shape[1]), nb.uint64(height + _ASIDE), nb.uint64(16)
    tall, wide = nb.uint64(height), nb.uint64(width)
    for top in range(nb.uint64(0), tall, block):
        for left in range(nb.uint64(0), wide, block):
            for column in range(left, min(left + block, wide)):
                for row in range(top, min(top + block, tall)):
                    taken[column * other + row] = given[row * stride + column]
    return result


@nb.njit(_PLANE(_PLANE, nb.int64, nb.int64, _FLAT, _FLAT), cache=True)
def _samples(luma, height, width, here, there):  # type: ignore[no-untyped-def]
    """The smoothed picture at 64×64 centre points. `luma` stands in `here`, and is written over."""
    if width == SAMPLES and height == SAMPLES:
        return luma[:, :SAMPLES].copy()
    across = (width + 2 * SAMPLES - 1) // (2 * SAMPLES)
    down = (height + 2 * SAMPLES - 1) // (2 * SAMPLES)
    rows, columns = np.empty(SAMPLES, np.int64), np.empty(SAMPLES, np.int64)
    for i in range(SAMPLES):
        rows[i], columns[i] = (2 * i + 1) * height // (2 * SAMPLES), (2 * i + 1) * width // (2 * SAMPLES)
    once = _plane(here, width, height)
    _box_down(_turned(luma, height, width, there), width, height, once, across, np.arange(width))
    twice = _plane(here, height, width)
    _box_down(_turned(once, width, height, there), height, width, twice, down, np.arange(height))
    narrow = _plane(here, SAMPLES, height)
    _box_down(_turned(twice, height, width, there), width, height, narrow, across, columns)
    result = np.empty((SAMPLES, SAMPLES), np.float32)
    _box_down(_turned(narrow, SAMPLES, height, there), height, SAMPLES, result, down, rows)
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


def _room() -> tuple[Floats, Floats]:
    """Memory for two planes, the same each time in a thread: to be given new memory takes as long as the filter."""
    if not hasattr(_HELD, "room"):
        _HELD.room = np.empty((2, SIDE * (SIDE + _ASIDE)), np.float32)
    return _HELD.room[0], _HELD.room[1]


def luma_at(pixels: Pixels, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    """Brightness of the pixels, uint8 [height, width, channels], in these rows and columns."""
    return _luma(pixels, rows, columns, _room()[0])[:, : columns.size].copy()  # type: ignore[no-any-return]


def samples_of(luma: Floats) -> Floats:
    """The 64×64 samples of a picture of so many rows and columns, none more than 512."""
    (height, width), (here, there) = luma.shape, _room()
    plane = _plane(here, height, width)
    plane[:, :width] = luma
    return _samples(plane, height, width, here, there)  # type: ignore[no-any-return]


def _sampled(pixels: Pixels, sideways: bool, upside_down: bool, mirrored: bool) -> Floats:
    """The 64×64 samples of the picture as it is after it was turned so."""
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
    here, there = _room()
    luma = _luma(np.ascontiguousarray(pixels), rows, columns, here)
    if sideways:
        luma, tall, wide, here, there = _turned(luma, tall, wide, there), wide, tall, there, here
    return _samples(luma, tall, wide, here, there)  # type: ignore[no-any-return]


def pdq_of_samples(samples: Floats) -> Pdq:
    """PDQ of a picture by its 64×64 samples."""
    return Pdq(_bits(_low(samples)).tobytes().hex(), int(_quality(samples)))


def pdq_of_pixels(pixels: Pixels, orientation: int = 1) -> Pdq:
    """PDQ of a picture: uint8 [height, width] of grey, or [height, width, 3 or more] of red, green, blue, as stored;
    EXIF's `orientation` says how it is seen. Raises NoPicture."""
    samples = _sampled(pixels, *TURNS.get(orientation, (False, False, False)))
    return pdq_of_samples(samples)


def turned_of_pixels(pixels: Pixels) -> tuple[str, ...]:
    """The hashes that the picture has as it is, turned by 90, 180, 270 degrees, upside down, left to right, and along
    both diagonals: those of a picture that somebody turned or mirrored without loss, to the bit."""
    plain, mirrored, flipped, both = (
        _low(_sampled(pixels, False, *how)) for how in ((False, False), (False, True), (True, False), (True, True))
    )
    eight = (plain, mirrored.T, both, flipped.T, flipped, mirrored, plain.T, both.T)
    return tuple(_bits(np.ascontiguousarray(low)).tobytes().hex() for low in eight)


def pdq_of_image(picture: Image.Image) -> tuple[str, int]:
    """Hash (64 hex digits) and quality of a picture that Pillow opened, turned as its EXIF says. Raises NoPicture."""
    pixels = pixels_of(picture)
    found = pdq_of_pixels(pixels, picture.getexif().get(ORIENTATION, 1))
    return found.hash, found.quality

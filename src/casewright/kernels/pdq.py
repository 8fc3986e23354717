"""PDQ, the perceptual hash of pictures, as Meta's C++ reference computes it. The slow definition, in numpy.

Source: Meta, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (2019), and the behaviour of
the reference on its published vectors: luma .299/.587/.114 (grey is taken as it is), a side above 512 pixels resized to
512×512 by nearest neighbour without regard to aspect, two passes of a box filter each way, 64×64 samples, the 16×16 low
frequencies of a DCT without the first, and a bit for each that lies above their median. All sums run in float32 and in
the reference's order. `pdq_fast.py` is the same, compiled; which pixels a picture has is in `pixels.py`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
SIDE, SAMPLES, LOW, LEAST = 512, 64, 16, 5
LIGHTEST = 1e-5
"""What is left of rounding, where a pixel has no weight; a real weight of a side up to 30,000 pixels is larger."""
LUMA = (np.float32(0.299), np.float32(0.587), np.float32(0.114))


class NoPicture(ValueError):  # noqa: N818  data, not a defect
    """The picture has too few pixels to be hashed."""


@dataclass(frozen=True)
class Pdq:
    """A hash as 64 hex digits, and its quality from 0 to 100; below 50 it decides nothing."""

    hash: str
    quality: int


def _dct_matrix() -> Floats:
    rows = np.arange(1, LOW + 1, dtype=np.float64)[:, None]
    columns = np.arange(SAMPLES, dtype=np.float64)[None, :]
    scale = np.float64(np.float32(np.sqrt(2.0 / SAMPLES)))  # the reference rounds it before it multiplies
    return np.asarray(scale * np.cos(np.pi / 2 / SAMPLES * rows * (2 * columns + 1)), np.float32)


DCT = _dct_matrix()


def luma_of_pixels(pixels: Pixels) -> Floats:
    """Brightness, float32 [height, width] with no side above 512, of uint8 [height, width] of grey or
    [height, width, 3 or more] of red, green, blue; what else a pixel has (transparency) does not count."""
    return luma_of_frame(_nearest(pixels) if max(pixels.shape[:2]) > SIDE else pixels)


def luma_of_frame(pixels: Pixels) -> Floats:
    """The same of a video's frame: vPDQ hashes frames at the size that they have."""
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    red, green, blue = (pixels[..., i].astype(np.float32) for i in range(3))
    result: Floats = LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue
    return result


def _nearest(pixels: Pixels) -> Pixels:
    """To 512×512, taking the pixel at floor(i · size / 512)."""
    height, width = pixels.shape[:2]
    rows = np.arange(SIDE) * height // SIDE
    columns = np.arange(SIDE) * width // SIDE
    taken: Pixels = pixels[rows][:, columns]
    return taken


def _box(values: Floats, window: int) -> Floats:
    """Mean over `window` values along the last axis, with shorter windows at the ends.

    Sums run in float32, value in, value out, as in the reference: exact means would flip bits near the median.
    """
    size = values.shape[-1]
    half = (window + 2) // 2
    phase_1, phase_2, phase_3 = half - 1, window - half + 1, size - window
    sums = np.zeros(values.shape[:-1], np.float32)
    result = np.empty_like(values)
    left = right = out = 0
    count = 0
    for _ in range(phase_1):
        sums = sums + values[..., right]
        right, count = right + 1, count + 1
    for _ in range(phase_2):
        sums = sums + values[..., right]
        right, count = right + 1, count + 1
        result[..., out] = sums / np.float32(count)
        out += 1
    for _ in range(phase_3):
        sums = sums + values[..., right] - values[..., left]
        left, right = left + 1, right + 1
        result[..., out] = sums / np.float32(count)
        out += 1
    for _ in range(half - 1):
        sums = sums - values[..., left]
        left, count = left + 1, count - 1
        result[..., out] = sums / np.float32(count)
        out += 1
    return result


def _window(size: int) -> int:
    return (size + 2 * SAMPLES - 1) // (2 * SAMPLES)


def samples_of(luma: Floats) -> Floats:
    """The smoothed picture at 64×64 centre points; one that has this size is taken as it is."""
    height, width = luma.shape
    if height == width == SAMPLES:
        return luma
    smooth = luma
    for _ in range(2):
        smooth = _box(smooth, _window(width))
        smooth = np.ascontiguousarray(_box(np.ascontiguousarray(smooth.T), _window(height)).T)
    rows = ((np.arange(SAMPLES) + 0.5) * height / SAMPLES).astype(np.int64)
    columns = ((np.arange(SAMPLES) + 0.5) * width / SAMPLES).astype(np.int64)
    taken: Floats = smooth[rows][:, columns]
    return taken


def smoothing(size: int) -> Floats:
    """The weight that each of `size` pixels along a side has in each of the 64 samples, float32 [64, size]."""
    if size == SAMPLES:
        return np.eye(SAMPLES, dtype=np.float32)
    places = ((np.arange(SAMPLES) + 0.5) * size / SAMPLES).astype(np.int64)
    smooth = np.eye(size, dtype=np.float32)
    for _ in range(2):
        smooth = _box(smooth, _window(size))
    weights: Floats = np.ascontiguousarray(smooth.T[places])
    return np.where(weights > LIGHTEST, weights, np.float32(0))


def quality_of(samples: Floats) -> int:
    """How much the picture changes from sample to sample, 0 to 100."""
    down = np.abs(((samples[:-1] - samples[1:]) * np.float32(100) / np.float32(255)).astype(np.int64)).sum()
    across = np.abs(((samples[:, :-1] - samples[:, 1:]) * np.float32(100) / np.float32(255)).astype(np.int64)).sum()
    return min(100, int(down + across) // 90)


def pdq_of_luma(luma: Floats) -> Pdq:
    """PDQ of brightness values, float32 [height, width]. Raises NoPicture below 5 a side."""
    if min(luma.shape) < LEAST:
        raise NoPicture(f"{luma.shape[1]}×{luma.shape[0]} pixels are too few for a hash")
    samples = samples_of(luma)
    return Pdq(_hex(low_frequencies(samples)), quality_of(samples))


def low_frequencies(samples: Floats) -> Floats:
    """DCT · samples · DCT transposed. Each sum runs from the first sample to the last: a library's product of matrices
    adds in an order of its own, and the same picture could have another hash on another machine."""
    half = np.zeros((LOW, SAMPLES), np.float32)
    for k in range(SAMPLES):
        half = half + DCT[:, k, None] * samples[None, k, :]
    result = np.zeros((LOW, LOW), np.float32)
    for k in range(SAMPLES):
        result = result + half[:, k, None] * DCT[None, :, k]
    return result


def _hex(low: Floats) -> str:
    """Bits above the median of the 256 values (the 128th of them in order), the last word first."""
    median = np.partition(low.ravel(), 127)[127]
    bits = (low > median).ravel()
    return np.packbits(bits[::-1]).tobytes().hex()


def dihedral(luma: Floats) -> tuple[str, ...]:
    """The hashes of the picture as it is, turned by 90, 180, 270 degrees, upside down, left to right, and along both
    diagonals. All come from one DCT, as in the reference: turning a picture transposes its frequencies and changes the
    sign of odd ones.

    They are not quite what a turned picture is hashed to: nearest neighbour, filter and samples all lean to the lower
    right, by up to 2 of 512 pixels. `pdq_fast.turned_of_pixels` gives those.
    """
    low = low_frequencies(samples_of(luma))
    odd = np.where(np.arange(1, LOW + 1) % 2 == 1, -1, 1).astype(np.float32)
    rows, columns = low * odd[:, None], low * odd[None, :]
    both = rows * odd[None, :]
    turned: tuple[Any, ...] = (low, columns.T, both, rows.T, rows, columns, low.T, both.T)
    return tuple(_hex(np.ascontiguousarray(t)) for t in turned)


def distance(one: str, other: str) -> int:
    """Bits in which two hashes (hex) differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()

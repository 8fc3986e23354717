"""Which pixels a decoded picture has for hashing: grey or colours of 8 bits, as stored, and how they are to be turned.

- Grey of any kind stays grey; 16 and 32 bits and fractions are scaled to 8.
- Palettes, CMYK, Lab and the like become what they show in red, green and blue.
- Transparency is dropped, as the reference drops it: the colours count that stand in the file, seen through or not.
  A hash must not depend on what a viewer puts behind a picture.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from casewright.kernels.pdq import NoPicture, Pixels

ORIENTATION = 0x0112
TURNS = {2: (False, False, True), 3: (False, True, True), 4: (False, True, False), 5: (True, False, False),
         6: (True, False, True), 7: (True, True, True), 8: (True, True, False)}  # fmt: skip
"""EXIF's orientations: whether rows become columns, and then whether it is turned upside down, and mirrored."""
GREY = ("L", "1", "LA", "La")
COLOURS = ("RGB", "RGBA", "RGBX")


def pixels_of(picture: Image.Image) -> Pixels:
    """uint8 [height, width] of grey or [height, width, 3 or 4] of red, green, blue. Raises NoPicture."""
    if picture.mode in COLOURS:
        return np.asarray(picture)
    if picture.mode in GREY:
        return np.asarray(picture.convert("L"))
    if picture.mode.startswith("I") or picture.mode == "F":
        return _eight_bits(np.asarray(picture), picture.mode)
    if picture.mode == "LAB":
        return np.asarray(ImageCms.applyTransform(picture, _lab_to_rgb()))
    return np.asarray(picture.convert("RGBA" if picture.mode == "RGBa" else "RGB"))


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The pixels turned as EXIF says."""
    sideways, upside_down, mirrored = TURNS.get(orientation, (False, False, False))
    if sideways:
        pixels = pixels.swapaxes(0, 1)
    return pixels[:: -1 if upside_down else 1, :: -1 if mirrored else 1]


def _eight_bits(values: NDArray[np.generic], mode: str) -> Pixels:
    """Grey of a higher range, scaled to 8 bits: Pillow's own conversion would clip everything above 255.

    Whole numbers are taken to reach to 255, 65,535 or the largest of them; fractions to 1, 255 or the largest.
    """
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        raise NoPicture("has pixels that are no number")
    largest = float(numbers.max(initial=0))
    tops = (
        (1.0, 255.0) if mode == "F" else (65535.0,) if mode.startswith("I;16") and largest > 255 else (255.0, 65535.0)
    )
    top = next((t for t in tops if largest <= t), largest)
    return np.asarray(np.clip(numbers / top * 255, 0, 255), np.uint8)


@cache
def _lab_to_rgb() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")

"""Invented pictures drawn from numbers: landscapes, mosaics, vases, tilings.

Integer arithmetic throughout, so that every machine draws the same pixels. All are 320 by 240, RGB.
"""

from random import Random

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 320, 240
Grid = NDArray[np.int64]
Colour = tuple[int, int, int]


def landscape(seed: int) -> Image.Image:
    """Hills under a sky: a midpoint-displacement height field, lit from the left."""
    rng = _dice(seed)
    field = _heights(rng, 9)[:HEIGHT, :WIDTH]
    low, high = int(field.min()), int(field.max())
    level = (field - low) * 255 // max(1, high - low)
    light = np.zeros_like(level)
    light[:, 1:] = np.clip((level[:, 1:] - level[:, :-1]) * 6, -90, 90)
    tints = [tuple(rng.randrange(40, 216) for _ in range(3)) for _ in range(4)]
    bands = np.array(tints, dtype=np.int64)[np.clip(level // 64, 0, 3)]
    shaded = np.clip(bands * (96 + level[..., None] // 2) // 160 + light[..., None], 0, 255)
    return Image.fromarray(shaded.astype(np.uint8), "RGB")


def _heights(rng: Random, power: int) -> Grid:
    """Height field of side 2**power, halving the roughness at each doubling; scaled by 256."""
    field = np.array([[rng.randrange(65536) for _ in range(3)] for _ in range(3)], dtype=np.int64)
    swing = 40_000
    while field.shape[0] < (1 << power):
        side = field.shape[0] * 2 - 1
        fine = np.zeros((side, side), dtype=np.int64)
        fine[::2, ::2] = field
        fine[1::2, ::2] = (field[1:, :] + field[:-1, :]) // 2
        fine[:, 1::2] = (fine[:, :-1:2] + fine[:, 2::2]) // 2
        noise = np.random.default_rng(rng.randrange(1 << 32)).integers(-swing, swing + 1, size=(side, side))
        fine[1::2, :] += noise[1::2, :]
        fine[::2, 1::2] += noise[::2, 1::2]
        field, swing = fine, swing * 11 // 20
    return field


def mosaic(seed: int) -> Image.Image:
    """A floor of tesserae around a few medallions."""
    rng = _dice(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), _colour(rng, 30, 90))
    draw = ImageDraw.Draw(image)
    step = rng.choice((8, 10, 12, 16))
    centres = [(rng.randrange(WIDTH), rng.randrange(HEIGHT), rng.randrange(25, 90), _colour(rng)) for _ in range(7)]
    ground = [_colour(rng, 90, 200) for _ in range(3)]
    for y in range(0, HEIGHT, step):
        for x in range(0, WIDTH, step):
            near = [c for cx, cy, r, c in centres if (x - cx) ** 2 + (y - cy) ** 2 < r * r]
            tone = near[-1] if near else ground[(x * 3 + y * 5) // (step * 7) % 3]
            jitter = rng.randrange(-18, 19)
            draw.rectangle((x, y, x + step - 2, y + step - 2), fill=_shift(tone, jitter))
    return image


def vase(seed: int) -> Image.Image:
    """A vase on a plinth in front of a wall, its profile a chain of random radii, its belly painted in bands."""
    rng = _dice(seed)
    image = Image.new("RGB", (WIDTH, HEIGHT), _colour(rng, 120, 230))
    draw = ImageDraw.Draw(image)
    for x in range(WIDTH):
        draw.line((x, 0, x, 180), fill=_shift(image.getpixel((0, 230)), x * 70 // WIDTH - 35))  # type: ignore[arg-type]
    draw.rectangle((0, 180, WIDTH, HEIGHT), fill=_colour(rng, 40, 110))
    middle, top = rng.randrange(90, 230), rng.randrange(15, 50)
    knots = [rng.randrange(12, 80) for _ in range(6)]
    bands = [_colour(rng) for _ in range(5)]
    for y in range(top, 200):
        at = (y - top) * 5 * 256 // (200 - top)
        i, part = min(at // 256, 4), at % 256
        radius = (knots[i] * (256 - part) + knots[i + 1] * part) // 256
        for x in range(middle - radius, middle + radius + 1):
            shade = 40 - abs(x - middle + radius // 3) * 110 // max(radius, 1)
            stripe = bands[(i + (((x - middle) * 7 // max(radius, 1)) % 2 if i % 2 else 0)) % 5]
            draw.point((x, y), fill=_shift(stripe, shade))
    draw.rectangle((middle - 70, 200, middle + 70, HEIGHT), fill=_colour(rng, 150, 240))
    return image.filter(ImageFilter.SMOOTH)


def tiling(seed: int) -> Image.Image:
    """Crossing waves of triangles, as on a painted ceiling, over a slow change of light."""
    rng = _dice(seed)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.int64)
    layers = []
    for _ in range(3):
        total = np.zeros_like(x)
        for _ in range(6):
            a, b, period = rng.randrange(-9, 10), rng.randrange(-9, 10), rng.randrange(300, 1600)
            total += np.abs((a * x + b * y + rng.randrange(period)) % period * 2 - period) * 255 // period
        layers.append(np.clip(total // 4 - 40 + (x - y) * rng.randrange(-30, 31) // 100, 0, 255))
    return Image.fromarray(np.stack(layers, axis=2).astype(np.uint8), "RGB")


def _dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (pictures, not secrets)


def _colour(rng: Random, low: int = 20, high: int = 235) -> Colour:
    return rng.randrange(low, high), rng.randrange(low, high), rng.randrange(low, high)


def _shift(colour: Colour, by: int) -> Colour:
    red, green, blue = (min(255, max(0, c + by)) for c in colour)
    return red, green, blue

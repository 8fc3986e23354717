"""Harmless pictures for measuring: hills under a sky, and photographs of things that scikit-image ships, as large as
wanted and with as much grain as a camera leaves; and what people do to pictures before they pass them on."""

import io
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import skimage.data
from PIL import Image, ImageEnhance, ImageFilter

THINGS = ("coffee", "chelsea", "rocket", "hubble_deep_field", "retina", "immunohistochemistry", "brick", "gravel",
          "grass", "coins", "moon", "page", "text", "clock")  # fmt: skip


def jpeg(picture: Image.Image, quality: int = 85, **options: Any) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, "JPEG", quality=quality, **options)
    return sink.getvalue()


def hills(width: int, height: int, seed: int, grain: float) -> Image.Image:
    """Ranges of hills, one behind the other, clouds above them; every size of detail down to the pixel."""
    dice = np.random.default_rng(seed)
    ground = np.zeros((height, width), np.float32)
    for octave in range(1, 11):
        coarse = dice.normal(size=(2**octave * 3 // 4 + 2, 2**octave + 2)).astype(np.float32)
        ground += np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)) * 0.58**octave
    light = np.linspace(60, -60, height, dtype=np.float32)[:, None]
    bands = [np.clip(125 + light * part + ground * 70 + dice.normal(size=ground.shape) * grain, 0, 255)
             for part in (0.6, 0.9, 1.2)]  # fmt: skip
    return Image.fromarray(np.dstack(bands).astype(np.uint8))


def thing(name: str, width: int, height: int, seed: int, grain: float) -> Image.Image:
    picture = (
        Image.fromarray(getattr(skimage.data, name)()).convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
    )
    noise = np.random.default_rng(seed).normal(size=(height, width, 3)) * grain
    return Image.fromarray(np.clip(np.asarray(picture) + noise, 0, 255).astype(np.uint8))


def passed_on(picture: Image.Image, dice: Random) -> bytes:
    """Cut, turned a little, saved again: changed enough to lie on either side of the threshold."""
    width, height = picture.size
    edge = dice.uniform(0, 0.05)
    left, top = dice.uniform(0, edge) * width, dice.uniform(0, edge) * height
    picture = picture.rotate(dice.uniform(-2.5, 2.5) * dice.choice((0, 1)), Image.Resampling.BICUBIC)
    picture = picture.crop((int(left), int(top), int(width - edge * width), int(height - edge * height)))
    for _ in range(dice.randrange(3)):
        picture = dice.choice((
            lambda p: p.filter(ImageFilter.GaussianBlur(dice.uniform(0.5, 2))),
            lambda p: ImageEnhance.Contrast(p).enhance(dice.uniform(0.7, 1.5)),
            lambda p: ImageEnhance.Color(p).enhance(dice.uniform(0, 2)),
            lambda p: p.filter(ImageFilter.UnsharpMask(2, 120)),
        ))(picture)  # fmt: skip
    return jpeg(picture, dice.randrange(35, 95), subsampling=dice.choice((0, 1, 2)), progressive=dice.random() < 0.2)


def families(count: int, members: int, width: int, height: int) -> Iterator[list[bytes]]:
    """Of each picture several copies as they were passed on."""
    dice = Random(29)
    for number in range(count):
        picture = (thing(THINGS[number % len(THINGS)], width, height, number, dice.choice((0, 3, 8))) if number % 3 else
                   hills(width, height, number, dice.choice((0, 3, 8))))  # fmt: skip
        yield [passed_on(picture, dice) for _ in range(members)]

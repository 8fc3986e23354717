"""What people do to pictures before they pass them on: save again, shrink, brighten, blur, crop, turn.

Each variation is a name, whether the field's threshold is expected to still recognise the picture, and a function from
picture to file. The measured distance, not the expectation, enters the truth.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from PIL import Image, ImageEnhance, ImageFilter

CAMERAS = (
    ("Lumora", "Fieldglass 2", "LMR-004417"),
    ("Lumora", "Fieldglass 2", "LMR-009020"),
    ("Brasswick", "Mono 35", "BW35-118"),
)
MAKE, MODEL, ORIENTATION, EXIF_IFD, TAKEN, SERIAL = 0x010F, 0x0110, 0x0112, 0x8769, 0x9003, 0xA431


@dataclass(frozen=True)
class Variation:
    """One thing done to a picture: `apply` gives the file, `suffix` its usual ending."""

    name: str
    suffix: str
    near: bool
    apply: Callable[[Image.Image, Random], bytes]


def jpeg(image: Image.Image, quality: int = 80, **more: Any) -> bytes:
    return save(image, "JPEG", quality=quality, **more)


def save(image: Image.Image, form: str, **more: Any) -> bytes:
    held = io.BytesIO()
    image.save(held, form, **more)
    return held.getvalue()


def scale(image: Image.Image, percent: int) -> Image.Image:
    size = image.width * percent // 100, image.height * percent // 100
    return image.resize(size, Image.Resampling.BICUBIC)


def gamma(image: Image.Image, hundredths: int) -> Image.Image:
    return image.point([round(255 * (v / 255) ** (hundredths / 100)) for v in range(256)] * 3)


def with_camera(image: Image.Image, rng: Random) -> bytes:
    """A JPEG that names its camera and the moment, as cameras do: without a zone."""
    make, model, serial = rng.choice(CAMERAS)
    exif = Image.Exif()
    exif[MAKE], exif[MODEL] = make, model
    inner = exif.get_ifd(EXIF_IFD)
    inner[TAKEN] = f"2017:{rng.randrange(1, 13):02}:{rng.randrange(1, 29):02} {rng.randrange(24):02}:15:00"
    inner[SERIAL] = serial
    return jpeg(image, 84, exif=exif)


def stored_turned(image: Image.Image, rng: Random) -> bytes:
    """Stored a quarter turn off, with the orientation mark that turns it back on display."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    return jpeg(image.transpose(Image.Transpose.ROTATE_90), 82, exif=exif)


def cropped(image: Image.Image, rng: Random) -> bytes:
    left, top = image.width * rng.randrange(14, 24) // 100, image.height * rng.randrange(10, 24) // 100
    return jpeg(image.crop((left, top, image.width - 8, image.height - 4)))


def rotated(image: Image.Image, rng: Random) -> bytes:
    return jpeg(image.rotate(rng.choice((-21, -14, 13, 19)), Image.Resampling.BICUBIC))


def padded(image: Image.Image, rng: Random) -> bytes:
    edge = image.width // 4
    frame = Image.new("RGB", (image.width + 2 * edge, image.height + edge), (24, 22, 20))
    frame.paste(image, (edge, edge // 2))
    return jpeg(scale(frame, 80))


NEAR = (
    Variation("JPEG quality 45", "jpg", True, lambda i, r: jpeg(i, 45)),
    Variation("resized to 70 %", "jpg", True, lambda i, r: jpeg(scale(i, 70))),
    Variation("gamma 0.8", "jpg", True, lambda i, r: jpeg(gamma(i, 80), 76)),
    Variation("WebP quality 55", "webp", True, lambda i, r: save(i, "WEBP", quality=55)),
    Variation("blurred", "jpg", True, lambda i, r: jpeg(i.filter(ImageFilter.GaussianBlur(1)))),
    Variation("stored turned, EXIF orientation 6", "jpg", True, stored_turned),
    Variation("with camera EXIF", "jpeg", True, with_camera),
    Variation("gamma 1.25", "jpg", True, lambda i, r: jpeg(gamma(i, 125), 76)),
    Variation("resized to 50 %", "jpg", True, lambda i, r: jpeg(scale(i, 50), 88)),
    Variation("in greys", "jpg", True, lambda i, r: jpeg(i.convert("L"), 78)),
    Variation("more contrast", "JPG", True, lambda i, r: jpeg(ImageEnhance.Contrast(i).enhance(1.2), 74)),
    Variation("JPEG quality 62, progressive", "jpg", True, lambda i, r: jpeg(i, 62, progressive=True)),
)
FAR = (
    Variation("cropped", "jpg", False, cropped),
    Variation("rotated", "jpg", False, rotated),
    Variation("padded", "jpg", False, padded),
    Variation("mirrored", "jpg", False, lambda i, r: jpeg(i.transpose(Image.Transpose.FLIP_LEFT_RIGHT))),
)
ODD: Mapping[str, Variation] = {
    v.suffix + " " + v.name: v
    for v in (
        Variation("in CMYK", "jpg", True, lambda i, r: jpeg(i.convert("CMYK"), 70)),
        Variation("with a palette", "png", True, lambda i, r: save(scale(i, 60).quantize(64), "PNG", optimize=True)),
        Variation("in full", "png", True, lambda i, r: save(scale(i, 50), "PNG", optimize=True)),
        Variation(
            "with transparency", "png", True, lambda i, r: save(_seen_through(scale(i, 45)), "PNG", optimize=True)
        ),
        Variation("as GIF", "gif", True, lambda i, r: save(scale(i, 55).quantize(128), "GIF")),
        Variation("as bitmap", "bmp", True, lambda i, r: save(scale(i, 42), "BMP")),
        Variation("as TIFF", "tif", True, lambda i, r: save(scale(i, 45), "TIFF", compression="tiff_lzw")),
    )
}


def _seen_through(image: Image.Image) -> Image.Image:
    copy = image.convert("RGBA")
    copy.putalpha(255)
    return copy

"""A picture's size, hash, camera and time."""

import warnings
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from casewright.kernels.pdq import NoPicture, pdq_of_image
from casewright.model.errors import DECODERS_RAISE

CAMERA = (0x010F, 0x0110)  # make, model
SERIAL, TAKEN = 0xA431, 0x9003
SUB_IFD = 0x8769


class Undecodable(Exception):  # noqa: N818  data, not a defect
    """A medium that can't be decoded; `reason` is a short code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    pdq: str
    quality: int
    camera: str | None
    taken_at: str | None


def read_picture(file: BinaryIO, most_pixels: int) -> Picture:
    """Decode the first frame. Raises Undecodable; never returns a hash of half a picture."""
    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, checked below, so that Pillow need not warn
    try:
        with warnings.catch_warnings(), Image.open(file) as picture:
            warnings.simplefilter("ignore")  # what Pillow thinks of odd metadata changes nothing here
            if picture.width * picture.height > most_pixels:
                raise Undecodable("too large", f"{picture.width}×{picture.height} pixels")
            exif = picture.getexif()
            turned = exif.get(0x0112, 1) in (5, 6, 7, 8)
            picture.load()
            found, quality = pdq_of_image(picture)
            size = picture.size[::-1] if turned else picture.size
            return Picture(*size, found, quality, _camera(exif), _text(exif.get_ifd(SUB_IFD).get(TAKEN)))
    except UnidentifiedImageError as error:
        raise Undecodable("undecodable", "begins like a picture, but is none") from error
    except NoPicture as error:
        raise Undecodable("too small", str(error)) from error
    except DECODERS_RAISE as error:
        cut = "truncated" in str(error) or "end of file" in str(error).lower()
        raise Undecodable(
            "truncated" if cut else "undecodable", f"{type(error).__name__}: {str(error)[:200]}"
        ) from error


def _camera(exif: Any) -> str | None:
    parts = [_text(exif.get(tag)) for tag in CAMERA] + [_text(exif.get_ifd(SUB_IFD).get(SERIAL))]
    return " ".join(p for p in parts if p) or None


def _text(value: Any) -> str | None:
    """EXIF text as it stands, without the zero bytes that end it."""
    if value is None:
        return None
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text.split("\0")[0].strip()[:200] or None

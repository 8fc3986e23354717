"""A picture's size, hash, camera and time."""

import io
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from casewright.kernels.pdq import NoPicture, Pdq, Pixels
from casewright.kernels.pixels import ORIENTATION, TURNS, pixels_of
from casewright.media.raws import preview_of
from casewright.model.errors import DECODERS_RAISE

CAMERA = (0x010F, 0x0110)  # make, model
SERIAL, TAKEN = 0xA431, 0x9003
SUB_IFD = 0x8769
MOST_HELD = 128 << 20
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "AVIF", "HEIF", "BMP", "DIB", "ICO", "PSD", "JPEG2000")
"""What is decoded; Pillow knows more, down to formats that start other programs."""
NOT_DECODED = {b"\0\0\0\x0cJXL ": "JPEG XL", b"\xff\x0a": "JPEG XL"}
KERNELS = ("casewright.kernels.pdq_fast", "casewright.kernels.pdq_frames", "pi_heif", "simplejpeg")
"""Slow to import: only what hashes waits for them."""


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
    damage: str | None = None
    """What the decoder passed over; the picture was decoded to its end all the same."""


Work = Callable[[Pixels, int, Any, str | None], Any]


class Room:
    """Memory for decoded pixels, used for one picture after the other: to be given new memory for each costs a sixth of
    the decoding."""

    def __init__(self) -> None:
        self._held = np.empty(0, np.uint8)

    def of(self, size: int) -> Pixels:
        """Room for so many bytes; what stands in it is of earlier pictures."""
        if size > MOST_HELD:
            return np.empty(size, np.uint8)
        if size > self._held.size:
            self._held = np.empty(size, np.uint8)
        return self._held


def read_picture(file: BinaryIO, most_pixels: int, room: Room | None = None) -> Picture:
    """Decode the first frame; of a camera's raw file the largest preview. Raises Undecodable; never returns a hash of
    half a picture."""
    found: Picture = with_pixels(file, most_pixels, room, _picture)
    return found


def with_pixels(file: BinaryIO, most_pixels: int, room: Room | None, work: Work) -> Any:
    """What `work` makes of the decoded pixels as stored, of the orientation in which they are seen, of the EXIF tags
    and of what the decoder passed over. The next picture may overwrite the pixels. Raises Undecodable."""
    head = file.read(8)
    for mark, name in NOT_DECODED.items():
        if head.startswith(mark):
            raise Undecodable("unsupported", f"{name} is not decoded")
    preview = preview_of(file)
    if preview is None:
        file.seek(0)
        return _decoded(file, most_pixels, room or Room(), work)
    jpeg, orientation = preview
    if not jpeg:
        raise Undecodable("no preview", "a camera's raw file that holds no JPEG preview")
    return _decoded(io.BytesIO(jpeg), most_pixels, room or Room(), work, orientation)


def _decoded(file: BinaryIO, most_pixels: int, room: Room, work: Work, orientation: int = 1) -> Any:
    """`orientation` counts where the file itself does not say how it is to be turned."""
    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, checked below, so that Pillow need not warn
    know_heif()
    try:
        # what Pillow thinks of odd metadata changes nothing here
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > most_pixels:
                raise Undecodable("too large", f"{picture.width}×{picture.height} pixels")
            pixels, damage = _pixels(file, picture, room)
            exif = picture.getexif()  # after decoding: some formats turn the picture themselves, and then say so
            return work(pixels, exif.get(ORIENTATION, orientation), exif, damage)
    except UnidentifiedImageError as error:
        raise Undecodable("undecodable", "begins like a picture, but is none") from error
    except NoPicture as error:
        raise Undecodable("too small", str(error)) from error
    except DECODERS_RAISE as error:
        cut = "truncated" in str(error) or "end of file" in str(error).lower()
        raise Undecodable(
            "truncated" if cut else "undecodable", f"{type(error).__name__}: {str(error)[:200]}"
        ) from error


def _picture(pixels: Pixels, orientation: int, exif: Any, damage: str | None) -> Picture:
    found = _hashed(pixels, orientation)
    height, width = pixels.shape[:2]
    size = (height, width) if TURNS.get(orientation, (False,))[0] else (width, height)
    taken = _text(exif.get_ifd(SUB_IFD).get(TAKEN))
    return Picture(*size, found.hash, found.quality, _camera(exif), taken, damage)


def _hashed(pixels: Pixels, orientation: int) -> Pdq:
    from casewright.kernels.pdq_fast import pdq_of_pixels  # noqa: PLC0415

    return pdq_of_pixels(pixels, orientation)


def _pixels(file: BinaryIO, picture: Image.Image, room: Room) -> tuple[Pixels, str | None]:
    """The decoded pixels, and what was passed over. Most JPEGs are decoded by libjpeg-turbo itself: to the pixels that
    Pillow gives, in a third of its time, and not in silence over damage."""
    damage = None
    if picture.format in ("JPEG", "MPO") and picture.mode in ("L", "RGB"):
        import simplejpeg  # noqa: PLC0415

        grey = picture.mode == "L"
        held = room.of(picture.width * picture.height * (1 if grey else 3))
        file.seek(0)
        try:
            pixels = simplejpeg.decode_jpeg(file.read(), "GRAY" if grey else "RGB", buffer=held, strict=True)
            if pixels.shape[1::-1] == picture.size:
                return (pixels[..., 0] if grey else pixels), None
        except ValueError as error:  # whatever it finds odd: Pillow says whether it is a picture
            file.seek(0)
            damage = str(error)[:200]
    picture.load()
    return pixels_of(picture), damage


@cache
def know_heif() -> None:
    import pi_heif  # noqa: PLC0415

    pi_heif.register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)


def _camera(exif: Any) -> str | None:
    parts = [_text(exif.get(tag)) for tag in CAMERA] + [_text(exif.get_ifd(SUB_IFD).get(SERIAL))]
    return " ".join(p for p in parts if p) or None


def _text(value: Any) -> str | None:
    """EXIF text as it stands, without the zero bytes that end it."""
    if value is None:
        return None
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text.split("\0")[0].strip()[:200] or None

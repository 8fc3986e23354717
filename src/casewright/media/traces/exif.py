"""What EXIF and XMP say of the camera, its serial number, the program and the place.

Sources: CIPA DC-008 (Exif 2.32); Adobe, "Digital Negative (DNG) Specification 1.7.1.0" (CameraSerialNumber); Adobe,
"XMP Specification Part 2" (2022) and the schema `aux`, in which Adobe's programs write serial numbers.
"""

import re
import warnings
from math import isfinite
from typing import Any

from PIL import Image

from casewright.media.trace import CAMERA, ENCODER, LENS, POSITION, SERIAL, Odd, Trace, text_of
from casewright.model.errors import DECODERS_RAISE

MAKE, MODEL, SOFTWARE, EXIF, GPS = 0x010F, 0x0110, 0x0131, 0x8769, 0x8825
BODY_SERIAL, LENS_SERIAL, DNG_SERIAL = 0xA431, 0xA435, 0xC62F
XMP = {
    b"SerialNumber": SERIAL, b"BodySerialNumber": SERIAL, b"LensSerialNumber": LENS, b"CreatorTool": ENCODER,
}  # fmt: skip
SAID = re.compile(
    rb"(?<![/\w])(?:aux|exif|exifEX|xmp):(SerialNumber|BodySerialNumber|LensSerialNumber|CreatorTool)"
    rb"(?:\s{0,9}=\s{0,9}[\"']([^\"'<>]{1,200})[\"']|>([^<>]{1,200})</)"
)
"""As an attribute or as an element."""


def read_exif(raw: bytes, start: int | None, found: list[Trace]) -> None:
    """An EXIF block as JPEG, PNG and WebP hold it. Raises Odd."""
    exif = Image.Exif()
    try:
        with warnings.catch_warnings(action="ignore"):  # Pillow warns of a block that is cut, and gives what stands
            exif.load(raw if raw.startswith(b"Exif\0\0") else b"Exif\0\0" + raw)
            add_exif(exif, start, len(raw), found)
    except DECODERS_RAISE as error:
        raise Odd(f"EXIF that makes no sense: {str(error)[:100]}") from error


def add_exif(exif: Image.Exif, start: int | None, length: int | None, found: list[Trace]) -> None:
    inner = exif.get_ifd(EXIF)
    camera = " ".join(filter(None, (_text(exif.get(MAKE)), _text(exif.get(MODEL)))))
    said = (
        (CAMERA, camera), (SERIAL, _text(inner.get(BODY_SERIAL)) or _text(exif.get(DNG_SERIAL))),
        (LENS, _text(inner.get(LENS_SERIAL))), (ENCODER, _text(exif.get(SOFTWARE))),
        (POSITION, _place(exif.get_ifd(GPS))),
    )  # fmt: skip
    found += [Trace(kind, value, start, length) for kind, value in said if value]


def read_xmp(raw: bytes, start: int | None, found: list[Trace]) -> None:
    for name, one, other in SAID.findall(raw):
        found.append(Trace(XMP[name], text_of(one or other), start, len(raw)))


def _text(value: Any) -> str:
    return (
        "" if value is None else text_of(value if isinstance(value, bytes) else str(value).encode("utf-8", "replace"))
    )


def _place(gps: Any) -> str:
    """Degrees, minutes and seconds as they stand, with the letter of the side; empty where they are no numbers."""
    parts = []
    for side, degrees in ((1, 2), (3, 4)):
        values = gps.get(degrees)
        if not isinstance(values, tuple) or not values or not all(isfinite(v) for v in values):
            return ""
        parts.append(f"{' '.join(f'{float(v):g}' for v in values[:3])} {_text(gps.get(side))}".strip())
    return ", ".join(parts)

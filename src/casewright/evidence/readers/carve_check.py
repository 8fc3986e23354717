"""Whether carved bytes decode: a picture by Pillow, a video's frames by PyAV; and where what is cut short may end.

A format's structure alone proves nothing. libjpeg passes over damage in silence, so a JPEG that Pillow decodes is
decoded by FFmpeg once more, which does not: one whose second half belongs to another picture is not whole.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

import av
import numpy as np
from PIL import (
    AvifImagePlugin,  # noqa: F401  plugins are loaded now: later no file is opened
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageFile,
    JpegImagePlugin,  # noqa: F401
    MpoImagePlugin,  # noqa: F401
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from casewright.evidence.readers.carve_shapes import PIECE, Shape, View
from casewright.evidence.readers.disks import DiskFile, Slice
from casewright.model.errors import DECODERS_RAISE

MOST_PIXELS = 300_000_000
MOST_PACKETS = 512
"""Packets of a video that are tried for one frame."""
FEWEST_ROWS, FEWEST_BYTES = 17, 64
"""What must stand of a picture that was cut short: rows (JPEG writes 16 at a time: so the first 16 are all there), and
bytes of its body."""
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/webp": "WEBP", "image/bmp": "BMP",
           "image/tiff": "TIFF", "image/avif": "AVIF"}  # fmt: skip
CONTAINERS = {"video/x-msvideo": "avi", "video/x-matroska": "matroska", "video/webm": "matroska"}
CUTTABLE = ("image/jpeg", "image/png", "image/gif", "image/bmp")
"""Pictures whose upper (or lower) part decodes without the rest."""

Finding = Literal["whole", "cut", "none", "too large"]


@dataclass(frozen=True)
class Verdict:
    """`pixels` were decoded for it: a measure of the work."""

    finding: Finding
    pixels: int = 0


class _TooLarge(Exception):  # noqa: N818  data, not a defect
    """More pixels than are decoded."""


REFUSALS = (*DECODERS_RAISE, MemoryError, Image.DecompressionBombError)


def check(view: View, at: int, shape: Shape) -> Verdict:
    """Decode what stands at this byte of the disk, as far as its shape reaches."""
    if shape.mime.startswith("video/") or shape.mime == "image/heic":
        return _video(view, at, shape)
    raw = view.read(at, shape.length)
    if shape.whole and len(raw) == shape.length:
        verdict = _whole_picture(raw, shape.mime)
        if verdict.finding != "none":
            return verdict
    if shape.mime in CUTTABLE and len(raw) >= shape.body + FEWEST_BYTES:
        return _cut_picture(raw, shape.mime)
    return Verdict("none")


@contextmanager
def _opened(raw: bytes, mime: str, tolerant: bool) -> Iterator[Image.Image]:
    """A picture that is not decoded yet. Pillow's settings, which hold for the whole process, are put back after it."""
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = None, tolerant  # the limit is ours, checked below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(raw), formats=(FORMATS[mime],)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise _TooLarge
                yield picture
    finally:
        Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = before


def _whole_picture(raw: bytes, mime: str) -> Verdict:
    pixels = 0
    try:
        with _opened(raw, mime, tolerant=False) as picture:
            pixels = _decode_frames(picture, mime)
    except _TooLarge:
        return Verdict("too large")
    except REFUSALS:
        return Verdict("none", pixels)
    if mime == "image/jpeg" and _is_damaged(raw):
        return Verdict("cut", 2 * pixels)
    return Verdict("whole", pixels)


def _decode_frames(picture: Image.Image, mime: str) -> int:
    """Decodes every frame of what moves, as long as they are not more pixels than one picture may have."""
    picture.load()
    size = pixels = picture.width * picture.height
    if mime in ("image/gif", "image/webp"):
        for number in range(1, getattr(picture, "n_frames", 1)):
            if pixels + size > MOST_PIXELS:
                break
            picture.seek(number)
            picture.load()
            pixels += size
    return pixels


def _is_damaged(raw: bytes) -> bool:
    """Whether FFmpeg meets damage in a JPEG. What it has no decoder for is not damage."""
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode"}
    decoder.thread_count = 1
    try:
        decoder.decode(av.Packet(raw))
    except av.InvalidDataError:
        return True
    except (av.FFmpegError, ValueError, MemoryError):
        return False
    return False


def _cut_picture(raw: bytes, mime: str) -> Verdict:
    """`cut` if some rows of the picture can be seen."""
    pixels = 0
    try:
        with _opened(raw, mime, tolerant=True) as picture:
            pixels = picture.width * picture.height
            picture.load()
            rows = _rows_that_stand(picture)
            needed = min(FEWEST_ROWS, picture.height)
    except _TooLarge:
        return Verdict("too large")
    except REFUSALS:
        return Verdict("none", pixels)
    return Verdict("cut" if rows >= needed else "none", pixels)


def _rows_that_stand(picture: Image.Image) -> int:
    """Rows before the part that is one colour: decoders fill with it what is missing."""
    width, height = picture.size
    low, high = 0, height  # the part below `high` is one colour, that below `low` is not
    while low < high:
        middle = (low + high) // 2
        if _is_one_colour(picture.crop((0, middle, width, height))):
            high = middle
        else:
            low = middle + 1
    return low


def _is_one_colour(part: Image.Image) -> bool:
    extrema = part.getextrema()
    pairs = cast("tuple[tuple[float, float], ...]", extrema if isinstance(extrema[0], tuple) else (extrema,))
    return all(least == most for least, most in pairs)


def _video(view: View, at: int, shape: Shape) -> Verdict:
    """`whole` if frames decode at its beginning, in its middle and near its end; `cut` if only the first does."""
    file = cast(BinaryIO, DiskFile(Slice(view.disk, at, shape.length)))
    frames = 0
    try:
        with av.open(file, format=CONTAINERS.get(shape.mime, "mov"), metadata_errors="replace") as container:
            if not container.streams.video:
                return Verdict("none")
            stream = container.streams.video[0]
            if stream.codec_context is None:  # a codec that nobody knows: its streams have no width
                return Verdict("none")
            pixels = stream.width * stream.height
            if pixels > MOST_PIXELS:
                return Verdict("too large")
            stream.thread_count = 1
            stream.codec_context.options = {"err_detect": "explode"}
            duration = container.duration or 0
            for part in (0, 2, 4) if duration > 0 and shape.whole else (0,):
                if part:
                    container.seek(duration * part // 5 + (container.start_time or 0))
                if not _decodes_a_frame(container, stream):
                    break
                frames += 1
            else:
                return Verdict("whole" if shape.whole else "cut", frames * pixels)
    except (av.FFmpegError, *REFUSALS):
        return Verdict("cut" if frames else "none")
    return Verdict("cut" if frames else "none", frames * pixels)


def _decodes_a_frame(container: av.container.InputContainer, stream: av.VideoStream) -> bool:
    for number, packet in enumerate(container.demux(stream)):
        if packet.decode():
            return True
        if number >= MOST_PACKETS:
            break
    return False


SECTOR = 512
LONG = 4096
"""Zeros in a row that no longer belong to a picture."""
TEXT = np.zeros(256, bool)
TEXT[[9, 10, 13, *range(0x20, 0x7F)]] = True


def plausible_end(view: View, at: int, shape: Shape) -> int:
    """The byte behind what may be the picture's data. A sector of text and a long run of zeros end compressed data;
    pixels that are stored as they are may be anything."""
    start, end = at + shape.body, at + shape.length
    if shape.mime == "image/bmp":
        return end
    place = start
    while place < end:
        piece = view.read(place, min(PIECE - place % SECTOR, end - place))
        ends = [found for found in (piece.find(bytes(LONG)), _first_text(piece, place)) if found >= 0]
        if ends or not piece:
            end = place + min(ends, default=0)
            break
        place += len(piece)
    return without_zeros(view, start, end)


def _first_text(piece: bytes, place: int) -> int:
    """Where the first whole sector of text begins; -1 if there is none."""
    skip = -place % SECTOR
    sectors = max(0, (len(piece) - skip) // SECTOR)
    if not sectors:
        return -1
    raw = np.frombuffer(piece, np.uint8, sectors * SECTOR, skip).reshape(sectors, SECTOR)
    likely = np.flatnonzero(TEXT[raw[:, 0]] & TEXT[raw[:, -1]])
    found = likely[TEXT[raw[likely]].all(axis=1)]
    return skip + int(found[0]) * SECTOR if len(found) else -1


def without_zeros(view: View, start: int, end: int) -> int:
    """The end, without the zeros right before it; not before `start`."""
    while end > start:
        piece = view.read(max(start, end - LONG), min(LONG, end - start))
        end -= len(piece) - len(piece.rstrip(b"\0"))
        if not piece or piece.rstrip(b"\0"):
            break
    return end

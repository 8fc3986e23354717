"""The stage that reads what media tell of the device and the programs that they come from. No pixel is decoded."""

import io
import warnings
from typing import Any, BinaryIO

import pyarrow as pa
from PIL import Image, UnidentifiedImageError

from casewright.engine.stage import Context, Output, SetAside, Tally
from casewright.media.pictures import FORMATS, know_heif
from casewright.media.raws import preview_of
from casewright.media.trace import Odd, Reader, Trace
from casewright.media.traces.boxes import read_boxes
from casewright.media.traces.chunks import read_png, read_riff
from casewright.media.traces.exif import add_exif
from casewright.media.traces.jpeg import read_jpeg
from casewright.media.traces.matroska import read_matroska
from casewright.model.errors import DECODERS_RAISE
from casewright.model.ids import make_id
from casewright.model.tables import TABLES

READERS: tuple[tuple[int, bytes, Reader], ...] = (
    (0, b"\xff\xd8\xff", read_jpeg), (0, b"\x89PNG\r\n\x1a\n", read_png), (0, b"RIFF", read_riff),
    (0, b"\x1a\x45\xdf\xa3", read_matroska), (4, b"ftyp", read_boxes), (4, b"moov", read_boxes),
    (4, b"mdat", read_boxes), (4, b"wide", read_boxes), (4, b"free", read_boxes),
)  # fmt: skip
"""Where a form says what it is, and who reads it."""
BY_PILLOW = (b"II*\0", b"MM\0*")
HEIF = (b"heic", b"heix", b"heif", b"mif1", b"msf1", b"avif", b"avis")
SINGLE = ("camera", "serial", "lens serial", "position")
"""Said once for a file, by whoever says it first."""


def traces(batch: pa.Table, context: Context) -> Output:
    """What the media of the batch tell; the same bytes are read once."""
    rows: list[dict[str, Any]] = []
    aside: list[SetAside] = []
    known: dict[str, tuple[list[Trace], str | None]] = {}
    for item in batch.to_pylist():
        if item["sha256"] not in known:
            with context.open(item["sha256"]) as file:
                known[item["sha256"]] = read_traces(file)
        found, odd = known[item["sha256"]]
        rows += [_row(item["item"], trace, number) for number, trace in enumerate(found)]
        if odd:
            aside.append(SetAside("damaged headers", item["item"], "damaged", f"{item['name']}: {odd}"))
    told = len({row["item"] for row in rows})
    tallies = [Tally("media", batch.num_rows, told, batch.num_rows - told), Tally("damaged headers", len(aside), 0)]
    return Output({"media_traces": TABLES["media_traces"].rows(rows)}, aside, tallies)


def read_traces(file: BinaryIO) -> tuple[list[Trace], str | None]:
    """What a file tells, and what of it makes no sense."""
    head, odd = file.read(16), None
    found: list[Trace] = []
    reader = next((read for at, mark, read in READERS if head[at:].startswith(mark)), None)
    try:
        if reader:
            reader(file, found)
        if head.startswith(BY_PILLOW) or head[8:12] in HEIF:
            _by_pillow(file, found)
        elif preview := preview_of(file):
            _exif_of(preview[0], found)
    except Odd as error:
        odd = str(error)
    return _once(found), odd


def _exif_of(jpeg: bytes, found: list[Trace]) -> None:
    """EXIF of the preview of a raw file that is no TIFF; of its layout nothing, which is the preview's own."""
    inner: list[Trace] = []
    if jpeg:
        read_jpeg(io.BytesIO(jpeg), inner)
    found += [Trace(t.kind, t.value) for t in inner if t.kind in SINGLE]


def _by_pillow(file: BinaryIO, found: list[Trace]) -> None:
    Image.MAX_IMAGE_PIXELS = None  # none is decoded, however many the header claims
    know_heif()
    file.seek(0)
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(file, formats=FORMATS) as picture:
            add_exif(picture.getexif(), None, None, found)
    except (UnidentifiedImageError, *DECODERS_RAISE) as error:
        raise Odd(f"no picture whose EXIF can be read: {str(error)[:100]}") from error


def _once(found: list[Trace]) -> list[Trace]:
    kept: dict[tuple[str, str], Trace] = {}
    for trace in found:
        kept.setdefault((trace.kind, "" if trace.kind in SINGLE else trace.value), trace)
    return list(kept.values())


def _row(item: str, trace: Trace, number: int) -> dict[str, Any]:
    return {"id": make_id("trace", item, trace.kind, trace.value, number), "item": item, "kind": trace.kind,
            "value": trace.value, "span_start": trace.start, "span_length": trace.length}  # fmt: skip

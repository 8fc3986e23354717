"""A medium as a reviewer may see it: one still, small, blurred and grey unless they ask for more, encoded anew.

The original bytes are decoded in a confined child and go no further; what comes out is a fresh JPEG without metadata. A
film has no sound and does not move: it is shown as single frames.
"""

import io
from typing import Any

import numpy as np
import pyarrow as pa
from PIL import Image, ImageFilter

from casewright.engine.stage import Context, Output
from casewright.kernels.pixels import upright
from casewright.media.pictures import Undecodable, with_pixels
from casewright.media.streams import Decoder, opened

BLUR = 0.04
"""Radius of the blur, as a share of the longer side."""
QUALITY = 80


def preview(batch: pa.Table, context: Context) -> Output:
    """One row: `jpeg`, or `problem` where nothing can be shown. `batch`: one row of sha256, kind, side, blur, grey and
    second; `params`: picture_pixels."""
    (asked,) = batch.to_pylist()
    most = context.params["picture_pixels"]
    try:
        with context.open(asked["sha256"]) as file:
            still = _frame(file, asked["second"], most) if asked["kind"] == "video" else _picture(file, most)
        jpeg, problem = _encoded(still, asked["side"], asked["blur"], asked["grey"]), None
    except Undecodable as error:
        jpeg, problem = None, f"{error.reason}: {error}"
    schema = pa.schema([("jpeg", pa.binary()), ("problem", pa.string())])
    return Output({"preview": pa.Table.from_pylist([{"jpeg": jpeg, "problem": problem}], schema)})


def _picture(file: Any, most: int) -> Image.Image:
    return with_pixels(file, most, None, lambda pixels, turn, exif, damage: _image(upright(pixels, turn)))  # type: ignore[no-any-return]


def _image(pixels: Any) -> Image.Image:
    """A copy: the next picture may overwrite the pixels."""
    return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB")


def _frame(file: Any, second: float, most: int) -> Image.Image:
    """The first whole frame from this second on, or the last before the end."""
    with opened(file, most) as (container, stream, video):
        decoder = Decoder(stream, most)
        container.seek(int(second / stream.time_base), stream=stream)
        last = (video.seconds or 0.0) - 1
        for frame in decoder.frames(container.demux(stream)):
            if frame.time is None or frame.time >= second or frame.time >= last:
                return frame.to_image().rotate(frame.rotation, expand=True)  # type: ignore[no-any-return]
    raise Undecodable("undecodable", "no frame can be decoded there")


def _encoded(still: Image.Image, side: int, blur: bool, grey: bool) -> bytes:
    still.thumbnail((side, side))
    if blur:
        still = still.filter(ImageFilter.GaussianBlur(max(still.size) * BLUR))
    if grey:
        still = still.convert("L")
    sink = io.BytesIO()
    still.save(sink, "JPEG", quality=QUALITY)
    return sink.getvalue()

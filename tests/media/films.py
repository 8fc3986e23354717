"""Harmless films for tests: scenes that move slowly, in whatever form, at whatever rate."""

import io
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from tests.kernels.test_pdq import scene

Picture = NDArray[np.uint8]
THOUSANDTH = Fraction(1, 1000)


def pan(count: int, width: int = 160, height: int = 120, step: float = 2) -> list[Picture]:
    """A scene along which the camera moves, `step` pixels a picture."""
    wide = np.asarray(scene(int(count * step) + width + 1, height))
    return [np.ascontiguousarray(wide[:, int(n * step) : int(n * step) + width]) for n in range(count)]


def encoded(
    pictures: Sequence[Picture], form: str = "mp4", codec: str = "mpeg4", rate: int = 10, pixels: str = "yuv420p",
    stamps: Sequence[int] = (), options: Mapping[str, str] | None = None, **colours: int,
) -> bytes:  # fmt: skip
    """The pictures as a film, each shown at its stamp in thousandths of a second, or at the rate."""
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as container:
        stream: Any = container.add_stream(codec, rate=rate, options=dict(options or {}))
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        for name, value in colours.items():
            setattr(stream.codec_context, name, value)
        if stamps:
            stream.codec_context.time_base = THOUSANDTH
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            if stamps:
                frame.pts, frame.time_base = stamps[number], THOUSANDTH
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return sink.getvalue()


def film(seconds: int = 3, rate: int = 10) -> bytes:
    """Scenes that move slowly, as MPEG-4."""
    return encoded(pan(seconds * rate, step=0.5), rate=rate)


def repacked(raw: bytes, form: str, keyframes: bool = True, rotated: int = 0) -> bytes:
    """The same encoded pictures in another container, which knows of no keyframes if it is to know of none."""
    sink = io.BytesIO()
    with av.open(io.BytesIO(raw)) as source, av.open(sink, "w", format=form) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        if rotated:
            stream.set_display_rotation(rotated)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.is_keyframe = packet.is_keyframe and keyframes
                packet.stream = stream
                target.mux(packet)
    return sink.getvalue()

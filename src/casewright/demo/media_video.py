"""Short videos: a slow walk of the camera over a picture, encoded by PyAV.

Frame times are stated in milliseconds. The same frames give the same bytes with the same PyAV build: one thread,
no dates, no random numbers in the container.
"""

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from PIL import Image

Frames = Sequence[tuple[int, Image.Image]]
SIZE = (192, 144)
PLAIN = (
    "threads=1:lookahead-threads=1:sync-lookahead=0:rc-lookahead=0:mbtree=0:bframes=0:b-adapt=0:weightp=0:scenecut=0"
)
"""Without looking ahead: with it, the same frames gave different bytes from run to run (PyAV 18.1, measured)."""


def walk(image: Image.Image, seconds: int, per_second: int = 10, closer: int = 0) -> Frames:
    """A view of half the picture, drifting from its upper left to its lower right, drawing `closer` percent nearer."""
    count, frames = seconds * per_second, []
    for n in range(count):
        share = 60 - closer * n // count
        wide, high = image.width * share // 100, image.height * share // 100
        left, top = (image.width - wide) * n // count, (image.height - high) * n // count
        view = image.crop((left, top, left + wide, top + high)).resize(SIZE, Image.Resampling.BICUBIC)
        frames.append((n * 1000 // per_second, view))
    return frames


def unsteady(frames: Frames) -> Frames:
    """The same film with most frames of its first half gone, those on whole seconds kept: a variable frame rate."""
    return [(at, image) for n, (at, image) in enumerate(frames) if at % 1000 == 0 or n % 3 == 1 or n > len(frames) // 2]


def joined(*parts: Frames) -> Frames:
    """One film after another."""
    film: list[tuple[int, Image.Image]] = []
    start = 0
    for part in parts:
        film += [(start + at, image) for at, image in part]
        start = film[-1][0] + 100
    return film


def encode(frames: Frames, form: str = "mp4", crf: int = 30, size: tuple[int, int] = SIZE, front: bool = True) -> bytes:
    """An H.264 MP4 (its index in `front` or at the end) or a VP8 WebM."""
    options = {"fflags": "+bitexact"} | ({"movflags": "+faststart"} if form == "mp4" and front else {})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film"  # moving the index to the front needs a file that can be opened twice
        _write(path, frames, form, crf, size, options)
        return path.read_bytes()


def _write(path: Path, frames: Frames, form: str, crf: int, size: tuple[int, int], options: dict[str, str]) -> None:
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream("libx264" if form == "mp4" else "libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.options = (
            {"crf": str(crf), "preset": "slow", "g": "40", "x264-params": PLAIN}
            if form == "mp4"
            else {"crf": str(crf), "b:v": "150k", "threads": "1"}
        )
        for packet in _packets(stream, frames, size):
            container.mux(packet)


def _packets(stream: Any, frames: Frames, size: tuple[int, int]) -> Iterator[Any]:
    for at, image in frames:
        frame = av.VideoFrame.from_image(image.resize(size, Image.Resampling.BICUBIC) if image.size != size else image)
        frame.pts, frame.time_base = at, Fraction(1, 1000)
        yield from stream.encode(frame)
    yield from stream.encode(None)


def each_second(content: bytes) -> list[Image.Image]:
    """The first frame at or after each whole second from the first frame, by presentation time stamp."""
    chosen: list[Image.Image] = []
    with av.open(io.BytesIO(content)) as container:
        frames = sorted(container.decode(video=0), key=lambda f: float(f.time))
        for frame in frames:
            if frame.time - frames[0].time >= len(chosen):
                chosen.append(frame.to_image())
    return chosen

"""The video stream of a file, and its frames: opened, decoded and hashed, whatever state the file is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import av
import numpy as np
from av.stream import Discard, Disposition
from av.video.reformatter import Colorspace, Interpolation

from casewright.media.pictures import Undecodable

AS_VPDQ = {"format": "rgb24", "interpolation": Interpolation.AREA | Interpolation.ACCURATE_RND, "threads": 1,
           "src_colorspace": Colorspace.ITU601, "dst_colorspace": Colorspace.ITU601}  # fmt: skip
BRIGHT = ("yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "yuv411p", "nv12", "gray")
"""Forms of pixels whose first plane is a byte of brightness each."""
DAMAGED = (av.FFmpegError, ValueError, OSError, OverflowError, ZeroDivisionError)
Frame = tuple[float, str, int]
"""Second, PDQ, quality."""


@dataclass
class Video:
    """`width` and `height` as it is seen; frames are hashed as they are stored."""

    width: int
    height: int
    seconds: float | None
    frames: list[Frame] = field(default_factory=list)
    between: list[Frame] = field(default_factory=list)
    """Frames between them, where the picture moves; hashed by their brightness only."""
    damage: list[str] = field(default_factory=list)
    """What was odd or ended the decoding early, in words; the frames stand."""


@contextmanager
def opened(file: BinaryIO, most_pixels: int) -> Iterator[tuple[Any, Any, Video]]:
    """The container, its video stream, and what is known before decoding. Raises Undecodable."""
    try:
        # a file that names others gets none: they would be read outside the evidence
        container = av.open(file, mode="r", metadata_errors="replace", options={"protocol_whitelist": "none"})
    except DAMAGED as error:
        raise Undecodable("undecodable", f"no video that can be opened: {error}") from error
    with container:
        films = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
        if not films or films[0].codec_context is None:
            raise Undecodable("undecodable", "holds no video stream")
        stream = films[0]
        for other in container.streams:
            other.discard = Discard.default if other.index == stream.index else Discard.all
        if stream.width * stream.height > most_pixels:
            raise Undecodable("too large", f"{stream.width}×{stream.height} pixels")
        stream.thread_count = 1
        video = Video(stream.width, stream.height, _seconds(container, stream))
        if len(films) > 1:
            video.damage.append(f"{len(films) - 1} further video streams are not hashed")
        yield container, stream, video


class Decoder:
    """Packets to frames; what cannot be decoded is passed over and counted."""

    def __init__(self, stream: Any, most_pixels: int) -> None:
        self._context, self._most = stream.codec_context, most_pixels
        self._failed = self._corrupt = self._cut = 0
        self._why = ""
        self.rotation = 0

    def of(self, packet: Any) -> Iterator[Any]:
        if (
            packet is not None and packet.buffer_ptr and not packet.size
        ):  # the picture before it stays; to the decoder it would be the end
            return
        self._cut += packet is not None and packet.is_corrupt
        try:
            frames = self._context.decode(packet)
        except av.EOFError:  # it was emptied already
            return
        except DAMAGED as error:
            self._failed, self._why = self._failed + 1, str(error)
            return
        for frame in frames:
            if frame.width * frame.height > self._most:
                raise ValueError(f"a frame of {frame.width}×{frame.height} pixels")
            self._corrupt += frame.is_corrupt
            self.rotation = frame.rotation
            yield frame

    def frames(self, packets: Any) -> Iterator[Any]:
        for packet in packets:
            yield from self.of(packet)

    def alone(self, packet: Any) -> list[Any]:
        """The picture of a packet that needs no others."""
        found = [*self.of(packet), *self.of(None)]
        self._context.flush_buffers()
        return found[:1]

    def said(self) -> list[str]:
        words = [f"{self._failed} packets cannot be decoded: {self._why}"] if self._failed else []
        words += [f"{self._cut} packets are cut or damaged"] if self._cut else []
        return words + ([f"{self._corrupt} frames are damaged"] if self._corrupt else [])


def hashed(frame: Any) -> tuple[str, int]:
    """Hash and quality, as vPDQ has them. Raises ValueError for a frame of too few pixels."""
    from casewright.kernels.pdq_frames import pdq_of_frame  # noqa: PLC0415  slow to import: only what hashes waits

    found = pdq_of_frame(frame.reformat(**AS_VPDQ).to_ndarray())
    return found.hash, found.quality


def glanced_at(frame: Any) -> tuple[str, int]:
    """Hash and quality by brightness as it is stored, without making colours of it: some bits off, in a sixth of the
    time."""
    from casewright.kernels.pdq_frames import pdq_of_frame  # noqa: PLC0415

    if frame.format.name not in BRIGHT:
        frame = frame.reformat(format="gray", threads=1)
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: frame.height]
    found = pdq_of_frame(rows, frame.width, stretched=frame.format.name.startswith(("yuv4", "nv")))
    return found.hash, found.quality


def _seconds(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return round(float(stream.duration * stream.time_base), 6)
    return round(container.duration / av.time_base, 6) if container.duration is not None else None

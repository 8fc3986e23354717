"""A video's size and length, and the hashes of a frame every second, by presentation time stamp."""

from dataclasses import dataclass, field
from typing import Any, BinaryIO

import av

from casewright.kernels.pdq import NoPicture
from casewright.media.pictures import Undecodable

MOST_FRAMES = 100_000


@dataclass
class Video:
    width: int
    height: int
    seconds: float | None
    frames: list[tuple[float, str, int]] = field(default_factory=list)
    """(second, PDQ, quality)"""
    damage: str | None = None
    """What ended the decoding early; the frames before it stand."""


def read_video(file: BinaryIO, every: float, most_pixels: int) -> Video:
    """Hash the first frame and then the first at or after each further `every` seconds. Raises Undecodable when no
    frame at all can be decoded."""
    try:
        container = av.open(file, mode="r", metadata_errors="replace")
    except (av.FFmpegError, ValueError, OSError) as error:
        raise Undecodable("undecodable", f"no video that can be opened: {error}") from error
    with container:
        if not container.streams.video:
            raise Undecodable("undecodable", "holds no video stream")
        stream = container.streams.video[0]
        if stream.width * stream.height > most_pixels:
            raise Undecodable("too large", f"{stream.width}×{stream.height} pixels")
        stream.thread_count = 1
        video = Video(stream.width, stream.height, _seconds(container, stream))
        try:
            _hash_frames(container, stream, video, every)
        except (av.FFmpegError, ValueError, OSError) as error:
            video.damage = f"{len(video.frames)} frames were hashed, then: {error}"
    if not video.frames:
        raise Undecodable("undecodable", video.damage or "no frame can be decoded")
    return video


def _hash_frames(container: Any, stream: Any, video: Video, every: float) -> None:
    from casewright.kernels.pdq_fast import pdq_of_pixels  # noqa: PLC0415  slow to import: only what hashes waits for it

    due, first, index = 0.0, None, 0
    for frame in container.decode(stream):
        moment = float(frame.pts * frame.time_base) if frame.pts is not None else index / 25
        index += 1
        first = moment if first is None else first
        if moment - first + 1e-6 < due:
            continue
        try:
            found = pdq_of_pixels(frame.to_ndarray(format="rgb24"))
        except NoPicture as error:
            raise ValueError(str(error)) from error
        video.frames.append((round(moment - first, 6), found.hash, found.quality))
        due = (int((moment - first + 1e-6) / every) + 1) * every
        if len(video.frames) >= MOST_FRAMES:
            return


def _seconds(container: Any, stream: Any) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return round(float(stream.duration * stream.time_base), 6)
    return round(container.duration / av.time_base, 6) if container.duration is not None else None

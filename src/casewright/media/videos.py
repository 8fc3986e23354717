"""Videos: their size and length, and the hashes of their frames, as vPDQ makes them.

Source: Meta's vPDQ (ThreatExchange, `vpdq`), by what it does to the videos that it publishes hashes of: each frame of
the first video stream becomes red, green and blue by libswscale, with the coefficients of ITU-R BT.601 whatever the
stream says, rounded accurately, and is hashed at its own size, not turned. vPDQ counts frames to find a frame a second;
here the time stamps decide, so that variable frame rates do not drift.

Two passes, each over a whole video: `read_keyframes` decodes some of the pictures that need no others, for a first
verdict; `read_frames` decodes everything and hashes a frame a second.
"""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, BinaryIO

from casewright.media.moments import Clock
from casewright.media.pictures import Undecodable
from casewright.media.streams import DAMAGED, Decoder, Frame, Video, glanced_at, hashed, opened

MOST_FRAMES = 100_000
"""Hashes of one video: more than a day of it, one a second."""
MOST_KEYFRAMES = 256
SEARCHED = 10_000
"""Packets in which a first picture is looked for where none says that it is a keyframe."""
LATER = 0.25
"""Seconds by which a keyframe may be shown after its index says at least."""
MISSED = 2.0
"""Seconds missing at the end from which a video is taken to be cut."""
LOOK, MOVED = 0.1, 16
"""Between two seconds a frame is looked at that often, and kept when so many bits differ from the last one kept."""
EVERY_BEAT = 32
Alive = Callable[[], None]


def read_keyframes(file: BinaryIO, every: float, most_pixels: int) -> Video:
    """Hash keyframes, at least `every` seconds apart and spread over the video; the first picture where there is none.
    Raises Undecodable when no frame at all can be decoded."""
    with opened(file, most_pixels) as (container, stream, video):
        decoder = Decoder(stream, most_pixels)
        try:
            _hash_keyframes(container, stream, decoder, video, every)
        except DAMAGED as error:  # told by `read_frames`, which sees all of it
            video.damage.append(f"{error}")
        _turn(video, decoder.rotation)
    if video.frames:
        return video
    file.seek(0)
    with opened(file, most_pixels) as (container, stream, again):
        again.frames = _first_picture(container, stream, Decoder(stream, most_pixels), again)
    if not again.frames:
        raise Undecodable("undecodable", "; ".join([*video.damage, *again.damage]) or "no frame can be decoded")
    return again


def read_frames(
    file: BinaryIO, every: float, most_pixels: int, most_decoded: int, alive: Alive = lambda: None
) -> Video:
    """Hash the first frame and then the first at or after each further `every` seconds (all, when it is 0), and some
    between where the picture moves. Ends early, and says so, when more than `most_decoded` pixels come. Raises
    Undecodable when no frame can be decoded."""
    with opened(file, most_pixels) as (container, stream, video):
        decoder, clock, sampler = Decoder(stream, most_pixels), Clock(stream), _Sampler(video, every)
        decoded, moment, end = 0, 0.0, 0.0
        try:
            for number, frame in enumerate(decoder.frames(container.demux(stream))):
                moment, decoded = clock.of(frame), decoded + frame.width * frame.height
                end = moment + float((frame.duration or 0) * frame.time_base)
                sampler.take(moment, frame)
                if len(video.frames) >= MOST_FRAMES or decoded > most_decoded:
                    video.damage.append(f"longer than is decoded: it ends behind second {moment:.0f}")
                    break
                if number % EVERY_BEAT == 0:
                    alive()
        except DAMAGED as error:
            video.damage.append(f"{len(video.frames)} frames were hashed, then: {error}")
        if video.frames and not video.damage and end + MISSED < (video.seconds or 0):
            video.damage.append(f"ends at second {end:.0f} of the {video.seconds:.0f} that it says it has")
        video.damage += [*decoder.said(), *clock.said()]
        _turn(video, decoder.rotation)
    if not video.frames:
        raise Undecodable("undecodable", "; ".join(video.damage) or "no frame can be decoded")
    return video


class _Sampler:
    """Takes the frames that are due, and between them those that differ from the last one taken."""

    def __init__(self, video: Video, every: float) -> None:
        self._video, self._every = video, every
        self._due, self._looked, self._last = 0.0, 0.0, 0

    def take(self, moment: float, frame: Any) -> None:
        if moment + 1e-6 >= self._due:
            self._video.frames.append((moment, *hashed(frame)))
            self._due = (int((moment + 1e-6) / self._every) + 1) * self._every if self._every else moment
            self._looked, self._last = moment, int(self._video.frames[-1][1], 16)
        elif moment - self._looked >= LOOK:
            found = glanced_at(frame)
            self._looked = moment
            if (int(found[0], 16) ^ self._last).bit_count() > MOVED:
                self._video.between.append((moment, *found))
                self._last = int(found[0], 16)


def _hash_keyframes(container: Any, stream: Any, decoder: Decoder, video: Video, every: float) -> None:
    """Keyframes come as they are due. When there are too many, every second one goes, and the others come further
    apart: a video that lies about its length is sampled evenly all the same."""
    stream.codec_context.skip_frame = "NONKEY"
    start = None if stream.start_time is None else float(stream.start_time * stream.time_base)
    clock, apart, due = Clock(stream, start), max(every, (video.seconds or 0.0) / MOST_KEYFRAMES), 0.0
    for packet in _keyframes(container, stream, apart):
        moment = clock.of(packet)
        if moment + 1e-6 < due:
            continue
        due = (int((moment + 1e-6) / apart) + 1) * apart
        video.frames += [(moment, *hashed(frame)) for frame in decoder.alone(packet)]
        if len(video.frames) >= MOST_KEYFRAMES:
            video.frames, apart = video.frames[::2], apart * 2


def _keyframes(container: Any, stream: Any, apart: float) -> Iterator[Any]:
    """Packets of keyframes. Where an index has them all (MP4), only those are read that may be wanted: elsewhere the
    file is read to its end."""
    index = stream.index_entries
    if not stream.frames or len(index) != stream.frames or "mp4" not in container.format.name:
        yield from (p for p in container.demux(stream) if p.is_keyframe and p.size)
        return
    shown = max(0, (stream.start_time or 0) - index[0].timestamp)  # that much later than the index says at least
    stamps = [entry.timestamp for entry in index if entry.is_keyframe]
    due, last = None, None
    for stamp, following in pairwise([*stamps, 1 << 62]):
        if due is not None and stamp < due:
            continue
        due = stamp + int(apart / 2 / stream.time_base)
        container.seek(stamp + shown + min(int(LATER / stream.time_base), (following - stamp) // 2), stream=stream)
        packet = next((p for p in container.demux(stream) if p.is_keyframe), None)
        if packet is not None and packet.dts != last:
            yield packet
            last = packet.dts


def _first_picture(container: Any, stream: Any, decoder: Decoder, video: Video) -> list[Frame]:
    try:
        for number, packet in enumerate(container.demux(stream)):
            for frame in decoder.of(packet):
                _turn(video, frame.rotation)
                return [(0.0, *hashed(frame))]
            if number >= SEARCHED:
                break
    except DAMAGED as error:
        video.damage.append(str(error))
    video.damage += decoder.said()
    return []


def _turn(video: Video, rotation: int) -> None:
    if rotation % 180:
        video.width, video.height = video.height, video.width

"""Frames are hashed as vPDQ hashes them, one a second by their time stamps, whatever the file's state."""

import io
from contextlib import suppress
from typing import Any

import av
import numpy as np
import pytest

from casewright.kernels.pdq import distance, luma_of_frame, pdq_of_luma
from casewright.kernels.pdq_frames import pdq_of_frame
from casewright.media import videos
from casewright.media.pictures import Undecodable
from casewright.media.streams import Video
from casewright.media.videos import read_frames, read_keyframes
from tests.media.films import encoded, film, pan, repacked
from tests.world import SHARED, needs_shared

PIXELS, DECODED = 10_000_000, 10**12
X264 = {"g": "20", "x264-params": "scenecut=0:keyint=20"}


def sampled(raw: bytes, every: float = 1.0) -> Video:
    return read_frames(io.BytesIO(raw), every, PIXELS, DECODED)


def keyframes(raw: bytes, every: float = 1.0) -> Video:
    return read_keyframes(io.BytesIO(raw), every, PIXELS)


def seconds(video: Video) -> list[float]:
    return [second for second, _, _ in video.frames]


@needs_shared
@pytest.mark.parametrize("name", ["chair-19-sd-bar", "doorknob-hd-no-bar", "pattern-hd-no-bar", "pattern-sd-grey-bar"])
def test_every_frame_of_the_published_videos_has_the_published_hash(name: str) -> None:
    lines = (SHARED / "video" / f"{name}.vpdq.txt").read_text().splitlines()
    expected = [(float(s), int(q), h) for _, q, h, s in (line.split(",") for line in lines)]
    found = sampled((SHARED / "video" / f"{name}.mp4").read_bytes(), 0)
    assert len(found.frames) == len(expected)
    assert np.allclose(seconds(found), [s for s, _, _ in expected], atol=0.001)
    bits = [distance(f[1], e[2]) for f, e in zip(found.frames, expected, strict=True) if e[1] >= 50]
    assert max(bits) <= 30
    assert np.mean(bits) <= 1.5
    assert found.damage == []


def test_a_frame_is_hashed_at_its_own_size_by_the_definition() -> None:
    for width, height in ((640, 360), (161, 603), (64, 64), (33, 700)):
        (picture,) = pan(1, width, height)
        assert pdq_of_frame(picture) == pdq_of_luma(luma_of_frame(picture))


@pytest.mark.parametrize(
    ("form", "codec"),
    [("mp4", "mpeg4"), ("mp4", "libx264"), ("matroska", "libx264"), ("avi", "mpeg4"), ("mpegts", "libx264"),
     ("webm", "libvpx-vp9"), ("flv", "flv1"), ("asf", "wmv2"), ("avi", "ffv1"), ("mov", "prores_ks")],
)  # fmt: skip
def test_every_form_gives_a_frame_a_second(form: str, codec: str) -> None:
    raw = encoded(pan(35), form, codec, pixels="yuv422p10le" if codec == "prores_ks" else "yuv420p")
    assert seconds(sampled(raw)) == [0, 1, 2, 3]
    assert sampled(raw).damage == []
    assert keyframes(raw).frames[0] == sampled(raw).frames[0]


@pytest.mark.parametrize("form", ["mp4", "matroska"])
def test_where_the_rate_varies_time_stamps_say_which_frame_is_due(form: str) -> None:
    stamps = [n * n * 3 for n in range(60)]
    found = seconds(sampled(encoded(pan(60), form, "libx264", stamps=stamps)))
    due = [min(s for s in stamps if s >= 1000 * n) / 1000 for n in range(11)]
    assert found == pytest.approx(due, abs=0.002)


def test_frames_without_time_stamps_follow_each_other_at_the_rate() -> None:
    found = sampled(encoded(pan(60), "h264", "libx264", rate=25))
    assert seconds(found) == [0, 1, 2]
    assert found.damage == ["60 frames have no time stamp"]


def test_time_goes_on_where_time_stamps_start_anew() -> None:
    part = encoded(pan(30), "mpegts", "libx264")
    found = sampled(part + part)
    assert seconds(found) == pytest.approx([0, 1, 2, 3, 4, 5], abs=0.11)
    assert any("backwards" in words for words in found.damage)


def test_a_file_without_its_index_is_set_aside() -> None:
    with pytest.raises(Undecodable):
        keyframes(film(3)[:-500])
    with pytest.raises(Undecodable):
        sampled(b"")


@pytest.mark.parametrize("form", ["avi", "matroska", "mpegts"])
def test_what_stands_before_a_cut_is_hashed(form: str) -> None:
    whole = encoded(pan(60), form, "libx264", options=X264)
    found = sampled(whole[: len(whole) // 2])
    assert 2 <= len(found.frames) < 6
    assert found.frames[:-1] == sampled(whole).frames[: len(found.frames) - 1]
    assert found.damage or form == "mpegts"  # which says nowhere how long it is
    assert keyframes(whole[: len(whole) // 2]).frames[0] == keyframes(whole).frames[0]


def test_damage_in_the_middle_costs_what_it_hits_and_is_told() -> None:
    raw = bytearray(encoded(pan(60), "mpegts", "libx264", options=X264))
    middle = len(raw) // 2
    raw[middle : middle + 4000] = bytes(4000)
    found = sampled(bytes(raw))
    assert {0.0, 5.0} <= set(seconds(found))
    assert found.damage


def test_no_flipped_bytes_do_more_than_cost_frames() -> None:
    whole = encoded(pan(12, 64, 64), "matroska", "mpeg4")
    dice = np.random.default_rng(7)
    for _ in range(60):
        raw = np.frombuffer(whole, np.uint8).copy()
        raw[dice.integers(0, len(raw), 20)] = dice.integers(0, 256, 20)
        for read in (sampled, keyframes):
            with suppress(Undecodable):
                assert read(raw.tobytes()).frames


def test_a_turned_video_has_the_size_that_is_seen_and_the_hashes_that_are_stored() -> None:
    plain = encoded(pan(20))
    turned = repacked(plain, "mp4", rotated=90)
    for read in (sampled, keyframes):
        assert (read(plain).width, read(plain).height) == (160, 120)
        assert (read(turned).width, read(turned).height) == (120, 160)
        assert read(turned).frames == read(plain).frames


def test_what_a_stream_says_of_its_colours_changes_no_hash() -> None:
    """vPDQ does not look at it either."""
    plain = encoded(pan(20), "matroska", "ffv1")
    said = encoded(pan(20), "matroska", "ffv1", colorspace=1, color_primaries=1, color_trc=1)
    with av.open(io.BytesIO(said)) as container:
        assert next(container.decode(video=0)).colorspace == 1
    assert sampled(said).frames == sampled(plain).frames


def test_keyframes_have_the_hashes_of_the_same_frames_and_are_found_alike_with_and_without_index() -> None:
    raw = encoded(pan(200), codec="libx264", options=X264)
    every = {second: rest for second, *rest in sampled(raw, 0).frames}
    found = keyframes(raw)
    assert seconds(found) == pytest.approx(np.arange(0, 20, 2))
    assert all(every[second] == rest for second, *rest in found.frames)
    assert [f[1:] for f in keyframes(repacked(raw, "matroska")).frames] == [f[1:] for f in found.frames]


def test_of_many_keyframes_some_are_taken_all_over_the_video(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "MOST_KEYFRAMES", 16)
    raw = encoded(pan(1000, 64, 48, 0.5), codec="mjpeg", form="avi", pixels="yuvj420p")
    for told in (True, False):
        if not told:  # of a pipe's form, which does not say how long it is
            raw = repacked(raw, "nut")
        found = seconds(keyframes(raw))
        assert 8 <= len(found) <= 17
        assert max(np.diff(found)) <= 15
        assert found[0] < 7
        assert found[-1] > 80


def test_a_video_that_knows_of_no_keyframe_has_its_first_picture() -> None:
    raw = repacked(encoded(pan(20), "matroska", "libvpx"), "matroska", keyframes=False)
    assert seconds(keyframes(raw)) == [0]
    assert len(sampled(raw).frames) == 2


def test_a_video_beyond_the_limits_is_set_aside_or_ends_early_and_says_so() -> None:
    with pytest.raises(Undecodable) as caught:
        read_keyframes(io.BytesIO(film(1)), 1.0, 100)
    assert caught.value.reason == "too large"
    found = read_frames(io.BytesIO(film(3)), 1.0, PIXELS, 160 * 120 * 15)
    assert seconds(found) == [0, 1]
    assert found.damage == ["longer than is decoded: it ends behind second 2"]


def test_work_on_a_long_video_shows_that_it_gets_on() -> None:
    beats: list[Any] = []
    read_frames(io.BytesIO(film(10)), 1.0, PIXELS, DECODED, lambda: beats.append(1))
    assert len(beats) >= 3

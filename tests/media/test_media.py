"""Every medium is hashed or set aside with the reason; lists are used whole or not at all; new ones come first."""

import io
import struct
import zlib
from dataclasses import asdict
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from casewright.kernels.pdq import distance
from casewright.media.pictures import Undecodable, read_picture
from casewright.media.stages import STAGES, WORKLIST
from casewright.media.videos import read_video
from casewright.model.settings import LimitSettings, MediaSettings
from tests.kernels.test_pdq import scene
from tests.world import SHARED, context, digests_of, needs_shared, rows_of

PIXELS = 10_000_000
PARAMS = {**asdict(LimitSettings()), **asdict(MediaSettings())}


def encoded(picture: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    sink = io.BytesIO()
    picture.save(sink, form, **options)
    return sink.getvalue()


def bomb() -> bytes:
    """A PNG of a few bytes that says it has 60,000 × 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"x")) + chunk(b"IEND", b"")


def wiped(raw: bytes) -> bytes:
    """A picture in boxes whose content is all zeros."""
    start = raw.index(b"mdat") + 4
    return raw[:start] + bytes(len(raw) - start)


def film(seconds: int = 3, rate: int = 10) -> bytes:
    """Scenes that move slowly, as MPEG-4."""
    sink = io.BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=rate)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for n in range(seconds * rate):
            frame = np.asarray(scene(200, 120))[:, n // 2 : n // 2 + 160]
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (encoded(scene())[:-2000], "truncated"),
        (b"\xff\xd8\xff" + b"nothing", "undecodable"),
        (bomb(), "too large"),
        (encoded(Image.new("RGB", (3, 3))), "too small"),
        (b"", "undecodable"),
        (b"GIF89a" + bytes(40), "undecodable"),
        (wiped(encoded(scene(), "AVIF")), "undecodable"),
    ],
)
def test_a_picture_that_cannot_be_hashed_is_set_aside_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(Undecodable) as caught:
        read_picture(io.BytesIO(raw), PIXELS)
    assert caught.value.reason == reason


def test_size_camera_and_time_are_read_as_the_file_says() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = "Maker\0junk", "Model 3", 6
    exif.get_ifd(0x8769)[0x9003] = "2017:05:06 07:08:09"
    found = read_picture(io.BytesIO(encoded(scene(), exif=exif)), PIXELS)
    assert (found.width, found.height) == (200, 300)
    assert (found.camera, found.taken_at) == ("Maker Model 3", "2017:05:06 07:08:09")


def test_a_film_gives_a_frame_each_second() -> None:
    found = read_video(io.BytesIO(film(3)), 1.0, PIXELS)
    assert [second for second, _, _ in found.frames] == [0.0, 1.0, 2.0]
    assert found.seconds == pytest.approx(3.0)
    with pytest.raises(Undecodable):
        read_video(io.BytesIO(film(3)[:300]), 1.0, PIXELS)


@needs_shared
@pytest.mark.parametrize("name", ["doorknob-hd-no-bar", "pattern-sd-grey-bar"])
def test_frames_of_real_films_agree_with_the_published_hashes(name: str) -> None:
    lines = (SHARED / "video" / f"{name}.vpdq.txt").read_text().splitlines()
    expected = [(float(s), int(q), h) for _, q, h, s in (line.split(",") for line in lines)]
    with (SHARED / "video" / f"{name}.mp4").open("rb") as file:
        found = read_video(file, 1.0, PIXELS)
    for second, hash_, quality in found.frames:
        near = min(expected, key=lambda e: abs(e[0] - second))
        if quality >= 50 <= near[1]:
            assert distance(hash_, near[2]) <= 30, second


def run(stage: str, tables: dict[str, Any], contents: list[bytes], over: str | None = None) -> Any:
    world = context(tables, contents, PARAMS)
    chosen = next(s for s in (*STAGES, WORKLIST) if s.name == stage)
    return chosen.work(world.table(over) if over else world.table("items").slice(0, 0), world)


def test_known_near_new_and_set_aside_add_up() -> None:
    base = scene()
    contents = {
        "known": encoded(base), "near": encoded(base, quality=40), "other": encoded(scene(320, 320).rotate(31)),
        "cut": encoded(base)[:-3000],
    }  # fmt: skip
    items = [
        {"item": f"item-{n}", "name": n, "mime": "image/jpeg", "size": len(raw), "sha256": digests_of(raw).sha256,
         "sha1": digests_of(raw).sha1, "md5": digests_of(raw).md5}
        for n, raw in contents.items()
    ]  # fmt: skip
    hashed = run("media", {"items": items}, list(contents.values()), "items")
    assert [a.subject for a in hashed.set_aside] == ["item-cut"]
    media = rows_of(hashed.tables["media"])
    entry = {"entry": "entry-1", "list": "l", "md5": digests_of(contents["known"]).md5, "category": "2",
             "pdq": [next(m["pdq"] for m in media if m["item"] == "item-known")]}  # fmt: skip
    tables = {"items": items, "media": media, "list_entries": [entry]}
    matches = rows_of(run("matches", tables, []).tables["media_matches"])
    assert {(m["item"], m["method"], m["distance"]) for m in matches} >= {
        ("item-known", "md5", 0),
        ("item-known", "pdq", 0),
    }
    assert all(m["category"] == "2" for m in matches)
    work = rows_of(run("worklist", {**tables, "media_matches": matches}, []).tables["worklist"])
    assert [(w["rank"], w["item"], w["state"]) for w in work] == [
        (1, "item-other", "new"), (2, "item-near", "near"), (3, "item-known", "known"),
    ]  # fmt: skip

"""Every medium is hashed or set aside with the reason; lists are used whole or not at all; new ones come first."""

import io
import struct
import zlib
from dataclasses import asdict
from typing import Any

import pytest
from PIL import Image

from casewright.media.pictures import Undecodable, read_picture
from casewright.media.stages import STAGES, WORKLIST
from casewright.model.settings import LimitSettings, MediaSettings
from tests.kernels.test_pdq import scene
from tests.world import context, digests_of, rows_of

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

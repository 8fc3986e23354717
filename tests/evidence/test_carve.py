"""Pictures and videos in space that no file claims: found at any byte, at their exact length, and none invented."""

import hashlib
import io
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from casewright.evidence.reader import Problem, Segment, Unreadable
from casewright.evidence.readers.carve import WINDOW, Carved, carve
from casewright.evidence.readers.carve_check import MOST_PIXELS
from casewright.evidence.readers.carve_shapes import SIGNATURES, View
from casewright.evidence.readers.disks import Disk, RawDisk

TEXT = b"The plate of the museum's second floor, case nine, was scanned on a Tuesday.\r\n"


def disk_of(raw: bytes) -> Disk:
    return RawDisk([Segment(b"disk.raw", len(raw), lambda: io.BytesIO(raw))])


def noise(length: int, seed: int = 1) -> bytes:
    return np.random.default_rng(seed).bytes(length)


def text(length: int) -> bytes:
    return (TEXT * (length // len(TEXT) + 1))[:length]


def carved(raw: bytes, *spans: tuple[int, int], **options: Any) -> tuple[list[Carved], list[Problem]]:
    met = list(carve(disk_of(raw), spans or [(0, len(raw))], **options))
    return [m for m in met if isinstance(m, Carved)], [m for m in met if isinstance(m, Problem)]


def only(raw: bytes) -> Carved:
    (one,), _ = carved(raw)
    return one


# --- what is looked for ---


def scene(width: int = 160, height: int = 120, seed: int = 0) -> Image.Image:
    """A gradient with waves and a little grain."""
    y, x = np.mgrid[0:height, 0:width]
    layers = np.stack([x * 255 // width, y * 255 // height, (x + 2 * y + seed * 31) % 256], -1)
    waves = 30 * np.sin(x / (5 + seed))[..., None]
    grain = np.random.default_rng(seed).normal(0, 4, layers.shape)
    return Image.fromarray((layers + waves + grain).clip(0, 255).astype(np.uint8))


def checkerboard() -> Image.Image:
    y, x = np.mgrid[0:64, 0:96]
    return Image.fromarray(((x // 8 + y // 8) % 2 * 255).astype(np.uint8))


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def with_thumbnail(picture: Image.Image) -> bytes:
    """A JPEG whose EXIF segment holds a small JPEG, as cameras write it: two directories, the second for that."""
    small = saved(picture.resize((40, 30)), "JPEG")
    first = struct.pack("<HHHII", 1, 0x0112, 3, 1, 1) + struct.pack("<I", 26)
    second = (
        struct.pack("<H", 2) + struct.pack("<HHII", 0x0201, 4, 1, 56) + struct.pack("<HHII", 0x0202, 4, 1, len(small))
    )
    exif = b"Exif\0\0" + b"II*\0\x08\0\0\0" + first + second + bytes(4) + small
    return saved(picture, "JPEG", exif=exif)


def interlaced_png() -> bytes:
    """Adam7, which Pillow reads and does not write: eight by eight grey pixels, each pass with its own rows."""
    pixels = [[(x * 30 + y * 7) % 256 for x in range(8)] for y in range(8)]
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    rows = b"".join(
        b"\0" + bytes(pixels[y][x] for x in range(left, 8, across))
        for left, top, across, down in passes
        for y in range(top, 8, down)
    )
    parts = (b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 1)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, content) for kind, content in parts)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def animation(form: str, **options: Any) -> bytes:
    frames = [scene(seed=seed).convert("P" if form == "GIF" else "RGB") for seed in range(4)]
    return saved(frames[0], form, save_all=True, append_images=frames[1:], duration=80, **options)


@cache
def pictures() -> dict[str, tuple[str, bytes]]:
    deep = Image.fromarray(np.linspace(0, 65535, 80 * 60).reshape(60, 80).astype(np.uint16))
    return {
        "jpeg": ("image/jpeg", saved(scene(), "JPEG")),
        "jpeg progressive": ("image/jpeg", saved(scene(seed=1), "JPEG", progressive=True)),
        "jpeg optimised": ("image/jpeg", saved(checkerboard(), "JPEG", optimize=True)),
        "jpeg cmyk": ("image/jpeg", saved(scene(seed=2).convert("CMYK"), "JPEG")),
        "jpeg grey": ("image/jpeg", saved(scene(seed=3).convert("L"), "JPEG")),
        "jpeg restarts": ("image/jpeg", saved(scene(seed=4), "JPEG", restart_marker_rows=1)),
        "jpeg thumbnail": ("image/jpeg", with_thumbnail(scene(seed=5))),
        "jpeg of one colour": ("image/jpeg", saved(Image.new("RGB", (3000, 2000), "white"), "JPEG", optimize=True)),
        "png": ("image/png", saved(scene(), "PNG")),
        "png palette": ("image/png", saved(scene(seed=1).convert("P"), "PNG")),
        "png deep": ("image/png", saved(deep, "PNG")),
        "png bilevel": ("image/png", saved(checkerboard().convert("1"), "PNG")),
        "png interlaced": ("image/png", interlaced_png()),
        "gif": ("image/gif", saved(scene().convert("P"), "GIF")),
        "gif animated": ("image/gif", animation("GIF")),
        "webp": ("image/webp", saved(scene(), "WEBP")),
        "webp lossless": ("image/webp", saved(scene(seed=1), "WEBP", lossless=True)),
        "webp animated": ("image/webp", animation("WEBP")),
        "bmp": ("image/bmp", saved(scene(), "BMP")),
        "bmp palette": ("image/bmp", saved(scene().convert("P"), "BMP")),
        "tiff": ("image/tiff", saved(scene(), "TIFF")),
        "tiff packed": ("image/tiff", saved(scene(), "TIFF", compression="tiff_adobe_deflate")),
        "avif": ("image/avif", saved(scene(), "AVIF")),
    }


def film(form: str, codec: str, seed: int = 0, frames: int = 30, **options: str) -> bytes:
    """A moving gradient of a second or so."""
    with TemporaryDirectory() as folder:  # to move the index to the front, FFmpeg opens its file once more
        path = Path(folder) / "film"
        write_film(path, form, codec, seed, frames, options)
        return path.read_bytes()


def write_film(path: Path, form: str, codec: str, seed: int, frames: int, options: dict[str, str]) -> None:
    with av.open(str(path), "w", format=form, options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        y, x = np.mgrid[0:64, 0:96]
        for moment in range(frames):
            image = np.stack([(x * 2 + 5 * moment) % 256, (y * 3 + seed) % 256, (x + y) % 256], -1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def of_the_nineties(movie: bytes) -> bytes:
    """A QuickTime film without its first box, and with its chunks' offsets (all in one table) moved accordingly."""
    assert movie[:8] == b"\0\0\0\x14ftyp"
    table = movie.index(b"stco") + 12
    (count,) = struct.unpack(">I", movie[table - 4 : table])
    offsets = struct.unpack(f">{count}I", movie[table : table + 4 * count])
    return movie[20:table] + struct.pack(f">{count}I", *(o - 20 for o in offsets)) + movie[table + 4 * count :]


@cache
def videos() -> dict[str, tuple[str, bytes]]:
    return {
        "mp4": ("video/mp4", film("mp4", "mpeg4")),
        "mp4 moov first": ("video/mp4", film("mp4", "mpeg4", 1, movflags="faststart")),
        "mp4 h264": ("video/mp4", film("mp4", "libx264", 2)),
        "mp4 in fragments": ("video/mp4", film("mp4", "libx264", 3, movflags="frag_keyframe+empty_moov")),
        "mov": ("video/quicktime", film("mov", "mpeg4", 4)),
        "mov without ftyp": ("video/quicktime", of_the_nineties(film("mov", "mpeg4", 5))),
        "mkv": ("video/x-matroska", film("matroska", "mpeg4", 6)),
        "webm": ("video/webm", film("webm", "libvpx", 7)),
        "avi": ("video/x-msvideo", film("avi", "mpeg4", 8)),
        "avi of jpegs": ("video/x-msvideo", film("avi", "mjpeg", 9)),
    }


NAMES = [*pictures(), *videos()]


def sample(name: str) -> tuple[str, bytes]:
    return {**pictures(), **videos()}[name]


def lay(*parts: tuple[str, bytes] | bytes) -> tuple[bytes, list[tuple[int, int, str, bool, str]]]:
    """A stretch of these parts, and what must be found in it: start, length, type, whole, SHA-256."""
    raw, due = bytearray(), []
    for part in parts:
        if isinstance(part, tuple):
            due.append((len(raw), len(part[1]), part[0], True, hashlib.sha256(part[1]).hexdigest()))
        raw += part if isinstance(part, bytes) else part[1]
    return bytes(raw), due


def as_due(raw: bytes, found: list[Carved]) -> list[tuple[int, int, str, bool, str]]:
    return [(f.start, f.length, f.mime, f.whole, hashlib.sha256(raw[f.start : f.end]).hexdigest()) for f in found]


# --- whole ones ---


FILLINGS: dict[str, Callable[[int], bytes]] = {"zeros": bytes, "noise": noise, "text": text}


@pytest.mark.parametrize("filling", FILLINGS)
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_or_video_is_found_wherever_it_begins(name: str, filling: str) -> None:
    fill = FILLINGS[filling]
    raw, due = lay(fill(512 * 7), sample(name), fill(513), sample(name), fill(4096))
    found, problems = carved(raw)
    assert as_due(raw, found) == due
    assert problems == []


def test_findings_follow_each_other_without_a_gap() -> None:
    raw, due = lay(*(sample(name) for name in NAMES))
    found, problems = carved(raw)
    assert as_due(raw, found) == due
    assert problems == []


@pytest.mark.parametrize("name", NAMES)
def test_the_last_byte_of_a_stretch_can_be_the_last_byte_of_a_picture(name: str) -> None:
    raw, due = lay(noise(777), sample(name))
    assert as_due(raw, carved(raw)[0]) == due


@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "webp", "bmp", "mp4", "mkv", "tiff"])
def test_a_signature_may_lie_across_the_border_of_two_windows(name: str) -> None:
    raw = bytearray(noise(WINDOW + 4096, 3))
    mime, content = sample(name)
    for before in range(1, 33):
        start = WINDOW - before
        raw[start : start + len(content)] = content
        found, _ = carved(bytes(raw[: start + len(content) + 64]))
        assert [(f.start, f.length, f.mime, f.whole) for f in found] == [(start, len(content), mime, True)]
        raw[start : start + len(content)] = bytes(len(content))


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 3000), st.sampled_from(sorted(FILLINGS))), max_size=4),
    st.integers(0, 2**32),
)
def test_whatever_lies_between_them_all_are_found_and_none_is_invented(
    laid: list[tuple[str, int, str]], seed: int
) -> None:
    parts: list[tuple[str, bytes] | bytes] = []
    for name, gap, filling in laid:
        parts += [noise(gap, seed) if filling == "noise" else FILLINGS[filling](gap), sample(name)]
    raw, due = lay(*parts, noise(600, seed))
    assert as_due(raw, carved(raw)[0]) == due


def test_nothing_is_invented_in_random_bytes() -> None:
    raw = noise(64 << 20, 7)
    assert carved(raw) == ([], [])


def test_a_stretch_is_searched_and_what_lies_outside_is_not() -> None:
    inside, outside = sample("png"), sample("jpeg")
    raw, due = lay(outside, bytes(100), inside, bytes(100), outside)
    start = due[1][0]
    found, _ = carved(raw, (start - 50, len(inside[1]) + 60), (due[2][0] + 3, len(outside[1]) - 3))
    assert as_due(raw, found) == due[1:2]


def test_what_begins_before_a_byte_is_found_to_its_end_and_the_rest_is_left() -> None:
    raw, due = lay(bytes(100), sample("png"), sample("jpeg"), bytes(99), sample("gif"))
    for until in (due[1][0] + 1, due[1][0] + due[1][1], due[2][0]):
        assert as_due(raw, carved(raw, until=until)[0]) == due[:2]
    assert as_due(raw, carved(raw, until=due[2][0] + 1)[0]) == due


def test_two_searches_that_meet_at_a_byte_find_what_one_finds() -> None:
    picture = sample("jpeg")[1]
    raw, _ = lay(noise(300), picture[:3000], sample("png"), noise(70), sample("gif"), text(900))
    together = carved(raw)[0]
    for until in range(0, len(raw), 97):
        first = carved(raw, until=until)[0]
        begin = max([until, *(f.end for f in first)])
        assert first + carved(raw, (begin, len(raw) - begin))[0] == together


def test_a_thumbnail_belongs_to_its_picture() -> None:
    assert sample("jpeg thumbnail")[1].count(b"\xff\xd8\xff") == 2
    assert len(carved(sample("jpeg thumbnail")[1])[0]) == 1


def test_pictures_in_a_film_of_jpegs_belong_to_the_film() -> None:
    assert sample("avi of jpegs")[1].count(b"\xff\xd8\xff") >= 30
    assert [f.mime for f in carved(sample("avi of jpegs")[1])[0]] == ["video/x-msvideo"]


# --- cut short ---


CUTTABLE = ["jpeg", "jpeg progressive", "jpeg grey", "jpeg cmyk", "jpeg restarts", "png", "png palette", "gif", "bmp"]


def without_end(name: str, part: float = 0.6) -> bytes:
    content = sample(name)[1]
    return content[: int(len(content) * part)].rstrip(b"\0")


@pytest.mark.parametrize("name", CUTTABLE)
def test_a_picture_cut_by_the_end_of_its_stretch_is_found_as_far_as_it_goes(name: str) -> None:
    cut = without_end(name)
    raw = noise(1000) + cut
    found = only(raw)
    assert (found.start, found.end, found.mime, found.whole) == (1000, len(raw), sample(name)[0], False)


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "jpeg grey", "jpeg cmyk", "jpeg restarts", "gif"])
@pytest.mark.parametrize("after", [bytes(9000), text(9000)], ids=["zeros", "text"])
def test_zeros_and_text_behind_a_picture_cut_short_are_not_part_of_it(name: str, after: bytes) -> None:
    cut = without_end(name)
    cut = cut[: len(cut) // 512 * 512].rstrip(b"\0")
    if not after.startswith(b"\0"):
        cut = cut[: len(cut) // 512 * 512]
    found = only(cut + after)
    assert (found.start, found.length, found.whole) == (0, len(cut), False)


def test_noise_behind_a_jpeg_cut_short_ends_it_soon() -> None:
    cut = without_end("jpeg")
    found = only(cut + noise(1 << 20))
    assert not found.whole
    assert len(cut) <= found.length < len(cut) + 4096


@pytest.mark.parametrize("after", [bytes(90_000), text(90_000), noise(90_000)], ids=["zeros", "text", "noise"])
def test_a_png_cut_short_ends_where_its_data_no_longer_inflate(after: bytes) -> None:
    cut = without_end("png")
    found = only(cut + after)
    assert not found.whole
    assert len(cut) - 64 <= found.length < len(cut) + 8192


@pytest.mark.parametrize("name", ["jpeg", "jpeg progressive", "png", "gif", "bmp"])
def test_a_picture_cut_short_ends_where_the_next_one_begins(name: str) -> None:
    cut = without_end(name)
    raw, due = lay(cut, sample("png palette"), bytes(100))
    found, problems = carved(raw)
    assert [(f.start, f.length, f.whole) for f in found] == [(0, len(cut), False), (len(cut), due[0][1], True)]
    assert problems == []


def test_the_thumbnail_of_a_picture_cut_short_is_found_too() -> None:
    whole = sample("jpeg thumbnail")[1]
    found, _ = carved(whole[: len(whole) * 3 // 4])
    assert [f.whole for f in found] == [False, True]
    inner = whole[found[1].start : found[1].end]
    assert Image.open(io.BytesIO(inner)).size == (40, 30)
    assert whole.find(b"\xff\xd8\xff", 2) == found[1].start


def test_a_jpeg_whose_end_belongs_to_another_one_is_not_whole() -> None:
    """libjpeg decodes it without a word."""
    one, other = (saved(scene(320, 240, seed), "JPEG") for seed in (1, 2))
    mixed = one[:5120] + other[5120:]
    Image.open(io.BytesIO(mixed)).load()
    assert not only(mixed + bytes(10)).whole


def test_a_jpeg_of_which_the_header_alone_stands_is_counted() -> None:
    raw = sample("jpeg")[1]
    header = raw[: raw.index(b"\xff\xda") + 14]
    found, problems = carved(noise(10) + header + bytes(5000))
    assert found == []
    assert [p.reason for p in problems] == ["not decodable"]
    assert "1 signatures at byte 10" in problems[0].detail
    assert "image/jpeg 1" in problems[0].detail


@pytest.mark.parametrize("name", ["mp4 moov first", "mp4 in fragments", "mkv", "webm", "avi"])
def test_a_video_cut_by_the_end_of_its_stretch_plays_as_far_as_it_goes(name: str) -> None:
    cut = sample(name)[1][: len(sample(name)[1]) * 3 // 4]
    found = only(noise(100) + cut)
    assert (found.start, found.length, found.mime, found.whole) == (100, len(cut), sample(name)[0], False)


def test_a_video_without_its_index_is_counted() -> None:
    whole = sample("mp4")[1]
    assert whole.index(b"mdat") < whole.index(b"moov")
    found, problems = carved(whole[: whole.index(b"moov") - 100])
    assert found == []
    assert [(p.reason, "video/mp4 1" in p.detail) for p in problems] == [("not decodable", True)]


def test_a_video_over_which_something_was_written_is_not_whole_and_hides_no_picture() -> None:
    mime, content = "video/mp4", film("mp4", "libx264", 5, frames=400, movflags="faststart")
    picture = sample("png bilevel")
    place = len(content) // 2
    raw = content[:place] + picture[1] + noise(len(content) - place - len(picture[1]))
    found, _ = carved(raw)
    seen = [(f.start, f.length, f.mime, f.whole) for f in found]
    assert seen[0] == (0, len(content), mime, False)
    assert (place, len(picture[1]), "image/png", True) in seen  # its own frames may be found beside it


# --- hostile ones ---


def box(kind: bytes, content: bytes = b"", size: int | None = None) -> bytes:
    return struct.pack(">I", 8 + len(content) if size is None else size) + kind + content


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2")
IHDR = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 100, 100, 8, 2, 0, 0, 0))
JPEG_HEAD = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
SOF = b"\xff\xc0\0\x0b\x08\0\x40\0\x40\1\1\x11\0"
HOSTILE = {
    "a PNG chunk of 4 GB": IHDR + b"\xff\xff\xff\xffIDAT" + noise(5000),
    "a PNG chunk of 2 GB": IHDR + b"\x7f\xff\xff\xffIDAT" + noise(5000),
    "a PNG of a million empty chunks": IHDR + chunk(b"tEXt", b"") * 1_100_000,
    "a GIF that never ends": b"GIF89a\x10\0\x10\0\0\0\0," + bytes(4) + b"\x10\0\x10\0\0\x08" + b"\xff" * (8 << 20),
    "a GIF of extensions": b"GIF89a\x10\0\x10\0\0\0\0" + b"!\xfe\0" * 1_000_000,
    "a box that reaches to the end": FTYP + box(b"mdat", size=0) + noise(5000),
    "a box of size 0 at once": FTYP + bytes(5000),
    "a long box of size 0": FTYP + box(b"mdat", bytes(8), 1) + noise(5000),
    "a box of 16 EiB": FTYP + box(b"mdat", b"\xff" * 8, 1) + noise(5000),
    "a box below its own header": FTYP + box(b"mdat", size=7) + noise(5000),
    "a million boxes": FTYP + box(b"free") * 1_100_000,
    "a JPEG of fill bytes": JPEG_HEAD + b"\xff" * (8 << 20),
    "fill bytes in a scan": JPEG_HEAD + SOF + b"\xff\xda\0\x08\1\1\0\0?\0" + b"\xff" * (8 << 20),
    "nested starts of image": b"\xff\xd8\xff\xe0\0\4ab" * 400_000,
    "starts of image in a row": b"\xff\xd8" * 2_000_000 + b"\xff\xd9",
    "a JPEG of comments": JPEG_HEAD + b"\xff\xfe\0\2" * 1_000_000,
    "deep EBML": b"\x1a\x45\xdf\xa3\x01" + b"\0\0\0\0\0\0\x10" + b"\x1a\x45\xdf\xa3\x8f" * 200_000,
    "an EBML segment of unknown size": b"\x1aE\xdf\xa3\x87B\x82\x84webm\x18S\x80g\x01" + b"\xff" * 7 + noise(5000),
    "a RIFF of 4 GB": b"RIFF\xff\xff\xff\xffWEBPVP8 \xff\xff\xff\xff" + noise(5000),
    "bitmap marks": b"BM" * 2_000_000,
    "a TIFF whose directory follows itself": b"II*\0\x08\0\0\0\1\0\0\1\4\0\1\0\0\0\1\0\0\0\x08\0\0\0" * 1000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bytes_end_without_a_whole_finding(name: str) -> None:
    raw = HOSTILE[name]
    found, _ = carved(raw + noise(300))
    assert not [f for f in found if f.whole]
    assert all(0 <= f.start < f.end <= len(raw) + 300 for f in found)


@pytest.mark.parametrize("name", ["a box that reaches to the end", "an EBML segment of unknown size"])
def test_what_has_no_end_is_refused_and_counted(name: str) -> None:
    found, problems = carved(HOSTILE[name])
    assert found == []
    assert [p.reason for p in problems] == ["not decodable"]


def test_behind_hostile_bytes_the_search_goes_on() -> None:
    picture = sample("gif")
    raw, due = lay(*(part for content in list(HOSTILE.values())[-4:] for part in (content[:4000], picture)))
    assert [d for d in as_due(raw, carved(raw)[0]) if d[3]] == due


class CountingDisk:
    """A disk that counts the bytes that were asked for."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self.size, self.asked, self.longest = raw, len(raw), 0, 0

    def read(self, offset: int, length: int) -> bytes:
        self.asked, self.longest = self.asked + length, max(self.longest, length)
        return self._raw[offset : offset + length]


def test_a_stretch_without_findings_is_read_once_in_windows() -> None:
    disk = CountingDisk(noise(20 << 20, 11))
    assert list(carve(disk, [(0, disk.size)])) == []
    assert disk.asked < disk.size * 1.01
    assert disk.longest <= WINDOW + 64


def test_candidates_that_cost_too_much_are_counted_and_not_looked_at() -> None:
    """Each of these pictures claims all that follows: looked at one by one they are read a thousand times over."""
    one = IHDR + struct.pack(">I", 6 << 20) + b"tEXt"
    disk = CountingDisk(one * 4000 + bytes(7 << 20))
    met = list(carve(disk, [(0, disk.size)], limit=64 << 20))
    assert [m.reason for m in met if isinstance(m, Problem)] == ["not decodable", "too many"]
    assert sum(int(m.detail.split()[0]) for m in met if isinstance(m, Problem)) == 4000
    assert disk.asked < (64 << 20) + 66 * disk.size


def test_a_picture_of_too_many_pixels_is_not_decoded_and_counted() -> None:
    header = struct.pack(">IIBBBBB", MOST_PIXELS // 1000 + 1, 1000, 8, 2, 0, 0, 0)
    raw = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    found, problems = carved(raw)
    assert (found, [p.reason for p in problems]) == ([], ["too large"])


class HoledDisk(CountingDisk):
    """A disk of which some bytes are missing."""

    def __init__(self, raw: bytes, hole: range) -> None:
        super().__init__(raw)
        self._hole = hole

    def read(self, offset: int, length: int) -> bytes:
        if offset < self._hole.stop and offset + length > self._hole.start:
            raise Unreadable("truncated", "a segment is missing")
        return super().read(offset, length)


def test_what_cannot_be_read_is_told_once_and_the_rest_is_searched() -> None:
    raw, due = lay(noise(1 << 20), sample("png"), noise(10 << 20), sample("jpeg"), noise(5 << 20), sample("gif"))
    met = list(carve(HoledDisk(raw, range(2 << 20, 9 << 20)), [(0, len(raw))]))
    assert as_due(raw, [m for m in met if isinstance(m, Carved)]) == due
    (problem,) = [m for m in met if isinstance(m, Problem)]
    assert problem == Problem(
        b"", "truncated", f"bytes {2 << 20} to {(9 << 20) - 1} could not be searched: a segment is missing"
    )


def test_settings_that_hold_for_the_whole_process_are_put_back() -> None:
    before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    carved(without_end("jpeg") + sample("png")[1] + IHDR + chunk(b"IDAT", b"no data") + chunk(b"IEND", b""))
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


@settings(max_examples=150)
@given(st.sampled_from(NAMES), st.data())
def test_damaged_bytes_never_end_the_search(name: str, data: st.DataObject) -> None:
    raw = bytearray(sample(name)[1])
    for place in data.draw(st.lists(st.integers(0, min(len(raw), 400) - 1), max_size=6)):
        raw[place] = data.draw(st.integers(0, 255))
    content, due = lay(bytes(raw[: data.draw(st.integers(1, len(raw)))]), bytes(5000), ("image/gif", sample("gif")[1]))
    found = as_due(content, carved(content)[0])
    assert due[0] in found or any(f[0] + f[1] > due[0][0] for f in found)


@settings(max_examples=200)
@given(st.sampled_from(SIGNATURES), st.binary(max_size=300), st.integers(0, 40))
def test_no_bytes_at_a_signature_reach_beyond_the_view(signature: Any, tail: bytes, cut: int) -> None:
    probe = bytes(signature.offset) + bytes(options[0] for options in signature.probe) + tail
    view = View(disk_of(probe + b"\0"), max(1, len(probe) - cut))
    shape = signature.follow(view, 0)
    assert shape is None or 0 <= shape.length <= view.end


# --- held against other tools ---


def hashes_below(folder: Path) -> set[str]:
    return {hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.rglob("*") if file.is_file()}


def sector_aligned() -> tuple[bytes, set[str]]:
    parts: list[tuple[str, bytes] | bytes] = [bytes(4096)]
    for name in NAMES:
        content = sample(name)
        parts += [content, bytes(-len(content[1]) % 512), noise(2048, len(parts))]
    raw, due = lay(*parts)
    return raw, {d[4] for d in due}


@pytest.mark.skipif(not shutil.which("foremost"), reason="needs foremost")
def test_all_that_foremost_recovers_is_found(tmp_path: Path) -> None:
    raw, due = sector_aligned()
    (tmp_path / "disk.raw").write_bytes(raw)
    order = ["foremost", "-Q", "-t", "all", "-o", str(tmp_path / "out"), "-i", str(tmp_path / "disk.raw")]
    subprocess.run(order, check=True, capture_output=True)
    theirs, ours = hashes_below(tmp_path / "out") & due, {d[4] for d in as_due(raw, carved(raw)[0])}
    assert theirs
    assert theirs <= ours == due


@pytest.mark.skipif(not shutil.which("photorec"), reason="needs photorec")
def test_all_that_photorec_recovers_is_found(tmp_path: Path) -> None:
    raw, due = sector_aligned()
    (tmp_path / "disk.raw").write_bytes(raw)
    orders = "partition_none,options,paranoid,keep_corrupted_file_no,fileopt,everything,enable,wholespace,search"
    order = ["photorec", "/d", str(tmp_path / "out"), "/cmd", str(tmp_path / "disk.raw"), orders]
    subprocess.run(order, check=True, capture_output=True, cwd=tmp_path)
    theirs = set[str]().union(*(hashes_below(folder) for folder in tmp_path.glob("out.*"))) & due
    ours = {d[4] for d in as_due(raw, carved(raw)[0])}
    assert theirs
    assert theirs <= ours == due


# --- cases that taught us ---


@pytest.mark.parametrize("ahead", [70_000, 200_000, 900_000])
@pytest.mark.parametrize("name", ["jpeg", "png", "gif", "webp", "bmp", "mp4", "mkv"])
def test_what_cannot_be_read_behind_a_finding_does_not_shorten_it(name: str, ahead: int) -> None:
    mime, content = sample(name)
    hole = -(-(len(content) + ahead) // 512) * 512
    disk = HoledDisk(content + bytes(2 << 20), range(hole, hole + 512))
    found = [one for one in carve(disk, [(0, disk.size)]) if isinstance(one, Carved)]
    assert found == [Carved(0, len(content), mime, True)]


def test_a_film_whose_codec_is_not_known_ends_no_search() -> None:
    film_cut, picture = sample("avi")[1][:189], sample("gif")
    found, _ = carved(film_cut + bytes(5000) + picture[1])
    assert [(f.start, f.length) for f in found] == [(5189, len(picture[1]))]


def test_scans_without_number_behind_a_picture_neither_hide_it_nor_cost_a_pass_each() -> None:
    content = sample("jpeg")[1][:-2]
    raw = content + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" * 20_000 + bytes(5000)
    found, _ = carved(raw)
    assert [(f.start, f.whole) for f in found] == [(0, False)]
    assert len(content) <= found[0].length <= len(content) + 501 * 10


def test_what_is_fetched_for_segments_that_jump_ahead_counts_as_work() -> None:
    disk = CountingDisk(b"\xff\xd8\xff\xe0" * 500_000)
    found = list(carve(disk, [(0, disk.size)], limit=1 << 20))
    assert [one.reason for one in found if isinstance(one, Problem)] == ["too many"]
    assert disk.asked < 100 * disk.size

"""Whatever form a picture comes in, its hash is that of what it shows; and what cannot be hashed says why."""

import contextlib
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from casewright.evidence.kinds import HEAD, kind_of
from casewright.kernels.pdq import distance
from casewright.media.pictures import Undecodable, read_picture
from casewright.media.raws import preview_of
from tests.media.rawfiles import RAWS, psd
from tests.media.test_media import PIXELS, encoded

needs_heif_enc = pytest.mark.skipif(shutil.which("heif-enc") is None, reason="heif-enc (libheif-examples) is not here")
needs_exiftool = pytest.mark.skipif(shutil.which("exiftool") is None, reason="exiftool is not here")


def cup() -> Image.Image:
    """A cup of coffee: a photograph that scikit-image ships."""
    return Image.fromarray(skimage.data.coffee()).resize((300, 200), Image.Resampling.BICUBIC)


SEEN = cup()
GREY = SEEN.convert("L")
FEW = SEEN.quantize(200)
CLEAR = SEEN.convert("RGBA")
CLEAR.putalpha(Image.linear_gradient("L").resize(SEEN.size))


def deep(kind: type[np.generic], factor: float) -> Image.Image:
    """The grey picture in another range of numbers."""
    return Image.fromarray((np.asarray(GREY).astype(np.float64) * factor).astype(kind))


def in_lab() -> Image.Image:
    way = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    made = ImageCms.applyTransform(SEEN, way)
    assert made is not None
    return made


def frames(form: str, **options: Any) -> bytes:
    return encoded(SEEN, form, save_all=True, append_images=[SEEN.rotate(90), SEEN.rotate(180)], **options)


def read(raw: bytes) -> Any:
    return read_picture(io.BytesIO(raw), PIXELS)


FORMS: dict[str, tuple[Image.Image, Callable[[], bytes]]] = {
    "JPEG": (SEEN, lambda: encoded(SEEN, quality=92)),
    "JPEG, progressive": (SEEN, lambda: encoded(SEEN, quality=92, progressive=True)),
    "JPEG, colours at full size": (SEEN, lambda: encoded(SEEN, quality=92, subsampling=0)),
    "JPEG, grey": (GREY, lambda: encoded(GREY, quality=92)),
    "JPEG, CMYK as Adobe inverts it": (SEEN, lambda: encoded(SEEN.convert("CMYK"), quality=92)),
    "JPEG, several pictures in one": (SEEN, lambda: frames("MPO", quality=92)),
    "JPEG with a profile": (
        SEEN,
        lambda: encoded(
            SEEN, quality=92, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
        ),
    ),
    "PNG, seen through": (SEEN, lambda: encoded(CLEAR, "PNG")),
    "PNG, grey, seen through": (GREY, lambda: encoded(CLEAR.convert("LA"), "PNG")),
    "PNG, grey of 16 bits": (GREY, lambda: encoded(deep(np.uint16, 257), "PNG")),
    "PNG, palette": (FEW, lambda: encoded(FEW, "PNG")),
    "PNG, palette, one colour seen through": (FEW, lambda: encoded(FEW, "PNG", transparency=3)),
    "PNG, black and white": (GREY.convert("1"), lambda: encoded(GREY.convert("1"), "PNG")),
    "PNG, the first frame": (SEEN, lambda: frames("PNG")),
    "AVIF, the first frame": (SEEN, lambda: frames("AVIF", quality=92)),
    "GIF, the first frame": (FEW, lambda: encoded(FEW, "GIF", save_all=True, append_images=[FEW.rotate(90)])),
    "WebP": (SEEN, lambda: encoded(SEEN, "WEBP", quality=92)),
    "WebP, without loss, seen through": (SEEN, lambda: encoded(CLEAR, "WEBP", lossless=True, exact=True)),
    "WebP, the first frame": (SEEN, lambda: frames("WEBP", quality=92)),
    "AVIF": (SEEN, lambda: encoded(SEEN, "AVIF", quality=92)),
    "JPEG 2000": (SEEN, lambda: encoded(SEEN, "JPEG2000")),
    "BMP": (SEEN, lambda: encoded(SEEN, "BMP")),
    "BMP, palette": (FEW, lambda: encoded(FEW, "BMP")),
    "BMP, black and white": (GREY.convert("1"), lambda: encoded(GREY.convert("1"), "BMP")),
    "BMP, seen through": (SEEN, lambda: encoded(CLEAR, "BMP")),
    "icon": (SEEN.resize((240, 160)), lambda: encoded(SEEN.resize((240, 160)), "ICO", sizes=[(32, 32), (240, 160)])),
    "Photoshop, flattened": (SEEN, lambda: psd(SEEN)),
    "TIFF": (SEEN, lambda: encoded(SEEN, "TIFF")),
    "TIFF, packed": (SEEN, lambda: encoded(SEEN, "TIFF", compression="tiff_lzw")),
    "TIFF of JPEG": (SEEN, lambda: encoded(SEEN, "TIFF", compression="jpeg", quality=92)),
    "TIFF, big": (SEEN, lambda: encoded(SEEN, "TIFF", big_tiff=True)),
    "TIFF, the first page": (SEEN, lambda: frames("TIFF")),
    "TIFF, CMYK": (SEEN, lambda: encoded(SEEN.convert("CMYK"), "TIFF")),
    "TIFF, Lab": (SEEN, lambda: encoded(in_lab(), "TIFF")),
    "TIFF, palette": (FEW, lambda: encoded(FEW, "TIFF")),
    "TIFF, fax": (GREY.convert("1"), lambda: encoded(GREY.convert("1"), "TIFF", compression="group4")),
    "TIFF, grey of 16 bits": (GREY, lambda: encoded(deep(np.uint16, 257), "TIFF")),
    "TIFF, whole numbers of 32 bits": (GREY, lambda: encoded(deep(np.int32, 70_000), "TIFF")),
    "TIFF, fractions of 1": (GREY, lambda: encoded(deep(np.float32, 1 / 255), "TIFF")),
    "TIFF, fractions of 255": (GREY, lambda: encoded(deep(np.float32, 1), "TIFF")),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_hash_of_what_it_shows(form: str) -> None:
    shown, made = FORMS[form]
    expected, found = read(encoded(shown.convert("RGB"), "PNG")), read(raw := made())
    assert distance(found.pdq, expected.pdq) <= 2
    assert (found.width, found.height) == shown.size
    assert kind_of(raw[:HEAD], len(raw)).startswith("image/")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_form_is_turned_as_its_exif_says(form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x112] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's ways to lay it as a camera held so would store it
    stored = SEEN.transpose(Image.Transpose(back[orientation])) if orientation > 1 else SEEN
    found = read(encoded(stored, form, exif=exif, quality=95))
    assert distance(found.pdq, read(encoded(SEEN, "PNG")).pdq) <= 4
    assert (found.width, found.height) == SEEN.size


def phone(folder: Path, picture: Image.Image = SEEN, options: tuple[str, ...] = ()) -> bytes:
    picture.save(folder / "a.png")
    command = ["heif-enc", "-q", "90", *options, f"{folder}/a.png", "-o", f"{folder}/a.heic"]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / "a.heic").read_bytes()


@needs_heif_enc
@pytest.mark.parametrize(("picture", "options"), [(SEEN, ()), (CLEAR, ()), (SEEN, ("-b", "10"))])
def test_pictures_of_phones_are_hashed(tmp_path: Path, picture: Image.Image, options: tuple[str, ...]) -> None:
    raw = phone(tmp_path, picture, options)
    assert kind_of(raw, len(raw)) == "image/heic"
    assert distance(read(raw).pdq, read(encoded(SEEN, "PNG")).pdq) <= 2
    with pytest.raises(Undecodable) as caught:
        read(raw[: len(raw) // 2])
    assert caught.value.reason in ("truncated", "undecodable")


def test_a_small_end_of_a_jpeg_is_not_the_whole() -> None:
    raw = encoded(SEEN, quality=92)
    with pytest.raises(Undecodable) as caught:
        read(raw[: len(raw) * 2 // 3])
    assert caught.value.reason == "truncated"


def test_libjpeg_turbo_gives_the_pixels_that_pillow_gives() -> None:
    ways: tuple[dict[str, Any], ...] = (
        {}, {"quality": 30}, {"subsampling": 0}, {"subsampling": 1}, {"progressive": True}, {"keep_rgb": True},
    )  # fmt: skip
    for options in ways:
        for shown in (SEEN, GREY, SEEN.crop((0, 0, 37, 23))):
            raw = encoded(shown, **options)
            with Image.open(io.BytesIO(raw)) as opened:
                through_pillow = opened.convert("RGB")
            assert read(raw).pdq == read(encoded(through_pillow if shown is not GREY else opened, "PNG")).pdq


def test_damage_that_the_decoder_passes_over_is_told() -> None:
    raw = encoded(SEEN, quality=92)
    assert read(raw).damage is None
    found = read(raw[:-2] + bytes(9) + raw[-2:])
    assert found.pdq == read(raw).pdq
    assert "extraneous bytes" in found.damage


def in_raw(form: str, orientation: int = 1) -> bytes:
    preview, small = encoded(SEEN, quality=92), encoded(SEEN.rotate(90).resize((30, 20)), quality=92)
    return RAWS[form](preview, small, orientation)


@pytest.mark.parametrize("form", RAWS)
def test_a_raw_file_has_the_hash_of_its_largest_preview(form: str) -> None:
    raw = in_raw(form)
    assert read(raw).pdq == read(encoded(SEEN, quality=92)).pdq
    assert kind_of(raw[:HEAD], len(raw)).startswith("image/")


@pytest.mark.parametrize("form", ["DNG", "NEF", "CR2", "ARW", "RW2"])
def test_a_preview_is_turned_as_the_raw_file_says(form: str) -> None:
    found = read(in_raw(form, 6))
    assert (found.width, found.height) == (200, 300)
    assert distance(found.pdq, read(encoded(SEEN.transpose(Image.Transpose.ROTATE_270), "PNG")).pdq) <= 2


@needs_exiftool
@pytest.mark.parametrize("form", ["DNG", "NEF", "CR2", "ARW"])
def test_exiftool_finds_no_larger_preview(form: str, tmp_path: Path) -> None:
    (tmp_path / f"a.{form.lower()}").write_bytes(in_raw(form))
    options = ["-q", "-q", "-m", "-a", "-b", "-W", f"{tmp_path}/%t%-c.bin", "-preview:all"]
    command = ["exiftool", *options, f"{tmp_path}/a.{form.lower()}"]
    subprocess.run(command, check=False, capture_output=True)
    others = [path.read_bytes() for path in tmp_path.glob("*.bin")]
    mine = preview_of(io.BytesIO(in_raw(form)))
    assert mine is not None
    assert mine[0] in others


def test_a_raw_file_without_a_preview_is_set_aside_and_never_hashed_by_its_thumbnail() -> None:
    for form in RAWS:
        with pytest.raises(Undecodable) as caught:
            read(RAWS[form](b"\xff\xd8\xff\xd9", b"", 1))
        assert caught.value.reason == "no preview", form


@pytest.mark.parametrize("form", [f for f in FORMS if "fractions" not in f])
def test_half_of_a_picture_is_set_aside(form: str) -> None:
    raw = FORMS[form][1]()
    with pytest.raises(Undecodable) as caught:
        read(raw[: len(raw) // 6])
    assert caught.value.reason in ("truncated", "undecodable", "too large")
    assert str(caught.value)


def test_pixels_that_are_no_number_are_no_picture() -> None:
    numbers = np.asarray(GREY).astype(np.float32)
    numbers[3, 3] = np.nan
    with pytest.raises(Undecodable):
        read(encoded(Image.fromarray(numbers), "TIFF"))


def test_jpeg_xl_is_named() -> None:
    with pytest.raises(Undecodable) as caught:
        read(b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(100))
    assert (caught.value.reason, "JPEG XL" in str(caught.value)) == ("unsupported", True)


@given(st.data())
@settings(max_examples=150)
def test_raw_files_that_are_flipped_and_cut_end_in_a_picture_or_a_reason(data: st.DataObject) -> None:
    raw = bytearray(in_raw(data.draw(st.sampled_from(sorted(RAWS)))))
    for _ in range(data.draw(st.integers(1, 8))):
        raw[data.draw(st.integers(0, min(len(raw), 400) - 1) | st.integers(0, len(raw) - 1))] = data.draw(
            st.integers(0, 255)
        )
    with contextlib.suppress(Undecodable):
        assert len(read(bytes(raw[: data.draw(st.integers(1, len(raw)))])).pdq) == 64

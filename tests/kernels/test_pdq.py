"""PDQ is the reference's, bit for bit on its published pictures, in every mode; near search is exact."""

import csv
import io
import random

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from casewright.kernels.hamming import packed, within, within_slow
from casewright.kernels.pdq import (
    NoPicture,
    dihedral,
    distance,
    low_frequencies,
    luma_of_pixels,
    pdq_of_luma,
    quality_of,
    samples_of,
)
from casewright.kernels.pdq_fast import pdq_of_image, pdq_of_pixels, turned_of_pixels
from casewright.kernels.pixels import pixels_of, upright
from tests.world import SHARED, needs_shared


def scene(width: int = 300, height: int = 200) -> Image.Image:
    """A harmless pattern with enough going on."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 127 + 120 * np.sin(x / 17 + y / 41)
    green = 127 + 120 * np.sin(y / 13 - x / 67)
    blue = (x * 3 + y * 2) % 256
    return Image.fromarray(np.dstack([red, green, blue]).astype(np.uint8))


@needs_shared
def test_every_published_picture_has_the_published_hash() -> None:
    with (SHARED / "pdq" / "modified" / "expected.csv").open() as file:
        expected = {row["file"]: row["pdq"] for row in csv.DictReader(file)}
    assert len(expected) == 9
    for name, hash_ in expected.items():
        with Image.open(SHARED / "pdq" / "modified" / name) as picture:
            assert pdq_of_image(picture) == (hash_, 100), name


@pytest.mark.parametrize("name", ["coffee", "chelsea", "brick", "gravel", "text", "page", "hubble_deep_field", "coins"])
def test_every_sum_is_that_of_the_compiled_reference(name: str) -> None:
    """pdqhash is the reference's C++, but its binding weighs colours in double precision: so are they weighed here."""
    pdqhash = pytest.importorskip("pdqhash", reason="built from source: uv sync --group reference")
    picture = Image.fromarray(getattr(skimage.data, name)()).convert("L")
    for size in ((64, 64), (128, 128), (301, 207), (512, 512), (90, 511)):
        grey = np.asarray(picture.resize(size))
        luma = (grey * 0.299 + grey * 0.587 + grey * 0.114).astype(np.float32)
        sums, quality = pdqhash.compute_float(np.dstack([grey] * 3))
        assert np.array_equal(sums[::-1].reshape(16, 16), low_frequencies(samples_of(luma)))
        assert quality == quality_of(samples_of(luma))


def dihedral_pictures() -> list[Image.Image]:
    return [Image.open(path) for path in sorted((SHARED / "pdq" / "dihedral").glob("*.jpg"))]


@needs_shared
def test_turned_and_mirrored_pictures_are_found_by_exactly_one_of_the_eight_hashes() -> None:
    first, *others = pictures = dihedral_pictures()
    eight = turned_of_pixels(pixels_of(first))
    assert eight[0] == pdq_of_image(first)[0]
    assert len(others) == 7
    for number, picture in enumerate(pictures):
        bits = [distance(pdq_of_image(picture)[0], h) for h in eight]
        assert bits.index(min(bits)) == number
        assert min(bits) == 0
        assert sum(b <= 31 for b in bits) == 1


@needs_shared
def test_eight_hashes_from_one_dct_are_the_references_and_lean_as_it_does() -> None:
    """Mirroring along the first diagonal costs nothing; every other way shows that the reference leans to one side."""
    first, *_ = pictures = dihedral_pictures()
    eight = dihedral(luma_of_pixels(pixels_of(first)))
    bits = [distance(pdq_of_image(p)[0], h) for p, h in zip(pictures, eight, strict=True)]
    assert bits == [0, 14, 18, 8, 8, 14, 0, 18]


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (512, 512), (513, 40), (700, 900), (64, 64), (5, 5)])
def test_each_of_the_eight_hashes_is_that_of_a_picture_turned_so(size: tuple[int, int]) -> None:
    way = Image.Transpose
    picture = scene(*size)
    ways = (way.ROTATE_90, way.ROTATE_180, way.ROTATE_270, way.FLIP_TOP_BOTTOM, way.FLIP_LEFT_RIGHT, way.TRANSPOSE,
            way.TRANSVERSE)  # fmt: skip
    turned = [picture, *map(picture.transpose, ways)]
    bits = [distance(pdq_of_image(t)[0], h) for t, h in zip(turned, turned_of_pixels(pixels_of(picture)), strict=True)]
    assert max(bits) <= 2, bits


SIZES = st.one_of(st.integers(5, 140), st.sampled_from([63, 64, 65, 127, 128, 129, 511, 512, 513, 700]))


KINDS = st.sampled_from(["noise", "slopes", "flat", "black and white"])


@given(SIZES, SIZES, st.sampled_from([0, 3, 4]), KINDS, st.integers(0, 8), st.integers(0, 2**32))
@settings(max_examples=60)
def test_the_compiled_hash_is_the_defined_one(
    height: int, width: int, channels: int, kind: str, orientation: int, seed: int
) -> None:
    dice = np.random.default_rng(seed)
    shape = (height, width, channels) if channels else (height, width)
    pixels = dice.integers(0, 256, shape, dtype=np.uint8)
    if kind == "slopes":
        pixels = np.clip(np.cumsum(pixels - 127.0, axis=1) / 50 + 127, 0, 255).astype(np.uint8)
    elif kind == "flat":
        pixels[:] = pixels[0, 0]
    elif kind == "black and white":
        pixels = np.where(pixels > 128, 255, 0).astype(np.uint8)
    assert pdq_of_pixels(pixels, orientation) == pdq_of_luma(luma_of_pixels(upright(pixels, orientation)))


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "LA", "YCbCr", "I;16"])
def test_modes_change_little_or_nothing(mode: str) -> None:
    grey = scene().convert("L")
    wide = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)
    other = wide if mode == "I;16" else grey.convert(mode)
    assert distance(pdq_of_image(grey)[0], pdq_of_image(other)[0]) <= 2


def test_a_one_bit_picture_is_hashed_as_what_it_shows() -> None:
    bits = scene().convert("1")
    assert pdq_of_image(bits) == pdq_of_image(bits.convert("L"))


def test_exif_orientation_is_applied() -> None:
    turned = scene().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    sink = io.BytesIO()
    turned.save(sink, "PNG", exif=exif)
    assert distance(pdq_of_image(Image.open(sink))[0], pdq_of_image(scene())[0]) == 0


def test_a_flat_picture_has_no_quality_and_a_tiny_one_no_hash() -> None:
    assert pdq_of_image(Image.new("RGB", (100, 100), "grey"))[1] == 0
    with pytest.raises(NoPicture):
        pdq_of_luma(np.zeros((3, 100), np.float32))


def test_a_hash_has_half_of_its_bits_set() -> None:
    assert int(pdq_of_image(scene())[0], 16).bit_count() == 128


HASHES = st.integers(0, 2**256 - 1).map(lambda n: f"{n:064x}")


@given(HASHES, st.lists(HASHES, max_size=20), st.integers(0, 256), st.integers(0, 2**32))
def test_the_fast_search_is_the_slow_one(query: str, others: list[str], radius: int, seed: int) -> None:
    dice = random.Random(seed)
    number = int(query, 16)
    near = [f"{number ^ sum(1 << b for b in dice.sample(range(256), dice.randrange(40))):064x}" for _ in range(10)]
    hashes = others + near
    assert within(packed([query])[0], packed(hashes), radius) == within_slow(query, hashes, radius)


@needs_shared
def test_published_needles_are_found_in_the_published_haystack() -> None:
    def lines(name: str) -> list[str]:
        return [w for line in (SHARED / "pdq" / name).read_text().split() for w in line.split(",") if len(w) == 64]

    needles, haystack = lines("needles.txt"), lines("haystack.txt")
    assert len(haystack) > 1000
    table = packed(haystack)
    for needle in needles:
        assert within(packed([needle])[0], table, 31) == within_slow(needle, haystack, 31)

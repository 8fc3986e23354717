"""Hashes of windows: the compiled ones are the definition's, and a window's hash is near to that of what it shows."""

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from casewright.kernels.flat import of_colour, of_colour_fast
from casewright.kernels.pdq import Pixels, distance, luma_of_pixels
from casewright.kernels.pdq_fast import pdq_of_pixels
from casewright.kernels.pdq_windows import (
    CUTS,
    hashes_of_windows,
    hashes_slow,
    luma_of_part,
    pdq_of_part,
    qualities_inside,
)


def photograph(height: int, width: int) -> Pixels:
    return np.ascontiguousarray(skimage.data.coffee()[:height, :width])


def bits(one: NDArray[np.uint8], other: str) -> int:
    return distance(one.tobytes().hex(), other)


@pytest.mark.parametrize("size", [(400, 600), (128, 128), (97, 61), (5, 5), (300, 8)])
@pytest.mark.parametrize("beyond", [False, True])
def test_compiled_hashes_are_the_definitions(size: tuple[int, int], beyond: bool) -> None:
    luma = luma_of_pixels(photograph(*size))
    np.testing.assert_array_equal(hashes_of_windows(luma, beyond), hashes_slow(luma, beyond))


def test_a_window_inside_has_nearly_the_hash_of_what_it_shows() -> None:
    picture = photograph(400, 600)
    apart = []
    for ((top, bottom), (left, right)), found in zip(
        CUTS, hashes_of_windows(luma_of_pixels(picture), False), strict=True
    ):
        shown = picture[round(top * 400) : 400 - round(bottom * 400), round(left * 600) : 600 - round(right * 600)]
        apart.append(bits(found, pdq_of_pixels(np.ascontiguousarray(shown)).hash))
    assert max(apart) <= 20
    assert np.median(apart) <= 12


def test_a_window_beyond_the_frame_comes_nearer_to_the_whole_than_the_cut_picture_is() -> None:
    whole = photograph(400, 600)
    wanted = pdq_of_pixels(whole).hash
    for place, ((top, bottom), (left, right)) in enumerate(CUTS):
        cut = whole[round(top * 400) : 400 - round(bottom * 400), round(left * 600) : 600 - round(right * 600)]
        plain = distance(pdq_of_pixels(np.ascontiguousarray(cut)).hash, wanted)
        found = bits(hashes_of_windows(luma_of_pixels(np.ascontiguousarray(cut)), True)[place], wanted)
        assert found < plain
        assert found <= 47 or top + bottom > 0.12


def test_a_part_is_hashed_as_if_it_had_been_cut_out() -> None:
    picture = np.asarray(np.tile(skimage.data.coffee(), (3, 2, 1)))
    for block in ((0, 0, 1200, 1200), (10, 20, 900, 1100), (100, 100, 105, 900), (3, 5, 300, 400)):
        top, left, bottom, right = block
        cut = np.ascontiguousarray(picture[top:bottom, left:right])
        assert pdq_of_part(picture, *block) == pdq_of_pixels(cut)
        np.testing.assert_array_equal(luma_of_part(picture, *block), luma_of_pixels(cut))
    grey = np.ascontiguousarray(picture[..., 0])
    assert pdq_of_part(grey, 1, 2, 700, 800) == pdq_of_pixels(np.ascontiguousarray(grey[1:700, 2:800]))


def test_a_window_over_nothing_but_sky_has_no_quality() -> None:
    flat = np.full((400, 400), 90, np.uint8)
    assert set(qualities_inside(luma_of_pixels(flat))) == {0}
    assert min(qualities_inside(luma_of_pixels(photograph(400, 600)))) >= 50


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_of_a_colour_are_counted_as_the_definition_counts_them(channels: int) -> None:
    dice = np.random.default_rng(4)
    pixels = dice.integers(0, 60, (40, 50, channels), dtype=np.uint8)
    for block in ((0, 0, 40, 50), (3, 7, 20, 9)):
        for found, wanted in zip(
            of_colour_fast(pixels, block, pixels[4, 4], 24), of_colour(pixels, block, pixels[4, 4], 24), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)

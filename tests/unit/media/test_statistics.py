"""The values against an independent computation in plain numpy, and against the contract."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageFilter

from lightly.media.statistics import (
    compute_luminance,
    compute_statistics,
    compute_uniform_row_ratio,
)
from tests.unit.media import odd_images as odd

images = st.tuples(st.integers(1, 12), st.integers(1, 12)).flatmap(
    lambda size: arrays(np.uint8, (*size, 3))
)


def compute_with_numpy(pixels: np.ndarray) -> dict[str, np.ndarray]:
    values = pixels.astype(np.float64) / 255
    return {
        "mean": values.mean((0, 1)),
        "std": values.std((0, 1)),
        "sum_of_values": values.sum((0, 1)),
        "sum_of_squares": (values**2).sum((0, 1)),
    }


@settings(deadline=None)
@given(images)
def test_sums_and_moments_equal_an_independent_computation(pixels):
    statistics = compute_statistics(pixels, size_bytes=1)

    for name, expected in compute_with_numpy(pixels).items():
        assert statistics[name] == pytest.approx(expected, rel=1e-9, abs=1e-7)


@settings(deadline=None)
@given(images)
def test_every_value_is_in_the_range_of_the_contract(pixels):
    statistics = compute_statistics(pixels, size_bytes=7)

    assert all(0 <= value <= 1 for value in statistics["mean"])
    assert all(0 <= value <= 0.5 + 1e-12 for value in statistics["std"])
    assert all(value >= 0 for value in statistics["sum_of_values"])
    assert all(value >= 0 for value in statistics["sum_of_squares"])
    assert statistics["shape"] == [*pixels.shape[:2], 3]
    assert statistics["size_in_bytes"] == 7
    assert 0 <= statistics["luminance"] <= 100
    assert 0 <= statistics["uniform_row_ratio"] <= 1
    assert 0 <= statistics["snr"] < float("inf")
    assert 0 <= statistics["sharpness"] < float("inf")


@settings(deadline=None)
@given(images)
def test_the_uniform_row_ratio_equals_an_independent_count(pixels):
    spread = np.ptp(pixels.astype(int), axis=1).max(axis=1)

    assert compute_uniform_row_ratio(pixels) == pytest.approx((spread <= 2).mean())


@pytest.mark.parametrize("size", [(640, 427), (33, 100), (3, 3), (1, 1), (1, 50)])
def test_signal_to_noise_is_mean_over_deviation_of_all_levels(size):
    levels = np.asarray(odd.photo(*size))

    snr = compute_statistics(levels, size_bytes=1)["snr"]

    assert snr == pytest.approx(levels.mean() / levels.std(), rel=1e-6)


@pytest.mark.parametrize("size", [(640, 427), (33, 100), (5, 4)])
def test_sharpness_is_the_deviation_of_the_8_bit_laplacian(size):
    image = odd.photo(*size)
    kernel = ImageFilter.Kernel((3, 3), (-1, -1, -1, -1, 8, -1, -1, -1, -1), 1, 0)
    expected = np.asarray(image.convert("L").filter(kernel)).std()

    sharpness = compute_statistics(np.asarray(image), size_bytes=1)["sharpness"]

    # Pillow and OpenCV round the grey value differently in rare pixels.
    assert sharpness == pytest.approx(expected, rel=0.01)


def test_a_blurred_image_is_less_sharp():
    image = odd.photo(800, 800)
    blurred = image.filter(ImageFilter.GaussianBlur(3))

    sharpness = compute_statistics(np.asarray(image), size_bytes=1)["sharpness"]

    assert compute_statistics(np.asarray(blurred), size_bytes=1)["sharpness"] < sharpness / 3


@pytest.mark.parametrize(
    ("color", "luminance"),
    [
        ((0, 0, 0), 0.0),
        ((255, 255, 255), 100.0),
        # middle grey of the CIE: sRGB 119 is L* 50.03
        ((119, 119, 119), 50.034),
        ((1, 1, 1), 0.274),
    ],
)
def test_luminance_is_cie_lightness_of_the_mean_colour(color, luminance):
    pixels = np.full((3, 5, 3), color, np.uint8)

    value = compute_statistics(pixels, size_bytes=1)["luminance"]

    assert value == pytest.approx(luminance, abs=0.1)


def test_luminance_agrees_with_a_value_that_the_platform_showed():
    assert compute_luminance(np.array([0.541, 0.387, 0.157])) == pytest.approx(44.8, abs=0.05)


def test_a_flat_image_has_no_noise_and_only_uniform_rows():
    statistics = compute_statistics(np.full((9, 7, 3), 93, np.uint8), size_bytes=1)

    assert statistics["snr"] == 0
    assert statistics["std"] == pytest.approx([0, 0, 0], abs=1e-9)
    assert statistics["uniform_row_ratio"] == 1


def test_the_noise_of_a_codec_does_not_hide_a_uniform_row():
    pixels = np.asarray(odd.photo(100, 10)).copy()
    pixels[3:5] = 128
    pixels[3, ::2] += 2

    assert compute_uniform_row_ratio(pixels) == pytest.approx(0.2)


def test_sums_of_a_large_image_are_exact():
    pixels = np.full((3000, 4000, 3), 255, np.uint8)

    statistics = compute_statistics(pixels, size_bytes=1)

    assert statistics["sum_of_values"] == pytest.approx([12e6] * 3, rel=1e-12)
    assert statistics["sum_of_squares"] == pytest.approx([12e6] * 3, rel=1e-12)


def test_the_input_is_not_modified():
    pixels = np.asarray(Image.new("RGB", (8, 8), (1, 2, 3)))
    assert not pixels.flags.writeable

    compute_statistics(pixels, size_bytes=1)

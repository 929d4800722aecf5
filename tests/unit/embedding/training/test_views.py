"""Views of pictures: random as asked for, and the same whenever they are asked for again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lightly.embedding.training.settings import ViewOptions
from lightly.embedding.training.views import make_generator, make_view

#: Shows the whole picture as it is.
PLAIN = ViewOptions(
    cj_prob=0, min_scale=1, random_gray_scale=0, gaussian_blur=0, hf_prob=0, vf_prob=0
)
SIDE = 16


def make_picture(side: int = 32) -> NDArray[np.uint8]:
    """Return a colourful picture without symmetry."""
    return np.random.default_rng(3).integers(0, 256, (side, side, 3), np.uint8)


def view(options: ViewOptions, *, epoch: int = 0, number: int = 0) -> NDArray[np.float32]:
    """Return one view."""
    return make_view(make_picture(), SIDE, options, make_generator(1, epoch, 5, number))


def test_a_view_follows_from_seed_epoch_picture_and_number() -> None:
    options = ViewOptions()
    assert np.array_equal(view(options), view(options))
    for other in (view(options, epoch=1), view(options, number=1)):
        assert not np.array_equal(view(options), other)


@pytest.mark.parametrize(
    "change",
    [
        {"hf_prob": 1.0},
        {"vf_prob": 1.0},
        {"rr_prob": 1.0},
        {"rr_prob": 1.0, "rr_degrees": (20.0, 30.0)},
        {"min_scale": 0.05},
        {"random_gray_scale": 1.0},
        {"gaussian_blur": 1.0},
        {"cj_prob": 1.0, "cj_contrast": 0.0, "cj_sat": 0.0, "cj_hue": 0.0},
        {"cj_prob": 1.0, "cj_bright": 0.0, "cj_sat": 0.0, "cj_hue": 0.0},
        {"cj_prob": 1.0, "cj_bright": 0.0, "cj_contrast": 0.0, "cj_hue": 0.0},
        {"cj_prob": 1.0, "cj_bright": 0.0, "cj_contrast": 0.0, "cj_sat": 0.0, "cj_hue": 0.3},
    ],
)
def test_every_option_changes_views(change: dict[str, object]) -> None:
    assert not np.allclose(view(replace(PLAIN, **change)), view(PLAIN), atol=1e-3)


def test_colours_without_strength_stay_as_they_are() -> None:
    still = replace(PLAIN, cj_prob=1, cj_bright=0, cj_contrast=0, cj_sat=0, cj_hue=0)
    assert np.allclose(view(still), view(PLAIN), atol=1e-5)


def test_a_grey_view_has_equal_channels() -> None:
    red, green, blue = view(replace(PLAIN, random_gray_scale=1.0))
    assert np.allclose(red, green)
    assert np.allclose(green, blue)


def test_a_wider_kernel_and_a_larger_sigma_blur_more() -> None:
    def roughness(**change: object) -> float:
        made = view(replace(PLAIN, gaussian_blur=1.0, **change))
        return float(np.abs(np.diff(made, axis=2)).mean())

    assert roughness(sigmas=(2.0, 2.0), kernel_size=0) < roughness(sigmas=(0.5, 0.5), kernel_size=0)
    assert roughness(sigmas=(4.0, 4.0), kernel_size=0.8) < roughness(
        sigmas=(4.0, 4.0), kernel_size=0.1
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(-(2**70), 2**70),
    shares=st.lists(st.floats(0, 1), min_size=11, max_size=11),
    side=st.integers(8, 40),
    stored=st.integers(8, 40),
)
def test_views_are_pixels_whatever_the_options(
    seed: int, shares: list[float], side: int, stored: int
) -> None:
    names = (
        "cj_prob", "cj_bright", "cj_contrast", "cj_sat", "cj_hue", "min_scale",
        "random_gray_scale", "gaussian_blur", "kernel_size", "hf_prob", "rr_prob",
    )  # fmt: skip
    options = ViewOptions(**dict(zip(names, shares, strict=True)))
    made = make_view(make_picture(stored), side, options, make_generator(seed, 0, 0, 0))
    assert made.shape == (3, side, side)
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() <= 1

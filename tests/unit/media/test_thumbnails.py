from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lightly.media.thumbnails import make_thumbnail
from tests.unit.media import odd_images as odd


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 960), (128, 96)),
        ((960, 1280), (96, 128)),
        ((128, 128), (128, 128)),
        ((129, 128), (128, 127)),
        # small images are not enlarged
        ((60, 40), (60, 40)),
        ((1, 1), (1, 1)),
        # the short side keeps a pixel
        ((20_000, 1), (128, 1)),
        ((1, 20_000), (1, 128)),
    ],
)
def test_the_longest_side_is_at_most_128(size, expected):
    thumbnail = Image.open(io.BytesIO(make_thumbnail(np.asarray(odd.photo(*size)))))

    assert thumbnail.format == "WEBP"
    assert thumbnail.size == expected


def test_a_thumbnail_looks_like_the_image():
    pixels = np.asarray(odd.photo(1280, 960))
    expected = Image.fromarray(pixels).resize((128, 96), Image.Resampling.LANCZOS)

    thumbnail = Image.open(io.BytesIO(make_thumbnail(pixels))).convert("RGB")

    difference = np.abs(np.asarray(thumbnail).astype(int) - np.asarray(expected))
    assert difference.mean() < 3

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lightly.media.images import decode_image
from lightly.media.model_input import crop_for_model, load_model_pixels, take_model_pixels
from lightly.media.resize_rule import MODEL_INPUT_VERSION, ResizeRule
from tests.unit.media import odd_images as odd


def reference(image: Image.Image) -> np.ndarray:
    """Short side to 256, bicubic, centre crop of 224."""
    scale = 256 / min(image.size)
    width, height = (max(224, round(side * scale)) for side in image.size)
    resized = image.resize((width, height), Image.Resampling.BICUBIC)
    left, top = (width - 224) // 2, (height - 224) // 2
    return np.asarray(resized.crop((left, top, left + 224, top + 224)))


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (256, 256), (1280, 960), (100, 60)])
def test_the_rule_is_short_side_256_centre_crop_224(size):
    image = odd.photo(*size).filter(ImageFilter.GaussianBlur(min(size) / 50))

    pixels = crop_for_model(np.asarray(image), ResizeRule())

    assert np.abs(pixels.astype(int) - reference(image)).mean() < 1.0


@pytest.mark.parametrize(("size", "limit"), [((1280, 960), 2.0), ((1400, 1024), 2.5)])
def test_a_jpeg_looks_like_the_full_decode_whether_it_is_decoded_smaller_or_not(size, limit):
    image = odd.photo(*size)
    data = odd.encode(image, "JPEG", quality=95)

    pixels = load_model_pixels(data, ResizeRule())

    decoded = reference(Image.open(io.BytesIO(data)))
    assert np.abs(pixels.astype(int) - decoded).mean() < limit


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GREY JPEG"])
@pytest.mark.parametrize("size", [(100, 60), (1023, 1500), (1100, 1024), (2500, 2050)])
@pytest.mark.parametrize("orientation", [1, 6])
def test_the_model_sees_the_same_of_an_image_that_is_decoded_already(kind, size, orientation):
    image = odd.photo(*size)
    exif = Image.Exif()
    exif[274] = orientation
    grey = image.convert("L") if kind.startswith("GREY") else image
    data = odd.encode(grey, kind.split()[-1], exif=exif)

    taken = take_model_pixels(decode_image(data), data, ResizeRule())

    assert (taken == load_model_pixels(data, ResizeRule())).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 2)])
def test_extreme_shapes_cost_no_more_than_the_crop(size):
    pixels = crop_for_model(np.full((*size, 3), 50, np.uint8), ResizeRule())

    assert pixels.shape == (224, 224, 3)
    assert (pixels == 50).all()


def test_other_models_have_other_sides():
    data = odd.encode(odd.photo(300, 400), "PNG")

    assert load_model_pixels(data, ResizeRule(96, 96)).shape == (96, 96, 3)


def test_a_change_of_the_pixels_needs_a_new_version():
    """If this fails on purpose, raise MODEL_INPUT_VERSION and write the new digest here."""
    y, x = np.mgrid[0:900, 0:1200]
    pixels = np.stack([x % 256, y % 256, (x + y) % 256], -1).astype(np.uint8)

    digest = hashlib.sha256(crop_for_model(pixels, ResizeRule()).tobytes()).hexdigest()

    assert (MODEL_INPUT_VERSION, digest[:16]) == (2, "da023c5bf3ad29a6")

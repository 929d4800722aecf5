"""The table of odd inputs: what each becomes, exactly."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from lightly.media.errors import CorruptImage
from lightly.media.images import decode_image
from lightly.media.inspection import inspect_image
from lightly.media.model_input import load_model_pixels
from lightly.media.resize_rule import ResizeRule
from lightly.media.sandbox import DecodePool
from tests.unit.media import odd_images as odd

NOT_AN_IMAGE = (
    "The content is not an image of a supported type (JPEG, PNG, GIF, WebP, BMP, TIFF, PPM)."
)
RAMP_16 = np.array([[0, 257, 32_896, 65_535]], np.uint16)

CORRUPT = {
    "empty file": (b"", "The file is empty."),
    "HTML named .jpg": (b"<!DOCTYPE html><html><script>1</script></html>", NOT_AN_IMAGE),
    "SVG named .jpg": (b'<svg xmlns="http://www.w3.org/2000/svg"></svg>', NOT_AN_IMAGE),
    "JPEG cut at 60 %": (
        odd.cut(odd.encode(odd.photo(200, 150), "JPEG"), 0.6),
        "The image cannot be decoded (OSError: image file is truncated",
    ),
    "PNG with a flipped bit": (
        odd.flip_bit(odd.encode(odd.photo(200, 150), "PNG"), 30_000),
        "The image cannot be decoded (OSError: broken data stream",
    ),
    "12 KB for 10,000 x 10,000": (
        odd.one_bit_png(10_000),
        "The image has more than 89478485 pixels.",
    ),
    "bomb below the pixel limit": (
        odd.one_bit_png(9_000),
        "The image is 9000x9000 in",
    ),
    "header that claims 400 Mpx": (
        odd.png_header(20_000, 20_000),
        "The image has more than 89478485 pixels.",
    ),
    "header that claims 2 gigapixels in a line": (
        odd.png_header(100_000, 1),
        "The image is 100000x1; a side may have 65535 pixels.",
    ),
    "header without pixels": (
        odd.png_header(4, 4),
        "The image cannot be decoded (OSError: image file is truncated",
    ),
    "damaged header": (b"\xff\xd8\xff" + b"\x00" * 100, "The header of the image is damaged."),
    "text chunk bomb": (
        odd.png_with_text_bomb(),
        "The image cannot be decoded (ValueError: Decompressed data too large",
    ),
}


@pytest.mark.parametrize("name", CORRUPT)
def test_unusable_bytes_are_reported_with_their_reason(name):
    data, reason = CORRUPT[name]

    report = inspect_image(data)

    assert report.corruption is not None
    assert report.corruption.startswith(reason)
    assert report.metadata == {"size_in_bytes": len(data)}
    assert report.thumbnail is None


@pytest.mark.parametrize("name", CORRUPT)
def test_the_model_sees_nothing_of_unusable_bytes(name):
    data, reason = CORRUPT[name]

    with pytest.raises(CorruptImage) as caught:
        load_model_pixels(data, ResizeRule())

    assert str(caught.value).startswith(reason)


# name: bytes, shape, first pixel, format, animated
GOOD = {
    "CMYK JPEG": (
        odd.encode(odd.flat((0, 255, 255, 0), mode="CMYK"), "JPEG", quality=95),
        [4, 6, 3], (254, 0, 0), "JPEG", False,
    ),
    "grey JPEG": (
        odd.encode(odd.flat(77, mode="L"), "JPEG", quality=95),
        [4, 6, 3], (77, 77, 77), "JPEG", False,
    ),
    "16-bit grey PNG": (
        odd.deep_png(RAMP_16), [1, 4, 3], (0, 0, 0), "PNG", False,
    ),
    "float TIFF in 0..1": (
        odd.float_tiff(np.array([[0.5, 0.0], [1.0, np.nan]])),
        [2, 2, 3], (128, 128, 128), "TIFF", False,
    ),
    "float TIFF of heights": (
        odd.float_tiff(np.array([[-100.0, 0.0, 100.0]])),
        [1, 3, 3], (0, 0, 0), "TIFF", False,
    ),
    "palette PNG": (odd.palette_png(), [4, 6, 3], odd.GREEN, "PNG", False),
    "palette PNG with a transparent colour": (
        odd.palette_png(transparent=True), [4, 6, 3], (255, 255, 255), "PNG", False,
    ),
    "transparent pixels": (
        odd.encode(odd.flat((10, 200, 30, 0), mode="RGBA"), "PNG"),
        [4, 6, 3], (255, 255, 255), "PNG", False,
    ),
    "half transparent pixels": (
        odd.encode(odd.flat((0, 0, 0, 128), mode="RGBA"), "PNG"),
        [4, 6, 3], (127, 127, 127), "PNG", False,
    ),
    "grey with alpha": (
        odd.encode(odd.flat((0, 0), mode="LA"), "PNG"),
        [4, 6, 3], (255, 255, 255), "PNG", False,
    ),
    "1-bit PNG": (
        odd.encode(odd.flat(1, mode="1"), "PNG"),
        [4, 6, 3], (255, 255, 255), "PNG", False,
    ),
    "animated GIF": (odd.animated("GIF"), [4, 6, 3], odd.GREEN, "GIF", True),
    "animated PNG": (odd.animated("PNG"), [4, 6, 3], odd.GREEN, "PNG", True),
    "animated WebP": (
        odd.encode(odd.flat(), "WEBP", save_all=True, append_images=[odd.flat((200, 0, 0))],
                   lossless=True),
        [4, 6, 3], odd.GREEN, "WEBP", True,
    ),
    "TIFF of several pages": (odd.animated("TIFF"), [4, 6, 3], odd.GREEN, "TIFF", True),
    "BMP": (odd.encode(odd.flat(), "BMP"), [4, 6, 3], odd.GREEN, "BMP", False),
    "PPM": (odd.encode(odd.flat(), "PPM"), [4, 6, 3], odd.GREEN, "PPM", False),
    "1x1": (odd.encode(odd.flat(size=(1, 1)), "PNG"), [1, 1, 3], odd.GREEN, "PNG", False),
    "1x20000": (
        odd.encode(odd.flat(size=(1, 20_000)), "PNG"), [20_000, 1, 3], odd.GREEN, "PNG", False,
    ),
    "20000x1": (
        odd.encode(odd.flat(size=(20_000, 1)), "PNG"), [1, 20_000, 3], odd.GREEN, "PNG", False,
    ),
    "200 KB of EXIF": (odd.png_with_huge_exif(), [4, 6, 3], odd.GREEN, "PNG", False),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_odd_but_good_images_become_rgb_by_the_documented_convention(name):
    data, shape, first_pixel, file_format, is_animated = GOOD[name]

    image = decode_image(data)
    report = inspect_image(data)

    assert list(image.pixels.shape) == shape
    assert image.pixels.dtype == np.uint8
    assert np.abs(image.pixels[0, 0].astype(int) - first_pixel).max() <= 1
    assert (report.format, report.is_animated) == (file_format, is_animated)
    assert report.corruption is None
    assert report.metadata["shape"] == shape
    assert report.metadata["size_in_bytes"] == len(data)


@pytest.mark.parametrize("name", GOOD)
def test_odd_but_good_images_get_model_pixels_and_a_thumbnail(name):
    data = GOOD[name][0]

    pixels = load_model_pixels(data, ResizeRule())
    thumbnail = Image.open(io.BytesIO(inspect_image(data).thumbnail))

    assert pixels.shape == (224, 224, 3)
    assert thumbnail.format == "WEBP"
    assert 1 <= min(thumbnail.size) <= max(thumbnail.size) <= 128


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        # the whole range of 16 bits, rounded, not clipped
        (odd.deep_png(RAMP_16), [0, 1, 128, 255]),
        (odd.deep_tiff(RAMP_16), [0, 1, 128, 255]),
        # 12 bits declared: 4095 is white
        (odd.tiff_12_bit((2048, 4095)), [128, 255]),
        # heights: the lowest is black, the highest white
        (odd.float_tiff(np.array([[-100.0, 0.0, 100.0]])), [0, 128, 255]),
        # values up to 255 are taken as levels
        (odd.float_tiff(np.array([[0.0, 3.0, 255.0]])), [0, 3, 255]),
        # infinite and missing values are black
        (odd.float_tiff(np.array([[0.0, np.inf, 1.0, np.nan]])), [0, 0, 255, 0]),
        # a constant outside of every common range
        (odd.float_tiff(np.array([[-5.0, -5.0]])), [0, 0]),
        # 16-bit portable grey map
        (b"P5 2 1 65535\n" + b"\x80\x80\xff\xff", [128, 255]),
    ],
)
def test_deep_grey_is_scaled_by_its_declared_depth(data, expected):
    pixels = decode_image(data).pixels

    assert pixels[0, :, 0].tolist() == expected
    assert (pixels == pixels[..., :1]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied_like_a_viewer_does(orientation):
    data = odd.oriented_jpeg(orientation)
    upright = np.asarray(odd_transposed(data))

    pixels = decode_image(data).pixels

    assert pixels.shape == upright.shape
    assert np.abs(pixels.astype(int) - upright).max() <= 1
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("orientation", [0, 9, 65_535])
def test_an_unknown_orientation_counts_as_upright(orientation):
    assert decode_image(odd.oriented_jpeg(orientation)).pixels.shape == (48, 64, 3)


@pytest.mark.parametrize("file_format", ["TIFF", "PNG", "WEBP"])
def test_the_orientation_is_applied_once_in_every_format(file_format):
    exif = Image.Exif()
    exif[274] = 6
    data = odd.encode(odd.photo(64, 48), file_format, exif=exif)

    assert decode_image(data).pixels.shape == (64, 48, 3)
    assert inspect_image(data).metadata["shape"] == [64, 48, 3]


def test_the_model_sees_the_upright_image():
    stripes = np.zeros((300, 300, 3), np.uint8)
    stripes[:150] = 255  # white above, black below, as stored
    data = odd.oriented_jpeg(6, Image.fromarray(stripes))  # shown turned clockwise

    pixels = load_model_pixels(data, ResizeRule())

    assert pixels[112, 10].max() < 20  # black on the left
    assert pixels[112, 213].min() > 235  # white on the right


def test_the_fast_jpeg_decoder_agrees_with_pillow():
    data = odd.encode(odd.photo(203, 151), "JPEG", quality=88)

    pixels = decode_image(data).pixels

    assert np.array_equal(pixels, np.asarray(Image.open(io.BytesIO(data))))


def test_a_jpeg_with_bytes_behind_its_end_is_good():
    data = odd.encode(odd.photo(), "JPEG") + b"trailing rubbish" * 100

    assert inspect_image(data).corruption is None


def test_the_same_bytes_fail_the_same_way_twice():
    data = odd.flip_bit(odd.encode(odd.photo(200, 150), "PNG"), 30_000)

    assert inspect_image(data) == inspect_image(data)
    assert inspect_image(data).is_corrupt


def test_the_type_comes_from_the_bytes_and_not_from_the_name(tmp_path):
    path = tmp_path / "named.jpg"
    path.write_bytes(odd.encode(odd.flat(), "PNG"))

    assert inspect_image(path).format == "PNG"


def test_the_sandbox_reports_the_same_as_the_calling_process():
    sources = [row[0] for row in (*CORRUPT.values(), *GOOD.values())]

    with DecodePool(n_processes=2) as pool:
        reports = list(pool.inspect_images(sources))

    assert reports == [inspect_image(source) for source in sources]


def odd_transposed(data: bytes) -> Image.Image:
    from PIL import ImageOps

    return ImageOps.exif_transpose(Image.open(io.BytesIO(data)))

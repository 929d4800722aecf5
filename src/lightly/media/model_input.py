"""The one function that makes the pixels a model sees, for command line, server and worker.

The rule: a centred square of `input_side / short_side` of the shorter side is cut out, averaged in
whole blocks down to at least one and a half times `input_side`, and resized to it by an
anti-aliasing bicubic filter. That is "short side to 256, centre crop 224" without ever making the
part that is thrown away, which for a 1x20,000 image would be a gigapixel. JPEGs whose shorter side
is at least four times `short_side` are decoded at the smallest scale that still has `short_side`
pixels: below that, a smaller scale spares next to nothing, and what is decoded for other purposes
serves the model as well.
"""

from __future__ import annotations

import cv2
import numpy as np
import simplejpeg
from PIL import Image

from lightly.media.errors import CorruptImage
from lightly.media.images import (
    DECODER_ERRORS,
    DecodedImage,
    Pixels,
    apply_orientation,
    decode_image,
    describe_failure,
    is_plain_jpeg,
    open_header,
    orientation_of,
    read_exif,
)
from lightly.media.resize_rule import ResizeRule

# So many times the target is left for the filter: cosines of embeddings with those of the filter
# alone are 0.9996 on photos, for a third of the time.
_LEAST_REMAINDER = 1.5
# From here on a JPEG is decoded at a quarter of its size or less.
_SCALED_FROM = 4


def load_model_pixels(data: bytes, rule: ResizeRule) -> Pixels:
    """Return what the model sees of an image.

    Args:
        data: The whole file.
        rule: Geometry of the input.

    Returns:
        uint8 of shape (input_side, input_side, 3), RGB.

    Raises:
        CorruptImage: As `lightly.media.images.decode_image`.
    """
    image = open_header(data)
    pixels = _load_scaled(image, data, rule) if _is_scaled(image, *image.size, rule) else None
    return crop_for_model(decode_image(data).pixels if pixels is None else pixels, rule)


def take_model_pixels(image: DecodedImage, data: bytes, rule: ResizeRule) -> Pixels:
    """Return the same of an image that is decoded already.

    Args:
        image: From `lightly.media.images.decode_image`.
        data: The file that it came from.
        rule: Geometry of the input.
    """
    height, width = image.pixels.shape[:2]
    if _is_scaled(image, width, height, rule):
        return load_model_pixels(data, rule)
    return crop_for_model(image.pixels, rule)


def crop_for_model(pixels: Pixels, rule: ResizeRule) -> Pixels:
    """Apply the rule to decoded pixels of shape (height, width, 3)."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * rule.input_side / rule.short_side))
    block = max(1, int(side / rule.input_side / _LEAST_REMAINDER))
    # Whole blocks only: at most one pixel less than a block is lost.
    side -= side % block
    top, left = (height - side) // 2, (width - side) // 2
    square = pixels[top : top + side, left : left + side]
    if block > 1:
        size = (side // block, side // block)
        square = np.asarray(cv2.resize(square, size, interpolation=cv2.INTER_AREA), np.uint8)
    resized = Image.fromarray(np.ascontiguousarray(square)).resize(
        (rule.input_side, rule.input_side), Image.Resampling.BICUBIC
    )
    return np.asarray(resized)


def _is_scaled(
    image: Image.Image | DecodedImage, width: int, height: int, rule: ResizeRule
) -> bool:
    is_large = min(width, height) >= _SCALED_FROM * rule.short_side
    return is_large and is_plain_jpeg(image.format, image.mode)


def _load_scaled(image: Image.Image, data: bytes, rule: ResizeRule) -> Pixels | None:
    """Return a JPEG at the smallest useful scale; None if Pillow has to decide."""
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, "RGB", min_height=rule.short_side, min_width=rule.short_side, strict=True
        )
    except ValueError:
        return None
    try:
        return apply_orientation(pixels, orientation_of(read_exif(image)))
    except DECODER_ERRORS as error:
        raise CorruptImage(describe_failure(error)) from error

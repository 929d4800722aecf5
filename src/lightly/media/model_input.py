"""The one function that makes the pixels a model sees, for command line, server and worker.

The rule: a centred square of `input_side / short_side` of the shorter side is cut out and resized
to `input_side` by an anti-aliasing bicubic filter. That is "short side to 256, centre crop 224"
without ever making the part that is thrown away, which for a 1x20,000 image would be a gigapixel.
JPEGs are decoded at the smallest scale that still has `short_side` pixels.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from PIL import Image

from lightly.media.errors import CorruptImage
from lightly.media.images import (
    DECODER_ERRORS,
    Pixels,
    apply_orientation,
    convert_to_rgb,
    describe_failure,
    is_plain_jpeg,
    open_header,
    orientation_of,
    read_exif,
)
from lightly.media.resize_rule import ResizeRule

# Averages huge images down to three times the target before the filter; not visible, much faster.
_REDUCING_GAP = 3.0


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
    try:
        pixels = _decode_scaled(data, rule) if is_plain_jpeg(image) else None
        if pixels is None:
            pixels = convert_to_rgb(image)
        orientation = orientation_of(read_exif(image))
    except DECODER_ERRORS as error:
        raise CorruptImage(describe_failure(error)) from error
    return apply_orientation(crop_for_model(pixels, rule), orientation)


def crop_for_model(pixels: Pixels, rule: ResizeRule) -> Pixels:
    """Apply the rule to decoded pixels of shape (height, width, 3)."""
    height, width = pixels.shape[:2]
    side = max(1, round(min(height, width) * rule.input_side / rule.short_side))
    top, left = (height - side) // 2, (width - side) // 2
    square = Image.fromarray(np.ascontiguousarray(pixels[top : top + side, left : left + side]))
    resized = square.resize(
        (rule.input_side, rule.input_side),
        Image.Resampling.BICUBIC,
        reducing_gap=_REDUCING_GAP,
    )
    return np.asarray(resized)


def _decode_scaled(data: bytes, rule: ResizeRule) -> Pixels | None:
    """Return the pixels at the smallest useful scale; None if Pillow has to decide."""
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(
            data, "RGB", min_height=rule.short_side, min_width=rule.short_side, strict=True
        )
    except ValueError:
        return None
    return pixels

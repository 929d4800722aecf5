"""Small previews: WebP, longest side 128 pixels."""

from __future__ import annotations

import io

from PIL import Image

from lightly.media.images import Pixels

#: Longest side of a thumbnail in pixels, as in the published upload flow.
THUMBNAIL_SIDE = 128
THUMBNAIL_QUALITY = 90
# 0 is fast, 6 is small. At this size 2 gives the bytes of 4 in half its time.
_WEBP_METHOD = 2
# Averages down to twice the target first, then filters: seven times faster on a camera image.
_REDUCING_GAP = 2.0


def make_thumbnail(pixels: Pixels, *, longest_side: int = THUMBNAIL_SIDE) -> bytes:
    """Return a WebP preview; images that are small already keep their size.

    Args:
        pixels: uint8 of shape (height, width, 3), RGB.
        longest_side: Upper bound for width and height. The shorter side keeps at least 1 pixel.
    """
    image = Image.fromarray(pixels)
    target = _fit(*image.size, longest_side)
    if image.size != target:
        image = image.resize(target, Image.Resampling.LANCZOS, reducing_gap=_REDUCING_GAP)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=THUMBNAIL_QUALITY, method=_WEBP_METHOD)
    return buffer.getvalue()


def _fit(width: int, height: int, longest_side: int) -> tuple[int, int]:
    longest = max(width, height)
    if longest <= longest_side:
        return width, height
    scale = longest_side / longest
    return max(1, round(width * scale)), max(1, round(height * scale))

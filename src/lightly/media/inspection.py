"""Everything that is recorded about one image or frame, from a single decode."""

from __future__ import annotations

import io

from PIL import Image

from lightly.media.errors import CorruptImage
from lightly.media.exif import describe_exif
from lightly.media.images import DecodedImage, Pixels, decode_image, read_bytes
from lightly.media.reports import FrameReport, ImageReport, ImageSource, measure_source
from lightly.media.statistics import compute_statistics
from lightly.media.thumbnails import make_thumbnail

# zlib's fastest level: three times faster than the default for a tenth more bytes.
_PNG_LEVEL = 1

# Artefacts cannot be seen any more, and the file has about a tenth of the PNG.
_JPEG_QUALITY = 95


def inspect_image(source: ImageSource, *, with_thumbnail: bool = True) -> ImageReport:
    """Decode an image once and return its statistics, thumbnail and EXIF, or why that fails.

    Runs in the calling process. Use `lightly.media.sandbox.DecodePool` for bytes of others.

    Args:
        source: A path, or the bytes of the whole file.
        with_thumbnail: Whether to make the preview.

    Returns:
        The report. Corrupt images are a result here, never an exception.
    """
    report, _ = inspect_and_keep(source, with_thumbnail=with_thumbnail)
    return report


def inspect_and_keep(
    source: ImageSource, *, with_thumbnail: bool
) -> tuple[ImageReport, tuple[DecodedImage, bytes] | None]:
    """Do the same as `inspect_image`, and return the decoded image and its file too, if any."""
    size_bytes = measure_source(source)
    try:
        data = source if isinstance(source, bytes) else read_bytes(source)
        image = decode_image(data)
    except CorruptImage as error:
        return ImageReport({"size_in_bytes": size_bytes}, corruption=str(error)), None
    report = ImageReport(
        metadata={**compute_statistics(image.pixels, size_bytes=len(data))},
        thumbnail=make_thumbnail(image.pixels) if with_thumbnail else None,
        exif=describe_exif(image.exif),
        format=image.format,
        is_animated=image.is_animated,
    )
    return report, (image, data)


def inspect_frame(pixels: Pixels, *, index: int, timestamp_s: float | None) -> FrameReport:
    """Return statistics, thumbnail and PNG of a decoded frame."""
    png = encode_png(pixels)
    return FrameReport(
        index=index,
        timestamp_s=timestamp_s,
        metadata={**compute_statistics(pixels, size_bytes=len(png))},
        thumbnail=make_thumbnail(pixels),
        png=png,
    )


def encode_frame(pixels: Pixels, image_format: str) -> bytes:
    """Return RGB pixels as a file of one of `reports.FRAME_FORMATS`, or as they are for `rgb`."""
    if image_format == "rgb":
        return pixels.tobytes()
    if image_format == "jpg":
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=_JPEG_QUALITY)
        return buffer.getvalue()
    return encode_png(pixels)


def encode_png(pixels: Pixels) -> bytes:
    """Return RGB pixels of shape (height, width, 3) as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=_PNG_LEVEL)
    return buffer.getvalue()

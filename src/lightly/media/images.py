"""From the bytes of an image to 8-bit RGB pixels, by one documented convention.

| what comes in | what comes out |
|---|---|
| EXIF orientation | applied: pixels, width and height are as a viewer shows them |
| grey, palette, CMYK, YCbCr, LAB | converted to RGB |
| alpha or a transparent palette colour | laid on white |
| 9 to 16 bits of grey | scaled by the bit depth that the file declares, never clipped |
| float or 32-bit grey | see `_pick_value_range` |
| animation, several pages | the first frame |

A header that crosses a limit is refused before any pixel is decoded; after that only a full decode
tells whether an image is good. Every decode starts from the bytes: an image object that failed
once is thrown away, because Pillow would hand out half an image at the second try.
"""

from __future__ import annotations

import io
import math
import os
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lightly.media import limits
from lightly.media.errors import CorruptImage, ImageTooLarge
from lightly.media.reports import measure_regular_file
from lightly.media.sniff import SNIFF_BYTES, sniff_content_type

Pixels = NDArray[np.uint8]

# Only decoders of formats that we promise; the others of Pillow are attack surface.
_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM")
_DEEP_GREY_MODES = frozenset({"I;16", "I;16L", "I;16B", "I;16N"})
_WIDE_GREY_MODES = frozenset({"I", "F"})
_ALPHA_MODES = frozenset({"RGBA", "LA", "PA", "La", "RGBa"})
_TOO_MANY_PIXELS = f"The image has more than {limits.MAX_IMAGE_PIXELS} pixels."
_TIFF_BITS_PER_SAMPLE = 258
_EXIF_ORIENTATION = 274
_APP1 = 0xE1
# Start of scan and end of image: no more segments to look at.
_SEGMENTS_END = frozenset({0xDA, 0xD9})
# What decoders raise on bad bytes. MemoryError is not among them: it is about this machine.
DECODER_ERRORS = (
    OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, EOFError, ArithmeticError,
    AttributeError, NotImplementedError, RuntimeError, struct.error, Warning,
    Image.DecompressionBombError,
)  # fmt: skip

_ORIENTATIONS: dict[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.transpose(1, 0, 2),
    6: lambda pixels: pixels[::-1].transpose(1, 0, 2),
    7: lambda pixels: pixels[::-1, ::-1].transpose(1, 0, 2),
    8: lambda pixels: pixels[:, ::-1].transpose(1, 0, 2),
}


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A fully decoded image.

    Attributes:
        pixels: uint8 of shape (height, width, 3), RGB, orientation applied.
        format: Name of the file format, such as `JPEG`.
        mode: Pillow's name of how the file stores its pixels, such as `CMYK`.
        is_animated: Whether the file holds more frames than the one that was decoded.
        exif: The raw EXIF entries, see `lightly.media.exif.describe_exif`.
    """

    pixels: Pixels
    format: str
    mode: str
    is_animated: bool
    exif: Image.Exif | None


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return the content of a regular file.

    Raises:
        CorruptImage: If it cannot be read or is no regular file.
        ImageTooLarge: If it has more than `limits.MAX_IMAGE_BYTES` bytes.
    """
    _check_byte_count(measure_regular_file(path, CorruptImage))
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CorruptImage(f"The file cannot be read: {error.strerror}.") from error


def decode_image(data: bytes) -> DecodedImage:
    """Decode an image completely.

    Args:
        data: The whole file.

    Returns:
        Its pixels and what is known about it.

    Raises:
        CorruptImage: If any part of it cannot be decoded. The message is a reason for people,
            without any path.
        ImageTooLarge: If its header crosses a limit; nothing was decoded then.

    >>> buffer = io.BytesIO()
    >>> Image.new("L", (4, 2), 255).save(buffer, "PNG")
    >>> decode_image(buffer.getvalue()).pixels.shape
    (2, 4, 3)
    """
    image = open_header(data)
    try:
        mode, name = image.mode, image.format or ""
        pixels = _decode_pixels(image, data)
        is_animated = bool(getattr(image, "is_animated", False))
        # After the decode: PNG may keep EXIF behind the pixels, and TIFF is turned by Pillow.
        exif = read_exif(image)
    except DECODER_ERRORS as error:
        raise CorruptImage(describe_failure(error)) from error
    oriented = apply_orientation(pixels, orientation_of(exif))
    return DecodedImage(oriented, name, mode, is_animated, exif)


def open_header(data: bytes) -> Image.Image:
    """Read the header, check it against every limit, and return the image, not yet decoded."""
    _check_byte_count(len(data))
    if not data:
        raise CorruptImage("The file is empty.")
    if not (sniff_content_type(data[:SNIFF_BYTES]) or "").startswith("image/"):
        raise CorruptImage(
            "The content is not an image of a supported type"
            " (JPEG, PNG, GIF, WebP, BMP, TIFF, PPM)."
        )
    try:
        image = _open_tolerating_exif(data)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(_TOO_MANY_PIXELS) from error
    except UnidentifiedImageError as error:
        raise CorruptImage("The header of the image is damaged.") from error
    except DECODER_ERRORS as error:
        raise CorruptImage(describe_failure(error)) from error
    _check_size(*image.size, size_bytes=len(data))
    return image


def _open_tolerating_exif(data: bytes) -> Image.Image:
    """Open an image; if damaged EXIF is all that is wrong with a JPEG, without its EXIF."""
    try:
        return Image.open(io.BytesIO(data), formats=_FORMATS)
    except (OSError, Warning):
        without_exif = drop_jpeg_exif(data)
        if len(without_exif) == len(data):
            raise
        return Image.open(io.BytesIO(without_exif), formats=_FORMATS)


def drop_jpeg_exif(data: bytes) -> bytes:
    """Return a JPEG without its EXIF segments; anything else as it is."""
    kept, position = [data[:2]], 2
    while len(mark := data[position : position + 4]) == 4 and mark[0] == 0xFF:
        if mark[1] in _SEGMENTS_END:
            break
        segment = data[position : position + 2 + int.from_bytes(mark[2:])]
        if not (mark[1] == _APP1 and segment[4:8] == b"Exif"):
            kept.append(segment)
        position += max(len(segment), 2)
    return b"".join([*kept, data[position:]]) if data[:2] == b"\xff\xd8" else data


def read_exif(image: Image.Image) -> Image.Exif | None:
    """Return the EXIF entries, or None if there are none, too many bytes, or damaged ones.

    Damaged EXIF says nothing about the pixels, so it never makes an image corrupt.
    """
    raw = image.info.get("exif")
    if raw is not None and len(raw) > limits.MAX_EXIF_BYTES:
        return None
    try:
        return image.getexif()
    except DECODER_ERRORS:
        return None


def orientation_of(exif: Image.Exif | None) -> int:
    """Return the EXIF orientation, 1 (upright) to 8; whatever else is written counts as 1."""
    value = exif.get(_EXIF_ORIENTATION) if exif is not None else None
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def apply_orientation(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels as a viewer shows them, contiguous in memory."""
    turn = _ORIENTATIONS.get(orientation)
    return np.ascontiguousarray(turn(pixels)) if turn else pixels


def describe_failure(error: BaseException) -> str:
    """Say what a decoder complained about: bounded, printable, one line, no addresses."""
    text = "".join(char if char.isprintable() else " " for char in str(error)).strip()
    if " at 0x" in text:
        text = ""
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"The image cannot be decoded ({reason})."[: limits.MAX_REASON_CHARS]


def is_plain_jpeg(name: str | None, mode: str) -> bool:
    """Tell whether the fast JPEG decoder knows a format and mode: grey or three colours."""
    return name in {"JPEG", "MPO"} and mode in {"L", "RGB"}


def convert_to_rgb(image: Image.Image) -> Pixels:
    """Decode an opened image and convert it to RGB by the convention of this module."""
    image.load()
    if image.mode in _DEEP_GREY_MODES:
        return _stack_grey(_scale_deep_grey(np.asarray(image), _bit_depth(image)))
    if image.mode in _WIDE_GREY_MODES:
        return _stack_grey(_scale_wide_grey(image))
    if image.mode in _ALPHA_MODES or "transparency" in image.info:
        return _lay_on_white(image)
    return np.asarray(image.convert("RGB"))


def _decode_pixels(image: Image.Image, data: bytes) -> Pixels:
    if is_plain_jpeg(image.format, image.mode):
        try:
            return _as_pixels(simplejpeg.decode_jpeg(data, "RGB", strict=True))
        except ValueError:
            # Strict refuses JPEGs with harmless oddities as well; Pillow has the last word.
            pass
    return convert_to_rgb(image)


def _as_pixels(array: Any) -> Pixels:
    pixels: Pixels = array
    return pixels


def _check_byte_count(size_bytes: int) -> None:
    if size_bytes > limits.MAX_IMAGE_BYTES:
        raise ImageTooLarge(
            f"The file has {size_bytes} bytes; at most {limits.MAX_IMAGE_BYTES} are read."
        )


def _check_size(width: int, height: int, *, size_bytes: int) -> None:
    pixels = width * height
    if max(width, height) > limits.MAX_IMAGE_SIDE:
        raise ImageTooLarge(
            f"The image is {width}x{height}; a side may have {limits.MAX_IMAGE_SIDE} pixels."
        )
    if pixels > limits.MAX_IMAGE_PIXELS:
        raise ImageTooLarge(_TOO_MANY_PIXELS)
    ratio = pixels // max(size_bytes, 1)
    if pixels > limits.RATIO_FREE_PIXELS and ratio > limits.MAX_PIXELS_PER_BYTE:
        raise ImageTooLarge(
            f"The image is {width}x{height} in {size_bytes} bytes, which looks like a"
            f" decompression bomb: at most {limits.MAX_PIXELS_PER_BYTE} pixels a byte are decoded."
        )


def _lay_on_white(image: Image.Image) -> Pixels:
    rgba = image.convert("RGBA")
    white = Image.new("RGB", rgba.size, (255, 255, 255))
    white.paste(rgba, mask=rgba)
    return np.asarray(white)


def _bit_depth(image: Image.Image) -> int:
    """Return the bits per sample that the file declares; 16 unless a TIFF says less."""
    tags = getattr(image, "tag_v2", None)
    declared = tags.get(_TIFF_BITS_PER_SAMPLE, (16,)) if tags else (16,)
    bits = int(declared[0]) if isinstance(declared, tuple) else int(declared)
    return bits if 8 < bits <= 16 else 16


def _scale_deep_grey(values: NDArray[Any], bits: int) -> Pixels:
    highest = (1 << bits) - 1
    levels = np.minimum(np.arange(65_536), highest)
    table = ((levels * 255 + highest // 2) // highest).astype(np.uint8)
    scaled: Pixels = table[values.astype(np.uint16, copy=False)]
    return scaled


def _scale_wide_grey(image: Image.Image) -> Pixels:
    values = np.asarray(image).astype(np.float32)
    is_finite = np.isfinite(values)
    if image.format in {"PPM", "PNG"}:
        low, high = 0.0, 65_535.0
    else:
        low, high = _pick_value_range(values[is_finite])
    values[~is_finite] = low
    scaled = (values - low) * np.float32(255.0 / (high - low))
    levels: Pixels = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return levels


def _pick_value_range(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return which values are black and white in a format that does not say so.

    The first range that holds all values wins: 0..1, 0..255, 0..65535; else the smallest and the
    largest value become black and white. Not-a-number becomes black.
    """
    if values.size == 0:
        return 0.0, 1.0
    low, high = float(values.min()), float(values.max())
    for limit in (1.0, 255.0, 65_535.0):
        if low >= 0.0 and high <= limit:
            return 0.0, limit
    return low, max(high, low + 1e-6 * max(1.0, abs(low)))


def _stack_grey(grey: Pixels) -> Pixels:
    return np.repeat(grey[..., np.newaxis], 3, axis=2)


def cut_box(pixels: Pixels, box: Sequence[float]) -> Pixels:
    """Return the part of an image that a box covers, at least one pixel.

    Args:
        pixels: uint8 of shape (height, width, 3).
        box: x and y of the top left corner, width and height, in pixels.

    >>> cut_box(np.zeros((4, 6, 3), np.uint8), [5, -1, 10, 2]).shape
    (1, 1, 3)
    """
    height, width = pixels.shape[:2]
    left, right = _clip_range(box[0], box[2], width)
    top, bottom = _clip_range(box[1], box[3], height)
    return pixels[top:bottom, left:right]


def _clip_range(start: float, length: float, limit: int) -> tuple[int, int]:
    first = min(max(0, math.floor(start)), limit - 1)
    return first, max(first + 1, min(limit, math.ceil(start + length)))

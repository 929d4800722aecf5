"""Statistics of an image, the platform's "lightly metadata", on all its pixels.

Pixel values are 0..1 unless the name says otherwise. OpenCV does the arithmetic: numpy would make
a float copy of every image, which costs twenty times as much.
"""

from __future__ import annotations

from typing import Any, TypedDict

import cv2
import numpy as np
from numpy.typing import NDArray

from lightly.media.images import Pixels

# A row counts as uniform if no channel varies by more than this. Broken transmissions leave rows
# of one colour, which JPEG and video codecs blur by a level or two.
UNIFORM_ROW_TOLERANCE = 2

_LAPLACIAN = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32)
# The linear-light weights of red, green and blue in sRGB (IEC 61966-2-1).
_LUMINANCE_WEIGHTS = (0.2126, 0.7152, 0.0722)


class ImageStatistics(TypedDict):
    """The wire names of `SampleMetaData` in snake form.

    Attributes:
        mean: Per channel R, G, B, in 0..1.
        std: Per channel, population standard deviation, in 0..0.5.
        sum_of_values: Per channel.
        sum_of_squares: Per channel.
        shape: Height, width, 3; after the EXIF orientation was applied.
        snr: Mean over standard deviation of all values of all channels; 0 for a flat image.
        sharpness: Standard deviation of the 8-bit response of a 3x3 Laplacian on the grey image.
        size_in_bytes: Size of the file.
        luminance: CIE L* of the mean colour, in 0..100.
        uniform_row_ratio: Share of the rows that have one colour, in 0..1.
    """

    mean: list[float]
    std: list[float]
    sum_of_values: list[float]
    sum_of_squares: list[float]
    shape: list[int]
    snr: float
    sharpness: float
    size_in_bytes: int
    luminance: float
    uniform_row_ratio: float


def compute_statistics(pixels: Pixels, *, size_bytes: int) -> ImageStatistics:
    """Return the statistics of an image.

    Args:
        pixels: uint8 of shape (height, width, 3), RGB.
        size_bytes: Size of the file that the pixels came from.

    >>> compute_statistics(np.full((4, 6, 3), 255, np.uint8), size_bytes=10)["luminance"]
    100.0
    """
    height, width = pixels.shape[:2]
    mean, std = (_flatten(values) / 255.0 for values in cv2.meanStdDev(pixels))
    mean_of_squares = std**2 + mean**2
    count = height * width
    return ImageStatistics(
        mean=np.clip(mean, 0.0, 1.0).tolist(),
        std=std.tolist(),
        sum_of_values=(mean * count).tolist(),
        sum_of_squares=(mean_of_squares * count).tolist(),
        shape=[height, width, 3],
        snr=_compute_snr(mean, mean_of_squares),
        sharpness=compute_sharpness(pixels),
        size_in_bytes=size_bytes,
        luminance=compute_luminance(mean),
        uniform_row_ratio=compute_uniform_row_ratio(pixels),
    )


def compute_sharpness(pixels: Pixels) -> float:
    """Return the standard deviation of the Laplacian response, clipped to 8 bits.

    The outermost rows and columns keep their grey values, as in the published clients, so that
    thresholds that users know stay valid.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    response = cv2.filter2D(grey, cv2.CV_8U, _LAPLACIAN)
    response[0], response[-1] = grey[0], grey[-1]
    response[:, 0], response[:, -1] = grey[:, 0], grey[:, -1]
    return float(cv2.meanStdDev(response)[1][0, 0])


def compute_luminance(mean: NDArray[np.float64]) -> float:
    """Return CIE L*, 0 (black) to 100 (white), of a mean sRGB colour with values in 0..1."""
    linear = [_linearise(float(value)) for value in mean]
    relative = sum(weight * value for weight, value in zip(_LUMINANCE_WEIGHTS, linear, strict=True))
    # CIE 15: a cube root with a linear piece near black.
    root = relative ** (1 / 3) if relative > 216 / 24389 else (24389 / 27 * relative + 16) / 116
    return min(100.0, max(0.0, 116 * root - 16))


def compute_uniform_row_ratio(pixels: Pixels) -> float:
    """Return the share of rows in which every channel varies by at most the tolerance."""
    candidates = np.flatnonzero(_is_uniform(pixels[:, :: max(1, pixels.shape[1] // 16)]))
    # Most images have no such row, so a glance at 16 columns spares the full look.
    is_uniform = _is_uniform(pixels[candidates]) if candidates.size else candidates
    return float(np.count_nonzero(is_uniform) / pixels.shape[0])


def _is_uniform(rows: Pixels) -> NDArray[np.bool_]:
    rows = np.ascontiguousarray(rows)
    spread = cv2.reduce(rows, 1, cv2.REDUCE_MAX) - cv2.reduce(rows, 1, cv2.REDUCE_MIN)
    return np.asarray((spread <= UNIFORM_ROW_TOLERANCE).all(axis=(1, 2)))


def _compute_snr(mean: NDArray[np.float64], mean_of_squares: NDArray[np.float64]) -> float:
    overall = float(mean.mean())
    variance = float(mean_of_squares.mean()) - overall**2
    # Rounding leaves about 1e-17 on a flat image; one level in a 100 Mpx image gives 1e-13.
    return overall / variance**0.5 if variance > 1e-15 else 0.0


def _linearise(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def _flatten(values: Any) -> NDArray[np.float64]:
    return np.asarray(values, np.float64).reshape(-1)

"""Two random views of one picture: what a network learns to see as the same.

Every view follows from the seed, the epoch, the picture and its number alone, so it does not matter
which thread makes it, and a training that goes on after a crash sees what it would have seen.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from lightly.embedding.training.settings import ViewOptions

Image: TypeAlias = NDArray[np.float32]

#: Between which ratios of width to height is cut out.
_LOG_RATIO = math.log(4 / 3)
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114
#: A kernel this many times wider than sigma holds what can be seen of the bell curve.
_SIGMAS_PER_KERNEL = 6


def make_generator(seed: int, epoch: int, picture: int, view: int) -> np.random.Generator:
    """Return the source of randomness of one view."""
    # Seeds may be negative; sequences take natural numbers.
    words = (seed % 2**64, epoch, picture, view)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))


def make_view(
    picture: NDArray[np.uint8], side: int, options: ViewOptions, random: np.random.Generator
) -> Image:
    """Return one view of a picture.

    Args:
        picture: uint8 of shape (stored_side, stored_side, 3), RGB.
        side: Width and height of the view.
        options: How it is made.
        random: Source of randomness; every view takes the same number of values from it.

    Returns:
        float32 of shape (3, side, side), in 0..1.
    """
    view = _cut_out(picture, side, options.min_scale, random)
    view = _turn(view, options, random)
    colours = view.astype(np.float32) / np.float32(255)
    changed = _change_colours(colours, options, random)
    colours = changed if random.random() < options.cj_prob else colours
    if random.random() < options.random_gray_scale:
        colours = np.repeat(_to_gray(colours)[..., None], 3, axis=2)
    sigma, is_blurred = random.uniform(*options.sigmas), random.random() < options.gaussian_blur
    if is_blurred:
        colours = _blur(colours, sigma, options.kernel_size)
    return np.ascontiguousarray(np.clip(colours, 0, 1).transpose(2, 0, 1))


def _cut_out(
    picture: NDArray[np.uint8], side: int, min_scale: float, random: np.random.Generator
) -> NDArray[np.uint8]:
    """Return a random part, resized: its area and its ratio of sides are drawn."""
    full = picture.shape[0]
    area = random.uniform(min_scale, 1.0) * full * full
    ratio = math.exp(random.uniform(-_LOG_RATIO, _LOG_RATIO))
    width = max(1, min(full, round(math.sqrt(area * ratio))))
    height = max(1, min(full, round(math.sqrt(area / ratio))))
    left = int(random.random() * (full - width + 1))
    top = int(random.random() * (full - height + 1))
    part = picture[top : top + height, left : left + width]
    # Averaging shrinks without patterns of its own; it cannot enlarge.
    shrinks = width >= side and height >= side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(part, (side, side), interpolation=method), np.uint8)


def _turn(
    view: NDArray[np.uint8], options: ViewOptions, random: np.random.Generator
) -> NDArray[np.uint8]:
    mirrors, flips, rotates, share = random.random(4)
    if mirrors < options.hf_prob:
        view = view[:, ::-1]
    if flips < options.vf_prob:
        view = view[::-1]
    if rotates < options.rr_prob:
        view = _rotate(np.ascontiguousarray(view), options.rr_degrees, share)
    return view


def _rotate(
    view: NDArray[np.uint8], degrees: tuple[float, float] | None, share: float
) -> NDArray[np.uint8]:
    if degrees is None:
        return np.rot90(view)
    angle = degrees[0] + share * (degrees[1] - degrees[0])
    side = view.shape[0]
    centre = ((side - 1) / 2, (side - 1) / 2)
    turn = cv2.getRotationMatrix2D(centre, angle, 1.0)
    # What comes in from outside mirrors the edge: black corners would tell views by their angle.
    turned = cv2.warpAffine(view, turn, (side, side), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(turned, np.uint8)


def _change_colours(view: Image, options: ViewOptions, random: np.random.Generator) -> Image:
    """Change brightness, contrast, saturation and hue, each by a drawn amount."""
    strengths = (options.cj_bright, options.cj_contrast, options.cj_sat)
    bright, contrast, saturation = (
        np.float32(random.uniform(max(0.0, 1 - strength), 1 + strength)) for strength in strengths
    )
    turn = random.uniform(-options.cj_hue, options.cj_hue)
    view = np.clip(view * bright, 0, 1)
    mean = np.float32(_to_gray(view).mean())
    view = np.clip((view - mean) * contrast + mean, 0, 1)
    gray = _to_gray(view)[..., None]
    view = np.clip((view - gray) * saturation + gray, 0, 1)
    return _turn_hue(view, turn) if turn else view


def _turn_hue(view: Image, turn: float) -> Image:
    hsv = cv2.cvtColor(view, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + np.float32(360 * turn)) % np.float32(360)
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB), np.float32)


def _to_gray(view: Image) -> Image:
    weights = np.array([_RED, _GREEN, _BLUE], np.float32)
    return np.asarray(view @ weights, np.float32)


def _blur(view: Image, sigma: float, kernel_size: float) -> Image:
    """Blur with a kernel as wide as asked for: a share of the view, or what sigma needs."""
    side = view.shape[0]
    wanted = round(kernel_size * side) if kernel_size else math.ceil(sigma * _SIGMAS_PER_KERNEL)
    width = max(3, wanted) | 1
    return np.asarray(cv2.GaussianBlur(view, (width, width), sigma), np.float32)

"""Images in the forms that torch datasets hand out. Torch itself is never imported."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from lightly._kit.errors import BadInput


def as_image(value: Any) -> Image.Image:
    """Return a Pillow image.

    Args:
        value: A Pillow image; or an array or tensor of shape (height, width), (height, width, c)
            or (c, height, width) with c of 1, 3 or 4, as uint8 or as floats in 0..1.

    Raises:
        BadInput: If it is neither.
    """
    if isinstance(value, Image.Image):
        return value
    array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
    if array.ndim == 3 and array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    is_image = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if not is_image or array.dtype.kind not in "uf":
        raise BadInput(
            f"A sample is no image: {type(value).__name__} of shape {array.shape} and"
            f" type {array.dtype}."
        )
    if array.dtype.kind == "f":
        array = np.rint(np.clip(array, 0, 1) * 255)
    return Image.fromarray(np.ascontiguousarray(array, np.uint8))

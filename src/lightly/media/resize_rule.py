"""How an image becomes the square input of a model."""

from __future__ import annotations

from dataclasses import dataclass

#: Part of every model digest: raise it when any change in `model_input` moves a pixel.
MODEL_INPUT_VERSION = 2


@dataclass(frozen=True, slots=True)
class ResizeRule:
    """How an image becomes the square input of a model.

    Attributes:
        input_side: Width and height of what the model takes, in pixels.
        short_side: Length that the shorter side of the image would be resized to before the crop.
    """

    input_side: int = 224
    short_side: int = 256

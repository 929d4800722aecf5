"""`lightly train`, `lightly-train` and `lightly-ssl-train`."""

from __future__ import annotations

from typing import NoReturn

from lightly._kit.errors import LightlyError
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import INPUT_DIR, SHARED_KEYS


class TrainingUnavailable(LightlyError, ImportError):
    """Training needs the extra 'train' of lightly-platform, which brings PyTorch; it is not part of
    this installation. Embed without training: lightly-embed input_dir=FOLDER uses the shipped
    model, checkpoint=MODEL.onnx a model that you have trained elsewhere.
    """

    code = "training_unavailable"


def refuse_training(_values: Values) -> NoReturn:
    """Say which extra training needs.

    Raises:
        TrainingUnavailable: Always.
    """
    raise TrainingUnavailable(" ".join((TrainingUnavailable.__doc__ or "").split()))


train = KeyValueCommand(
    "train",
    refuse_training,
    settings=(INPUT_DIR, Setting("checkpoint", "Model to start from.")),
    summary="Train a model on your images. Needs the extra 'train' of lightly-platform, which"
    " brings PyTorch; ends with exit code 1 without it.",
    examples=("input_dir=images",),
    without_effect=SHARED_KEYS,
)

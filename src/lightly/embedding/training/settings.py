"""What a training is told: the options of `lightly_config`, checked, with their defaults."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from lightly._kit.errors import BadInput, LightlyError
from lightly.media.resize_rule import ResizeRule

MODEL_NAMES = ("resnet-18", "resnet-34", "resnet-50", "resnet-101", "resnet-152")
PRECISIONS = (16, 32)
#: What the extra brings, by import name.
_LIBRARIES = ("torch", "safetensors", "onnx", "onnxscript")
# Above this the stored pictures are no larger than the input: photos give no more detail per crop.
_LARGEST_STORED_SIDE = 256


class TrainingUnavailable(LightlyError, ImportError):
    """Training needs PyTorch, which comes with the extra 'train' of lightly-platform: install it
    with `pip install 'lightly-platform[train]'`. Without training, embeddings come from the
    shipped model or from one that was added with `lightly models add`.
    """

    code = "training_unavailable"


def check_training_available() -> None:
    """Look for the libraries of the extra without loading them.

    Raises:
        TrainingUnavailable: If one is missing.
    """
    missing = [name for name in _LIBRARIES if importlib.util.find_spec(name) is None]
    if missing:
        reason = " ".join((TrainingUnavailable.__doc__ or "").split())
        raise TrainingUnavailable(f"{reason} Missing: {', '.join(missing)}.")


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What a network looks like.

    Attributes:
        name: How deep it is, such as `resnet-18`.
        width: Factor on the number of channels.
        num_ftrs: Length of an embedding.
        out_dim: Length of the vectors that are compared in training.
        input_side: Width and height of the pixels that it takes.
    """

    name: str = "resnet-18"
    width: int = 1
    num_ftrs: int = 32
    out_dim: int = 128
    input_side: int = 64

    @property
    def rule(self) -> ResizeRule:
        """How an image becomes the input: the largest centred square."""
        return ResizeRule(self.input_side, self.input_side)


@dataclass(frozen=True, kw_only=True)
class ViewOptions:
    """How two views of one picture are made; shares and probabilities are in 0..1.

    Attributes:
        cj_prob: How often colours are changed.
        cj_bright: By how much brightness is changed.
        cj_contrast: By how much contrast is changed.
        cj_sat: By how much saturation is changed.
        cj_hue: By how much the hue is turned, in turns.
        min_scale: Smallest share of the picture that a view shows.
        random_gray_scale: How often a view is grey.
        gaussian_blur: How often a view is blurred.
        kernel_size: Width of the blurring kernel as a share of the input; 0 follows from the sigma.
        sigmas: Between which standard deviations, in pixels, is blurred.
        vf_prob: How often a view is upside down.
        hf_prob: How often a view is mirrored.
        rr_prob: How often a view is rotated.
        rr_degrees: Between which angles; None is by a quarter turn.
    """

    cj_prob: float = 0.8
    cj_bright: float = 0.7
    cj_contrast: float = 0.7
    cj_sat: float = 0.7
    cj_hue: float = 0.2
    min_scale: float = 0.15
    random_gray_scale: float = 0.2
    gaussian_blur: float = 0.5
    kernel_size: float = 0.1
    sigmas: tuple[float, float] = (0.2, 2.0)
    vf_prob: float = 0.0
    hf_prob: float = 0.5
    rr_prob: float = 0.0
    rr_degrees: tuple[float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Everything that decides about a training but the pictures.

    Attributes:
        model: The network.
        views: What it learns to see as the same.
        seed: Decides about weights at the start, the order of pictures, and their views.
        save_last: Whether the weights are kept as an artifact.
        batch_size: Pictures per step.
        shuffle: Whether each epoch has an order of its own.
        num_workers: Threads that make views; -1 is one per core.
        drop_last: Whether an epoch ends before a batch that is not full.
        gpus: 0 trains on the CPU, more on one GPU if there is one.
        max_epochs: How often each picture is seen.
        precision: Bits of the numbers in the network.
        temperature: Of the loss.
        lr: Rate of learning for batches of 256; scaled with the size of the batch.
        weight_decay: Of the optimizer.
    """

    model: ModelOptions = ModelOptions()
    views: ViewOptions = ViewOptions()
    seed: int = 1
    save_last: bool = True
    batch_size: int = 16
    shuffle: bool = True
    num_workers: int = -1
    drop_last: bool = True
    gpus: int = 1
    max_epochs: int = 100
    precision: int = 32
    temperature: float = 0.5
    lr: float = 1.0
    weight_decay: float = 1e-5

    @property
    def stored_side(self) -> int:
        """Width and height of the pictures that views are cut from: twice the input at most."""
        side = self.model.input_side
        return max(side, min(2 * side, _LARGEST_STORED_SIDE))


#: Where each option of `lightly_config` goes: part and name of ours.
_OPTIONS: Mapping[str, tuple[str, str]] = {
    "seed": ("", "seed"),
    "checkpointCallback.saveLast": ("", "save_last"),
    "loader.batchSize": ("", "batch_size"),
    "loader.shuffle": ("", "shuffle"),
    "loader.numWorkers": ("", "num_workers"),
    "loader.dropLast": ("", "drop_last"),
    "model.name": ("model", "name"),
    "model.outDim": ("model", "out_dim"),
    "model.numFtrs": ("model", "num_ftrs"),
    "model.width": ("model", "width"),
    "trainer.gpus": ("", "gpus"),
    "trainer.maxEpochs": ("", "max_epochs"),
    "trainer.precision": ("", "precision"),
    "criterion.temperature": ("", "temperature"),
    "optimizer.lr": ("", "lr"),
    "optimizer.weightDecay": ("", "weight_decay"),
    "collate.inputSize": ("model", "input_side"),
    "collate.cjProb": ("views", "cj_prob"),
    "collate.cjBright": ("views", "cj_bright"),
    "collate.cjContrast": ("views", "cj_contrast"),
    "collate.cjSat": ("views", "cj_sat"),
    "collate.cjHue": ("views", "cj_hue"),
    "collate.minScale": ("views", "min_scale"),
    "collate.randomGrayScale": ("views", "random_gray_scale"),
    "collate.gaussianBlur": ("views", "gaussian_blur"),
    "collate.kernelSize": ("views", "kernel_size"),
    "collate.sigmas": ("views", "sigmas"),
    "collate.vfProb": ("views", "vf_prob"),
    "collate.hfProb": ("views", "hf_prob"),
    "collate.rrProb": ("views", "rr_prob"),
    "collate.rrDegrees": ("views", "rr_degrees"),
}
Check = tuple[Callable[[Any], bool], str]
_ANY: Check = (lambda _value: True, "")
_FROM_0: Check = (lambda value: value >= 0, "0 or more")
_FROM_1: Check = (lambda value: value >= 1, "1 or more")
_SHARE: Check = (lambda value: 0 <= value <= 1, "between 0 and 1")
_RANGE: Check = (lambda value: value[0] <= value[1], "two numbers, the smaller one first")
#: What holds for values beyond their type.
_CHECKS: Mapping[str, Check] = {
    "loader.batchSize": (lambda value: value >= 2, "2 or more: views of pictures are told apart"),
    "loader.numWorkers": (lambda value: value >= -1, "-1 or more"),
    "model.name": (lambda value: value in MODEL_NAMES, f"one of {', '.join(MODEL_NAMES)}"),
    "model.outDim": _FROM_1,
    "model.numFtrs": _FROM_1,
    "model.width": _FROM_1,
    "trainer.gpus": _FROM_0,
    "trainer.maxEpochs": _FROM_0,
    "trainer.precision": (lambda value: value in PRECISIONS, "16 or 32"),
    "criterion.temperature": (lambda value: value > 0, "above 0"),
    "optimizer.lr": _FROM_0,
    "optimizer.weightDecay": _SHARE,
    "collate.inputSize": (lambda value: 8 <= value <= 1024, "between 8 and 1024"),
    "collate.kernelSize": _FROM_0,
    "collate.sigmas": (lambda value: 0 < value[0] <= value[1], "two numbers above 0, in order"),
    "collate.rrDegrees": _RANGE,
}


def read_training_settings(lightly: Mapping[str, Any]) -> TrainingSettings:
    """Return the settings of a `lightly_config` with camelCase keys; options left out are default.

    Raises:
        BadInput: If an option is unknown or its value breaks a rule.

    >>> read_training_settings({"trainer": {"maxEpochs": 3}}).max_epochs
    3
    """
    parts: dict[str, dict[str, Any]] = {"": {}, "model": {}, "views": {}}
    for option, value in _flatten(lightly):
        if option not in _OPTIONS:
            raise BadInput(f"lightly_config has no option {option[:80]!r}.")
        part, name = _OPTIONS[option]
        parts[part][name] = _check_value(option, value)
    model, views = ModelOptions(**parts["model"]), ViewOptions(**parts["views"])
    return TrainingSettings(model=model, views=views, **parts[""])


def list_options() -> list[tuple[str, Any]]:
    """Return the names of all options in snake_case, as users write them, with their defaults."""
    found = []
    for option in _OPTIONS:
        name = re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), option)
        found.append((name, _find_default(option)))
    return found


def write_settings(settings: TrainingSettings) -> str:
    """Return settings as text that says everything about them."""
    return json.dumps(asdict(settings), sort_keys=True)


def parse_settings(text: str) -> TrainingSettings:
    """Return the settings that `write_settings` wrote.

    Raises:
        BadInput: If the text is damaged, or a value breaks a rule.
    """
    try:
        content = json.loads(text)
        wire: dict[str, Any] = {}
        for option, (part, name) in _OPTIONS.items():
            value = (content[part] if part else content)[name]
            if value is not None:
                wire[option] = value
        return read_training_settings(wire)
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("The settings of the training are damaged.") from error


def _flatten(lightly: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the options that are set, with dotted names."""
    found = []
    for key, value in lightly.items():
        if isinstance(value, Mapping):
            found += [(f"{key}.{name}", one) for name, one in value.items() if one is not None]
        elif value is not None:
            found.append((key, value))
    return found


def _check_value(option: str, value: Any) -> Any:
    part, _ = _OPTIONS[option]
    read = _convert(option, value, _find_default(option))
    otherwise = _SHARE if part == "views" else _ANY
    holds, rule = _CHECKS.get(option, otherwise)
    if not holds(read):
        raise BadInput(f"lightly_config.{option} must be {rule}, got {str(value)[:40]}.")
    return read


def _find_default(option: str) -> Any:
    part, name = _OPTIONS[option]
    owner = {"": TrainingSettings, "model": ModelOptions, "views": ViewOptions}[part]
    (default,) = (field.default for field in fields(owner) if field.name == name)
    return default


def _convert(option: str, value: Any, default: Any) -> Any:
    """Return a value in the type of the option's default."""
    is_pair = isinstance(default, tuple) or default is None
    kinds: dict[type, tuple[type, ...]] = {float: (int, float), int: (int,), bool: (bool,)}
    if is_pair and isinstance(value, list | tuple) and len(value) == 2:
        return tuple(float(_convert(option, one, 0.0)) for one in value)
    kind = type(default)
    is_bool_for_number = isinstance(value, bool) and kind is not bool
    if is_pair or is_bool_for_number or not isinstance(value, kinds.get(kind, (str,))):
        raise BadInput(f"lightly_config.{option} has a value of the wrong type: {str(value)[:40]}.")
    read: Any = value
    return float(read) if kind is float else read

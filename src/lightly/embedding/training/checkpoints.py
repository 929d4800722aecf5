"""Weights in a file: safetensors, which can hold numbers and text but no code.

A file says what network its weights belong to, and has a digest of them, so that a damaged or a
foreign file is told from a good one before anything is built from it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput
from lightly.embedding.registry import MAX_MODEL_BYTES
from lightly.embedding.training.settings import TrainingSettings, parse_settings, write_settings

#: First word of every file of ours.
FORMAT = "lightly-checkpoint-1"
#: What a finished training leaves for later ones; the rest is only for going on after a crash.
MODEL_PREFIX = "model."

Tensors = Mapping[str, NDArray[Any]]


class UnusableCheckpoint(BadInput):
    """The file is no checkpoint of this platform, or it is damaged. Checkpoints are the files of
    type CHECKPOINT that runs with `enable_training` leave behind.
    """

    code = "unusable_checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a training.

    Attributes:
        settings: Of the training.
        n_epochs: How many epochs are behind it.
        losses: Mean loss of each of them.
        tensors: Weights by name, those of the network under `model.`.
        key: Stands for what the training goes by; one with another key does not go on from it.
    """

    settings: TrainingSettings
    n_epochs: int
    tensors: Tensors = field(repr=False)
    losses: tuple[float, ...] = ()
    key: str = ""


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file appears whole or not at all."""
    from safetensors.numpy import save  # noqa: PLC0415  an extra

    tensors = {name: np.asarray(value, order="C") for name, value in checkpoint.tensors.items()}
    metadata = {
        "format": FORMAT,
        "settings": write_settings(checkpoint.settings),
        "n_epochs": str(checkpoint.n_epochs),
        "losses": json.dumps(checkpoint.losses),
        "key": checkpoint.key,
        "digest": _measure_digest(tensors),
    }
    write_atomic(path, save(tensors, metadata))


def read_checkpoint(path: Path) -> Checkpoint:
    """Return what a file holds.

    Raises:
        UnusableCheckpoint: If it is no checkpoint of ours, or not what was written.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415  an extra

    if path.stat().st_size > MAX_MODEL_BYTES:
        raise UnusableCheckpoint(f"A checkpoint has at most {MAX_MODEL_BYTES} bytes.")
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise UnusableCheckpoint(_explain("was not written by a training of this platform"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  no dict
        return _check(metadata, tensors)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        if isinstance(error, UnusableCheckpoint):
            raise
        raise UnusableCheckpoint(_explain("is damaged, or of another kind")) from error


def _check(metadata: Mapping[str, str], tensors: Tensors) -> Checkpoint:
    if _measure_digest(tensors) != metadata["digest"]:
        raise UnusableCheckpoint(_explain("is damaged: its weights are not those that were saved"))
    if not all(np.isfinite(value).all() for value in tensors.values()):
        raise UnusableCheckpoint(_explain("has weights that are not finite"))
    return Checkpoint(
        settings=parse_settings(metadata["settings"]),
        n_epochs=int(metadata["n_epochs"]),
        losses=tuple(float(loss) for loss in json.loads(metadata["losses"])),
        tensors=tensors,
        key=metadata["key"],
    )


def _measure_digest(tensors: Tensors) -> str:
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = np.asarray(tensors[name], order="C")
        digest.update(f"{name}\0{value.dtype.str}\0{value.shape}\0".encode())
        digest.update(value.tobytes())
    return digest.hexdigest()


def _explain(fault: str) -> str:
    text = " ".join((UnusableCheckpoint.__doc__ or "").split())
    return f"The checkpoint {fault}. {text.split('. ')[-1]}"

"""`lightly train`, `lightly-train` and `lightly-ssl-train`."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lightly._kit.errors import BadInput
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import (
    INPUT_DIR,
    NUM_WORKERS,
    RUN_FOLDER,
    SHARED_KEYS,
    choose_run_folder,
    read_file,
    read_folder,
    remember,
)
from lightly.cli.progress import open_progress
from lightly.embedding.training.settings import (
    TrainingSettings,
    check_training_available,
    list_options,
    read_training_settings,
)

if TYPE_CHECKING:
    from lightly.embedding.training.trainer import TrainedModel

LAST_PATH_VARIABLE = "LIGHTLY_LAST_CHECKPOINT_PATH"

#: What a training keeps while it is under way, and the model that it ends with.
_WORK_FOLDER = "training"
_TEXTS = {
    "seed": "Decides about weights, order and views.",
    "trainer.max_epochs": "How often each image is seen.",
    "trainer.gpus": "0 is the CPU, more is one GPU if there is one.",
    "trainer.precision": "Bits of the numbers in the network: 16 or 32.",
    "loader.batch_size": "Images per step.",
    "model.name": "resnet-18, -34, -50, -101 or -152.",
    "model.num_ftrs": "Length of the embeddings.",
    "collate.input_size": "Pixels a side that the network sees.",
}
_ALREADY = ("loader.num_workers",)


def make_training_settings() -> Iterator[Setting]:
    """Yield the settings of a training, with their defaults."""
    for name, default in list_options():
        if name not in _ALREADY:
            # Pairs of numbers are typed as lists.
            is_plain = isinstance(default, str | int | float)
            shown = default if is_plain else "" if default is None else json.dumps(default)
            yield Setting(name, _TEXTS.get(name, "Of training."), shown)


def train_folder(values: Values, folder: Path) -> TrainedModel:
    """Train on the images of `input_dir` as the settings say.

    Args:
        values: The settings.
        folder: Where the training is kept, so that the same call goes on after a crash.

    Raises:
        TrainingUnavailable: If the extra 'train' is not installed.
        BadInput: If the folder has no images, or a setting breaks a rule.
    """
    from lightly.embedding.training.pixel_store import find_pixels, store_pixels
    from lightly.embedding.training.trainer import train_model
    from lightly.media.listing import list_images

    check_training_available()
    settings = _read_training(values)
    images = list_images(read_folder(values, "input_dir"))
    if not images:
        raise BadInput(f"There are no images in {values['input_dir'][:200]!r} to train on.")
    start = None
    if values["checkpoint"]:
        start = read_file(values, "checkpoint")
        settings = _take_model(settings, start)
    key = _make_key([image.path for image in images], settings)
    pixels = find_pixels(folder, key=key)
    if pixels is None:
        sources = ((str(image.path), None) for image in images)
        with open_progress("Reading images", len(images)) as line:
            for n_done in store_pixels(sources, folder, side=settings.stored_side, key=key):
                line.show(n_done, len(images), "")
        pixels = find_pixels(folder, key=key)
    assert pixels is not None  # noqa: S101  they have just been stored
    if pixels.n_left_out:
        click.echo(f"{pixels.n_left_out} images cannot be decoded and are left out.", err=True)
    with open_progress(f"Training {settings.model.name}") as line:
        trained = train_model(
            pixels,
            settings,
            folder,
            pixels_key=key,
            start=start,
            on_progress=lambda n_done, n_total, loss: line.show(
                n_done, n_total, f"loss {loss:.3f}"
            ),
        )
    pixels.path.unlink(missing_ok=True)
    return trained


def run_train(values: Values) -> str:
    """Train and return the path of the checkpoint.

    Raises:
        TrainingUnavailable: If the extra 'train' is not installed.
        BadInput: If a setting breaks a rule.
    """
    check_training_available()
    target = choose_run_folder(values)
    trained = train_folder(values, target / _WORK_FOLDER)
    path = keep_checkpoint(trained, target)
    click.echo(f"The checkpoint is stored at {path}; mean loss {trained.losses[-1:] or 'unknown'}.")
    click.echo(f"Embed with it: lightly-embed input_dir={values['input_dir']} checkpoint={path}")
    return str(path)


def keep_checkpoint(trained: TrainedModel, target: Path) -> Path:
    """Copy a checkpoint to where users look for it, and remember the place."""
    path = target / f"lightly_epoch_{len(trained.losses)}.safetensors"
    shutil.copyfile(trained.checkpoint, path)
    remember(LAST_PATH_VARIABLE, path)
    return path


def _read_training(values: Values) -> TrainingSettings:
    """Return the settings, from words as the 1.x clients spell them."""
    nested: dict[str, Any] = {}
    for name, default in list_options():
        if name not in values.given:
            continue
        value = values[name]
        if not isinstance(default, str | int | float):
            value = _read_pair(name, value)
        nested[name] = value
    return read_training_settings(_to_wire(nested))


def _read_pair(name: str, text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise BadInput(f"{name} must be two numbers in brackets, got {text[:40]!r}.") from None


def _to_wire(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return names in camelCase, as the settings are read from configurations."""
    return {
        ".".join(
            first + "".join(word.capitalize() for word in rest)
            for first, *rest in (part.split("_") for part in name.split("."))
        ): value
        for name, value in named.items()
    }


def _take_model(settings: TrainingSettings, start: Path) -> TrainingSettings:
    from dataclasses import replace

    from lightly.embedding.training.trainer import read_model_options

    return replace(settings, model=read_model_options(start))


def _make_key(paths: list[Path], settings: TrainingSettings) -> str:
    """Return what stands for the images: they are the same as long as this is."""
    digest = hashlib.sha256(str(settings.stored_side).encode())
    for path in paths:
        found = path.stat()
        digest.update(os.fsencode(path) + f"\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


train = KeyValueCommand(
    "train",
    run_train,
    settings=(
        INPUT_DIR,
        Setting("checkpoint", "Checkpoint of an earlier training to begin with."),
        RUN_FOLDER,
        NUM_WORKERS,
        *make_training_settings(),
    ),
    summary="Train a model on your images, without labels, and write a checkpoint. Needs the extra"
    " 'train' of lightly-platform, which brings PyTorch; ends with exit code 1 without it.",
    examples=(
        "input_dir=images",
        "input_dir=images trainer.max_epochs=20 hydra.run.dir=trained",
    ),
    without_effect=SHARED_KEYS,
)

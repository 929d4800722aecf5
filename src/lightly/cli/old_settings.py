"""Settings that several commands of the 1.x clients share, and those that steered training."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from lightly._kit.errors import BadInput
from lightly.cli.key_values import Setting, Values

INPUT_DIR = Setting("input_dir", "Folder of images or videos.")
OUTPUT_DIR = Setting("output_dir", "Folder to write to.")
TOKEN = Setting("token", "API token; by default that of the variable LIGHTLY_TOKEN.")
DATASET_ID = Setting("dataset_id", "Id of an existing dataset.")
RUN_FOLDER = Setting(
    "hydra.run.dir", "Where files are written; empty is lightly_outputs/DATE/TIME."
)
NUM_WORKERS = Setting("loader.num_workers", "How much is done at once; -1 is one per core.", -1)
MAX_EPOCHS = Setting("trainer.max_epochs", "Epochs to train before; 0 is none.", 0)

CREATION = (
    DATASET_ID,
    Setting("new_dataset_name", "Make a dataset of this name, or take yours of this name."),
    Setting(
        "upload",
        "What is sent of the images.",
        "full",
        ("full", "thumbnails", "metadata", "meta", "none"),
    ),
    Setting("append", "Whether the dataset may have samples already.", default=False),
    Setting("resize", "Shorter side in pixels, or [height,width]; -1 is as they are.", "-1"),
    Setting("embedding_name", "Name of the embedding.", "default"),
    Setting("custom_metadata", "JSON file with custom metadata."),
)

#: Everything else in the configuration of the 1.x clients.
TRAINING_KEYS = (
    "pre_trained", "seed", "label_dir", "label_names_file", "crop_padding", "emb_upload_bsz",
    "model.name", "model.out_dim", "model.num_ftrs", "model.width",
    "criterion.temperature", "criterion.memory_bank_size",
    "optimizer.lr", "optimizer.weight_decay",
    "collate.input_size", "collate.cj_prob", "collate.cj_bright", "collate.cj_contrast",
    "collate.cj_sat", "collate.cj_hue", "collate.min_scale", "collate.random_gray_scale",
    "collate.gaussian_blur", "collate.kernel_size", "collate.sigmas", "collate.vf_prob",
    "collate.hf_prob", "collate.rr_prob", "collate.rr_degrees",
    "loader.batch_size", "loader.shuffle", "loader.num_workers", "loader.drop_last",
    "trainer.gpus", "trainer.max_epochs", "trainer.precision", "trainer.enable_model_summary",
    "trainer.weights_summary",
    "checkpoint_callback.save_last", "checkpoint_callback.save_top_k",
    "checkpoint_callback.dirpath",
    "summary_callback.max_depth",
    "environment_variable_names.lightly_last_checkpoint_path",
    "environment_variable_names.lightly_last_embedding_path",
    "environment_variable_names.lightly_last_dataset_id",
    "hydra.run.dir",
)  # fmt: skip
#: The same with what single commands read: none of them is unknown to any command.
SHARED_KEYS = (
    *TRAINING_KEYS, "input_dir", "output_dir", "embeddings", "checkpoint", "custom_metadata",
    "token", "dataset_id", "new_dataset_name", "upload", "append", "resize", "embedding_name",
    "tag_name", "exclude_parent_tag",
)  # fmt: skip


def choose_run_folder(values: Values) -> Path:
    """Return where a command writes: as the user says, else a new place for each second."""
    if chosen := values["hydra.run.dir"]:
        return Path(chosen)
    now = datetime.now().astimezone()
    return Path("lightly_outputs", f"{now:%Y-%m-%d}", f"{now:%H-%M-%S}")


def read_folder(values: Values, key: str) -> Path:
    """Return the folder that a setting names.

    Raises:
        BadInput: If it is not set or no folder.
    """
    folder = Path(values[key])
    if not values[key]:
        raise BadInput(f"Say which folder: {key}=FOLDER.")
    if not folder.is_dir():
        raise BadInput(f"{key}: the folder {values[key][:200]!r} does not exist.")
    return folder


def read_file(values: Values, key: str) -> Path:
    """Return the file that a setting names.

    Raises:
        BadInput: If there is no such file.
    """
    path = Path(values[key])
    if not path.is_file():
        raise BadInput(f"{key}: the file {values[key][:200]!r} does not exist.")
    return path


def remember(variable: str, value: Any) -> None:
    """Leave a result in the environment, for Python code that calls a command's function."""
    os.environ[variable] = str(value)

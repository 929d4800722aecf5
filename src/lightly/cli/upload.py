"""`lightly upload` and `lightly-upload`: images, embeddings and metadata to a server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lightly._kit.errors import BadInput, LightlyError
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import (
    CREATION,
    INPUT_DIR,
    NUM_WORKERS,
    SHARED_KEYS,
    TOKEN,
    read_file,
    read_folder,
    remember,
)

if TYPE_CHECKING:
    from lightly.api import ApiWorkflowClient

LAST_DATASET_VARIABLE = "LIGHTLY_LAST_DATASET_ID"
_MODES = {"meta": "metadata", "none": "metadata"}
# What the 1.x clients allowed: fewer requests at once are slow, more upset the server.
_FEWEST_WORKERS, _MOST_WORKERS = 8, 32


def run_upload(values: Values) -> str:
    """Upload what the settings name and return the dataset's id.

    Raises:
        BadInput: If the settings do not fit each other or the dataset.
    """
    check_target(values)
    check_sources(values)
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(token=values["token"] or None)
    if values["new_dataset_name"]:
        client.create_dataset(values["new_dataset_name"])
    else:
        client.dataset_id = values["dataset_id"]
    _refuse_unwanted_append(client, values)
    with _name_setting("custom_metadata" if values["custom_metadata"] else "input_dir"):
        _upload_images(client, values)
    if values["embeddings"]:
        with _name_setting("embeddings"):
            client.upload_embeddings(values["embeddings"], values["embedding_name"])
    remember(LAST_DATASET_VARIABLE, client.dataset_id)
    click.echo(f"The dataset_id of the dataset is {client.dataset_id}")
    return client.dataset_id


def check_target(values: Values) -> None:
    """Raise `BadInput` unless the settings name one dataset, and there is a token."""
    from lightly.api.configuration import read_token

    if bool(values["dataset_id"]) == bool(values["new_dataset_name"]):
        raise BadInput(
            "Say which dataset: either dataset_id=ID of an existing one, or new_dataset_name=NAME."
        )
    read_token(values["token"] or None)


def check_sources(values: Values) -> None:
    """Raise `BadInput` if something that is to be uploaded does not exist."""
    if values["input_dir"]:
        read_folder(values, "input_dir")
    for key in ("embeddings", "custom_metadata"):
        if values[key]:
            read_file(values, key)
    if values["embeddings"]:
        from lightly.api.embedding_csv import read_columns

        with _name_setting("embeddings"), Path(values["embeddings"]).open("rb") as file:
            read_columns(file)
    _read_size(values["resize"])
    _read_metadata(values)


@contextmanager
def _name_setting(key: str) -> Iterator[None]:
    """Turn what the client raises over a file's content into an error that names the setting."""
    try:
        yield
    except LightlyError:
        raise
    except (RuntimeError, KeyError, ValueError) as error:
        # A KeyError's own text has quotes around.
        raise BadInput(f"{key}: {error.args[0] if error.args else error}") from error


def _refuse_unwanted_append(client: ApiWorkflowClient, values: Values) -> None:
    if values["append"]:
        return
    remedy = "Set append=True to add to it."
    if values["input_dir"] and client.get_all_tags():
        raise BadInput(f"The dataset {client.dataset_id} has samples already. {remedy}")
    if values["embeddings"]:
        known = {embedding.name for embedding in client.get_all_embedding_data()}
        if values["embedding_name"] in known:
            name = values["embedding_name"][:80]
            raise BadInput(f"The dataset has an embedding {name!r} already. {remedy}")


def _upload_images(client: ApiWorkflowClient, values: Values) -> None:
    metadata, n_workers = _read_metadata(values), _count_workers(values)
    if not values["input_dir"]:
        if metadata is not None:
            client.upload_custom_metadata(metadata, verbose=True, max_workers=n_workers)
        return
    client.upload_dataset(
        _open_images(values["input_dir"], _read_size(values["resize"])),
        max_workers=n_workers,
        mode=_MODES.get(values["upload"], values["upload"]),
        custom_metadata=metadata,
    )


def _open_images(folder: str, size: int | Sequence[int]) -> Any:
    if size == -1:
        return folder
    from lightly.api.upload import Resize, ShownImages
    from lightly.data.dataset import LightlyDataset

    return ShownImages(LightlyDataset(folder, transform=Resize(size)))


def _read_size(text: str) -> int | list[int]:
    """Return -1, the shorter side, or height and width."""
    try:
        size: Any = json.loads(text)
    except ValueError:
        size = None
    sides = size if isinstance(size, list) and len(size) == 2 else [size]
    if size == -1:
        return -1
    if all(type(side) is int and side > 0 for side in sides):
        return sides if isinstance(size, list) else int(size)
    raise BadInput(f"resize must be -1, a number of pixels or [height,width], got {text[:40]!r}.")


def _read_metadata(values: Values) -> Any:
    if not values["custom_metadata"]:
        return None
    try:
        metadata = json.loads(Path(values["custom_metadata"]).read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"custom_metadata: the file is no JSON: {error}.") from None
    if not isinstance(metadata, dict):
        raise BadInput("custom_metadata: the file must hold an object with 'images', 'metadata'.")
    return metadata


def _count_workers(values: Values) -> int:
    wanted = values["loader.num_workers"]
    n_workers = wanted if wanted >= 0 else os.cpu_count() or 1
    return min(max(n_workers, _FEWEST_WORKERS), _MOST_WORKERS)


upload = KeyValueCommand(
    "upload",
    run_upload,
    settings=(
        INPUT_DIR,
        Setting("embeddings", "CSV with embeddings, as `lightly embed` writes it."),
        TOKEN,
        *CREATION,
        NUM_WORKERS,
    ),
    summary="Upload images, embeddings and custom metadata to a dataset. An upload that was"
    " interrupted goes on where it stopped with append=True.",
    examples=(
        "input_dir=images new_dataset_name=streets embeddings=embeddings.csv",
        "embeddings=embeddings.csv dataset_id=ID append=True",
    ),
    without_effect=SHARED_KEYS,
)

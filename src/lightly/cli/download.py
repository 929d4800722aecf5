"""`lightly download` and `lightly-download`: the list of a tag's files, or the files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

import click

from lightly._kit.atomic_files import write_atomic
from lightly._kit.errors import BadInput
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import (
    DATASET_ID,
    INPUT_DIR,
    OUTPUT_DIR,
    RUN_FOLDER,
    SHARED_KEYS,
    TOKEN,
    choose_run_folder,
    read_folder,
)

_SHOWN_NAMES = 5


def run_download(values: Values) -> str:
    """Write the names of a tag's files, fetch or copy the files; return the list's path.

    Raises:
        BadInput: If a setting is missing, the tag is unknown, or a file is not in the folder.
    """
    if not (values["tag_name"] and values["dataset_id"]):
        raise BadInput("Say what to download: tag_name=NAME dataset_id=ID.")
    from lightly.api import ApiWorkflowClient

    client = ApiWorkflowClient(token=values["token"] or None)
    client.dataset_id = values["dataset_id"]
    tag = client.get_tag_by_name(values["tag_name"])
    exclude = values["exclude_parent_tag"]
    names = client.get_filenames_in_tag(tag, exclude_parent_tag=exclude)
    # A tag's name may have signs that a file's must not.
    listed = choose_run_folder(values) / f"{quote(tag.name, safe=' ')}.txt"
    write_atomic(listed, "".join(f"{name}\n" for name in names).encode())
    click.echo(f"The list of the {len(names)} samples in tag {tag.name} is stored at: {listed}")
    if values["output_dir"] and values["input_dir"]:
        _copy(names, read_folder(values, "input_dir"), Path(values["output_dir"]))
    elif values["output_dir"]:
        client.download_dataset(values["output_dir"], tag.name, exclude_parent_tag=exclude)
    return str(listed)


def _copy(names: Sequence[str], source: Path, target: Path) -> None:
    from lightly.data.dataset import LightlyDataset

    dataset = LightlyDataset(source)
    dataset.dump(target, names)
    missing = sorted(set(names) - set(dataset.get_filenames()))
    click.echo(f"Copied {len(names) - len(missing)} of {len(names)} files to {target}")
    if missing:
        shown = ", ".join(ascii(name)[:80] for name in missing[:_SHOWN_NAMES])
        raise BadInput(f"{len(missing)} files of the tag are not in input_dir: {shown}.")


download = KeyValueCommand(
    "download",
    run_download,
    settings=(
        Setting("tag_name", "Name of the tag.", "initial-tag"),
        DATASET_ID,
        TOKEN,
        Setting("exclude_parent_tag", "Leave out what is in the parent tag.", default=False),
        Setting(OUTPUT_DIR.key, "Folder that gets the images; only the list is written if empty."),
        Setting(INPUT_DIR.key, "Folder to copy the images from, instead of downloading them."),
        RUN_FOLDER,
    ),
    summary="Write the file names of a tag to a text file, and fetch or copy the images.",
    examples=(
        "tag_name=round-1 dataset_id=ID output_dir=chosen",
        "tag_name=round-1 dataset_id=ID input_dir=images output_dir=chosen",
    ),
    without_effect=SHARED_KEYS,
)

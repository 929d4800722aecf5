"""`lightly magic` and `lightly-magic`: embed a folder and upload it, in one go."""

from __future__ import annotations

from lightly._kit.errors import BadInput
from lightly.cli.embed import EMBED_SETTINGS, run_embed
from lightly.cli.key_values import KeyValueCommand, Values
from lightly.cli.old_settings import CREATION, MAX_EPOCHS, SHARED_KEYS, TOKEN, read_folder
from lightly.cli.train import refuse_training
from lightly.cli.upload import check_sources, check_target, run_upload


def run_magic(values: Values) -> str | None:
    """Embed, then upload if the settings name a dataset.

    Returns:
        The dataset's id; None without an upload.

    Raises:
        BadInput: If the settings do not fit each other.
        TrainingUnavailable: If training is asked for.
    """
    read_folder(values, "input_dir")
    if values["trainer.max_epochs"] != 0:
        if values["append"]:
            raise BadInput(
                "New embeddings must come from the same model as those of the dataset: with"
                " append=True leave out trainer.max_epochs."
            )
        refuse_training(values)
    is_upload = bool(values["dataset_id"] or values["new_dataset_name"])
    if is_upload:
        # Before the long work, not after it.
        check_target(values)
        check_sources(values.replaced(embeddings=""))
    path = run_embed(values)
    return run_upload(values.replaced(embeddings=path)) if is_upload else None


magic = KeyValueCommand(
    "magic",
    run_magic,
    settings=(*EMBED_SETTINGS, MAX_EPOCHS, TOKEN, *CREATION),
    summary="Embed all images of a folder and upload images and embeddings to a dataset. Nothing"
    " is trained unless trainer.max_epochs is given, and that needs the extra 'train'.",
    examples=(
        "input_dir=images new_dataset_name=streets",
        "input_dir=new_images dataset_id=ID append=True",
    ),
    without_effect=SHARED_KEYS,
)

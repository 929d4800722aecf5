"""`lightly magic` and `lightly-magic`: embed a folder and upload it, in one go."""

from __future__ import annotations

from lightly._kit.errors import BadInput
from lightly.cli.embed import EMBED_SETTINGS, run_embed
from lightly.cli.key_values import KeyValueCommand, Setting, Values
from lightly.cli.old_settings import (
    CREATION,
    MAX_EPOCHS,
    SHARED_KEYS,
    TOKEN,
    choose_run_folder,
    read_folder,
)
from lightly.cli.train import keep_checkpoint, make_training_settings, train_folder
from lightly.cli.upload import check_sources, check_target, run_upload
from lightly.embedding.training.settings import check_training_available


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
        check_training_available()
    is_upload = bool(values["dataset_id"] or values["new_dataset_name"])
    if is_upload:
        # Before the long work, not after it.
        check_target(values)
        check_sources(values.replaced(embeddings=""))
    path = _train_and_embed(values) if values["trainer.max_epochs"] else run_embed(values)
    return run_upload(values.replaced(embeddings=path)) if is_upload else None


def _train_and_embed(values: Values) -> str:
    # One folder for both: each choice would be of the present second.
    target = choose_run_folder(values)
    trained = train_folder(values, target / "training")
    keep_checkpoint(trained, target)
    return run_embed(values.replaced(**{"hydra.run.dir": str(target)}), trained.model)


def _list_training_settings() -> list[Setting]:
    """Return what only steers training: the rest is among the settings of embedding."""
    known = {setting.key for setting in (*EMBED_SETTINGS, MAX_EPOCHS)}
    return [setting for setting in make_training_settings() if setting.key not in known]


magic = KeyValueCommand(
    "magic",
    run_magic,
    settings=(*EMBED_SETTINGS, MAX_EPOCHS, *_list_training_settings(), TOKEN, *CREATION),
    summary="Embed all images of a folder and upload images and embeddings to a dataset. Nothing"
    " is trained unless trainer.max_epochs is given, and that needs the extra 'train'.",
    examples=(
        "input_dir=images new_dataset_name=streets",
        "input_dir=new_images dataset_id=ID append=True",
    ),
    without_effect=SHARED_KEYS,
)

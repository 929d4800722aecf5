"""TRAINING: a model from the run's own images, or from the checkpoint of an earlier run."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lightly._kit.errors import LightlyError
from lightly.api.api_workflow_artifacts import ArtifactNotExist
from lightly.api.errors import ApiException
from lightly.embedding.pool import count_cores
from lightly.embedding.registry import EmbeddingModel, find_model
from lightly.embedding.training.checkpoints import UnusableCheckpoint
from lightly.embedding.training.pixel_store import Boxes, PixelStore, find_pixels, store_pixels
from lightly.embedding.training.settings import TrainingSettings, check_training_available
from lightly.embedding.training.trainer import open_checkpoint, read_model_options, train_model
from lightly.worker.errors import RunRefused
from lightly.worker.options import choose_model
from lightly.worker.runs import artifacts
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.datapool import Datapool
from lightly.worker.sources.annotations import Annotations
from lightly.worker.sources.file_list import FileList
from lightly.worker.sources.reading import FileReader

log = logging.getLogger("lightly.worker")

_NOT_FOUND = frozenset({400, 403, 404})
_START_NAME = "start.safetensors"


def choose_run_model(context: RunContext) -> EmbeddingModel:
    """Return the model that a run embeds with.

    One that is still to be trained has no digest yet; everything else about it is known.

    Raises:
        RunRefused: If training is asked for and cannot be had, or the checkpoint of another run is
            not there or not usable.
    """
    options = context.options
    if options.training is None and not options.checkpoint_run_id:
        return find_model(choose_model(options))
    if options.training is not None and context.holds_videos:
        raise RunRefused(
            "This worker trains on images, not on videos. Leave worker_config.enable_training out, "
            "or name a run that has trained on images with worker_config.checkpoint_run_id."
        )
    try:
        check_training_available()
        start = _fetch_checkpoint(context)
        if options.training is None:
            assert start is not None  # noqa: S101  the checkpoint's run is named
            return open_checkpoint(
                start,
                _folder(context),
                n_threads=_count_threads(context),
                check=context.lease.check,
            ).model
        return _describe_model(context, _choose_settings(options.training, start))
    except (LightlyError, OSError) as error:
        if isinstance(error, RunRefused) or context.lease.shall_end:
            raise
        raise RunRefused(f"No model can be trained or loaded for this run: {error}") from error


def train_if_asked(
    context: RunContext,
    model: EmbeddingModel,
    files: FileList,
    annotations: Annotations,
    datapool: Datapool,
) -> EmbeddingModel:
    """Return the model of `choose_run_model`, trained now if the run asks for it.

    Raises:
        RunRefused: If the dataset has embeddings of another model, or the crops to train on come
            from a task that is not there.
    """
    if context.options.training is None:
        return model
    if len(datapool):
        raise RunRefused(
            "The dataset has images with embeddings of another model, and those of a newly trained "
            "one cannot be compared with them. Start with an empty dataset, or use the model of an "
            "earlier run with worker_config.checkpoint_run_id instead of enable_training."
        )
    start = _fetch_checkpoint(context)
    settings = _choose_settings(context.options.training, start)
    key = _make_key(files, annotations, _find_task(context, annotations), settings)
    pixels = _collect_pixels(context, files, annotations, settings, key)
    lease, n_epochs = context.lease, settings.max_epochs
    lease.report_state(
        "TRAINING",
        f"Training {settings.model.name} for {n_epochs} epochs on {pixels.n_pictures} pictures.",
    )
    trained = train_model(
        pixels,
        settings,
        _folder(context),
        pixels_key=key,
        start=start,
        n_threads=_count_threads(context),
        check=lease.check,
        on_progress=lambda n_done, n_total, _loss: lease.report_progress(n_done, n_total),
    )
    shown = ", ".join(f"{loss:.3f}" for loss in trained.losses[-10:])
    log.info("Trained for %d epochs; the mean loss of the last ones: %s.", n_epochs, shown)
    if settings.save_last and trained.checkpoint.is_file():
        # Where artifacts lie.
        trained.checkpoint.replace(context.folder.path(artifacts.CHECKPOINT_NAME))
    return trained.model


def _folder(context: RunContext) -> Path:
    folder = context.folder.path("training")
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder


def _count_threads(context: RunContext) -> int:
    return context.settings.n_processes or context.options.n_processes or count_cores()


def _fetch_checkpoint(context: RunContext) -> Path | None:
    """Return the checkpoint of the run that the configuration names, once it is downloaded."""
    run_id = context.options.checkpoint_run_id
    if not run_id:
        return None
    path = _folder(context) / _START_NAME
    if path.is_file():
        return path
    try:
        run = context.client.get_compute_worker_run(run_id)
        context.client.download_compute_worker_run_checkpoint(run, str(path))
    except ArtifactNotExist as error:
        raise RunRefused(
            f"The run {run_id} of worker_config.checkpoint_run_id has no checkpoint. Name a run "
            "with enable_training that has come to its end."
        ) from error
    except ApiException as error:
        if error.status not in _NOT_FOUND:
            raise
        raise RunRefused(
            f"There is no run {run_id} for worker_config.checkpoint_run_id: {error}"
        ) from error
    try:
        read_model_options(path)
    except UnusableCheckpoint:
        path.unlink()
        raise
    return path


def _choose_settings(training: TrainingSettings, start: Path | None) -> TrainingSettings:
    """Return the settings; a training that begins with a checkpoint keeps its network."""
    if start is None:
        return training
    model = read_model_options(start)
    if model != training.model:
        log.info(
            "The network is that of the checkpoint: %s, width %d, embeddings of %d numbers from %d "
            "pixels a side.",
            *(model.name, model.width, model.num_ftrs, model.input_side),
        )
    return replace(training, model=model)


def _describe_model(context: RunContext, settings: TrainingSettings) -> EmbeddingModel:
    return EmbeddingModel(
        id="to be trained",
        path=_folder(context),
        sha256="",
        licence="",
        dim=settings.model.num_ftrs,
        input_name="",
        output_name="",
        rule=settings.model.rule,
    )


def _find_task(context: RunContext, annotations: Annotations) -> str:
    """Return the task whose objects are trained on; empty for whole images."""
    task = str((context.options.docker.get("training") or {}).get("taskName") or "")
    if task and task not in annotations.tasks:
        known = ", ".join(list(annotations.tasks)[:20]) or "none"
        raise RunRefused(
            f"worker_config.training.task_name names {task[:80]!r}; the datasource has predictions "
            f"of the tasks: {known}."
        )
    return task


def _make_key(
    files: FileList, annotations: Annotations, task: str, settings: TrainingSettings
) -> str:
    """Return what stands for the pictures: names and versions of files, boxes, and their size."""
    digest = hashlib.sha256(f"{settings.stored_side}\0{task}".encode())
    for file in files.iterate():
        digest.update(b"\0" + file.name.encode("utf-8", "surrogateescape"))
        digest.update(b"\0" + file.version.encode())
        if task:
            digest.update(json.dumps(_find_boxes(annotations, task, file.name)).encode())
    return digest.hexdigest()


def _find_boxes(annotations: Annotations, task: str, name: str) -> Boxes:
    predictions = annotations.find_predictions(task, name)
    return [one["bbox"] for one in predictions if one.get("bbox") is not None]


def _collect_pixels(
    context: RunContext,
    files: FileList,
    annotations: Annotations,
    settings: TrainingSettings,
    key: str,
) -> PixelStore:
    """Read and decode the pictures to train on, unless an earlier attempt has."""
    folder, n_total = _folder(context), len(files)
    found = find_pixels(folder, key=key)
    if found is not None:
        return found
    context.lease.report_state("TRAINING", f"Reading the pictures of {n_total} files.")
    task = _find_task(context, annotations)
    n_read = 0

    def images() -> Iterator[tuple[bytes, Boxes | None]]:
        nonlocal n_read
        reader = FileReader(context.link.stores, check=context.lease.check)
        wanted = (
            file
            for file in files.iterate()
            if not task or _find_boxes(annotations, task, file.name)
        )
        for content in reader.read(wanted):
            n_read += 1
            # The stage that examines all files says what is wrong with those that have no bytes.
            if content.data is not None:
                name = content.file.name
                yield content.data, _find_boxes(annotations, task, name) if task else None

    stored = store_pixels(
        images(),
        folder,
        side=settings.stored_side,
        key=key,
        n_processes=_count_threads(context),
    )
    for _ in stored:
        context.lease.report_progress(n_read, n_total)
    pixels = find_pixels(folder, key=key)
    assert pixels is not None  # noqa: S101  they have just been stored
    log.info("%d pictures to train on; %d cannot be decoded.", pixels.n_pictures, pixels.n_left_out)
    return pixels

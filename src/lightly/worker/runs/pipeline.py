"""The stages of a run, in the order of the contract's states."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from lightly.data.selection_plan.memory import check_memory
from lightly.embedding.detectors import Detector
from lightly.embedding.registry import EmbeddingModel
from lightly.worker.errors import RunFailed
from lightly.worker.runs import artifacts
from lightly.worker.runs.annotating import check_predictions, load_annotations
from lightly.worker.runs.auto_tags import AutoTags, check_auto_tags
from lightly.worker.runs.auto_tasks import add_auto_tasks
from lightly.worker.runs.candidates import Candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.crop_datasets import CropDataset
from lightly.worker.runs.cropping import (
    check_crop_tasks,
    list_crop_tasks,
    name_crop_dataset,
    save_crops,
)
from lightly.worker.runs.custom_vectors import load_custom_embeddings, match_custom_embeddings
from lightly.worker.runs.data import RunData
from lightly.worker.runs.datapool import load_datapool
from lightly.worker.runs.earlier_samples import EarlierSamples
from lightly.worker.runs.examined_input import examine
from lightly.worker.runs.excluded import (
    CORRUPT,
    DUPLICATE,
    FILTERED,
    GONE,
    ExcludedFiles,
    InputCounts,
    read_excluded,
)
from lightly.worker.runs.frame_files import save_frames
from lightly.worker.runs.listing import list_files
from lightly.worker.runs.object_crops import ObjectEmbedder
from lightly.worker.runs.object_level import select_objects
from lightly.worker.runs.preparing import Preparation, prepare
from lightly.worker.runs.pretagging import add_pretagging, choose_detector
from lightly.worker.runs.reporting import write_reports
from lightly.worker.runs.scoring import Scores
from lightly.worker.runs.selecting import Selection, make_plan, select_candidates
from lightly.worker.runs.selection_inputs import RunInputs
from lightly.worker.runs.training import choose_run_model, train_if_asked
from lightly.worker.runs.uploading import DatasetUpload
from lightly.worker.sources.file_list import FileList

log = logging.getLogger("lightly.worker")


@dataclass(frozen=True)
class RunOutcome:
    """What a run has done.

    Attributes:
        counts: What became of the input.
        n_selected: How many images were chosen.
        message: One line for people.
    """

    counts: InputCounts
    n_selected: int
    message: str


def run_pipeline(context: RunContext) -> RunOutcome:
    """Do a run from its first to its last state.

    Raises:
        RunFailed: If it cannot go on; says why and what to do.
        RunStopped, RunLost, WorkerShutsDown: As `RunLease.check`.
    """
    lease, started_s = context.lease, time.time()
    lease.report_state("INITIALIZING", "Checking dataset and datasource.")
    preparation = prepare(context)
    model = choose_run_model(context)
    check_auto_tags(context, model)
    detector = choose_detector(context)
    with ExcludedFiles(context.folder.path(artifacts.EXCLUDED_NAME)) as excluded:
        data, model = _load_input(context, preparation, model, detector, excluded)
    try:
        _refuse_nothing_but_corrupt(context, data)
        inputs = _open_inputs(context, data, model)
        selection = _select(context, preparation, data, inputs, model)
        if context.options.adds_to_dataset:
            AutoTags(context, model, data.annotations).upload_of_datapool(data.datapool)
        message = _describe(data, selection)
        if not context.options.adds_to_dataset:
            message += " The dataset stays as it was: worker_config has enable_datapool_update off."
        log.info("%s", message)
        write_reports(context, preparation, data, inputs, selection, started_s=started_s)
    finally:
        data.annotations.close()
    _send_artifacts(context)
    if context.options.use_datapool and context.options.enable_datapool_update:
        # Last: an attempt that ends before this is repeated on the same files.
        context.client.update_processed_until_timestamp(preparation.period.to_s)
    lease.report_state("UPLOADED_ARTIFACTS", message)
    return RunOutcome(data.counts, len(selection.picks), message)


def _refuse_nothing_but_corrupt(context: RunContext, data: RunData) -> None:
    """Raise if a new dataset gets nothing because nothing can be decoded."""
    counts = data.counts if data.videos is None else data.videos.counts
    if len(data.datapool) or not counts.n_listed or counts.n_corrupt < counts.n_listed:
        return
    table = context.folder.path(artifacts.EXCLUDED_NAME)
    artifacts.write_corruptness_information(table, context.folder.path(artifacts.CORRUPTNESS_NAME))
    first, reason = next((name, why) for name, kind, why in read_excluded(table) if kind == CORRUPT)
    things = "images" if data.videos is None else "videos"
    raise RunFailed(
        f"All {counts.n_listed} {things} are corrupt, so there is nothing to select. The first is "
        f"{first[:200]!r}: {reason} The artifact {artifacts.CORRUPTNESS_NAME} has them all."
    )


def _send_artifacts(context: RunContext) -> None:
    lease = context.lease
    if context.options.upload_report:
        lease.report_state("UPLOADING_REPORT", "Uploading the report.")
        artifacts.send_artifacts(context, artifacts.REPORTS)
        lease.report_state("UPLOADED_REPORT", "The report is there.")
    lease.report_state("UPLOADING_ARTIFACTS", "Uploading tables and logs.")
    artifacts.send_artifacts(context)


def _describe(data: RunData, selection: Selection) -> str:
    counts, n_selected = data.counts, len(selection.picks)
    objects = selection.objects
    if objects is not None:
        chosen = f"Selected {len(objects.names)} of {objects.n_candidates} objects. "
        return chosen + _describe(data, replace(selection, objects=None))
    found = (
        f"{counts.n_listed} listed, {counts.n_corrupt} corrupt, {counts.n_duplicate} duplicates."
    )
    if data.videos is None:
        return f"Selected {n_selected} of {counts.n_processed} images; {found}"
    videos = data.videos.counts
    return (
        f"Selected {n_selected} of {counts.n_processed} frames of {videos.n_processed} videos; "
        f"{found} {videos.n_listed} videos listed, {videos.n_corrupt} corrupt."
    )


def _load_input(
    context: RunContext,
    preparation: Preparation,
    model: EmbeddingModel,
    detector: Detector | None,
    excluded: ExcludedFiles,
) -> tuple[RunData, EmbeddingModel]:
    """List, check, measure and embed the input, and read what lies beside it.

    Returns:
        What was found, and the model that has embedded it: one that the run trains is known now.
    """
    lease = context.lease
    lease.report_state("LOADING_DATASET", "Listing the input.")
    custom = load_custom_embeddings(context)
    datapool = load_datapool(context, preparation, dim=model.dim if custom is None else custom.dim)
    files = FileList(context.folder.path("files.sqlite"))
    try:
        n_listed = list_files(context, preparation, files, excluded)
        if custom is not None:
            match_custom_embeddings(context, preparation, custom, files, excluded, datapool)
        annotations = load_annotations(context)
        model = train_if_asked(context, model, files, annotations, datapool)
        found = examine(context, files, model, excluded, datapool, n_listed=n_listed, custom=custom)
    finally:
        files.close()
        if custom is not None:
            custom.close()
    candidates = found.candidates
    if auto_tasks := context.options.selection.get("autoTasks"):
        earlier = EarlierSamples(context, datapool.names).iterate_sizes() if len(datapool) else ()
        add_auto_tasks(annotations, auto_tasks, [*earlier, *_list_sizes(candidates)])
    names = [*datapool.names, *candidates.iterate_names()] if detector is not None else []
    add_pretagging(context, detector, annotations, names)
    known_scores = AutoTags(context, model, annotations).add(datapool, candidates)
    counts = _count(found.n_listed, len(candidates), excluded)
    data = RunData(candidates, datapool, annotations, counts, known_scores, found.videos)
    return data, model


def _list_sizes(candidates: Candidates) -> Iterator[tuple[str, int, int]]:
    for _, record in candidates.iterate(columns=("metadata",)):
        height, width = (record.metadata or {})["shape"][:2]
        yield record.name, width, height


def _count(n_listed: int, n_processed: int, excluded: ExcludedFiles) -> InputCounts:
    counts = InputCounts(
        n_listed=n_listed,
        n_processed=n_processed,
        n_corrupt=excluded.counts[CORRUPT],
        n_duplicate=excluded.counts[DUPLICATE],
        n_gone=excluded.counts[GONE],
        n_filtered=excluded.counts[FILTERED],
    )
    if not counts.is_balanced:
        raise RunFailed(f"Files were lost on the way, which is a fault of the worker: {counts}.")
    return counts


def _open_inputs(context: RunContext, data: RunData, model: EmbeddingModel) -> RunInputs:
    earlier = EarlierSamples(context, data.datapool.names)
    return RunInputs(
        data.datapool,
        data.candidates,
        data.annotations,
        normalizes=context.options.normalize_embeddings,
        matrix_path=context.folder.path("matrix.f32"),
        embed_objects=ObjectEmbedder(context, model, data.annotations).embed,
        open_queries=earlier.open_queries,
        read_datapool_metadata=earlier.read_metadata,
        known_scores=data.known_scores,
        object_frequency=context.options.object_frequency,
    )


def _select(
    context: RunContext,
    preparation: Preparation,
    data: RunData,
    inputs: RunInputs,
    model: EmbeddingModel,
) -> Selection:
    """Choose, and make what was chosen part of the dataset, unless that shall stay as it is."""
    lease = context.lease
    check_crop_tasks(list_crop_tasks(context.options), data.annotations)
    check_predictions(data.annotations, context.options.selection, inputs.names)
    n_earlier, object_task = len(data.datapool), context.options.object_task
    plan = None if object_task else make_plan(context, inputs, len(data.candidates))
    scores = {}
    if data.annotations.tasks:
        lease.report_state("COMPUTING_ACTIVE_LEARNING_SCORES", "Scoring predictions.")
        scores = {task: inputs.compute_task_scores(task) for task in data.annotations.tasks}
    if plan is not None and context.settings.selection_shards == 1:
        check_memory(plan.strategies, plan.n_samples)
    things = "images" if data.videos is None else "frames"
    lease.report_state("SAMPLING", f"Selecting from {data.counts.n_processed} {things}.")
    if plan is None:
        name = name_crop_dataset(context.options, preparation.dataset)
        selection = select_objects(
            context, inputs, data.annotations, n_earlier=n_earlier, crop_dataset_name=name
        )
    else:
        selection = select_candidates(context, plan, inputs, n_earlier)
    suffix = preparation.thumbnail_suffix
    upload = DatasetUpload(context, data.candidates, selection, data.annotations, suffix)
    if context.options.adds_to_dataset:
        _store(context, preparation, data, inputs, model, selection, upload, scores)
    elif context.options.stores_selected_embeddings:
        upload.write_embeddings()
    return selection


def _store(
    context: RunContext,
    preparation: Preparation,
    data: RunData,
    inputs: RunInputs,
    model: EmbeddingModel,
    selection: Selection,
    upload: DatasetUpload,
    scores: Mapping[str, Scores],
) -> None:
    """Make what was chosen part of the dataset."""
    lease, things = context.lease, "images" if data.videos is None else "frames"
    n_picks = len(selection.picks)
    lease.report_state("SAVING_RESULTS", f"Writing thumbnails of {n_picks} {things}.")
    upload.save_thumbnails()
    if data.videos is not None:
        upload.sizes = save_frames(context, data.videos, data.candidates, selection.picks)
    lease.report_state("UPLOADING_DATASET", f"Adding {n_picks} {things} to the dataset.")
    if n_picks:
        upload.add_samples()
        crops = CropDataset(context, model, preparation.thumbnail_suffix)
        save_crops(context, preparation.dataset, upload, crops, selection.objects)
        upload.add_embeddings()
        upload.add_scores(inputs.names, scores)
        if preparation.own_tag is None:
            upload.refuse_leftovers(inputs.names)
            upload.make_tag(is_extension=len(data.datapool) > 0)
        crops.make_tag()

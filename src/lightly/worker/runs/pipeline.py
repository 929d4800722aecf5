"""The stages of a run, in the order of the contract's states."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from lightly.embedding.registry import EmbeddingModel, find_model
from lightly.worker.errors import RunFailed
from lightly.worker.options import choose_model
from lightly.worker.runs import artifacts
from lightly.worker.runs.annotating import load_annotations
from lightly.worker.runs.auto_tasks import add_auto_tasks
from lightly.worker.runs.candidates import Candidates, collect_candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.data import RunData
from lightly.worker.runs.datapool import load_datapool
from lightly.worker.runs.earlier_samples import EarlierSamples
from lightly.worker.runs.examining import examine_input
from lightly.worker.runs.excluded import (
    CORRUPT,
    DUPLICATE,
    FILTERED,
    GONE,
    ExcludedFiles,
    InputCounts,
)
from lightly.worker.runs.listing import list_files
from lightly.worker.runs.object_crops import ObjectEmbedder
from lightly.worker.runs.preparing import Preparation, prepare
from lightly.worker.runs.reporting import write_reports
from lightly.worker.runs.selecting import Selection, make_plan, select_candidates
from lightly.worker.runs.selection_inputs import RunInputs
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
    model = find_model(choose_model(context.options))
    with ExcludedFiles(context.folder.path(artifacts.EXCLUDED_NAME)) as excluded:
        data = _load_input(context, preparation, model, excluded)
    try:
        inputs = _open_inputs(context, data, model)
        selection = _select(context, preparation, data, inputs)
        message = _describe(data.counts, len(selection.picks))
        log.info("%s", message)
        write_reports(context, preparation, data, inputs, selection, started_s=started_s)
    finally:
        data.annotations.close()
    lease.report_state("UPLOADING_ARTIFACTS", "Uploading report, tables and logs.")
    artifacts.send_artifacts(context)
    if context.options.use_datapool and context.options.enable_datapool_update:
        # Last: an attempt that ends before this is repeated on the same files.
        context.client.update_processed_until_timestamp(preparation.period.to_s)
    lease.report_state("UPLOADED_ARTIFACTS", message)
    return RunOutcome(data.counts, len(selection.picks), message)


def _describe(counts: InputCounts, n_selected: int) -> str:
    return (
        f"Selected {n_selected} of {counts.n_processed} images; {counts.n_listed} listed, "
        f"{counts.n_corrupt} corrupt, {counts.n_duplicate} duplicates."
    )


def _load_input(
    context: RunContext,
    preparation: Preparation,
    model: EmbeddingModel,
    excluded: ExcludedFiles,
) -> RunData:
    """List, check, measure and embed the input, and read what lies beside it."""
    lease = context.lease
    lease.report_state("LOADING_DATASET", "Listing the input.")
    datapool = load_datapool(context, preparation, dim=model.dim)
    files = FileList(context.folder.path("files.sqlite"))
    try:
        n_listed = list_files(context, preparation, files, excluded)
        excluded.add_all(files.drop(datapool.names), FILTERED, "The dataset has it already.")
        annotations = load_annotations(context)
        lease.report_state("EMBEDDING", f"Checking, measuring and embedding {len(files)} images.")
        shards = examine_input(context, files, model)
    finally:
        files.close()
    candidates = collect_candidates(
        shards,
        context.folder.path("embeddings.f32"),
        excluded,
        dim=model.dim,
        removes_duplicates=context.options.remove_exact_duplicates,
    )
    add_auto_tasks(
        annotations, context.options.selection.get("autoTasks") or [], _list_sizes(candidates)
    )
    counts = _count(n_listed, len(candidates), excluded)
    return RunData(candidates, datapool, annotations, counts)


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
    )


def _select(
    context: RunContext, preparation: Preparation, data: RunData, inputs: RunInputs
) -> Selection:
    """Choose, and make what was chosen part of the dataset."""
    lease = context.lease
    plan = make_plan(context, inputs, len(data.candidates))
    scores = {}
    if data.annotations.tasks:
        lease.report_state("COMPUTING_ACTIVE_LEARNING_SCORES", "Scoring predictions.")
        scores = {task: inputs.compute_task_scores(task) for task in data.annotations.tasks}
    lease.report_state("SAMPLING", f"Selecting from {data.counts.n_processed} images.")
    selection = select_candidates(context, plan, inputs, len(data.datapool))
    n_picks, suffix = len(selection.picks), preparation.thumbnail_suffix
    upload = DatasetUpload(context, data.candidates, selection, data.annotations, suffix)
    lease.report_state("SAVING_RESULTS", f"Writing thumbnails of {n_picks} images.")
    upload.save_thumbnails()
    lease.report_state("UPLOADING_DATASET", f"Adding {n_picks} images to the dataset.")
    if n_picks:
        upload.add_samples()
        upload.add_embeddings()
        upload.add_scores(inputs.names, scores)
        if preparation.own_tag is None:
            upload.refuse_leftovers(inputs.names)
            upload.make_tag(is_extension=len(data.datapool) > 0)
    return selection

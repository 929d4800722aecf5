"""EMBEDDING: from the list of files to what a selection may choose from, images or frames alike."""

from __future__ import annotations

from dataclasses import dataclass

from lightly.data.datasource_files.names import cut_extension
from lightly.embedding.registry import EmbeddingModel
from lightly.worker.runs.candidates import KNOWN, Candidates, collect_candidates
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.datapool import Datapool
from lightly.worker.runs.examining import examine_input
from lightly.worker.runs.examining_videos import examine_videos
from lightly.worker.runs.excluded import FILTERED, ExcludedFiles
from lightly.worker.runs.video_input import VideoInput, count_videos
from lightly.worker.sources.custom_embeddings import CustomEmbeddings
from lightly.worker.sources.file_list import FileList


@dataclass(frozen=True)
class ExaminedInput:
    """What the input turned out to be.

    Attributes:
        candidates: What can be selected.
        n_listed: How many images or frames the input has.
        videos: Where frames come from; None if the candidates are images.
    """

    candidates: Candidates
    n_listed: int
    videos: VideoInput | None


def examine(
    context: RunContext,
    files: FileList,
    model: EmbeddingModel,
    excluded: ExcludedFiles,
    datapool: Datapool,
    *,
    n_listed: int,
    custom: CustomEmbeddings | None = None,
) -> ExaminedInput:
    """Check, measure and embed what is listed.

    Args:
        context: Of the run.
        files: What is listed and can be processed by its name.
        model: What to embed with.
        excluded: Where the others are noted.
        datapool: What was selected in earlier runs, and is left out.
        n_listed: How many files there were, the excluded ones included.
        custom: Embeddings that take the place of the model's.
    """
    if context.holds_videos:
        return _examine_videos(context, files, model, excluded, datapool, custom)
    excluded.add_all(files.drop(datapool.names), FILTERED, KNOWN)
    _report(context, f"{len(files)} images")
    candidates = collect_candidates(
        examine_input(context, files, model, embeds=custom is None),
        context.folder.path("embeddings.f32"),
        excluded,
        dim=model.dim if custom is None else custom.dim,
        removes_duplicates=context.options.remove_exact_duplicates,
        custom=custom,
    )
    return ExaminedInput(candidates, n_listed, None)


def _examine_videos(
    context: RunContext,
    files: FileList,
    model: EmbeddingModel,
    excluded: ExcludedFiles,
    datapool: Datapool,
    custom: CustomEmbeddings | None,
) -> ExaminedInput:
    left_out = excluded.begin_frames()
    known_stems = frozenset(map(cut_extension, datapool.names))
    _report(context, f"the frames of {len(files)} videos")
    videos = examine_videos(context, files, model, excluded)
    candidates = collect_candidates(
        [piece for video in videos for piece in video.summary.pieces],
        context.folder.path("embeddings.f32"),
        excluded,
        dim=model.dim if custom is None else custom.dim,
        # A sequence is of frames that follow each other, so none is taken out of the middle.
        removes_duplicates=context.options.remove_exact_duplicates
        and context.options.sequence_length == 1,
        known_stems=known_stems,
        custom=custom,
    )
    found = count_videos(videos, candidates, left_out, known_stems=known_stems)
    return ExaminedInput(candidates, sum(video.summary.n_frames for video in videos), found)


def _report(context: RunContext, what: str) -> None:
    """Tell the three states that are one pass here: each file is read and decoded once."""
    lease = context.lease
    lease.report_state("CHECKING_CORRUPTNESS", f"Decoding {what}; what cannot be is left out.")
    lease.report_state("COMPUTING_METADATA", "Measuring what was decoded, in the same pass.")
    lease.report_state("EMBEDDING", f"Checking, measuring and embedding {what}.")

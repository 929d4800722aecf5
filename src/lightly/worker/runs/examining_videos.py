"""Every frame of every video is decoded, measured and embedded, video by video."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from lightly.embedding.pool import EmbeddingPool, count_processes
from lightly.embedding.registry import EmbeddingModel
from lightly.worker.runs.context import RunContext
from lightly.worker.runs.excluded import CORRUPT, GONE, INCOMPLETE, ExcludedFiles
from lightly.worker.runs.video_input import ExaminedVideo
from lightly.worker.shards.executing import run_shards
from lightly.worker.shards.executors import ShardExecutor, open_executor
from lightly.worker.shards.records import GOOD
from lightly.worker.shards.remote import RemoteWork, run_video_remotely
from lightly.worker.shards.video_kernel import (
    FrameOptions,
    VideoSpec,
    name_video_shard,
    run_video,
)
from lightly.worker.shards.video_records import VideoSummary
from lightly.worker.sources.file_list import FileList, InputFile
from lightly.worker.sources.video_files import VideoOpener

log = logging.getLogger("lightly.worker")

#: Metadata of frames that is measured only if the selection asks for it.
_SIZE_KEY = "lightly.sizeInBytes"

RunVideo = Callable[[VideoSpec], VideoSummary]


def examine_videos(
    context: RunContext, files: FileList, model: EmbeddingModel, excluded: ExcludedFiles
) -> list[ExaminedVideo]:
    """Examine all videos; return them by name, and tell in the table what is wrong with them."""
    n_total, options = len(files), _choose_options(context)
    planned: list[tuple[InputFile, str]] = []
    summaries: dict[str, VideoSummary] = {}

    def plan() -> Iterator[VideoSpec]:
        for file in files.iterate():
            folder = context.folder.shards / name_video_shard(file, options, purpose=model.digest)
            planned.append((file, folder.name))
            yield VideoSpec(file, folder, options)

    n_processes = count_parallel_videos(context, model)
    with (
        # One more than processes: while one is fetched, the others are decoded.
        open_executor(context.settings, n_local=n_processes + 1) as place,
        _prepare(context, model, place, n_processes) as run,
    ):
        for summary in run_shards(plan(), run, place, check=context.lease.check):
            summaries[summary.folder.name] = summary
            context.lease.report_progress(len(summaries), n_total)
    found = [ExaminedVideo(file, summaries[folder]) for file, folder in planned]
    for video in found:
        _tell_problem(video.summary, excluded)
    n_kept = sum(summary.was_done for summary in summaries.values())
    log.info("Examined %d videos; %d of them were known from before.", len(found), n_kept)
    return found


def count_parallel_videos(context: RunContext, model: EmbeddingModel) -> int:
    """Return how many videos are decoded at the same time on this machine."""
    return context.settings.n_processes or context.options.n_processes or count_processes(model)


def _choose_options(context: RunContext) -> FrameOptions:
    inputs = [entry["input"] for entry in context.options.selection.get("strategies") or []]
    return FrameOptions(
        image_format=context.options.image_format,
        measures_sizes=any(one.get("key") == _SIZE_KEY for one in inputs),
        trusts_frame_count=context.options.trusts_frame_count,
    )


def _tell_problem(summary: VideoSummary, excluded: ExcludedFiles) -> None:
    if summary.problem is None:
        return
    kind = INCOMPLETE
    if summary.outcome != GOOD:
        kind = GONE if summary.outcome == GONE else CORRUPT
    excluded.tell(summary.name, kind, summary.problem)
    log.warning("%s: %s", summary.name, summary.problem)


@contextmanager
def _prepare(
    context: RunContext, model: EmbeddingModel, place: ShardExecutor, n_processes: int
) -> Iterator[RunVideo]:
    """Yield what does one video: here with one pool for all, elsewhere by itself."""
    if place.is_remote:
        work = RemoteWork.of_run(context.settings, context.claim, model)
        yield partial(run_video_remotely, work=work)
        return
    opener = open_videos(context)
    opener.remove_leftovers()
    with EmbeddingPool(model, n_processes=n_processes) as pool:
        yield partial(run_video, opener=opener, examiner=pool, check=context.lease.check)


def open_videos(context: RunContext) -> VideoOpener:
    """Return what makes the videos of a run readable as files."""
    return VideoOpener(
        context.link.stores, context.folder.path("videos"), check=context.lease.check
    )
